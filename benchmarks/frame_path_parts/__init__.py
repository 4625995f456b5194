"""Parts of benchmarks/frame_path.py."""
