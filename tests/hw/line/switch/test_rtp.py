"""RTP through real sockets: packets out, the jitter buffer, latching, directions, what is dropped and counted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from attrs import evolve

from hw.g711 import alaw_decode
from hw.line.switch.rtp import CODECS
from hw.messages import Codec, Media, Mix, RtpLost, RtpQuality

FRAMES = np.random.default_rng(3).integers(0, 256, (400, 160), np.uint8)


def heard(rig, channel: int = 1) -> np.ndarray:
    return np.stack(rig.slots.heard)[:, channel - 1]


def test_what_a_phone_says_arrives_bit_for_bit_40_ms_later(rig) -> None:
    phone, ours = rig.phone("p")
    rig.switch.mix(Mix("a", {"p": 1.0}))
    for frame in FRAMES[:100]:  # over the wrap of sequence number and timestamp
        phone.say(frame, ours)
        rig.tick()
    assert (heard(rig)[2:] == FRAMES[:98]).all()
    assert (heard(rig)[:2] == 0xD5).all()


def test_what_is_sent_has_steady_numbers_and_one_marker(rig) -> None:
    phone, _ = rig.phone("p")
    rig.switch.mix(Mix("p", {"a": 1.0}))
    rig.slots.says[1].extend(FRAMES[:20])
    rig.tick(20)
    packets = phone.received()
    assert [payload for *_, payload in packets] == [frame.tobytes() for frame in FRAMES[:20]]
    assert [marker for _, marker, *_ in packets] == [True] + [False] * 19
    assert {(b[2] - a[2]) % 65536 for a, b in pairwise(packets)} == {1}
    assert {(b[3] - a[3]) % 2**32 for a, b in pairwise(packets)} == {160}


def test_swapped_and_doubled_packets_are_put_right(rig) -> None:
    phone, ours = rig.phone("p")
    rig.switch.mix(Mix("a", {"p": 1.0}))
    for i in range(0, 40, 2):
        pair = [phone.packet(FRAMES[i].tobytes()), phone.packet(FRAMES[i + 1].tobytes())]
        for data in (pair[1], pair[0], pair[0]) if i else (*pair, pair[0]):
            phone.send(data, ours)
        rig.tick(2)
    assert (heard(rig)[2:] == FRAMES[:38]).all()
    assert rig.switch.counters()["rtp_dropped_duplicate"] == 20
    assert rig.switch.counters()["jitter_late"] == 0


def test_a_lost_packet_is_concealed_and_the_next_one_in_time(rig, speech) -> None:
    from hw.g711 import alaw_encode

    phone, ours = rig.phone("p")
    rig.switch.mix(Mix("a", {"p": 1.0}))
    frames = alaw_encode(speech).reshape(-1, 160)
    for i, frame in enumerate(frames):
        phone.skip() if i == 12 else phone.say(frame, ours)
        rig.tick()
    got = heard(rig)[2:]
    assert (got[:12] == frames[:12]).all() and (got[13:] == frames[13:23]).all()
    missing, filled = (alaw_decode(f).astype(float) for f in (frames[12], got[12]))
    assert (filled**2).sum() > 0.3 * (missing**2).sum(), "not a hole"
    assert ((filled - missing)[:80] ** 2).sum() < 0.5 * (missing[:80] ** 2).sum(), "and like what was lost"
    assert rig.switch.counters()["jitter_concealed"] == 1


def test_the_delay_grows_when_packets_come_late_and_shrinks_again(rig) -> None:
    phone, ours = rig.phone("p")
    rig.switch.mix(Mix("a", {"p": 1.0}))
    quiet = np.full(160, 0xD4, np.uint8)
    held: list[bytes] = []
    for i in range(120):  # after a smooth start packets come in bursts of six: 100 ms of jitter
        held.append(phone.packet(quiet.tobytes()))
        if i < 20 or i % 6 == 5:
            for data in held:
                phone.send(data, ours)
            held.clear()
        rig.tick()
    before = rig.switch.counters()
    assert 3 <= before["jitter_inserted"] <= 8
    for data in held:
        phone.send(data, ours)
    for _ in range(100):
        phone.say(quiet, ours)
        rig.tick()
    after = rig.switch.counters()
    assert after["jitter_late"] == before["jitter_late"]
    for _ in range(1500):
        phone.say(quiet, ours)
        rig.tick()
    assert rig.switch.counters()["jitter_skipped"] >= after["jitter_inserted"] - 2, "back to what is needed"
    assert rig.switch.counters()["jitter_restarts"] == 1


def test_a_phone_whose_clock_runs_fast_or_slow_never_breaks_off(rig) -> None:
    phone, ours = rig.phone("p")
    rig.switch.mix(Mix("a", {"p": 1.0}))
    quiet = np.full(160, 0xD4, np.uint8)
    for i in range(2000):
        for _ in range(2 if i % 200 == 0 and i < 1000 else 0 if i % 200 == 0 else 1):
            phone.say(quiet, ours)
        rig.tick()
    counters = rig.switch.counters()
    assert counters["jitter_restarts"] == 1
    assert counters["jitter_concealed"] <= 12


def test_other_packet_lengths_are_cut_to_the_tick(rig) -> None:
    phone, ours = rig.phone("p")
    rig.switch.mix(Mix("a", {"p": 1.0}))
    octets = FRAMES[:90].reshape(-1, 240)  # ptime 30
    for i in range(60):
        phone.say(octets[i // 3 * 2 + i % 3], ours) if i % 3 != 2 else None
        rig.tick()
    got, want = heard(rig)[2:].reshape(-1), octets.reshape(-1)
    assert (got[: 50 * 160] == want[: 50 * 160]).all()


def test_a_phone_whose_sdp_names_another_of_its_addresses_is_heard_and_answered_where_its_signalling_came_from(
    rig,
) -> None:
    phone, ours = rig.phone("p")
    rig.switch.set_rtp("p", evolve(phone.media(), address="192.0.2.7", source="127.0.0.1"))
    rig.switch.mix(Mix("a", {"p": 1.0}))
    rig.switch.mix(Mix("p", {"a": 1.0}))
    stranger = type(phone)("127.0.0.2")
    for frame in FRAMES[:10]:
        phone.say(frame, ours)
        stranger.say(FRAMES[200], ours)
        rig.tick()
    assert (heard(rig)[2:] == FRAMES[:8]).all()
    assert len(phone.received()) >= 9 and not stranger.received()
    assert rig.switch.counters()["rtp_dropped_source"] == 10
    stranger.socket.close()


def test_only_the_address_of_sdp_is_heard_and_its_port_is_learnt(rig) -> None:
    phone, ours = rig.phone("p")
    rig.switch.mix(Mix("a", {"p": 1.0}))
    stranger = type(phone)("127.0.0.2")
    natted = type(phone)()
    for frame in FRAMES[:10]:
        natted.say(frame, ours)
        stranger.say(FRAMES[200], ours)
        rig.tick()
    assert (heard(rig)[2:] == FRAMES[:8]).all()
    assert len(natted.received()) >= 9, "answered where it comes from"
    assert len(phone.received()) <= 1, "and no longer where SDP said"
    assert not stranger.received()
    assert rig.switch.counters()["rtp_dropped_source"] == 10
    phone.say(FRAMES[300], ours)  # a second port of the same address while the first one talks
    rig.tick()
    assert rig.switch.counters()["rtp_dropped_source"] == 11
    stranger.socket.close()
    natted.socket.close()


def test_a_stream_that_starts_anew_is_followed(rig) -> None:
    phone, ours = rig.phone("p")
    rig.switch.mix(Mix("a", {"p": 1.0}))
    for frame in FRAMES[:10]:
        phone.say(frame, ours)
        rig.tick()
    phone.ssrc, phone.timestamp, phone.sequence = 99, 12345, 7
    for frame in FRAMES[100:110]:
        phone.say(frame, ours)
        rig.tick()
    assert (heard(rig)[12:20] == FRAMES[100:108]).all()


@pytest.mark.parametrize(("direction", "sends", "listens"), [
    ("sendrecv", True, True), ("sendonly", False, True), ("recvonly", True, False), ("inactive", False, False),
])
def test_the_far_ends_direction_is_kept(rig, direction, sends, listens) -> None:
    phone, ours = rig.phone("p", direction=direction)
    rig.switch.mix(Mix("a", {"p": 1.0}))
    for frame in FRAMES[:6]:
        phone.say(frame, ours)
        rig.tick()
    assert bool(phone.received()) == sends
    assert (heard(rig)[2] == FRAMES[0]).all() == listens
    assert rig.switch.counters()["rtp_dropped_direction"] == (0 if listens else 6)


def test_what_is_no_good_rtp_is_dropped_and_counted(rig) -> None:
    phone, ours = rig.phone("p")
    for data in (b"", b"x", bytes(200), phone.packet(b""), b"\xbf" + phone.packet(bytes(160))[1:60],
                 b"\x90" + phone.packet(bytes(160))[1:14]):
        phone.send(data, ours)
    phone.send(phone.packet(bytes(160), type=18), ours)
    rig.tick()
    counters = rig.switch.counters()
    assert counters["rtp_dropped_malformed"] == 6
    assert counters["rtp_dropped_payload"] == 1
    early = rig.switch.open_rtp("q")
    phone.say(FRAMES[0], early)
    rig.tick()
    assert rig.switch.counters()["rtp_dropped_early"] == 1


def test_random_packets_harm_nothing(rig) -> None:
    rng = np.random.default_rng(6)
    phone, ours = rig.phone("p", telephone_event=101)
    rig.switch.mix(Mix("a", {"p": 1.0}))
    for _ in range(300):
        data = bytearray(rng.bytes(int(rng.integers(0, 1500))))
        if data and rng.random() < 0.9:
            data[0] = 0x80 | (data[0] & 0x3F)
        if len(data) > 1 and rng.random() < 0.8:
            data[1] = int(rng.choice([8, 101, 0x88]))
        phone.send(bytes(data), ours)
        rig.tick()
    phone.ssrc = 1
    for frame in FRAMES[:10]:
        phone.say(frame, ours)
        rig.tick()
    assert (heard(rig)[-6] == FRAMES[:10]).all(axis=1).any()


@pytest.mark.parametrize("remote", [
    Media("phone.example", 4000, CODECS), Media("127.0.0.1", 70000, CODECS), Media("127.0.0.1", 4000, ()),
])
def test_media_that_cannot_be_used_is_refused(rig, remote) -> None:
    rig.switch.open_rtp("p")
    with pytest.raises(ValueError, match=r"IPv4|UDP port|codec"):
        rig.switch.set_rtp("p", remote)
    with pytest.raises(ValueError, match="no RTP port"):
        rig.switch.set_rtp("a", Media("127.0.0.1", 4000, (Codec("PCMA", 8),)))


def test_quality_is_told_at_the_end(rig) -> None:
    phone, ours = rig.phone("p")
    for i, frame in enumerate(FRAMES[:100]):
        phone.skip() if i % 20 == 10 else phone.say(frame, ours)
        rig.tick()
    rig.switch.close_rtp("p")
    (quality,) = rig.told(RtpQuality)
    assert (quality.port, quality.sent, quality.received, quality.lost, quality.late) == ("p", 100, 95, 5, 0)
    assert 3.0 < quality.mos < 4.2


def test_a_phone_that_has_gone_is_told_once(rig, monkeypatch) -> None:
    phone, ours = rig.phone("p")
    rig.phone("held", direction="recvonly")
    phone.say(FRAMES[0], ours)
    rig.tick()
    rig.switch.second()
    assert not rig.told(RtpLost)
    now = rig.loop.time()
    monkeypatch.setattr(rig.loop, "time", lambda: now + 5.5)
    rig.switch.second()
    rig.switch.second()
    (lost,) = rig.told(RtpLost)
    assert lost.port == "p" and 5000 <= lost.silent_ms <= 6000


def test_ports_are_pairs_and_are_used_again(rig, settings) -> None:
    opened = [rig.switch.open_rtp(f"p{i}") for i in range(5)]
    assert len({media.port for media in opened}) == 5
    first, last = settings.rtp_ports
    assert all(media.port % 2 == 0 and first <= media.port <= last for media in opened)
    assert opened[0].codecs == CODECS and opened[0].telephone_event == 101
    assert rig.switch.open_rtp("p0") == opened[0], "one that is open tells its address again"
    with pytest.raises(ValueError, match="no RTP port"):
        rig.switch.open_rtp("a")
    for i in range(5):
        rig.switch.close_rtp(f"p{i}")
    for i in range(300):  # more than there are pairs
        rig.switch.open_rtp(f"q{i}")
        rig.switch.close_rtp(f"q{i}")
    for i in range(rig.switch.rtp.slots):
        rig.switch.open_rtp(f"r{i}")
    with pytest.raises(OSError, match="no UDP ports"):
        rig.switch.open_rtp("one too many")


def test_quality_and_reports_come_by_themselves(rig, monkeypatch) -> None:
    phone, ours = rig.phone("p")
    phone.say(FRAMES[0], ours)
    rig.tick()
    begin = rig.loop.time()
    for second in range(40):
        monkeypatch.setattr(rig.loop, "time", lambda second=second: begin + second)
        rig.switch.second()
    assert len(rig.told(RtpQuality)) == 4
