"""Wire protocols without sockets: bytes or text in, events out."""
