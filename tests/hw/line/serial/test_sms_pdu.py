"""Short messages as PDUs: both ways round, as another decoder reads them, and what is no message is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smspdudecoder.easy import read_incoming_sms

from hw.line.serial import gsm7
from hw.line.serial.sms_parts import MISSING, join, split
from hw.line.serial.sms_pdu import (
    Body,
    Concatenation,
    Deliver,
    Message,
    PduError,
    Report,
    Submit,
    decode,
    encode,
    validity,
)

AT = int(datetime(2026, 3, 2, 12, 30, 15, tzinfo=UTC).timestamp())
GSM7 = [char for code in range(0x0, 0x3A0) if gsm7.septets(char := chr(code))] + ["€", "Δ", "Ω"]
texts = st.one_of(
    st.text(st.sampled_from(GSM7), min_size=1, max_size=700),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300),
)
numbers = st.one_of(
    st.from_regex(r"\A\+?[0-9*#]{1,20}\Z"),
    st.text(st.sampled_from("ABCxyz Ωé"), min_size=1, max_size=11),
)


def parts_of(text: str) -> list[Deliver]:
    """Each part of a text as it comes from the network, through its PDU."""
    found: list[Deliver] = []
    for body in split(text, 4711):
        message = decode(encode(Deliver("+8613800138000", body, AT))[0])
        assert isinstance(message, Deliver)
        found.append(message)
    return found


@given(texts)
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back_from_its_parts_and_no_part_cuts_a_character(text: str) -> None:
    parts = parts_of(text)
    assert join([part.body.text for part in parts]) == text
    for number, part in enumerate(parts, 1):
        part.body.text.encode("utf-16-be")  # a lone surrogate raises
        assert part.body.part == (Concatenation(4711, len(parts), number, wide=True) if len(parts) > 1 else None)


@given(texts.map(lambda text: split(text, 7)[0]), numbers, st.booleans(), st.integers(0, 255), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_every_kind_of_message_comes_back(body: Body, number: str, report: bool, octet: int, reference: int) -> None:
    messages: list[tuple[Message, bool]] = [
        (Submit(number, body, report, octet, reference), True),
        (Submit(number, body, report, None, reference), True),
        (Deliver(number, body, AT), False),
        (Report(number, reference, octet, AT, AT + 7), False),
    ]
    for message, sent in messages:
        pdu, length = encode(message)
        assert decode(pdu, sent=sent) == message
        assert length == len(pdu) // 2 - 1


@given(texts)
@settings(max_examples=40, deadline=None)
def test_an_independent_decoder_reads_what_we_write(text: str) -> None:
    read = ""
    for body in split(text, 300):
        told = read_incoming_sms(encode(Deliver("+8613800138000", body, AT))[0])
        assert told["sender"] == "+8613800138000"
        assert told["date"] == datetime.fromtimestamp(AT, UTC)
        assert bool(told["partial"]) == (body.part is not None)
        # It takes the seven bits of padding behind the last septet for a septet, "@".
        read += told["content"][: len(body.text)]
    assert read == text


@given(st.binary(max_size=180), st.booleans())
@settings(max_examples=200, deadline=None)
def test_octets_of_any_kind_are_a_message_or_a_clear_error(octets: bytes, sent: bool) -> None:
    try:
        decode(octets.hex(), sent=sent)
    except PduError as error:
        assert str(error)


def test_a_message_of_a_real_network_is_read() -> None:
    pdu = "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37"
    message = decode(pdu)
    assert isinstance(message, Deliver)
    assert (message.number, message.body) == ("27838890001", Body("hellohello"))
    assert message.at == int(datetime(2099, 3, 29, 15, 16, 59, tzinfo=UTC).timestamp()) - 2 * 3600


@pytest.mark.parametrize(
    ("pdu", "reason"),
    [
        ("xyz", "not hexadecimal"),
        ("", "ends inside the service centre"),
        ("00040B", "ends inside the number"),
        ("0004FF91", "255 digits"),
        ("0004029100FF", "ends inside the protocol|ends inside the data"),
        ("000402910F00", "a digit that is none|ends inside"),
        ("00040291210020993092516195800AE8329BFD4697D9EC37", "compressed"),
        ("0004029121000899309251619580034F6000", "half a UCS-2"),
        ("0044029121000099309251619580010500", "the header|ends inside"),
        ("0003029121", "message type 3"),
    ],
)
def test_what_is_wrong_with_a_pdu_is_told(pdu: str, reason: str) -> None:
    with pytest.raises(PduError, match=reason):
        decode(pdu)


def test_octets_that_are_no_text_are_kept_and_a_time_that_is_none_is_none() -> None:
    assert decode("0004029121000400000000000000010A") == Deliver("+12", Body("", "data", data=b"\x0a"), None)


def test_surrogates_that_the_sender_has_cut_apart_are_paired_and_a_missing_part_shows() -> None:
    first, second = "a\ud83d", "\ude00b"
    for part in (first, second):
        body = Body(part, "ucs2", Concatenation(9, 2, 1))
        assert decode(encode(Deliver("1", body, AT))[0]).body.text == part  # type: ignore[union-attr]
    assert join([first, second]) == "a😀b"
    assert join([first, None]) == f"a\ufffd{MISSING}"


def test_lengths_decide_how_many_parts() -> None:
    assert [len(split(text, 1)) for text in ("a" * 160, "a" * 161, "€" * 80, "中" * 70, "中" * 71)] == [1, 2, 1, 1, 2]
    assert len(split("a" * 152 * 255, 1)) == 255
    for text in ("", "a" * (152 * 255 + 1)):
        with pytest.raises(PduError):
            split(text, 1)


@pytest.mark.parametrize("number", ["", "+", "1" * 21, "twelve letter", "+86 138", "中国"])
def test_a_number_that_cannot_be_sent_to_is_told(number: str) -> None:
    with pytest.raises(PduError, match="number"):
        encode(Submit(number, Body("x")))


def test_a_text_that_does_not_fit_is_told() -> None:
    with pytest.raises(PduError, match="142 octets"):
        encode(Submit("1", Body("中" * 71, "ucs2")))
    with pytest.raises(PduError, match="not in the GSM 7 bit alphabet"):
        encode(Submit("1", Body("中")))
    with pytest.raises(PduError, match="part 3 of 2"):
        Concatenation(1, 2, 3)


def test_states_and_validity_are_those_of_the_standard() -> None:
    outcomes = [Report("1", 0, status).outcome for status in (0, 2, 0x20, 0x30, 0x40, 0x60)]
    assert outcomes == ["delivered", "delivered", "trying", "trying", "failed", "failed"]
    minutes = (5, 720, 721, 1440, 2880, 43200, 50400)
    assert [validity(length) for length in minutes] == [0, 143, 144, 167, 168, 196, 197]
