"""The carrier leg: one driver for every carrier's media socket, and what belongs to a phone call around it."""
