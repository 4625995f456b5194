// A server for the page within the page: its REST answers, and the other end of its WebRTC connection.
// `far` is what a test has in hand: say(message), heard (messages of the page), speak(on), quit(), refuse[path].
(() => {
  const own = window.fetch.bind(window);
  const callId = "11111111-2222-4333-8444-555555555555";
  const token = "t".repeat(32);
  const far = (window.far = { heard: [], requests: [], refuse: {}, ended: null, channel: null, agents: null });
  const json = (body, status = 200) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
  let context, gain, pc;

  const models = ["tipring/script:receptionist", "tipring/script:survey", "tipring/script:monologue", "tipring/echo", "tipring/tone",
    "ultravox-v0.7", "fixie-ai/ultravox"];
  const script = (model, description, tool, answer) => ({ model, description, answers: tool ? { [tool]: answer } : {},
    tools: tool ? [{ temporaryTool: { modelToolName: tool, client: {} } }] : [] });
  const agents = [
    script("tipring/script:receptionist", "The receptionist of Harbour Clinic, who books appointments.", "bookAppointment", '{"status": "booked", "reference": "four two seven"}'),
    script("tipring/script:survey", "A telephone survey with yes or no questions.", "saveAnswers", "saved"),
    script("tipring/script:monologue", "Reads a long text, for trying out interruptions."),
  ];

  window.fetch = async (target, init = {}) => {
    const { pathname } = new URL(target, location.href);
    const method = init.method ?? "GET";
    if (!/^\/(api\/|agents\.json|calls\/)/.test(pathname)) return own(target, init);
    far.requests.push({ method, path: pathname, headers: init.headers ?? {}, body: typeof init.body === "string" ? init.body : null });
    const refusal = far.refuse[`${method} ${pathname}`] ?? far.refuse[pathname];
    if (refusal === "gone") throw new TypeError("Failed to fetch");
    if (refusal) return json(refusal.body, refusal.status);
    if (far.key && !pathname.endsWith("/whip") && init.headers["X-API-Key"] !== far.key) return json({ detail: "A valid API key is needed in the X-API-Key header." }, 401);
    if (pathname === "/api/models") return json({ results: models.map((name) => ({ name })), total: models.length });
    if (pathname === "/agents.json") return json(agents);
    if (pathname === "/api/calls" && method === "POST") return json({ callId, joinUrl: `ws://${location.host}/calls/${callId}/${token}/webrtc` }, 201);
    if (pathname === `/api/calls/${callId}`) return json({ callId, endReason: far.ended, recordingEnabled: true });
    if (pathname === `/api/calls/${callId}/recording`) return new Response(new Blob(["RIFF"]));
    if (pathname === `/calls/${callId}/whip` && method === "POST") return join(init.body);
    if (method === "DELETE") return new Response(null, { status: 204 });
    return json({ detail: "Not Found." }, 404);
  };

  async function join(sdp) {
    if (far.ended) return json({ detail: "The call of this join URL has ended." }, 410);
    pc = new RTCPeerConnection();
    context ??= new AudioContext();
    gain = new GainNode(context, { gain: 0 });
    const out = context.createMediaStreamDestination();
    const tone = new OscillatorNode(context, { frequency: 330 });
    tone.connect(gain).connect(out);
    tone.start();
    pc.ondatachannel = ({ channel }) => {
      far.channel = channel;
      channel.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === "ping") far.say({ type: "pong", timestamp: message.timestamp });
        else far.heard.push(message);
      };
    };
    pc.ontrack = ({ streams, track }) => { far.stream = streams[0] ?? new MediaStream([track]); };
    await pc.setRemoteDescription({ type: "offer", sdp });
    pc.addTrack(out.stream.getAudioTracks()[0], out.stream);
    await pc.setLocalDescription();
    await new Promise((done) => { pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done(); setTimeout(done, 300); });
    return new Response(pc.localDescription.sdp, { status: 201, headers: { Location: `/calls/${callId}/whip/1`, "Content-Type": "application/sdp" } });
  }

  far.say = (message) => far.channel.send(JSON.stringify(message));
  far.speak = (on) => gain.gain.setTargetAtTime(on ? 0.3 : 0, context.currentTime, 0.002);
  far.quit = (reason) => { far.ended = reason; pc.close(); };
  far.drop = () => pc.close();
  far.callId = callId;
  far.joinUrl = `ws://${location.host}/calls/${callId}/${token}/webrtc`;
})();
