"""The gate's scenarios on analog ports: the box has lines (FXO) on span 1, the other end (``net``) telephones (FXS).

The kernel makes their hooks, rings and flashes of signalling bits, with the times that it has for analog cards. Dynamic
spans know neither polarity nor audio on hook of its own: what is sent on hook always passes.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import calls
import numpy as np
from bare import STALL_S, codes_of, configure, settings
from calls import files, lines
from lines import noise

from hw.g711 import Samples, alaw_decode, alaw_encode
from hw.line.dahdi import abi
from hw.line.dahdi.channel import gain_table
from hw.messages import Alert, Answer, Answered, Cleared, Dial, Flash, Hangup, Incoming

_CHANNELS = (1, 2)
#: The lines' own numbers, and the telephones at their far ends.
_NUMBERS = {"box": ("95001", "95002"), "net": ("801", "802")}
_KIND = {"box": "fxo", "net": "fxs"}
#: So long after a line was on hook the kernel tells of no ring (RING_DEBOUNCE_TIME), and its caller ID would be missed.
_DEAF_S = 2.5
#: As the box presses it, and the longest that the far end takes for one.
_FLASH_MS = {"box": 300, "net": 700}


def analog(name: str) -> Path:
    """The settings file of one line process with analog ports."""
    times = f"flash_ms = {_FLASH_MS[name]}, answer_ms = 4500, digit_ms = 1000"
    table = f"loop = {{ numbers = {list(_NUMBERS[name])}, {times} }}"
    return settings(name, ", reserve = 10", _CHANNELS, _KIND[name], table)


def across(samples: Samples) -> Samples:
    """What samples are at the other end: dynamic spans have µ-law, so both ends turn them into the other law."""
    rx, tx = gain_table(0.0, abi.LAW_MULAW, abi.LAW_ALAW), gain_table(0.0, abi.LAW_ALAW, abi.LAW_MULAW)
    octets = [np.frombuffer(table, np.uint8) for table in (tx, rx)]
    return alaw_decode(octets[1][octets[0][alaw_encode(samples)]])


async def analog_ports_from_our_settings() -> str:
    files.update(box=analog("box"), net=analog("net"))
    before = codes_of(files["box"])
    assert before & {"span.bearers", "span.unconfigured"}, before  # as it was before
    configure(calls.conf("box"))
    configure(calls.conf("net"))
    after = codes_of(files["box"])
    assert after == {"module.loaded", "span.ok", "span.unused"}, after
    return "dahdi_cfg took both files"


async def analog_lines_come_up() -> str:
    took = await calls.begin(STALL_S, net=analog("net"), box=analog("box"))
    return f"after {took:.1f} s"


async def ringing() -> tuple[str, str]:
    """The telephone 801 is called, so the box's first line rings; the legs at the far end and at the box."""
    far = f"n{calls.new_number()}"
    await asyncio.sleep(_DEAF_S)
    lines["net"].send(Dial(far, "net", "801", "13800138000"))
    incoming = await lines["box"].next(Incoming)
    assert (incoming.called, incoming.channel) == ("95001", 1), incoming
    assert incoming.caller == "13800138000", incoming
    return far, incoming.leg


async def talking() -> tuple[str, str]:
    """The same, answered."""
    far, near = await ringing()
    lines["box"].send(Answer(near))
    await lines["net"].next(Answered, leg=far)
    return far, near


async def line_rings_and_audio_is_exact() -> str:
    began = time.monotonic()
    far, near = await talking()
    took = time.monotonic() - began
    errors = await calls.exchanged(far, near, across)
    assert errors == (0, 0), f"{errors} of 24000 samples wrong"
    return f"caller ID by FSK, answered after {took:.1f} s, 24000 samples each way, none wrong"


async def far_end_clears() -> str:
    far, near = await talking()
    lines["net"].send(Hangup(far, 16))
    began = time.monotonic()
    assert (await lines["box"].next(Cleared, leg=near)).by == "far"
    took = time.monotonic() - began
    await lines["net"].next(Cleared, leg=far)
    return f"its busy tone cleared the call after {took:.2f} s"


async def caller_gives_up() -> str:
    far, near = await ringing()
    lines["net"].send(Hangup(far, 16))
    await lines["net"].next(Cleared, leg=far)
    await lines["box"].next(Cleared, leg=near)
    return "the line that rang no more was cleared"


async def line_dials_out_and_flashes() -> str:
    box, net = lines["box"], lines["net"]
    began = time.monotonic()
    box.send(Dial("b1", "box", "10086", ""))
    incoming = await net.next(Incoming)
    took = time.monotonic() - began
    assert (incoming.called, incoming.caller) == ("10086", _NUMBERS["net"][incoming.channel - 1]), incoming
    net.send(Alert(incoming.leg))
    await asyncio.sleep(2.5)  # the ringback is heard
    net.send(Answer(incoming.leg))
    await asyncio.gather(net.play(incoming.leg, noise(3, 1.0)), box.next(Answered, leg="b1"))
    box.send(Flash("b1"))
    await net.next(Flash, leg=incoming.leg)
    box.send(Hangup("b1", 16))
    assert (await net.next(Cleared, leg=incoming.leg)).by == "far"
    await box.next(Cleared, leg="b1")
    return f"dial tone, five keys and the number at the far end after {took:.1f} s; answered, flashed, cleared"


async def current_is_interrupted() -> str:
    """The far end's process dies: the kernel interrupts the current of its telephones' lines."""
    _, near = await talking()
    await asyncio.sleep(1.0)  # the kernel's debouncing: just off hook a port believes no interruption
    net = lines.pop("net")
    net.process.kill()
    began = time.monotonic()
    assert (await lines["box"].next(Cleared, leg=near)).by == "far"
    took = time.monotonic() - began
    await net.process.wait()
    return f"cleared after {took:.2f} s"


SCENARIOS = [
    analog_ports_from_our_settings, analog_lines_come_up,
    *map(calls.patient, (line_rings_and_audio_is_exact, far_end_clears, caller_gives_up, line_dials_out_and_flashes)),
    current_is_interrupted, calls.line_processes_end_well,
]  # fmt: skip
