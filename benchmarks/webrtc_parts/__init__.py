"""The two processes of `benchmarks/webrtc.py`."""
