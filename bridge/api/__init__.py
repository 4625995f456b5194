"""REST: routers and schemas over the call service."""
