"""Who hears whom: bridges, gains, conferences, laws."""

from __future__ import annotations

import numpy as np
import pytest

from hw.g711 import alaw_decode, alaw_encode, ulaw_encode
from hw.messages import Mix


def test_a_bridge_passes_a_law_bit_for_bit(rig) -> None:
    rng = np.random.default_rng(1)
    said = rng.integers(0, 256, (10, 160), np.uint8)
    rig.slots.says[1].extend(said)
    rig.switch.mix(Mix("b", {"a": 1.0}))
    rig.tick(10)
    assert (np.stack(rig.slots.heard)[:, 1] == said).all()
    assert (np.stack(rig.slots.heard)[:, 0] == 0xD5).all(), "nobody said that a hears b"


def test_gains_and_sums_are_those_of_the_samples(rig, speech) -> None:
    rig.slots.say(1, speech)
    rig.slots.say(2, -speech // 2)
    rig.switch.mix(Mix("c", {"a": 0.5}))
    rig.switch.mix(Mix("d", {"a": 1.0, "b": 0.25}))
    rig.tick(25)
    a, b = alaw_decode(alaw_encode(speech)).astype(float), alaw_decode(alaw_encode(-speech // 2)).astype(float)
    for channel, want in ((3, 0.5 * a), (4, a + 0.25 * b)):
        assert (rig.slots.hears(channel) == alaw_decode(alaw_encode(want.astype(np.int16)))).all()


def test_a_loud_conference_is_clipped_not_wrapped(rig) -> None:
    for channel in (1, 2, 3):
        rig.slots.say(channel, np.full(160, 30000))
    rig.switch.mix(Mix("d", {"a": 1.0, "b": 1.0, "c": 1.0}))
    rig.tick()
    assert (rig.slots.hears(4) == 32256).all()


def test_an_empty_mix_is_silence_and_a_gain_of_nothing_too(rig, speech) -> None:
    rig.slots.say(1, speech)
    rig.switch.mix(Mix("b", {"a": 1.0}))
    rig.tick()
    rig.switch.mix(Mix("b"))
    rig.switch.mix(Mix("c", {"a": 0.0}))
    rig.slots.heard.clear()
    rig.tick()
    assert (rig.slots.heard[0] == 0xD5).all()


def test_a_port_that_vanishes_is_out_of_all_mixes(rig, speech) -> None:
    rig.switch.mix(Mix("b", {"a": 1.0}))
    rig.switch.mix(Mix("c", {"a": 0.5, "d": 0.5}))
    rig.switch.unbind("a")
    rig.switch.bind("stranger", 0, 1)
    rig.slots.say(1, speech)
    rig.tick(10)
    assert (np.stack(rig.slots.heard)[:, 1:] == 0xD5).all(), "the next call on the timeslot is not heard"


@pytest.mark.parametrize(("sources", "reason"), [
    ({"nobody": 1.0}, "no port 'nobody'"), ({"b": float("nan")}, "nan of 'b'"), ({"b": 1e9}, "within"),
])
def test_a_mix_that_cannot_be_says_why_and_changes_nothing(rig, speech, sources, reason) -> None:
    rig.switch.mix(Mix("a", {"c": 1.0}))
    with pytest.raises(ValueError, match=reason):
        rig.switch.mix(Mix("a", sources))
    rig.slots.say(3, speech)
    rig.tick(5)
    assert rig.slots.hears(1).any()
    with pytest.raises(KeyError, match="nobody"):
        rig.switch.mix(Mix("nobody", {"a": 1.0}))


def test_mu_law_is_converted_where_laws_differ(rig, speech) -> None:
    phone, ours = rig.phone("p", codecs=("PCMU",))
    rig.switch.mix(Mix("p", {"a": 1.0}))
    rig.switch.mix(Mix("a", {"p": 1.0}))
    rig.slots.say(1, speech)
    for frame in ulaw_encode(speech).reshape(-1, 160):
        phone.say(frame, ours, type=0)
        rig.tick()
    rig.tick(3)
    wanted = speech.astype(float)
    packets = phone.received()
    assert {type for type, *_ in packets} == {0}
    from hw.g711 import ulaw_decode

    heard = ulaw_decode(np.frombuffer(b"".join(payload for *_, payload in packets), np.uint8))[: len(wanted)]
    assert _snr(wanted, heard) > 30
    assert _snr(wanted, rig.slots.hears(1)[320:][: len(wanted)]) > 30, "after the jitter buffer's 40 ms"


def _snr(wanted: np.ndarray, got: np.ndarray) -> float:
    return float(10 * np.log10((wanted**2).sum() / ((wanted - got) ** 2).sum()))
