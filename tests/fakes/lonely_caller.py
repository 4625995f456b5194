"""A program that calls a service, says so, and speaks until it is killed: ``python -m … URL``."""

import asyncio
import sys

import httpx

from tests.fakes.twilio_line import TwilioLine


async def main(url: str) -> None:
    """Call and stay."""
    async with httpx.AsyncClient(trust_env=False) as http:
        await TwilioLine.call(url, http)
    sys.stdout.write("up\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
