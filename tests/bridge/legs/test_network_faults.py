import socket
import ssl

import pytest

from bridge.legs.network_faults import innermost, network_fault


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "did not answer within 3 s"),
        (socket.gaierror(-2, "Name or service not known"), "check the address and the network"),
        (UnicodeError("a label is too long"), "the name is not known here"),
        (ConnectionRefusedError(111, "refused"), "and that the server runs"),
        (ConnectionResetError(104, "reset"), "closed the connection before it answered"),
        (ssl.SSLError(1, "wrong version"), "check the address and its scheme"),
        (OSError(101, "Network is unreachable"), "cannot be reached: [Errno 101]"),
    ],
)
def test_a_fault_says_what_to_check(error: Exception, words: str) -> None:
    assert words in network_fault(error, 3.0)


def test_a_certificate_that_is_not_trusted_can_be_named() -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_message = "self-signed certificate"

    told = network_fault(error, 3.0)

    assert "not trusted: self-signed certificate" in told
    assert "SSL_CERT_FILE" in told


def refused_in_a_library() -> None:
    try:
        try:
            raise ConnectionRefusedError(111, "refused")
        except OSError:
            raise OSError("all connection attempts failed") from None
    except OSError as exc:
        raise RuntimeError("of a library") from exc


def test_the_system_s_own_error_is_found_behind_those_of_libraries() -> None:
    with pytest.raises(RuntimeError) as caught:
        refused_in_a_library()

    assert isinstance(innermost(caught.value), ConnectionRefusedError)
    assert innermost(ValueError("x")) is None
