"""The simulator as a process, at a real line process and a real phone process: E1 callers talk to people at phones."""

import asyncio
import json
import signal
import socket
import sys
from contextlib import asynccontextmanager

import pytest

from hw.link import connect
from hw.messages import (
    Account,
    Alert,
    Alerting,
    Answer,
    Answered,
    Cleared,
    CloseRtp,
    Dial,
    Fault,
    Hangup,
    Incoming,
    Mix,
    OpenRtp,
    Proceed,
    RtpOpened,
    SetAccounts,
    SetRtp,
)
from hw.phone.digest import ha1

REALM = "onecall"
PHONES = {"801": 1, "802": 2, "803": 3}


class Control:
    """Joins each caller to the phone whose account was dialled, and nothing more."""

    def __init__(self, line, phone):
        self._line, self._phone = line, phone
        self.calls = {}
        self._changed = asyncio.Event()
        self.faults = []
        self.answered = self.cleared = 0
        phone.send(SetAccounts(REALM, tuple(Account(n, ha1(n, REALM, f"pw{n}")) for n in PHONES)))

    async def run(self):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(self._line))
            tasks.create_task(self._read(self._phone))

    async def _read(self, link):
        async for message in link:
            if isinstance(message, Fault):
                self.faults.append(message)
            self._line_says(message) if link is self._line else self._phone_says(message)
            self.answered += isinstance(message, Answered)
            self.cleared += isinstance(message, Cleared) and link is self._line
            self._changed.set()

    async def until(self, met):
        """Wait until this is so."""
        while not met():
            self._changed.clear()
            await self._changed.wait()

    def _line_says(self, message):
        match message:
            case Incoming(leg=leg):
                self.calls[leg] = message
                self._line.send(Proceed(leg))
                self._line.send(OpenRtp(f"p.{leg}"))
            case RtpOpened(port=port, media=media):
                call = self.calls[port[2:]]
                self._phone.send(Dial(port, "phones", call.called, call.caller, "", media))
            case Cleared(leg=leg) if self.calls.pop(leg, None):
                self._phone.send(Hangup(f"p.{leg}", message.cause))
                self._line.send(CloseRtp(f"p.{leg}"))

    def _phone_says(self, message):
        leg = getattr(message, "leg", "")
        match message:
            case Alerting():
                self._line.send(Alert(leg[2:]))
            case Answered(media=media):
                self._line.send(SetRtp(leg, media))
                self._line.send(Answer(leg[2:]))
                self._line.send(Mix(leg, {leg[2:]: 1.0}))
                self._line.send(Mix(leg[2:], {leg: 1.0}))
            case Cleared() if self.calls.pop(leg[2:], None):
                self._line.send(Hangup(leg[2:], message.cause))
                self._line.send(CloseRtp(leg))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def config(path, sim):
    port = free_port()
    phones = "\n".join(
        f'[[sim.phones.list]]\naccount = "{n}"\npassword = "pw{n}"\ncode = {code}\nanswer_ms = [100, 300]\n'
        for n, code in PHONES.items()
    )
    file = path / "onecall.toml"
    file.write_text(
        f'[line]\nsocket = "{path}/line.sock"\nspans = [{{ name = "e1", address = "{path}/e1" }}]\n'
        f'[phone]\nsocket = "{path}/phone.sock"\nlisten = ["udp:127.0.0.1:{port}"]\n'
        f'[sim]\nseed = 7\ndrain_ms = 1600\n[sim.exchange]\nspans = [{{ address = "{path}/e1" }}]\n'
        f'{sim}\n[sim.phones]\nregistrar = "127.0.0.1:{port}"\n{phones}'
    )
    return file


async def linked(path):
    while True:
        try:
            return await connect(path)
        except OSError:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def world(path, sim):
    """The simulator's process with line, phone and control; gives control and the simulator's process."""
    file = config(path, sim)
    report = path / "report.json"
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-m", *arguments, "--config", str(file))
        for arguments in (("hw.line",), ("hw.phone",), ("hw.sim", "--report", str(report)))
    ]
    controlling = None
    try:
        async with asyncio.timeout(25):
            control = Control(await linked(path / "line.sock"), await linked(path / "phone.sock"))
            controlling = asyncio.create_task(control.run())
            yield control, started[2]
            started[2].terminate()
            assert await started[2].wait() == 0
            assert not control.faults
    finally:
        if controlling is not None:
            controlling.cancel()
        for process in reversed(started):
            if process.returncode is None:
                process.terminate()
                await process.wait()


