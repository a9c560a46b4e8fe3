"""Zones: the tones, the ringing and the caller's number of an administration's subscriber lines. Data alone.

Tones are written as the national tables are: ``480+620/500,0/500`` is two frequencies for 500 ms, then 500 ms of
nothing; ``425*24`` is 425 Hz with the amplitude modulated by 24 Hz, to its whole depth; without a time it does not end.
Everything is repeated for as long as it is played.

Sources: the ITU's table of tones (annex to Operational Bulletin 781, 2003) with ITU-T E.180, as the tone tables that
switches are delivered with quote it; cn also GB/T 3380, uk BT SIN 350 and 227, sg IDA TS PSTN 1. Callers' numbers:
GR-30-CORE, ETS 300 659-1, SIN 227, as spandsp's ``adsi.h`` sorts countries. Where a table does not name a record tone,
call-waiting tone or howler, the neighbour's whose plan it follows stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import Factory, field, frozen

#: The tones that every zone has.
NAMES = ("dial", "busy", "ringback", "congestion", "call-waiting", "info", "record", "howler")
#: All tones of a plan together, one frequency or several (E.180 §2: −10 dBm0 is what is recommended at the exchange).
LEVEL_DBM0 = -10.0
_WITHOUT_END_MS = 1000


@frozen
class Step:
    """So long (ms) these frequencies, each with its amplitude in relation to the others; none: silence."""

    ms: int
    parts: tuple[tuple[int, float], ...] = ()


@frozen
class Tone:
    """A tone: its steps in turn, then from the beginning; ``once``: then it ends.

    One that does not change is one step: its frequencies are whole Hz, so that a second of it repeats without a seam.
    """

    steps: tuple[Step, ...]
    once: bool = False

    @property
    def ms(self) -> int:
        """How long its steps take together."""
        return sum(step.ms for step in self.steps)


def parse(text: str, once: bool = False) -> Tone:
    """A tone from the tables' notation. Raises ``ValueError``."""
    if "/" not in text:
        return Tone((Step(_WITHOUT_END_MS, _parts(text)),), once)
    steps = [step.split("/") for step in text.split(",")]
    return Tone(tuple(Step(int(ms), _parts(sound)) for sound, ms in steps), once)


def _parts(sound: str) -> tuple[tuple[int, float], ...]:
    """Frequencies with their amplitudes; a modulated one is itself and its two side frequencies, half as strong."""
    carrier, modulated, by = sound.partition("*")
    if modulated:
        hz, side = int(carrier), int(by)
        return ((hz - side, 0.5), (hz, 1.0), (hz + side, 0.5))
    return tuple((int(hz), 1.0) for hz in sound.split("+") if int(hz))


@frozen
class CallerId:
    """How an exchange tells a subscriber's line who calls.

    ``kind`` ``fsk``: a message at 1200 bit/s by ``modem``, in the form of ``message``; ``dtmf``: digits between a first
    and a last one. ``start``: after the first ring, or before it, announced by a reversal of polarity (``dt-as``: and
    then by the dual-tone alerting signal, 2130 and 2750 Hz).
    """

    kind: Literal["fsk", "dtmf"]
    modem: Literal["bell202", "v23", ""]
    message: Literal["gr-30", "clip", "sin227", "aclip", ""]
    start: Literal["ring", "polarity", "dt-as"]


def _plan(texts: Mapping[str, str]) -> Mapping[str, Tone]:
    return {name: parse(text) for name, text in texts.items()}


@frozen
class Zone:
    """One administration's lines. ``rings_ms``: ringing and silence in turn, in ms.

    ``loadzone`` is the name that DAHDI's own table has for these tones.
    """

    name: str
    rings_ms: tuple[int, ...]
    caller_id: CallerId
    #: As the tables write them; ``NAMES`` are all there.
    tones: Mapping[str, Tone] = field(converter=_plan)
    loadzone: str = field(default=Factory(lambda zone: zone.name, takes_self=True))


