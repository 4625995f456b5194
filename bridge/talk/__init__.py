"""Talking to an agent: sessions for programs, and the terminal client with microphone and loudspeaker."""
