"""Other people's clients in calls of ours: each in an environment of its own, each a whole call."""
