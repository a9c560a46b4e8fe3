"""URIs and header fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.phone import causes
from hw.phone.leg import key_of
from hw.phone.text import Address, Headers, MalformedError, Uri, split_commas


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:201@box", Uri("201", "box")),
        ("sip:201:pw@[2001:db8::1]:5070;transport=TCP", Uri("201", "2001:db8::1", 5070, {"transport": "TCP"})),
        ("SIPS:a%20b@box?Replaces=c%3Bto-tag%3D1", Uri("a b", "box", 0, {}, {"replaces": "c;to-tag=1"}, "sips")),
        ("tel:+86-10-1234;phone-context=x", Uri("+86101234", "", 0, {"phone-context": "x"}, {}, "tel")),
    ],
)
def test_a_uri_is_read(text: str, uri: Uri) -> None:
    assert Uri.parse(text) == uri


@pytest.mark.parametrize("text", ["", "201", "http://box", "sip:", "sip:a@", "sip:a@b:99999", "sip:a@b:x y"])
def test_what_is_no_uri_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        Uri.parse(text)


def test_an_address_has_name_uri_and_parameters() -> None:
    address = Address.parse('"Li, \\"Lei\\" <x>" <sip:201@box;lr>;tag=1;expires=60')
    assert address == Address(Uri("201", "box", 0, {"lr": ""}), 'Li, "Lei" <x>', {"tag": "1", "expires": "60"})
    assert Address.parse(str(address)) == address
    assert Address.parse("sip:201@box;tag=2") == Address(Uri("201", "box"), "", {"tag": "2"})


def test_commas_in_quotes_and_brackets_do_not_separate() -> None:
    assert list(split_commas('"a,b" <sip:c,d@e>, <sip:f>;q=1 ,')) == ['"a,b" <sip:c,d@e>', "<sip:f>;q=1"]


def test_nothing_we_write_ends_a_header_line() -> None:
    text = str(Address(Uri("2\r\nEvil: 1", "box"), "x\r\nEvil: 2"))
    assert "\r" not in text
    assert "\n" not in text


def test_compact_names_are_spelled_out() -> None:
    assert Headers([("m", "<sip:a@b>"), ("Contact", "<sip:c@d>, <sip:e@f>")]).all("contact") == [
        "<sip:a@b>", "<sip:c@d>", "<sip:e@f>",
    ]  # fmt: skip


def test_a_reason_says_the_cause_exactly() -> None:
    headers = Headers([("Reason", 'SIP;cause=480, Q.850 ;text="no, really";cause=19')])
    assert causes.cause_of(480, headers) == 19
    assert causes.cause_of(480) == 18
    assert causes.cause_of(0) == 16
    assert causes.cause_of(499) == 127


@pytest.mark.parametrize("cause", range(1, 128))
def test_every_cause_has_a_status_that_refuses(cause: int) -> None:
    status, phrase = causes.status_of(cause)
    assert 400 <= status < 700
    assert phrase


def test_keys_of_info_bodies() -> None:
    assert key_of("application/dtmf-relay", b"Signal= *\r\nDuration= 250") == ("*", 250)
    assert key_of("application/dtmf-relay", b"Signal=11\r\n") == ("#", 0)
    assert key_of("application/dtmf", b"d\r\n") == ("D", 0)
    assert key_of("application/dtmf", b"55") is None
    assert key_of("application/dtmf-relay", b"\xff\x00") is None
    assert key_of("text/plain", b"5") is None


@given(st.text(max_size=80))
def test_no_text_crashes_the_address_parser(text: str) -> None:
    try:
        address = Address.parse(text)
    except MalformedError:
        return
    assert not set(str(address.uri)) & {"\r", "\n", " "} - set(text)
