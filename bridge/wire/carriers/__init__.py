"""Carriers' media sockets as machines without a socket, one small module each."""
