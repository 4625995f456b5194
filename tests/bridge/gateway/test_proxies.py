import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ConfigError
from bridge.gateway.proxies import NO_PROXIES, TrustedProxies

PROXIES = TrustedProxies(["10.0.0.0/8", "::1", "192.0.2.1"])


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("::1", True),
        ("::2", False),
        ("::ffff:10.1.2.3", True),
        ("", False),
        ("unknown", False),
    ],
)
def test_addresses_and_networks_of_the_configuration_are_trusted(
    address: str, trusted: bool
) -> None:
    assert PROXIES.trusts(address) is trusted
    assert not NO_PROXIES.trusts(address)


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "source"),
    [
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2, 192.0.2.1", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("203.0.113.1", "198.51.100.1", "203.0.113.1"),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_proxy(
    peer: str, forwarded_for: str | None, source: str
) -> None:
    assert PROXIES.source(peer, forwarded_for) == source


@pytest.mark.parametrize(
    ("peer", "proto", "ours", "secure"),
    [
        ("10.0.0.1", "https", False, True),
        ("10.0.0.1", "WSS", False, True),
        ("10.0.0.1", "http, https", False, True),
        ("10.0.0.1", "https, http", False, False),
        ("10.0.0.1", "http", True, False),
        ("10.0.0.1", None, True, True),
        ("203.0.113.1", "https", False, False),
        ("203.0.113.1", "http", True, True),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_says(
    peer: str, proto: str | None, ours: bool, secure: bool
) -> None:
    assert PROXIES.secure(peer, proto, ours) is secure


@pytest.mark.parametrize("text", ["", "proxy.example", "10.0.0.0/33"])
def test_what_is_no_address_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="neither an address nor a network"):
        TrustedProxies([text])


@given(st.text(), st.text())
def test_whatever_a_client_claims_nothing_is_raised(told: str, proto: str) -> None:
    assert PROXIES.source("203.0.113.1", told) == "203.0.113.1"
    assert isinstance(PROXIES.source("10.0.0.1", told), str)
    assert isinstance(PROXIES.secure("10.0.0.1", proto, False), bool)
