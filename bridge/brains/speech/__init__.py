"""Ears, voices and voice activity detectors, each behind a small protocol."""
