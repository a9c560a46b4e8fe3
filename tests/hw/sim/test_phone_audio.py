"""The phones' audio: what one stream says another hears, whatever the network does to the packets."""

import asyncio
import random
import socket
import struct
from contextlib import contextmanager

import pytest

from hw.sim.pattern import voice
from hw.sim.rtp import Audio, Buffer, Figures


@contextmanager
def pair(payload_type=8, event=101):
    """Two streams that talk to each other, in an engine whose ticks the test makes."""
    audio = Audio(4)
    one, two = audio.open(), audio.open()
    for stream, other in ((one, two), (two, one)):
        stream.remote = other.address
        stream.payload_type = payload_type
        stream.telephone_event = event
    try:
        yield audio, one, two
    finally:
        one.close()
        two.close()


def ticks(audio, count):
    for _ in range(count):
        audio.tick()


@pytest.mark.parametrize("payload_type", [0, 8])
def test_each_hears_the_other(payload_type):
    with pair(payload_type) as (audio, one, two):
        one.say(voice(1234))
        two.say(voice(8765))
        ticks(audio, 120)
        assert one.codes == {8765: 3}
        assert two.codes == {1234: 3}
        assert (one.figures.sent, one.figures.lost, one.figures.late, one.figures.strange) == (120, 0, 0, 0)


def test_held_phones_send_nothing_and_go_on_afterwards():
    with pair() as (audio, one, two):
        one.say(voice(7))
        one.sending = False
        ticks(audio, 10)
        assert (one.figures.sent, two.figures.received) == (0, 0)
        one.sending = True
        ticks(audio, 110)
        assert two.codes[7] >= 2
        assert two.figures.lost == 0


def test_keys_are_events_and_do_not_tear_the_voice():
    with pair() as (audio, one, two):
        one.say(voice(99))
        ticks(audio, 5)
        pressed: list[str] = []
        two.on_key = pressed.append
        one.press("17*#")
        ticks(audio, 4 * 11 + 120)
        assert two.keys == "17*#"
        assert "".join(pressed) == "17*#"
        assert two.codes[99] >= 2
        assert two.figures.lost == 0


def test_an_event_is_one_press_with_growing_duration_and_three_ends():
    """RFC 4733 §2.5.1: one timestamp, the marker on the first, the E bit on the last three."""
    with pair() as (audio, one, _):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        one.remote = listener.getsockname()
        one.press("5")
        ticks(audio, 12)
        packets = []
        try:
            while True:
                packets.append(struct.unpack("!BBHIIBBH", listener.recv(100)))
        except BlockingIOError:
            listener.close()
        assert [packet[1] for packet in packets] == [0x80 | 101] + [101] * 6
        assert len({packet[3] for packet in packets}) == 1
        assert [packet[2] - packets[0][2] for packet in packets] == list(range(7))
        assert [(packet[5], packet[6] >> 7, packet[7]) for packet in packets] == [
            (5, end, length) for end, length in ((0, 160), (0, 320), (0, 480), (0, 640), (1, 800), (1, 800), (1, 800))
        ]


def test_keys_that_cannot_be_sent_are_refused():
    with pair(event=None) as (_, one, _):
        with pytest.raises(ValueError, match="telephone-event"):
            one.press("1")
    with pair() as (_, one, _):
        with pytest.raises(ValueError, match="no such keys: x"):
            one.press("1x")


def test_packets_that_are_not_rtp_for_us_are_counted():
    with pair() as (audio, one, two):
        for packet in (b"", b"hello", b"\x80\x12" + bytes(170), b"\x80\x08" + bytes(20), b"\x40" + bytes(171)):
            one.socket.sendto(packet, two.address)
        audio.tick()
        assert (two.figures.strange, two.figures.received) == (5, 0)


def test_the_buffer_puts_packets_in_order_and_counts_what_was_lost_or_late():
    figures = Figures()
    buffer = Buffer(figures)
    for sequence in (65534, 0, 65535):
        buffer.put(1, sequence, str(sequence).encode())
    assert [buffer.get() for _ in range(3)] == [b"65534", b"65535", b"0"]
    for sequence in (2, 3, 3):
        buffer.put(1, sequence, str(sequence).encode())
    assert [buffer.get() for _ in range(4)] == [None, b"2", b"3", None]
    buffer.put(1, 1, b"1")
    assert (figures.lost, figures.late, figures.received) == (1, 2, 7)


def test_a_new_sender_and_a_burst_do_not_stop_the_buffer():
    buffer = Buffer(Figures())
    for sequence in range(40):
        buffer.put(1, sequence, bytes([sequence]))
    assert buffer.get() == bytes([30])
    buffer.put(2, 7000, b"a")
    buffer.put(2, 7001, b"b")
    assert [buffer.get(), buffer.get()] == [b"a", b"b"]


def test_the_engine_keeps_time_and_closes_what_is_open():
    async def main():
        audio = Audio(2)
        one, two = audio.open(), audio.open()
        with pytest.raises(OSError, match="all 2 streams are taken"):
            audio.open()
        one.remote = two.address
        one.say(voice(4))
        task = asyncio.create_task(audio.run())
        begin = asyncio.get_running_loop().time()
        heard = asyncio.Event()
        two.on_code = lambda code: heard.set()
        async with asyncio.timeout(5):
            await heard.wait()
        passed = asyncio.get_running_loop().time() - begin
        assert passed * 50 - 3 <= one.figures.sent <= passed * 50 + 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert one.socket.fileno() == two.socket.fileno() == -1
        assert two.codes[4]

    random.seed(1)
    asyncio.run(main())
