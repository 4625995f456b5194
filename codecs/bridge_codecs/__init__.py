"""Sample formats and signal processing: knows no calls, no sockets and no time."""
