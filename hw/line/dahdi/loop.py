"""``python -m hw.line.dahdi.loop --config FILE NAME``: tests a span whose far end sends back what it gets.

That is a loopback plug, or a loop that the carrier has put in. A pattern of its own goes out on each bearer channel;
what comes back is compared octet by octet. The line process must not run. JSON, a line a
channel; 0 when all is right.
"""

from __future__ import annotations

import argparse
import json
import select
import sys
from pathlib import Path

import attrs
import numpy as np
from attrs import frozen

from hw.line.dahdi import discovery
from hw.line.dahdi.card import configured
from hw.line.dahdi.channel import BearerChannel, CasChannel
from hw.line.dahdi.timer import CardClock
from hw.line.dahdi.timeslots import DahdiTimeslots
from hw.line.settings import DahdiSettings, LineSettings, SpanSettings
from hw.line.span import SILENCE
from hw.line.trunk import FRAME, Octets
from hw.settings import SettingsError, load

#: Ticks of silence before the pattern, until all channels are in step.
_LEAD = 10
#: The way there and back takes no longer, in octets: 400 ms.
_LONGEST = 3200
#: Octets that must agree before the pattern counts as found.
_FOUND = 64


@frozen
class Result:
    """One channel: ``delay_ms`` there and back, -1 when nothing came back; ``wrong`` octets of ``compared``."""

    timeslot: int
    delay_ms: float
    compared: int
    wrong: int

    @property
    def good(self) -> bool:
        """Whether all came back as it went."""
        return self.delay_ms >= 0 and self.compared > 0 and self.wrong == 0


def pattern(channels: int, ticks: int) -> Octets:
    """What is sent: [ticks, channels, 160] octets, different on each channel, some silence first."""
    octets = np.random.default_rng(2).integers(0, 256, (ticks, channels, FRAME), np.uint8)
    octets[:_LEAD] = SILENCE
    return octets


def compare(timeslot: int, sent: Octets, heard: Octets) -> Result:
    """One channel's octets in order. The silence before the pattern is left out by looking for its beginning."""
    sent, heard = sent[_LEAD * FRAME :], heard[_LEAD * FRAME :]
    windows = np.lib.stride_tricks.sliding_window_view(heard[: _LONGEST + _FOUND], _FOUND)
    starts = np.flatnonzero((windows == sent[:_FOUND]).mean(axis=1) > 0.9)
    if not len(starts):
        return Result(timeslot, -1.0, 0, 0)
    back = heard[starts[0] :]
    size = min(len(back), len(sent))
    return Result(timeslot, float(starts[0]) / 8, size, int((back[:size] != sent[:size]).sum()))


def exchange(slots: DahdiTimeslots, sent: Octets, devices: Path = discovery.DEVICES) -> Octets:
    """Send ``sent`` [ticks, channels, 160] at the card's pace; what was heard in the same ticks. Raises ``OSError``."""
    heard = np.empty_like(sent)
    clock = CardClock(devices)
    ready = select.epoll()
    ready.register(clock.fd, select.EPOLLIN)
    tick = 0
    while tick < len(sent):
        if not ready.poll(2.0):
            raise OSError("the card's clock stands still")
        for _ in range(min(clock.due(), len(sent) - tick)):
            slots.read(heard[tick])
            slots.write(sent[tick])
            tick += 1
    ready.close()
    clock.close()
    return heard


def test(span: SpanSettings, card: DahdiSettings, seconds: float) -> list[Result]:
    """Run it on one span. Raises ``OSError``."""
    with discovery.control() as ctl:
        found = discovery.channels_of(ctl, card.span)
    kind = CasChannel if span.signalling == "r2" else BearerChannel
    chosen = configured(card.span, found, span.channels, discovery.WORD_OF[span.signalling])
    channels = [kind(discovery.DEVICES, channel.number) for channel in chosen]
    slots = DahdiTimeslots(span.channels, card.reserve)
    slots.attach(channels, _raise)
    sent = pattern(len(channels), max(int(seconds * 50), 25))
    heard = exchange(slots, sent)
    for channel in channels:
        channel.close()
    return [compare(slot, sent[:, row].ravel(), heard[:, row].ravel()) for row, slot in enumerate(span.channels)]


def _raise(error: OSError) -> None:
    raise error


def main() -> int:
    """Test one span: 0 when every channel is right, 1 when not, 2 when it cannot be tested."""
    parser = argparse.ArgumentParser(prog="python -m hw.line.dahdi.loop", description="Test a span by a loop.")
    parser.add_argument("--config", type=Path, required=True, help="the machine's settings file; [line] is read")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long (2)")
    parser.add_argument("name", metavar="NAME", help="the span's name in the settings")
    wanted = parser.parse_args()
    try:
        spans = {span.name: span for span in load(wanted.config, "line", LineSettings).spans}
        span = spans.get(wanted.name)
        if span is None or span.dahdi is None or span.signalling in ("fxo", "fxs"):
            have = ", ".join(spans) or "none"
            raise SettingsError(f"{wanted.name!r} is no digital span of a card (there are {have})")
        results = test(span, span.dahdi, wanted.seconds)
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    for result in results:
        print(json.dumps(attrs.asdict(result)))
    return int(not all(result.good for result in results))


if __name__ == "__main__":
    sys.exit(main())
