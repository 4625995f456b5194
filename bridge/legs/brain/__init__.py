"""The brain leg: a local brain in the agent's chair, and the conversation around it."""
