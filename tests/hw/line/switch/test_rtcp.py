"""RTCP reports by RFC 3550, and the quality figure."""

from __future__ import annotations

import socket

import pytest
from attrs import evolve

from hw.line.switch import rtcp


def test_what_is_built_is_what_is_read() -> None:
    block = rtcp.Block(ssrc=5, fraction=64, lost=-3, highest=0x10005, jitter=17, lsr=0x12345678, dlsr=65536)
    data = rtcp.build(ssrc=9, cname="onecall@host", unix_time=1000.5, timestamp=160, packets=3, octets=480, block=block)
    assert len(data) % 4 == 0 and data[1] == 200
    (report,) = rtcp.parse(data)
    assert report == rtcp.Report(9, ((1000 + 2208988800) & 0xFFFF) << 16 | 0x8000, (block,))
    silent = rtcp.build(ssrc=9, cname="x", unix_time=1, timestamp=0, packets=0, octets=0, block=None)
    assert silent[1] == 201 and rtcp.parse(silent) == [rtcp.Report(9, 0, ())]


@pytest.mark.parametrize("data", [b"\x80", b"\x00\xc8\x00\x00", b"\x80\xc8\x00\x09abcd", b"\x9f\xc9\x00\x01abcd"])
def test_what_is_no_rtcp_is_refused(data) -> None:
    with pytest.raises(ValueError, match="RTCP"):
        rtcp.parse(data)


def test_quality_falls_with_loss_and_delay() -> None:
    figures = [rtcp.mos(lost, jitter) for lost, jitter in ((0, 0), (0, 40), (0.02, 2), (0.05, 2), (0.2, 2), (1, 500))]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] == pytest.approx(4.4, abs=0.05)  # G.107: R 93.2 less the delay
    assert 1 <= figures[-1] < 2


def test_reports_go_to_the_port_above_and_answer_theirs(rig) -> None:
    phone, ours = rig.phone("p")
    control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    control.bind(("127.0.0.1", phone.port + 1))
    control.settimeout(2)
    for i in range(20):
        phone.skip() if i == 5 else phone.say(bytes_frame(), ours)
        rig.tick()
    stream = rig.switch.rtp.all()[0]
    sr = rtcp.build(ssrc=77, cname="phone", unix_time=2.0, timestamp=0, packets=19, octets=0, block=None)
    control.sendto(sr, ("127.0.0.1", ours.port + 1))
    control.sendto(b"nonsense", ("127.0.0.1", ours.port + 1))
    rig.until(lambda: rig.switch.counters()["rtcp_dropped"] == 1)
    rig.switch.close_rtp("p")
    (report,) = rtcp.parse(control.recv(1500))
    (block,) = report.blocks
    assert report.ssrc == stream.ssrc and block.ssrc == 77
    assert (block.lost, block.fraction) == (1, 256 // 20)
    assert block.lsr == ((2 + 2208988800) & 0xFFFF) << 16
    control.close()


def bytes_frame():
    import numpy as np

    return np.full(160, 0xD4, np.uint8)


def test_a_far_end_at_the_highest_port_has_no_rtcp_and_stops_nobody_elses(rig) -> None:
    phone, _ours = rig.phone("p")
    rig.switch.set_rtp("p", evolve(phone.media(), port=65535))
    for _ in range(6):
        rig.switch.second()
    rig.switch.close_rtp("p")
    assert rig.switch.counters()["rtcp_dropped"] >= 1
    assert "p" not in rig.switch.ports
