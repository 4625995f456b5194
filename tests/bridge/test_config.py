from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bridge.config import (
    MAX_CONFIG_BYTES,
    Config,
    Overrides,
    ServerConfig,
    is_loopback,
    load_config,
)
from bridge.errors import ConfigError

KEY = "a-long-key"


def loaded(tmp_path: Path, text: str | bytes) -> Config:
    path = tmp_path / "server.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_config(path)


def complaint(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence.removeprefix(f"{tmp_path / 'server.toml'}: ")


def test_without_a_file_the_service_listens_on_loopback_alone() -> None:
    server = load_config(None).server

    assert (server.host, server.port, server.api_keys) == ("127.0.0.1", 8080, ())


def test_the_example_file_is_valid_and_names_every_key() -> None:
    path = Path(__file__).parents[2] / "config" / "serve.toml"
    config = load_config(path)
    text = path.read_text()

    assert config.server.host == "127.0.0.1"
    for key in ServerConfig.model_fields:
        assert f"{key} =" in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize("secret", ["change-this-secret", "my-own-change-this", "changed-this-one"])
def test_a_secret_of_the_examples_keeps_the_service_on_this_machine(
    tmp_path: Path, host: str, secret: str
) -> None:
    text = (
        f"[server]\nhost = '{host}'\napi_keys = ['{KEY}']\n[carriers.exotel]\nsecret = '{secret}'\n"
    )

    if secret.startswith("change-this") and not is_loopback(host):
        assert complaint(tmp_path, text).startswith(
            f"refusing to listen on {host} with the example's carriers.exotel.secret, "
        )
    else:
        assert loaded(tmp_path, text).server.host == host


def test_overrides_lie_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[server]\nport = 1\nhost = 'localhost'\n")
    server = load_config(path, {"port": 2}).server

    assert (server.port, server.host) == (2, "localhost")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "foo = 1",
            (
                "unknown key 'foo'; known: server, speech, webrtc, ai, phone, outgoing, carriers, "
                "audiosocket, routes, talk"
            ),
        ),
        ("[sever]\nport = 1", "unknown key 'sever'; did you mean 'server'?"),
        ("[server]\nprot = 1", "unknown key 'server.prot'; did you mean 'port'?"),
        ("[speech]\nvoices = 'x'", "unknown key 'speech.voices'; did you mean 'voice'?"),
        (
            "[carriers.twilio]\nauth_tokn = 'x'",
            "unknown key 'carriers.twilio.auth_tokn'; did you mean 'auth_token'?",
        ),
        ("[carriers.twillio]", "unknown key 'carriers.twillio'; did you mean 'twilio'?"),
        ("[[routes]]\nnumbr = '*'", "unknown key 'routes.0.numbr'; did you mean 'number'?"),
        (
            "[phone.fallback]\nrecord = 'x'",
            "unknown key 'phone.fallback.record'; did you mean 'recording'?",
        ),
        ("[[routes]]\nnumber = 're:('", "routes.0.number: is no regular expression: "),
        (
            "[server]\npublic_url = 'bridge.example'",
            "server.public_url: must be an address such as https://bridge.example.com",
        ),
        (
            "[carriers.asterisk]\nsecret = 'a b'",
            "carriers.asterisk.secret: must be 8 to 128 letters, digits, - or _: it stands in an address",
        ),
        ("[carriers.jambonz]\nuser = 'x'", "carriers.jambonz: user and password belong together"),
        (
            "[carriers.twilio]\nauth_token = 'x'\napi_key_sid = 'SK1'",
            "carriers.twilio: api_key_sid and api_key_secret belong together",
        ),
        ("[carriers.telnyx]\nrate_hz = 16000", "carriers.telnyx: PCMU has no rate_hz of 16000"),
        (
            "[carriers.telnyx]\ncodec = 'OPUS'\nrate_hz = 22050",
            "carriers.telnyx: OPUS has no rate_hz of 22050",
        ),
        (
            "[[routes]]\ncall = {}\ntransfer_to = '+15550100009'",
            "routes.0: transfer_to is for the tool coldTransfer, which tools does not name",
        ),
        (
            "[outgoing]\nprefixes = ['1555']",
            "outgoing.prefixes.0: must be the beginning of a number, such as +1 or +4930",
        ),
        ("[outgoing]\nmax_calls = -1", "outgoing.max_calls: "),
        (
            "[outgoing]\nmax_per_dya = 1",
            "unknown key 'outgoing.max_per_dya'; did you mean 'max_per_day'?",
        ),
        (
            "[outgoing]\nenabled = true",
            "outgoing.enabled needs outgoing.prefixes: what a number has to begin with, such as +1",
        ),
        (
            "[outgoing]\nenabled = true\nprefixes = ['+1']",
            "outgoing.enabled needs server.public_url: where carriers open the media sockets of the calls",
        ),
        ("server = 5", "server: must be a table"),
        ("[server]\nport = true", "server.port: must be a whole number"),
        ("[server]\nport = '80'", "server.port: must be a whole number"),
        ("[server]\nhost = 1", "server.host: must be text"),
        ("[server]\napi_keys = 'x'", "server.api_keys: must be a list"),
        ("[server]\nrecordings = 5", "server.recordings: must be a path"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_key(
    tmp_path: Path, text: str, sentence: str
) -> None:
    said = complaint(tmp_path, text)

    assert said.startswith(sentence) if sentence.endswith(": ") else said == sentence


CHECKED = [
    ("twilio", "auth_token = 'x'"),
    ("telnyx", "public_key = 'x'"),
    ("plivo", "auth_token = 'x'"),
    ("exotel", "user = 'x'\npassword = 'y'"),
    ("vonage", "signature_secret = 'x'"),
    ("genesys", "api_key = 'x'\nclient_secret = 'y'"),
    ("asterisk", "secret = 'abcdefgh'"),
    ("jambonz", "user = 'x'\npassword = 'y'"),
    ("audio_fork", "secret = 'abcdefgh'"),
    ("audio_stream", "secret = 'abcdefgh'"),
]


@pytest.mark.parametrize(("carrier", "check"), CHECKED)
def test_a_carrier_that_cannot_be_told_from_others_is_refused_unless_asked_for(
    tmp_path: Path, carrier: str, check: str
) -> None:
    assert loaded(tmp_path, f"[carriers.{carrier}]\n{check}").carriers.there().keys() == {carrier}
    assert f"carriers.{carrier} needs" in complaint(tmp_path, f"[carriers.{carrier}]")

    insecure = f"[phone]\ninsecure = true\n[carriers.{carrier}]"
    assert loaded(tmp_path, insecure).phone.insecure


def test_overrides_of_other_tables_lie_over_the_file_and_make_what_is_missing() -> None:
    more: Overrides = {
        "carriers.twilio": {"auth_token": "secret"},
        "phone": {"insecure": True},
    }
    config = load_config(None, {}, more)

    assert config.carriers.twilio is not None
    assert config.carriers.twilio.auth_token == SecretStr("secret")
    assert config.phone.insecure


def test_a_carrier_that_is_only_half_in_the_environment_is_not_there(tmp_path: Path) -> None:
    half = {"carriers.twilio": {"account_sid": "AC1"}}
    path = tmp_path / "c.toml"
    path.write_text("[carriers.twilio]")

    assert load_config(None, {}, half).carriers.twilio is None
    with pytest.raises(ConfigError, match=r"carriers\.twilio needs auth_token"):
        load_config(path, {}, half)


def test_an_override_of_what_is_no_table_leaves_the_sentence_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("carriers = 5")

    with pytest.raises(ConfigError, match="carriers: must be a table"):
        load_config(path, {}, {"carriers.twilio": {"auth_token": "secret"}})


@pytest.mark.parametrize("given", ["tls_cert = 'a.pem'", "tls_key = 'a.pem'"])
def test_certificate_and_key_belong_together(tmp_path: Path, given: str) -> None:
    assert complaint(tmp_path, f"[server]\n{given}") == (
        "server.tls_cert and server.tls_key belong together"
    )


@pytest.mark.parametrize(("port", "ok"), [(0, True), (65_535, True), (-1, False), (65_536, False)])
def test_a_port_lies_between_0_and_65535(tmp_path: Path, port: int, ok: bool) -> None:
    if ok:
        assert loaded(tmp_path, f"[server]\nport = {port}").server.port == port
    else:
        assert complaint(tmp_path, f"[server]\nport = {port}").startswith("server.port: ")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "example.org", "192.168.0.1", "[::1]"])
