"""LiveKit signalling as pure protocol: both roles, both versions; no sockets, no clock."""
