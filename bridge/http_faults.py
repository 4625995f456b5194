"""What an HTTP client raises when a request fails, for whoever turns it into a sentence."""

from typing import Final

import httpx

HTTP_FAULTS: Final = (httpx.HTTPError, httpx.InvalidURL, AttributeError)
"""No answer, or none that can be read. AttributeError: anyio on uvloop, of a connection that is reset as it opens."""
