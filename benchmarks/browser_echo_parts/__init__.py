"""Parts of the benchmark of the echo round trip."""
