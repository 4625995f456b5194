"""Calls over WebRTC: one end of a peer connection as a leg, for LiveKit clients, WHIP pages and rooms of others."""
