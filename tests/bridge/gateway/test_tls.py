"""Certificates that change under live connections."""

import asyncio
import logging
import os
import re
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from bridge.errors import ConfigError
from bridge.gateway.tls import Certificate
from bridge.legs import picows_socket
from tests.fakes.certificates import common_name, trust_anything, write_certificate
from tests.fakes.front_door import front_door
from tests.fakes.socket_log import SocketLog


@pytest.fixture
def cert(tmp_path: Path) -> Path:
    path = tmp_path / "cert.pem"
    write_certificate(path, tmp_path / "key.pem", name="first")
    return path


def change(cert: Path, name: str) -> None:
    """Other files in the place of these, at once, as those who renew certificates do it."""
    new = cert.with_suffix(".new"), cert.with_name("key.new")
    write_certificate(*new, name=name)
    os.replace(new[1], cert.with_name("key.pem"))  # noqa: PTH105 - the same thing
    os.replace(new[0], cert)  # noqa: PTH105


async def shown(port: int) -> str:
    """The name in the certificate that a new connection is shown."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust_anything())
    shaken = writer.get_extra_info("ssl_object")
    writer.close()
    with_der = shaken.getpeercert(binary_form=True)
    assert isinstance(with_der, bytes)
    return common_name(with_der)


async def until_shown(name: str, port: int) -> None:
    """Wait for the certificate with this name."""
    async with asyncio.timeout(5):
        while await shown(port) != name:  # noqa: ASYNC110 - a listener tells nobody
            await asyncio.sleep(0.02)


async def test_a_new_certificate_is_shown_to_new_connections_and_live_sockets_go_on(
    tmp_path: Path,
) -> None:
    cert = tmp_path / "cert.pem"
    write_certificate(cert, tmp_path / "key.pem", name="first")
    certificate = Certificate(cert, tmp_path / "key.pem")
    async with front_door(ssl=certificate.context) as house:
        url = f"wss://127.0.0.1:{house.port}/media/echo"
        socket = await picows_socket.connect(url, ssl=trust_anything())
        log = SocketLog()
        socket.start(log)
        assert await shown(house.port) == "first"
        change(cert, "second")
        assert await shown(house.port) == "first"

        assert await certificate.reload()

        assert await shown(house.port) == "second"
        socket.send_text("still here")
        assert await log.wait_heard(1) == ["still here"]
        socket.close()
        await log.closed.wait()


async def test_changed_files_are_found_without_being_told(cert: Path) -> None:
    certificate = Certificate(cert, cert.with_name("key.pem"))
    certificate.watch(0.01)
    async with front_door(ssl=certificate.context) as house:
        change(cert, "second")
        await until_shown("second", house.port)
    await certificate.close()
    await certificate.close()


async def test_a_broken_certificate_leaves_the_old_one_in_use_and_is_complained_about_once(
    cert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = Certificate(cert, cert.with_name("key.pem"))
    certificate.watch(0.01)
    async with front_door(ssl=certificate.context) as house:
        _fill_with_nonsense(cert)
        await asyncio.sleep(0.1)
        assert await shown(house.port) == "first"
        change(cert, "second")
        await until_shown("second", house.port)
        await certificate.close()

    errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert re.match("! the old certificate stays in use: .*cert.pem and .*key.pem", errors[0])


async def test_a_key_that_comes_after_its_certificate_is_waited_for(
    cert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = Certificate(cert, cert.with_name("key.pem"))
    old_key = cert.with_name("key.pem").read_bytes()
    change(cert, "second")
    new_key = cert.with_name("key.pem").read_bytes()
    cert.with_name("key.pem").write_bytes(old_key)

    assert not await certificate.reload()
    assert not await certificate.reload()
    cert.with_name("key.pem").write_bytes(new_key)
    assert await certificate.reload()

    assert caplog.text.count("the old certificate stays") == 1


def _fill_with_nonsense(cert: Path) -> None:
    cert.write_text("no certificate at all")


def _remove(cert: Path) -> None:
    cert.unlink()


def _make_folder(cert: Path) -> None:
    cert.unlink()
    cert.mkdir()


def _empty(cert: Path) -> None:
    cert.write_bytes(b"")


def _other_key(cert: Path) -> None:
    write_certificate(cert.with_name("other.pem"), cert.with_name("key.pem"))


def _locked_key(cert: Path) -> None:
    write_certificate(cert, cert.with_name("key.pem"), passphrase="secret word")


@pytest.mark.parametrize("spoil", [_remove, _make_folder, _empty, _other_key, _locked_key])
async def test_files_that_cannot_be_used_are_refused_in_one_sentence(
    cert: Path, spoil: Callable[[Path], None]
) -> None:
    certificate = Certificate(cert, cert.with_name("key.pem"))
    spoil(cert)

    assert not await certificate.reload()
    with pytest.raises(ConfigError) as caught:
        Certificate(cert, cert.with_name("key.pem"))
    sentence = str(caught.value)
    assert "cert.pem" in sentence
    assert "\n" not in sentence


async def test_old_versions_of_tls_are_not_spoken(cert: Path) -> None:
    certificate = Certificate(cert, cert.with_name("key.pem"))

    assert certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_same_holds_on_uvloop(tmp_path: Path) -> None:
    test: Callable[[Path], Awaitable[None]] = (
        test_a_new_certificate_is_shown_to_new_connections_and_live_sockets_go_on
    )

    async def main() -> None:
        await test(tmp_path)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