def test_without_a_key_only_loopback_is_listened_on(tmp_path: Path, host: str) -> None:
    assert "without an API key" in complaint(tmp_path, f"[server]\nhost = '{host}'")

    text = f"[server]\nhost = '{host}'\napi_keys = ['{KEY}']"
    assert loaded(tmp_path, text).server.host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1", "ip6-localhost"])
def test_loopback_needs_no_key(tmp_path: Path, host: str) -> None:
    assert is_loopback(host)
    assert loaded(tmp_path, f"[server]\nhost = '{host}'").server.api_keys == ()


@pytest.mark.parametrize("key", ["", "1234567"])
def test_a_key_that_locks_nobody_out_is_refused(tmp_path: Path, key: str) -> None:
    text = f"[server]\nhost = '0.0.0.0'\napi_keys = ['{key}']"

    assert complaint(tmp_path, text) == "server.api_keys.0: must have at least 8 characters"
    with pytest.raises(ConfigError, match=r"^TIPRING_API_KEY must have at least 8 characters$"):
        load_config(None, {"host": "0.0.0.0", "api_keys": (key,)})


def test_a_key_of_eight_characters_will_do() -> None:
    server = load_config(None, {"host": "0.0.0.0", "api_keys": ("12345678",)}).server

    assert server.api_keys == (SecretStr("12345678"),)
    assert "12345678" not in repr(server)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_config(tmp_path / "none.toml")


@pytest.mark.parametrize("text", [b"a =", b"\xff\xfe", b"a = 1\na = 2", b"[" * 5_000])
def test_what_is_no_toml_is_said_to_be_none(tmp_path: Path, text: bytes) -> None:
    assert complaint(tmp_path, text).startswith("not valid TOML")


def test_a_file_may_be_as_long_as_the_bound_and_no_longer(tmp_path: Path) -> None:
    loaded(tmp_path, b"#" + b"x" * (MAX_CONFIG_BYTES - 1))

    assert complaint(tmp_path, b"#" + b"x" * MAX_CONFIG_BYTES) == "longer than 256 KiB"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    text=st.binary(max_size=200) | st.text("[server]ports=1\n.'\"{}", max_size=60).map(str.encode)
)
def test_any_file_is_a_config_or_one_sentence(tmp_path: Path, text: bytes) -> None:
    try:
        outcome: object = loaded(tmp_path, text)
    except ConfigError as exc:
        outcome = str(exc)

    assert outcome
