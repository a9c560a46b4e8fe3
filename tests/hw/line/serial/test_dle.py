"""DLE shielding: samples come through whole, codes are found, wherever the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hw.line.serial.dle import Unshielder, shield

CODES = st.sampled_from("0123456789*#ABCDbdlrRuo\x03")


def together(items: list[bytes | str]) -> list[bytes | str]:
    """Neighbouring samples as one."""
    whole: list[bytes | str] = []
    for item in items:
        if whole and isinstance(item, bytes) and isinstance(before := whole[-1], bytes):
            whole[-1] = before + item
        else:
            whole.append(item)
    return whole


@given(st.lists(st.one_of(st.binary(min_size=1), CODES)), st.lists(st.integers(0, 400)))
def test_what_was_shielded_is_unshielded_however_it_is_cut(sent: list[bytes | str], cuts: list[int]) -> None:
    wire = b"".join(shield(item) if isinstance(item, bytes) else b"\x10" + item.encode() for item in sent)
    unshielder = Unshielder()
    places = pairwise([0, *sorted(cuts), max([len(wire), *cuts])])
    got = [item for begin, end in places for item in unshielder.feed(wire[begin:end])]
    assert together(got) == together(sent)


def test_two_shielded_octets_may_come_as_one_code() -> None:
    assert Unshielder().feed(b"a\x10\x1ab") == [b"a\x10\x10b"]


@given(st.lists(st.binary()))
def test_no_bytes_are_too_bad(chunks: list[bytes]) -> None:
    unshielder = Unshielder()
    for chunk in chunks:
        for item in unshielder.feed(chunk):
            assert item
