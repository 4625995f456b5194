"""The device doctor: plays chirps, listens for them, and tells what a microphone and a loudspeaker do to a call."""
