"""RTCP for all streams, what their quality was, and phones that have fallen silent."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from attrs import define

from hw.line.switch import rtcp
from hw.line.switch.rtp import Figures, RtpStreams, Stream
from hw.messages import RtpLost, RtpQuality

_log = logging.getLogger(__name__)

#: Seconds between two reports of a stream (RFC 3550 §6.2: at least 5), and between two ``RtpQuality``.
_REPORT_S, _QUALITY_S = 5, 10


@define
class _Seen:
    """What is known of a stream between two reports."""

    opened: float
    reports: int = 0
    expected: int = 0
    received: int = 0
    lsr: int = 0
    lsr_at: float = 0.0
    listening_since: float | None = None
    silent: bool = False


class Reports:
    """Looks at every stream once a second. Times are the loop's, in seconds."""

    def __init__(
        self, streams: RtpStreams, loop: asyncio.AbstractEventLoop, emit: Callable[[RtpQuality | RtpLost], None],
        *, cname: str, silence_ms: int,
    ) -> None:
        self._streams = streams
        self._loop = loop
        self._emit = emit
        self._cname = cname
        self._silence_ms = silence_ms
        self._seen: dict[int, _Seen] = {}
        self.dropped = 0

    def opened(self, stream: Stream) -> None:
        """Begin with a stream."""
        self._seen[stream.slot] = _Seen(self._loop.time())
        self._loop.add_reader(stream.rtcp.fileno(), self._read, stream)

    def closing(self, stream: Stream) -> None:
        """The stream's last report and its quality."""
        self._loop.remove_reader(stream.rtcp.fileno())
        self._send(stream, self._seen[stream.slot])
        self._quality(stream)
        del self._seen[stream.slot]

    def second(self) -> None:
        """To be called once a second."""
        now = self._loop.time()
        for stream in self._streams.all():
            seen = self._seen[stream.slot]
            age = int(now - seen.opened) + stream.slot  # streams opened together report at different seconds
            if age % _REPORT_S == 0:
                self._send(stream, seen)
            if age % _QUALITY_S == 0 and stream.remote is not None:
                self._quality(stream)
            self._listen(stream, seen, now)

    def _listen(self, stream: Stream, seen: _Seen, now: float) -> None:
        if not stream.listens:
            seen.listening_since, seen.silent = None, False
            return
        if seen.listening_since is None:
            seen.listening_since = now
        heard = self._streams.figures(stream).heard_us / 1e6
        silent_ms = int((now - max(heard, seen.listening_since)) * 1000)
        if silent_ms < self._silence_ms:
            seen.silent = False
        elif not seen.silent:
            seen.silent = True
            self._emit(RtpLost(stream.name, silent_ms))

    def _quality(self, stream: Stream) -> None:
        f = self._streams.figures(stream)
        lost = max(f.expected - f.received, 0)
        jitter_ms = f.jitter / 8
        share = (lost + f.late) / f.expected if f.expected else 0.0
        quality = rtcp.mos(share, jitter_ms) if f.expected else 1.0
        self._emit(RtpQuality(stream.name, f.sent, f.received, lost, f.late, round(jitter_ms, 2), round(quality, 2)))

    def _send(self, stream: Stream, seen: _Seen) -> None:
        if stream.remote is None or not stream.remote.port or stream.remote.address == "0.0.0.0":  # noqa: S104
            return
        f = self._streams.figures(stream)
        data = rtcp.build(
            ssrc=stream.ssrc, cname=self._cname, unix_time=time.time(), timestamp=f.timestamp, packets=f.sent,
            octets=f.octets, block=self._block(f, seen) if f.received else None,
        )
        try:
            stream.rtcp.sendto(data, (f.address, f.latched_port + 1))
        except (OSError, OverflowError) as error:  # OverflowError: RTP to port 65535 leaves none for RTCP
            _log.debug("RTCP of %s: %s", stream.name, error)
            self.dropped += 1

    def _block(self, f: Figures, seen: _Seen) -> rtcp.Block:
        expected, received = f.expected - seen.expected, f.received - seen.received
        seen.expected, seen.received = f.expected, f.received
        lost = max(expected - received, 0)
        since = int((self._loop.time() - seen.lsr_at) * 65536) if seen.lsr else 0
        return rtcp.Block(
            ssrc=f.remote_ssrc, fraction=min(lost * 256 // expected, 255) if expected > 0 else 0,
            lost=f.expected - f.received, highest=f.highest, jitter=int(f.jitter), lsr=seen.lsr,
            dlsr=min(since, 0xFFFFFFFF),
        )

    def _read(self, stream: Stream) -> None:
        try:
            data, (address, _) = stream.rtcp.recvfrom(1500)
        except OSError:
            return
        if stream.remote is None or address not in (stream.remote.address, stream.remote.source):
            self.dropped += 1
            return
        try:
            reports = rtcp.parse(data)
        except ValueError:
            self.dropped += 1
            return
        seen = self._seen[stream.slot]
        for report in reports:
            seen.reports += 1
            if report.lsr:
                seen.lsr, seen.lsr_at = report.lsr, self._loop.time()
