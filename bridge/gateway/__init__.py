"""The long-running service: listeners and the front door."""
