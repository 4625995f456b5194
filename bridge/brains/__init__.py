"""What decides what the local agent says."""
