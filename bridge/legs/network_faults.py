"""What is amiss when somebody cannot be reached, and what to check: the end of a sentence that names host and port."""

import socket
import ssl
from typing import Final

_CHECK_ADDRESS: Final = "check the address"


def network_fault(error: Exception, timeout_s: float) -> str:
    """A clause that follows the name of whom one could not reach.

    Args:
        error: of the connection that failed.
        timeout_s: how long was waited, s.
    """
    match error:
        case TimeoutError():
            fault = f"did not answer within {timeout_s:g} s"
        case socket.gaierror() | UnicodeError():
            fault = f"cannot be found: the name is not known here; {_CHECK_ADDRESS} and the network"
        case ssl.SSLCertVerificationError():
            fault = (
                f"shows a certificate that is not trusted: {error.verify_message}; "
                f"{_CHECK_ADDRESS}, or name the certificate in SSL_CERT_FILE"
            )
        case ssl.SSLError():
            why = getattr(error, "reason", None) or error  # one that no TLS library made has none
            fault = f"speaks no TLS that we understand: {why}; {_CHECK_ADDRESS} and its scheme"
        case ConnectionRefusedError():
            fault = (
                f"refuses the connection: nothing listens there; {_CHECK_ADDRESS} and the port, "
                "and that the server runs"
            )
        case ConnectionError():
            fault = "closed the connection before it answered"
        case _:
            fault = f"cannot be reached: {error}"
    return fault


def innermost(error: BaseException) -> OSError | None:
    """The system's own error that another one was made of; None if there is none."""
    found: OSError | None = None
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError):
            found = seen
        seen = seen.__cause__ or seen.__context__
    return found
