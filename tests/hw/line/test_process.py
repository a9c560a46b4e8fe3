"""The line process as it runs: a child of its own, a simulated exchange on its span, phones on its RTP ports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from hw.line.switch.wav import header
from hw.link import Link, connect
from hw.messages import (
    Answer,
    Answered,
    Block,
    Cleared,
    CloseRtp,
    Codec,
    Dial,
    Digit,
    Fault,
    Hangup,
    Incoming,
    LineState,
    Media,
    Message,
    Mix,
    OpenRtp,
    Play,
    Played,
    PlayItem,
    Proceeding,
    Record,
    Recorded,
    Registered,
    RtpOpened,
    RtpQuality,
    SendDigits,
    SetRtp,
    Snapshot,
    Stats,
    StopRecord,
)
from hw.sim.exchange import Exchange, ExchangeSettings, ExchangeSpanSettings, NumberSettings
from hw.sim.listen import codes
from hw.sim.pattern import voice
from hw.sim.rtp import Audio, Stream
from tests.hw.line.conftest import RTP_PORTS

E = TypeVar("E")
CALLER, AGENT = 1111, 2222
ROOT = Path(__file__).resolve().parents[3]


class Control:
    """The control process's end of the link; ``events`` are those that nobody has taken yet."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.events: list[Message] = []
        self._came = asyncio.Event()
        self._task = asyncio.create_task(self._read())

    def send(self, *commands: Message) -> None:
        for command in commands:
            self._link.send(command)

    async def next(self, kind: type[E], **wanted: Any) -> E:
        while True:
            for event in self.events:
                if isinstance(event, kind) and all(getattr(event, name) == value for name, value in wanted.items()):
                    self.events.remove(event)
                    return event
            self._came.clear()
            await self._came.wait()

    async def close(self) -> None:
        self._link.close()
        await self._task

    async def _read(self) -> None:
        async for message in self._link:
            self.events.append(message)
            self._came.set()


