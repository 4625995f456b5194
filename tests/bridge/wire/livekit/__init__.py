"""Tests of LiveKit signalling."""