_GR30 = CallerId("fsk", "bell202", "gr-30", "ring")
_CLIP = CallerId("fsk", "v23", "clip", "ring")
# E.180 §5: 330 ms each, then a second of nothing.
_SPECIAL_INFORMATION = "950/330,1400/330,1800/330,0/1000"
#: Told to one who has left the receiver off: four tones at once (North America); the tables name none for Europe.
_RECEIVER_OFF_HOOK = "1400+2060+2450+2600/100,0/100"
_NORTH_AMERICA = {
    "dial": "350+440", "busy": "480+620/500,0/500", "ringback": "440+480/2000,0/4000",
    "congestion": "480+620/250,0/250", "call-waiting": "440/300,0/10000", "info": _SPECIAL_INFORMATION,
    "record": "1400/500,0/15000", "howler": _RECEIVER_OFF_HOOK,
}  # fmt: skip

_ALL = (
    Zone("cn", (1000, 4000), _GR30, {
        "dial": "450", "busy": "450/350,0/350", "ringback": "450/1000,0/4000", "congestion": "450/700,0/700",
        "call-waiting": "450/400,0/4000", "info": "450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400",
        # GB/T 3380 is quoted with 1400 Hz for this one; the tables that switches are delivered with say 950 Hz.
        "record": "950/400,0/10000", "howler": "950",
    }),
    Zone("hk", (400, 200, 400, 3000), _GR30,
         _NORTH_AMERICA | {"ringback": "440+480/400,0/200,440+480/400,0/3000"}, loadzone="us"),
    # Some of its exchanges tell the caller by DTMF (D…C): then the line's settings say so.
    Zone("tw", (1000, 4000), _GR30, _NORTH_AMERICA | {
        "ringback": "440+480/1000,0/2000", "call-waiting": "350+440/250,0/250,350+440/250,0/3250",
    }),
    Zone("sg", (400, 200, 400, 2000), CallerId("fsk", "bell202", "aclip", "ring"), {
        "dial": "425", "busy": "425/750,0/750", "ringback": "425*24/400,0/200,425*24/400,0/2000",
        "congestion": "425/250,0/250", "call-waiting": "425*24/300,0/200,425*24/300,0/3200",
        "info": _SPECIAL_INFORMATION, "record": "1400/500,0/15000", "howler": _RECEIVER_OFF_HOOK,
    }),
    Zone("us", (2000, 4000), _GR30, _NORTH_AMERICA),
    Zone("uk", (400, 200, 400, 2000), CallerId("fsk", "v23", "sin227", "dt-as"), {
        "dial": "350+440", "busy": "400/375,0/375", "ringback": "400+450/400,0/200,400+450/400,0/2000",
        "congestion": "400/400,0/350,400/225,0/525", "call-waiting": "400/100,0/4000",
        "info": "950/330,0/15,1400/330,0/15,1800/330,0/1000", "record": "1400/500,0/60000",
        "howler": _RECEIVER_OFF_HOOK,
    }),
    Zone("de", (1000, 4000), _CLIP, {
        "dial": "425", "busy": "425/480,0/480", "ringback": "425/1000,0/4000", "congestion": "425/240,0/240",
        "call-waiting": "425/200,0/200,425/200,0/5000", "info": _SPECIAL_INFORMATION, "record": "1400/80,0/15000",
        "howler": _RECEIVER_OFF_HOOK,
    }),
    Zone("fr", (1500, 3500), _CLIP, {
        "dial": "440", "busy": "440/500,0/500", "ringback": "440/1500,0/3500", "congestion": "440/250,0/250",
        "call-waiting": "440/300,0/10000", "info": _SPECIAL_INFORMATION, "record": "1400/500,0/15000",
        "howler": _RECEIVER_OFF_HOOK,
    }),
)  # fmt: skip

#: Every zone by its name; the first is what a site has that says nothing.
ZONES: Mapping[str, Zone] = {zone.name: zone for zone in _ALL}
DEFAULT = _ALL[0].name
