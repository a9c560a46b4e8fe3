"""The simulated span: frames and audio over the two sockets, and what happens when the exchange is slow or gone."""

from __future__ import annotations

import asyncio
import socket

import numpy as np
import pytest

from hw.line.span import DEPTH, SILENCE, SimSpan

ROWS = 30


class Far:
    """The exchange's ends of both sockets, held by hand."""

    def __init__(self, address):
        self.d, self.b = (socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in "db")
        self.d.connect(f"{address}.d")
        self.b.connect(f"{address}.b")
        self.d.setblocking(False)
        self.b.setblocking(False)

    def close(self):
        self.d.close()
        self.b.close()


async def _open(tmp_path):
    span = SimSpan(str(tmp_path / "e1"), tuple(range(1, 16)) + tuple(range(17, 32)))
    frames, alarms = asyncio.Queue(), asyncio.Queue()
    await span.open(frames.put_nowait, alarms.put_nowait)
    far = Far(tmp_path / "e1")
    async with asyncio.timeout(5):
        assert await alarms.get() == ""
    return span, far, frames, alarms


def _frame(value):
    return np.full((ROWS, 160), value, np.uint8)


def _read(span):
    into = np.zeros((ROWS, 160), np.uint8)
    span.timeslots.read(into)
    assert (into == into[0, 0]).all()
    return int(into[0, 0])


def test_d_channel_frames_keep_their_borders_both_ways(tmp_path):
    async def main():
        span, far, frames, _ = await _open(tmp_path)
        for frame in (b"\x00\x01\x7f", bytes(260)):
            far.d.send(frame)
        async with asyncio.timeout(5):
            assert [await frames.get(), await frames.get()] == [b"\x00\x01\x7f", bytes(260)]
        span.send(b"abc")
        span.send(b"de")
        assert [far.d.recv(99), far.d.recv(99)] == [b"abc", b"de"]
        span.close()
        far.close()

    asyncio.run(main())


def test_audio_comes_in_order_and_silence_where_none_came(tmp_path):
    async def main():
        span, far, _, _ = await _open(tmp_path)
        assert _read(span) == SILENCE and span.timeslots.counters()["missing"] == 0, "nothing was due yet"
        for value in (1, 2):
            far.b.send(_frame(value).tobytes())
        assert [_read(span), _read(span), _read(span)] == [1, 2, SILENCE]
        assert span.timeslots.counters() == {"slips": 0, "missing": 1, "dropped": 0, "malformed": 0}
        span.timeslots.write(_frame(7))
        assert far.b.recv(10_000) == _frame(7).tobytes()
        span.close()
        far.close()

    asyncio.run(main())


def test_frames_that_pile_up_are_skipped_to_the_newest_and_counted(tmp_path):
    async def main():
        span, far, _, _ = await _open(tmp_path)
        for value in range(10):
            far.b.send(_frame(value).tobytes())
        assert [_read(span) for _ in range(DEPTH + 1)] == [*range(10 - DEPTH, 10), SILENCE]
        assert span.timeslots.counters()["slips"] == 10 - DEPTH
        span.close()
        far.close()

    asyncio.run(main())


def test_a_packet_of_a_wrong_size_is_silence_and_counted(tmp_path):
    async def main():
        span, far, _, _ = await _open(tmp_path)
        far.b.send(b"\x01" * 160)
        far.b.send(_frame(3).tobytes())
        assert [_read(span), _read(span)] == [SILENCE, 3]
        assert span.timeslots.counters()["malformed"] == 1
        span.close()
        far.close()

    asyncio.run(main())


def test_an_exchange_that_does_not_read_never_blocks_the_tick(tmp_path):
    async def main():
        span, far, _, _ = await _open(tmp_path)
        for _ in range(500):
            span.timeslots.write(_frame(0))
            span.send(bytes(260))
        counters = span.counters()
        assert counters["dropped"] > 0 and span.alarm == ""
        span.close()
        far.close()

    asyncio.run(main())


@pytest.mark.parametrize("gone", ["b", "d"])
def test_either_connection_lost_is_red_alarm_and_the_exchange_may_come_back(tmp_path, gone):
    async def main():
        span, far, _, alarms = await _open(tmp_path)
        getattr(far, gone).close()
        async with asyncio.timeout(5):
            if gone == "b":  # the tick finds out
                span.timeslots.write(_frame(0))
                assert _read(span) == SILENCE
            assert await alarms.get() == "RED"
            assert (far.d if gone == "b" else far.b).recv(10) == b"", "both are closed"
            assert _read(span) == SILENCE
            span.timeslots.write(_frame(0))
            again = Far(tmp_path / "e1")
            assert await alarms.get() == ""
        span.close()
        again.close()
        far.close()

    asyncio.run(main())


def test_sockets_left_behind_are_replaced_and_ours_removed(tmp_path):
    async def main():
        for kind in "db":
            (tmp_path / f"e1.{kind}").write_text("left behind")
        span, far, _, _ = await _open(tmp_path)
        span.close()
        assert not list(tmp_path.iterdir())
        far.close()

    asyncio.run(main())


def test_a_span_without_an_address_says_so():
    with pytest.raises(ValueError, match="address"):
        SimSpan("", (1,))
