"""The call service: the life of a call, its tools, messages, events and recordings."""
