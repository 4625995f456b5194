import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.signatures.message_signature import (
    INPUT_HEADER,
    MAX_INPUT,
    SIGNATURE_HEADER,
    read,
    write,
)

# draft-ietf-httpbis-message-signatures-11, appendices B.1.5 and B.2.5.
SECRET = base64.b64decode(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)
HEADERS = {
    INPUT_HEADER: 'sig-b25=("date" "@authority" "content-type")'
    ';created=1618884473;keyid="test-shared-secret"',
    SIGNATURE_HEADER: "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
}
VALUES = {
    "date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "@authority": "example.com",
    "content-type": "application/json",
}


def with_input(said: str) -> dict[str, str]:
    return {**HEADERS, INPUT_HEADER: said}


def test_the_published_example_fits_its_values_only() -> None:
    signature = read(HEADERS)

    assert signature is not None
    assert signature.names == ("date", "@authority", "content-type")
    assert signature.seconds("created") == 1_618_884_473
    assert signature.text("keyid") == "test-shared-secret"
    assert signature.fits(SECRET, VALUES)
    assert not signature.fits(SECRET + b"x", VALUES)
    for name in VALUES:
        assert not signature.fits(SECRET, {**VALUES, name: "other"})
        assert not signature.fits(SECRET, {k: v for k, v in VALUES.items() if k != name})


def test_blanks_around_a_value_are_no_part_of_it() -> None:
    signature = read(HEADERS)

    assert signature is not None
    assert signature.fits(SECRET, {**VALUES, "content-type": "  application/json\t"})


def test_what_was_written_is_read_and_fits() -> None:
    headers = write(SECRET, ["date", "@authority"], VALUES, {"keyid": "k", "created": 12})
    signature = read(headers)

    assert headers[INPUT_HEADER] == 'sig1=("date" "@authority");keyid="k";created=12'
    assert signature is not None
    assert (signature.seconds("created"), signature.seconds("keyid")) == (12, None)
    assert (signature.text("keyid"), signature.text("nonce")) == ("k", "")
    assert signature.fits(SECRET, VALUES)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "sig-b25",
        'sig-b25=("date")',
        "sig-b25=();created=1",
        'sig-b25=("date";sf);created=1',
        'sig-b25=("date"  "b");created=1',
        'sig-b25=("date" "date");created=1',
        'sig-b25=("date");created=1;created=2',
        'sig-b25=("date");created=-1',
        'sig-b25=("date");created=1.5',
        'sig-b25=("date");created=1234567890123456',
        'sig-b25=("date");keyid="a\\"b"',
        'sig-b25=("date");keyid="é"',
        'sig-b25=("date");created=\u0661',
        'other=("date");created=1',
        'sig-b25=("date");created=1, sig2=("date");created=1',
    ],
)
def test_what_is_more_or_less_than_one_plain_signature_is_not_read(said: str) -> None:
    assert read(with_input(said)) is None


@pytest.mark.parametrize(
    "text", ["", "sig-b25=::", "sig-b25=:abc:", "sig-b25=abc", "other=:" + 43 * "A" + "=:"]
)
def test_a_signature_that_is_none_is_not_read(text: str) -> None:
    assert read({**HEADERS, SIGNATURE_HEADER: text}) is None


@pytest.mark.parametrize("n", [MAX_INPUT, MAX_INPUT + 1])
def test_the_header_is_read_up_to_its_limit_only(n: int) -> None:
    start, end = 'sig-b25=("', '");created=1'

    said = f"{start}{'x' * (n - len(start) - len(end))}{end}"

    assert (read(with_input(said)) is not None) == (n == MAX_INPUT)


@given(said=st.text(), text=st.text())
def test_whatever_is_sent_is_read_or_not(said: str, text: str) -> None:
    assert read({INPUT_HEADER: said, SIGNATURE_HEADER: text}) is None
