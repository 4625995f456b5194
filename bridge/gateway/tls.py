"""The server's certificate, which changes while calls go on.

A certificate lives for weeks, a service for longer, and a restart would end calls. So the files are looked at every few
seconds and read again when they have changed, or when the service is told to. New connections get the new certificate;
connections that are up keep what they shook hands with. What cannot be used leaves the old certificate in place, with
one sentence in the log. All reading is done off the event loop.
"""

import asyncio
import logging
import ssl as tls
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeAlias

from bridge.errors import ConfigError

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0

_Stamp: TypeAlias = tuple[int, int, int]


class Certificate:
    """A certificate chain and its key in two PEM files, followed when they change.

    Args:
        cert: the server's certificate first, then those that it was signed with.
        key: its private key, without a passphrase.

    Raises: ConfigError with one sentence if the files cannot be used.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self._stamps = self._look()
        self._complaint = ""
        self._tasks: set[asyncio.Task[object]] = set()
        self.context = self._current = self._load()
        """For a listener: each handshake takes the certificate that is current then."""
        self.context.sni_callback = self._choose

    async def reload(self) -> bool:
        """Read the files now; whether they are in use from here on."""
        loop = asyncio.get_running_loop()
        try:
            stamps = await loop.run_in_executor(None, self._look)
            current = await loop.run_in_executor(None, self._load)
        except ConfigError as error:
            if str(error) != self._complaint:
                log.error("! the old certificate stays in use: %s", error)  # noqa: TRY400 - one sentence says it all
            self._complaint = str(error)
            return False
        self._stamps, self._current, self._complaint = stamps, current, ""
        log.info("= a new certificate is in use: %s", self._cert)
        return True

    def reload_soon(self) -> None:
        """Read the files as soon as may be, in a task of our own."""
        self._keep(self.reload(), "reload the certificate")

    def watch(self, every_s: float = LOOK_S) -> None:
        """Look at the files from now on; until `close`."""
        self._keep(self._follow(every_s), "watch the certificate")

    async def close(self) -> None:
        """Look at the files no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, work: Coroutine[Any, Any, object], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, every_s: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(every_s)
            # Two files never change at once: what did not fit together is read again.
            if self._complaint or await loop.run_in_executor(None, self._look) != self._stamps:
                await self.reload()

    def _choose(
        self, connection: tls.SSLObject | tls.SSLSocket, _name: str | None, _context: tls.SSLContext
    ) -> None:
        # Called in each handshake, whether the client names a host or not.
        connection.context = self._current

    def _look(self) -> tuple[_Stamp | None, _Stamp | None]:
        return _stamp(self._cert), _stamp(self._key)

    def _load(self) -> tls.SSLContext:
        context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
        context.minimum_version = tls.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._cert, self._key, _no_passphrase)
        except tls.SSLError as error:
            raise ConfigError(
                f"{self._cert} and {self._key} are no certificate and its key without a passphrase: "
                f"{error.reason or error}"
            ) from None
        except OSError as error:
            raise ConfigError(
                f"{self._cert} or {self._key} cannot be read: {error.strerror or error}"
            ) from None
        return context


def _stamp(path: Path) -> _Stamp | None:
    """What changes when a file does; None if it is not there. Links are followed."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _no_passphrase() -> bytes:
    # Without this OpenSSL would ask at the terminal.
    return b""
