"""Parts of benchmarks/talk.py."""
