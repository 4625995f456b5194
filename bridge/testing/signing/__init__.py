"""Signatures as the carriers make them, written from their documents alone."""
