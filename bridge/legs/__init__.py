"""I/O: one driver for each kind of call end."""
