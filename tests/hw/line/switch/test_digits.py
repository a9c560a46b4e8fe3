"""Keys both ways: in audio and as RFC 4733 telephone events, each counted once."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from hw.line.dsp.dtmf import Detector, samples
from hw.line.switch.telephone_event import Receiver, Sender
from hw.messages import Digit, Mix, Play, Played, PlayItem


def event(code: int, duration: int, *, end: bool = False) -> bytes:
    return struct.pack("!BBH", code, 10 | end << 7, duration)


def press(rig, phone, ours, code: int, *, packets: int = 5, ends: int = 3, type: int = 101) -> None:
    """A key as a phone sends it: a packet each tick with the timestamp of its beginning, the end three times."""
    begin = phone.timestamp
    for i in range(packets):
        phone.send(phone.packet(event(code, 160 * (i + 1)), type=type, timestamp=begin, marker=i == 0), ours)
        rig.tick()
    for _ in range(ends):
        phone.send(phone.packet(event(code, 160 * packets, end=True), type=type, timestamp=begin), ours)
        rig.tick()
    phone.timestamp = (begin + 160 * (packets + ends)) & 0xFFFFFFFF


def test_keys_in_audio_are_told_with_their_length(rig) -> None:
    rig.slots.say(1, np.concatenate([samples(key) for key in "159#"] + [np.zeros(800)]))
    rig.tick(4 * 7 + 5)
    digits = rig.told(Digit)
    assert [(d.leg, d.digit, d.source) for d in digits] == [("a", key, "audio") for key in "159#"]
    assert all(60 <= d.ms <= 80 for d in digits)


def test_each_event_is_one_key_however_often_its_end_comes(rig) -> None:
    phone, ours = rig.phone("p", telephone_event=101)
    for code in (5, 5, 11):
        press(rig, phone, ours, code)
    assert rig.told(Digit) == [Digit("p", key, 100, "rfc4733") for key in "55#"]


def test_a_lost_end_is_made_good_by_silence_or_the_next_key(rig) -> None:
    phone, ours = rig.phone("p", telephone_event=101)
    press(rig, phone, ours, 1, ends=0)
    press(rig, phone, ours, 2, ends=0)
    assert [d.digit for d in rig.told(Digit)] == ["1"]
    rig.tick(12)
    assert [d.digit for d in rig.told(Digit)] == ["1", "2"]


def test_a_key_told_by_its_end_only_counts_and_stops_the_prompt_once(rig) -> None:
    phone, ours = rig.phone("p", telephone_event=101)
    rig.switch.play(Play("p", "one", (PlayItem("tone", "dial"),), until_digit=True))
    press(rig, phone, ours, 7, packets=0, ends=1)
    rig.switch.play(Play("p", "two", (PlayItem("tone", "dial"),), until_digit=True))
    phone.timestamp -= 160
    press(rig, phone, ours, 7, packets=0, ends=2)  # the copies of the same end
    assert [d.digit for d in rig.told(Digit)] == ["7"]
    assert rig.told(Played) == [Played("p", "one", "digit")]


def test_where_events_are_agreed_the_same_key_in_audio_is_not_counted(rig) -> None:
    from hw.g711 import alaw_encode

    for port, agreed in (("p", 101), ("q", None)):
        phone, ours = rig.phone(port, telephone_event=agreed)
        for frame in alaw_encode(samples("8")).reshape(-1, 160):
            phone.say(frame, ours)
            rig.tick()
        rig.tick(10)
    assert [(d.leg, d.digit) for d in rig.told(Digit)] == [("q", "8")]


def test_the_far_ends_payload_type_is_used_and_ours_is_understood(rig) -> None:
    phone, ours = rig.phone("p", telephone_event=96)
    press(rig, phone, ours, 3, type=96)
    press(rig, phone, ours, 4, type=101)
    assert [d.digit for d in rig.told(Digit)] == ["3", "4"]
    rig.switch.send_digits("p", "1")
    rig.tick(10)
    assert 96 in {type for type, *_ in phone.received()}


def test_keys_are_sent_as_events_in_place_of_audio(rig) -> None:
    phone, _ = rig.phone("p", telephone_event=101)
    rig.tick(2)
    phone.received()
    rig.switch.send_digits("p", "1#")
    rig.tick(20)
    packets = phone.received()
    events = [(timestamp, marker, *struct.unpack("!BBH", payload)) for type, marker, _, timestamp, payload in packets
              if type == 101]
    for key, begin in ((1, events[0][0]), (11, events[7][0])):
        mine = [e for e in events if e[2] == key]
        assert [e[0] for e in mine] == [begin] * 7
        assert [e[1] for e in mine] == [True] + [False] * 6
        assert [e[4] for e in mine] == [160, 320, 480, 640, 800, 800, 800]
        assert [e[3] >> 7 for e in mine] == [0] * 4 + [1] * 3
    assert events[7][0] - events[0][0] == 160 * 8
    assert len(packets) - len(events) == 20 - 10
    receiver = Receiver()
    heard = [edge for ts, _, code, flags, duration in events
             for edge in receiver.packet(code, ts, end=bool(flags >> 7), duration=duration)]
    assert [(key, ms) for kind, key, ms in heard if kind == "up"] == [("1", 100), ("#", 100)]


def test_keys_to_a_trunk_are_tones_in_place_of_the_talk(rig, speech) -> None:
    rig.slots.say(2, np.tile(speech, 3))
    rig.switch.mix(Mix("a", {"b": 1.0}))
    rig.switch.send_digits("a", "0*D")
    rig.tick(30)
    detector = Detector(1)
    edges = [edge for frame in rig.slots.hears(1).reshape(-1, 160)
             for _, edge in detector.tick(np.array([0]), frame[None])]
    assert "".join(key for kind, key, _ in edges if kind == "down") == "0*D"
    assert (np.stack(rig.slots.heard)[-3:, 0] != 0xD5).any(), "the talk goes on afterwards"
    with pytest.raises(ValueError, match="keys are"):
        rig.switch.send_digits("a", "12x")


def test_a_sender_that_is_given_more_keys_sends_them_after() -> None:
    sender = Sender()
    sender.add("1")
    packets = [sender.tick() for _ in range(3)]
    sender.add("2")
    packets += [sender.tick() for _ in range(20)]
    assert [p.event for p in packets if p and p.first] == [1, 2]
    assert sender.idle
