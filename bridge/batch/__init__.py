"""Files as callers: one call, many calls, and the figures measured from them."""
