"""Tests of calls over WebRTC."""
