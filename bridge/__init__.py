"""Tipring: a real-time media bridge for live voice-AI calls."""
