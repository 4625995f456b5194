"""The device leg: a microphone and a loudspeaker as one end of a call."""
