"""What we make of session descriptions, good and bad."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.messages import Codec, Direction, Media
from hw.phone import sdp

OURS = Media("192.0.2.1", 16384, (Codec("PCMA", 8), Codec("PCMU", 0)), 101)
OFFER = b"""v=0\r
o=- 1 1 IN IP4 192.0.2.7\r
s=call\r
c=IN IP4 192.0.2.7\r
t=0 0\r
m=audio 40000 RTP/AVP 9 8 18 97\r
a=rtpmap:9 G722/8000\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:97 telephone-event/8000\r
a=fmtp:97 0-16\r
a=ptime:30\r
a=sendonly\r
m=video 40002 RTP/AVP 96\r
a=rtpmap:96 H264/90000\r
"""


def test_an_offer_is_read() -> None:
    assert sdp.parse(OFFER).media == Media("192.0.2.7", 40000, (Codec("PCMA", 8),), 97, "sendonly", 30)


def test_an_answer_has_a_line_for_each_line_offered() -> None:
    text = sdp.answer(sdp.parse(OFFER), OURS, 7, 1).decode()
    assert "m=audio 16384 RTP/AVP 8 97\r\n" in text
    assert "m=video 0 RTP/AVP 96\r\n" in text
    assert "a=recvonly\r\n" in text
    assert sdp.parse(text.encode()).media == Media("192.0.2.1", 16384, (Codec("PCMA", 8),), 97, "recvonly", 30)


@pytest.mark.parametrize(
    ("far", "local", "answer"),
    [
        ("sendrecv", "sendrecv", "sendrecv"), ("sendonly", "sendrecv", "recvonly"),
        ("recvonly", "sendrecv", "sendonly"), ("inactive", "sendrecv", "inactive"),
        ("sendrecv", "sendonly", "sendonly"), ("sendonly", "sendonly", "inactive"),
        ("sendonly", "recvonly", "recvonly"), ("recvonly", "sendonly", "sendonly"),
    ],
)  # fmt: skip
def test_the_direction_is_what_both_allow(far: Direction, local: Direction, answer: Direction) -> None:
    theirs = Media("192.0.2.7", 40000, (Codec("PCMA", 8),), None, far)
    assert sdp.common(theirs, Media("192.0.2.1", 1, OURS.codecs, 101, local)).direction == answer


def test_hold_as_rfc_2543_had_it_means_that_they_do_not_listen() -> None:
    held = OFFER.replace(b"192.0.2.7\r\nt=", b"0.0.0.0\r\nt=").replace(b"a=sendonly\r\n", b"")
    assert sdp.parse(held).media.direction == "sendonly"


@pytest.mark.parametrize(
    "body",
    [
        OFFER.replace(b"RTP/AVP 9 8 18 97", b"RTP/AVP 9 18 97"),
        OFFER.replace(b"audio 40000", b"audio 0"),
        OFFER.replace(b"RTP/AVP", b"RTP/SAVP"),
        OFFER.replace(b"PCMA/8000", b"PCMA/16000"),
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\n",
    ],
)
def test_what_we_cannot_do_is_unacceptable(body: bytes) -> None:
    with pytest.raises(sdp.UnacceptableSdpError):
        sdp.parse(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"v=1\r\n",
        OFFER.replace(b"192.0.2.7\r\nt", b"some.host\r\nt"),
        OFFER.replace(b"40000", b"99999"),
        OFFER.replace(b"c=IN IP4 192.0.2.7\r\n", b""),
        OFFER + b"rubbish\r\n",
        OFFER + b"m=\r\n",
        OFFER + b"m=x 1 y z\r\n" * 20,
    ],
)
def test_what_is_no_description_is_malformed(body: bytes) -> None:
    with pytest.raises(sdp.MalformedSdpError):
        sdp.parse(body)


_ODD = [b"a=rtpmap:8", b"m=audio -1 RTP/AVP 8\r\n", b"c=IN IP6 ::1\r\n"]
_PIECE = st.one_of(st.sampled_from(OFFER.splitlines(keepends=True) + _ODD), st.binary(max_size=8))


@given(st.one_of(st.binary(max_size=400), st.lists(_PIECE, max_size=20).map(b"".join)))
def test_no_text_crashes_the_parser_and_what_it_takes_it_can_answer(body: bytes) -> None:
    try:
        read = sdp.parse(b"v=0\r\n" + body)
    except sdp.SdpError:
        return
    assert sdp.parse(sdp.answer(read, OURS, 1, 1)).media.address == OURS.address


def test_media_says_where_its_signalling_came_from_when_that_is_another_address() -> None:
    assert sdp.parse(OFFER, "192.0.2.7").media.source == ""
    assert sdp.parse(OFFER, "10.0.0.9").media.source == "10.0.0.9"