class Box:
    """A line process, its far ends, and how to reach it."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process, exchange: Exchange, audio: Audio) -> None:
        self.folder, self.process, self.exchange, self.audio = folder, process, exchange, audio
        self._controls: list[Control] = []

    async def connect(self) -> Control:
        control = Control(await connect(self.folder / "line.sock"))
        self._controls.append(control)
        return control

    async def answer(self, control: Control) -> tuple[Any, str]:
        """A caller is answered; gives the subscriber and the leg."""
        subscriber = self.exchange.call("96100", "13800138000")
        leg = (await control.next(Incoming, called="96100")).leg
        control.send(Answer(leg))
        await subscriber.answered()
        return subscriber, leg

    async def phone(self, control: Control, port: str) -> Stream:
        """An RTP port with a phone at its far end."""
        control.send(OpenRtp(port))
        ours = (await control.next(RtpOpened, port=port)).media
        stream = self.audio.open()
        stream.remote = (ours.address, ours.port)
        stream.telephone_event = ours.telephone_event
        control.send(SetRtp(port, Media(*stream.address, (Codec("PCMA", 8),), 101)))
        return stream

    async def close(self) -> None:
        for control in self._controls:
            await control.close()

    async def heard(self, phone: Stream, code: int, times: int = 1) -> None:
        """Until a phone has heard a voice so often."""
        while phone.codes[code] < times:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(folder: Path, env: dict[str, str] | None = None) -> AsyncIterator[Box]:
    config = folder / "onecall.toml"
    config.write_text(f"""
        [line]
        socket = "{folder}/line.sock"
        rtp_ports = [{RTP_PORTS[0]}, {RTP_PORTS[1]}]
        recordings = "{folder}/recordings"
        spans = [{{ name = "e1", address = "{folder}/e1" }}]
    """)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hw.line", "--config", str(config), cwd=ROOT, env=env
    )
    number = NumberSettings("13900139000", code=3333, answer_ms=50)
    exchange = Exchange(ExchangeSettings((ExchangeSpanSettings(f"{folder}/e1"),), (number,)))
    audio = Audio()
    ticking = asyncio.create_task(audio.run())
    box = Box(folder, process, exchange, audio)
    try:
        await exchange.start()
        up, died = asyncio.create_task(exchange.wait_up()), asyncio.create_task(process.wait())
        await asyncio.wait({up, died}, return_when=asyncio.FIRST_COMPLETED)
        assert up.done(), f"the line process ended with {process.returncode}"
        yield box
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await box.close()
        await exchange.close()
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking


def within(seconds: float, folder: Path, scene: Callable[[Box], Any], **settings: Any) -> None:
    """Play a scene with a running box."""

    async def main() -> None:
        async with asyncio.timeout(seconds), running(folder, **settings) as box:
            await scene(box)

    asyncio.run(main())


@pytest.mark.requirement("A1.16")
def test_a_caller_and_a_phone_talk_are_recorded_and_their_keys_are_told(tmp_path) -> None:
    async def scene(box: Box) -> None:
        control = await box.connect()
        snapshot = await control.next(Snapshot)
        assert (snapshot.process, snapshot.legs, snapshot.ports) == ("line", (), ())
        assert (await control.next(LineState, up=True)).line == "e1"
        subscriber, leg = await box.answer(control)
        phone = await box.phone(control, "agent")
        path = tmp_path / "recordings" / "call.wav"
        control.send(Mix(leg, {"agent": 1.0}), Mix("agent", {leg: 1.0}), Record("r", leg, str(path)))
        subscriber.say(CALLER)
        phone.say(voice(AGENT))
        await subscriber.hears(AGENT, 2)
        await box.heard(phone, CALLER, 2)
        await subscriber.press("42#")
        for key in "42#":
            assert (await control.next(Digit, leg=leg, source="audio")).digit == key
        phone.press("7")
        assert (await control.next(Digit, leg="agent")).source == "rfc4733"
        subscriber.hangup()
        assert (await control.next(Recorded)).reason == ""
        assert (await control.next(Cleared, leg=leg)).cause == 16
        left, right = codes(path)
        assert left[CALLER] >= 2 and not left[AGENT]
        assert right[AGENT] >= 2 and not right[CALLER]
        control.send(CloseRtp("agent"))
        quality = await control.next(RtpQuality)
        assert quality.lost == 0 and quality.received > 0 and 1 < quality.mos < 4.5  # a busy machine is late
        stats = await control.next(Stats)
        assert stats.cpu_s > 0 and stats.counters["ticks_failed"] == 0

    within(20, tmp_path, scene)


def test_calls_go_on_while_the_control_process_is_away(tmp_path) -> None:
    async def scene(box: Box) -> None:
        control = await box.connect()
        subscriber, leg = await box.answer(control)
        other, other_leg = await box.answer(control)
        phone = await box.phone(control, "agent")
        path = str(tmp_path / "recordings" / "call.wav")
        control.send(
            Mix(leg, {"agent": 1.0}), Play(other_leg, "p", (PlayItem("tone", "dial"),)), Record("r", leg, path),
            Record("gone", other_leg, str(tmp_path / "recordings" / "other.wav")),
        )
        phone.say(voice(AGENT))
        await subscriber.hears(AGENT)
        await control.close()
        other.hangup()
        await other.cleared()
        await subscriber.hears(AGENT, subscriber.heard[AGENT] + 2)
        snapshot = await (again := await box.connect()).next(Snapshot)
        assert [(state.leg, state.phase, state.incoming) for state in snapshot.legs] == [(leg, "up", True)]
        assert set(snapshot.ports) == {leg, "agent"} and snapshot.recorders == ("r",)
        assert {type(event) for event in snapshot.missed} == {Cleared, Recorded}
        again.send(StopRecord("r"), Hangup(leg, 16))
        assert (await again.next(Recorded)).ms > 500
        assert await subscriber.cleared() == 16
        assert (await again.next(Cleared, leg=leg)).by == "us"

    within(20, tmp_path, scene)


def test_calls_out_have_audio_and_ends(tmp_path) -> None:
    async def scene(box: Box) -> None:
        control = await box.connect()
        await control.next(LineState, up=True)
        phone = await box.phone(control, "agent")
        control.send(Dial("out", "e1", "13900139000"), Mix("agent", {"out": 1.0}))
        await control.next(Answered, leg="out")
        await box.heard(phone, 3333)
        (subscriber,) = box.exchange.subscribers
        subscriber.keep()
        control.send(SendDigits("out", "12"))
        while not np.any(np.abs(subscriber.audio.astype(int)) > 5000):
            await asyncio.sleep(0.02)
        for dial, cause in ((Dial("x", "nowhere", "1"), 3), (Dial("y", "e1", "客服"), 28)):
            control.send(dial)
            assert (await control.next(Fault, subject=dial.leg)).command == "Dial"
            assert (await control.next(Cleared, leg=dial.leg)).cause == cause
        control.send(Block("e1", None, True), Dial("z", "e1", "13900139000"))
        assert (await control.next(Cleared, leg="z")).cause == 34

    within(20, tmp_path, scene)


def test_a_call_out_that_is_never_alerted_ends_when_the_control_process_has_waited_enough(tmp_path) -> None:
    async def scene(box: Box) -> None:
        box.exchange.on_call = lambda _person: None  # CALL PROCEEDING is all that comes
        control = await box.connect()
        await control.next(LineState, up=True)
        control.send(Dial("out", "e1", "10086"))
        await control.next(Proceeding, leg="out")
        await control.close()
        again = await box.connect()
        snapshot = await again.next(Snapshot)
        assert [(state.leg, state.phase) for state in snapshot.legs] == [("out", "dialling")]
        again.send(Hangup("out", 19))
        assert await again.next(Cleared) == Cleared("out", 19, "us")
        state = await again.next(LineState)
        while {channel.state for channel in state.channels} != {"idle"}:
            state = await again.next(LineState)
        again.events.clear()
        stats = await again.next(Stats)
        assert (stats.gauges["legs"], stats.gauges["ports"], box.exchange.subscribers) == (0, 0, [])

    within(20, tmp_path, scene)


def test_what_goes_wrong_on_a_line_is_counted_under_its_name(tmp_path) -> None:
    async def scene(box: Box) -> None:
        control = await box.connect()
        await control.next(LineState, up=True)
        counters = (await control.next(Stats)).counters
        assert {f"e1.{name}" for name in ("slips", "missing", "dropped", "d_dropped", "q931_errors")} <= set(counters)
        assert counters["e1.q921_dropped"] == 0
        box.exchange.spans[0]._send(b"\x00")  # no Q.921 frame
        while counters["e1.q921_dropped"] == 0:
            counters = (await control.next(Stats)).counters
        assert counters["e1.q921_dropped"] == 1

    within(20, tmp_path, scene)


def test_no_command_ends_the_process_and_each_bad_one_is_answered(tmp_path) -> None:
    async def scene(box: Box) -> None:
        control = await box.connect()
        control.send(OpenRtp("p"))
        await control.next(RtpOpened)
        bad: list[Message] = [
            CloseRtp("q"), SetRtp("q", Media("127.0.0.1", 1, ())), SetRtp("p", Media("x", 1, ())),
            Mix("q"), Mix("p", {"q": 1.0}), Play("q", "x", ()), Play("p", "x", (PlayItem("tone", "siren"),)),
            Record("r", "q", "/x"), Record("r", "p", "x"), StopRecord("r"), SendDigits("p", "!"), Answer("q"),
            Hangup("q"), Block("q", 1, True), Block("e1", 99, True), Registered("a", "b", "c"),
        ]
        for command in bad:
            control.send(command)
            fault = await control.next(Fault)
            assert fault.command == type(command).__name__ and fault.reason
        control._link._writer.write(b"nonsense\n")
        assert (await control.next(Fault)).subject == "link"
        stats = await control.next(Stats)
        assert stats.counters["commands_failed"] == 0, "each was refused, none failed"
        assert stats.gauges["rtp_ports"] == 1

    within(20, tmp_path, scene)


def test_a_clean_end_makes_recordings_whole_and_clears_calls(tmp_path) -> None:
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.setblocking(False)

    async def scene(box: Box) -> None:
        loop = asyncio.get_running_loop()
        assert await loop.sock_recv(notify, 100) == b"READY=1"
        control = await box.connect()
        subscriber, leg = await box.answer(control)
        path = tmp_path / "recordings" / "call.wav"
        control.send(Record("r", leg, str(path)))
        assert await loop.sock_recv(notify, 100) == b"WATCHDOG=1"
        await control.next(Stats)
        box.process.send_signal(signal.SIGTERM)
        assert await box.process.wait() == 0
        assert await subscriber.cleared() == 41
        assert (await control.next(Cleared, leg=leg)).cause == 41
        assert (await control.next(Recorded)).reason == ""
        with wave.open(str(path)) as file:
            assert file.getnframes() > 4000
        assert not (tmp_path / "line.sock").exists()



    within(20, tmp_path, scene, env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")})
    notify.close()


def test_what_a_killed_process_left_is_repaired_at_the_next_start(tmp_path) -> None:
    part = tmp_path / "recordings" / "call.wav.part"
    part.parent.mkdir()
    part.write_bytes(header(0) + bytes(32000))

    async def scene(box: Box) -> None:
        control = await box.connect()
        await control.next(Snapshot)
        with wave.open(str(part.with_suffix(""))) as file:
            assert file.getnframes() == 8000
        phone = await box.phone(control, "p")
        phone.say(voice(AGENT))
        control.send(Record("r", "p", str(tmp_path / "recordings" / "cut.wav")))
        for _ in range(3):
            await control.next(Stats)
        box.process.kill()
        await box.process.wait()
        assert (tmp_path / "recordings" / "cut.wav.part").stat().st_size > 32000

    within(20, tmp_path, scene)

    async def after(box: Box) -> None:
        await (await box.connect()).next(Snapshot)
        assert codes(tmp_path / "recordings" / "cut.wav")[0][AGENT] >= 1

    within(20, tmp_path, after)


SPAN = '[line]\nsocket = "{0}/l.sock"\nspans = [{{ name = "e1", address = "{0}/e1" }}]'


@pytest.mark.parametrize(("text", "code", "said"), [
    ("[line", 2, "not TOML"), ("[line]\n", 2, "socket"),
    ('[line]\nsocket = "/x"\nrtp_address = "phones"', 2, "IP address"),
    ('[line]\nsocket = "/nowhere/l.sock"', 1, "socket /nowhere/l.sock: No such file"),
    (SPAN.format("/nowhere"), 1, "trunk e1 cannot be opened: No such file"),
    ('[line]\nsocket = "/x"\nspans = [{ name = "e1" }]', 1, "address"),
])
def test_settings_that_cannot_be_used_end_it_with_the_reason(tmp_path, text, code, said) -> None:
    async def main() -> None:
        (tmp_path / "x.toml").write_text(text)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hw.line", "--config", str(tmp_path / "x.toml"),
            cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        assert process.returncode == code
        assert said in errors.decode() and "Traceback" not in errors.decode()

    asyncio.run(main())


def test_played_ends_are_told_over_the_link(tmp_path) -> None:
    async def scene(box: Box) -> None:
        control = await box.connect()
        subscriber, leg = await box.answer(control)
        control.send(Play(leg, "menu", (PlayItem("tone", "dial"),), until_digit=True))
        await subscriber.press("5")
        assert (await control.next(Played)) == Played(leg, "menu", "digit")
        assert (await control.next(Digit)).digit == "5"

    within(20, tmp_path, scene)
