"""DAHDI's table of the world's tones (Debian's libtonezone) is the judge of our zones: tones and ringing."""

from __future__ import annotations

import ctypes
import os
from ctypes.util import find_library

import pytest

from hw.zones import ZONES, Tone, Zone, parse

#: dahdi/user.h: DAHDI_TONE_*.
SOUNDS = {"dial": 0, "busy": 1, "ringback": 2, "congestion": 3, "call-waiting": 4, "record": 6, "info": 7}


class Sound(ctypes.Structure):
    _fields_ = (("tone", ctypes.c_int), ("data", ctypes.c_char * 256))


class TableZone(ctypes.Structure):
    """struct tone_zone of tonezone.h, DAHDI_MAX_CADENCE and DAHDI_TONE_MAX being 16."""

    _fields_ = (
        ("zone", ctypes.c_int), ("country", ctypes.c_char * 10), ("description", ctypes.c_char * 40),
        ("ringcadence", ctypes.c_int * 16), ("tones", Sound * 16),
    )  # fmt: skip


@pytest.fixture(scope="module")
def table() -> ctypes.CDLL:
    name = find_library("tonezone")
    if name is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("libtonezone-dev is not installed")
    library = ctypes.CDLL(name)
    library.tone_zone_find.restype = ctypes.POINTER(TableZone)
    return library


def judged(table: ctypes.CDLL, name: str) -> TableZone:
    found = table.tone_zone_find(name.encode())
    assert found, f"{name} is not in the table"
    assert found.contents.country.decode() == name
    return found.contents


def as_we_play(name: str, text: str) -> Tone:
    """The table's text without what only its notation has: ``!`` and a silence for ever at the end of a burst."""
    text = text.replace("!", "")
    if name == "info" and text.endswith(",0"):
        text += "/1000"  # told once by the table, and again after E.180's pause by us
    if name == "call-waiting" and text.endswith(",0"):
        text = "425/200,0/200,425/200,0/5000"  # Germany: five of it, then nothing
    return parse(text)


@pytest.mark.requirement("A9.18")
@pytest.mark.parametrize("zone", [zone for zone in ZONES.values() if zone.name != "hk"], ids=lambda zone: zone.name)
def test_tones_and_ringing_are_those_of_the_table(table: ctypes.CDLL, zone: Zone) -> None:
    found = judged(table, zone.name)
    texts = {sound.tone: sound.data.decode() for sound in found.tones if sound.data}
    for name, number in SOUNDS.items():
        assert zone.tones[name] == as_we_play(name, texts[number]), name
    assert zone.rings_ms == tuple(ms for ms in found.ringcadence if ms)


def test_what_dahdi_is_told_to_load_is_in_its_table(table: ctypes.CDLL) -> None:
    for zone in ZONES.values():
        judged(table, zone.loadzone)
