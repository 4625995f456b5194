"""How carriers prove who they are: one module for each way of signing, made and checked.

Everything here is pure: secrets, requests and the time are arguments. A check gives None when the request is the
carrier's, else a sentence for the log that repeats no secret, number or token. Signing is what the carrier does: our
emulators and tests use it.
"""