def wishes(talk):
    return "".join(
        f'[[sim.traffic.wishes]]\nname = "to {n}"\ncalled = "{n}"\n'
        f'steps = [{{ do = "queue", ms = [8000, 8000] }}, {{ do = "talk", ms = {talk} }}]\n'
        for n in PHONES
    )


def test_callers_and_phones_hear_each_other_and_the_report_says_so(tmp_path):
    async def main():
        traffic = "[sim.traffic]\ncalls_per_hour = 12000\ncalls = 8\nfirst_code = 100\ncodes = 100\n"
        async with world(tmp_path, traffic + wishes([1800, 2500])) as (control, _):
            await control.until(lambda: control.cleared == 8)
        return json.loads((tmp_path / "report.json").read_text())

    report = asyncio.run(main())
    calls = report["calls"]
    served = [call for call in calls if call["outcome"] == "served"]
    assert served
    assert report["totals"]["offered"] == len(calls)
    for call in served:
        assert set(call["codes"]) == {str(PHONES[call["called"]])}
        (taken,) = [
            phone for phone in report["phones"] if phone["number"] == call["caller"] and phone["answered"] is not None
        ]
        assert taken["account"] == call["called"]
        assert set(taken["codes"]) == {str(call["code"])}
        assert report["began"] <= call["began"] <= taken["began"] <= taken["answered"] <= taken["ended"]
    for call in calls:
        if call["outcome"] == "refused":  # somebody talked already
            assert call["cause"] == 17


def test_sigusr1_stops_new_calls_and_nothing_else(tmp_path):
    async def main():
        traffic = "[sim.traffic]\ncalls_per_hour = 36000\nat_once = 3\nfirst_code = 100\ncodes = 100\n"
        async with world(tmp_path, traffic + wishes([500, 700])) as (control, process):
            await control.until(lambda: control.cleared >= 2)
            process.send_signal(signal.SIGUSR1)
            await control.until(lambda: not control.calls)
            assert process.returncode is None
            seen = control.cleared
            await asyncio.sleep(0.5)  # five more callers would have come
            assert control.cleared == seen
            assert not control.calls
        return json.loads((tmp_path / "report.json").read_text())

    report = asyncio.run(main())
    assert report["totals"]["offered"] == len(report["calls"]) >= 2


def test_calls_that_do_not_end_are_hung_up_and_reported(tmp_path):
    async def main():
        traffic = "[sim.traffic]\ncalls_per_hour = 36000\ncalls = 1\nfirst_code = 100\ncodes = 100\n"
        async with world(tmp_path, traffic + wishes([60000, 60000])) as (control, _):
            await control.until(lambda: control.answered == 1)
        return json.loads((tmp_path / "report.json").read_text())

    (call,) = asyncio.run(main())["calls"]
    assert (call["outcome"], call["by"]) == ("cleared", "us")
    assert call["codes"]


@pytest.mark.parametrize(
    ("sim", "says"),
    [
        ("[sim.traffic]\ncalls_per_hour = 60\nfirst_code = 0\n" + wishes([1, 1]), "code 1 is the voice of phone 801"),
        ("[sim.traffic]\ncalls_per_hour = 60\n", "wishes"),
        ("[sim.crowd]\n", "unknown key crowd"),
    ],
    ids=["one voice for two", "no wishes", "unknown table"],
)
def test_settings_that_cannot_be_right_are_refused_with_their_place(tmp_path, sim, says):
    async def main():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hw.sim", "--config", str(config(tmp_path, sim)), stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate()
        assert process.returncode == 2
        return errors.decode()

    errors = asyncio.run(main())
    assert "[sim]" in errors
    assert says in errors
