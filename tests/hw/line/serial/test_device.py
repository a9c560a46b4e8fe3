"""A modem is set up whenever it appears, and switched off and on when it does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hw.line.serial import at, device, port
from hw.line.serial.at import AtTimeout
from hw.line.serial.device import ModemDevice
from hw.line.serial.settings import SerialSettings
from tests.hw.line.serial.cable import Cable, until


class Rig:
    """A modem that answers OK to everything while ``answers``."""

    def __init__(self, cable: Cable, power_cycle: tuple[str, ...]) -> None:
        self.cable = cable
        self.answers = b"OK\r\n"
        self.alarms: list[str] = []
        settings = SerialSettings(str(cable.name), power_cycle=power_cycle, power_timeout_ms=200, power_pause_ms=0)
        self.device = ModemDevice(
            settings, setup=self.setup, unsolicited=lambda _line, _body: None, changed=self.alarms.append
        )

    async def setup(self) -> None:
        await self.device.at.command("AT+FCLASS=8", timeout_s=0.05)

    async def serve(self) -> None:
        while True:
            if self.cable.read().endswith(b"\r") and self.answers:
                self.cable.write(self.answers)
            await asyncio.sleep(0.001)

    async def ask_in_vain(self) -> None:
        for _ in range(at.TOLERANCE):
            with pytest.raises(AtTimeout):
                await self.device.at.command("AT+GMM", timeout_s=0.01)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "RETRY_S", 0.01)
    monkeypatch.setattr(at, "ATTENTION_S", 0.02)
    monkeypatch.setattr(device, "_FIRST_PAUSE_S", 0.01)


@asynccontextmanager
async def rigged(tmp_path: Path, *power_cycle: str) -> AsyncIterator[Rig]:
    rig = Rig(Cable(tmp_path / "modem"), power_cycle)
    rig.device.start()
    serving = asyncio.create_task(rig.serve())
    try:
        async with asyncio.timeout(10):
            yield rig
    finally:
        await rig.device.close()
        serving.cancel()


def run(main: Callable[[], object]) -> None:
    asyncio.run(main())  # type: ignore[arg-type]


def test_a_modem_is_set_up_each_time_that_it_is_plugged_in(tmp_path: Path) -> None:
    async def main() -> None:
        async with rigged(tmp_path) as rig:
            for _ in range(2):
                rig.cable.plug()
                await until(lambda: not rig.device.alarm)
                rig.cable.unplug()
                await until(lambda: rig.device.alarm == "GONE")
            assert rig.alarms == ["STARTING", "", "GONE"] * 2

    run(main)


def test_a_modem_that_refuses_is_an_alarm_and_is_tried_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with rigged(tmp_path) as rig:
            rig.answers = b"ERROR\r\n"
            rig.cable.plug()
            await until(lambda: rig.device.alarm == "REFUSES")
            rig.answers = b"OK\r\n"
            await until(lambda: not rig.device.alarm)

    run(main)


def test_a_modem_that_does_not_answer_any_more_has_its_power_cycled(tmp_path: Path) -> None:
    async def main() -> None:
        done = tmp_path / "done; no shell"
        async with rigged(tmp_path, "/usr/bin/touch", str(done)) as rig:
            rig.cable.plug()
            await until(lambda: not rig.device.alarm)
            rig.answers = b""
            await rig.ask_in_vain()
            await until(done.exists)
            assert "SILENT" in rig.alarms
            rig.answers = b"OK\r\n"
            await until(lambda: not rig.device.alarm)
            counters = rig.device.counters()
            assert (counters["unhealthy"], counters["power_cycles"]) == (1, 1)

    run(main)


@pytest.mark.parametrize("program", [("/usr/bin/sleep", "60"), ("/usr/bin/false",), ("/nowhere/to/be/found",)])
def test_a_power_cycle_that_hangs_or_fails_keeps_nobody_waiting(tmp_path: Path, program: tuple[str, ...]) -> None:
    async def main() -> None:
        async with rigged(tmp_path, *program) as rig:
            rig.cable.plug()
            await until(lambda: not rig.device.alarm)
            rig.answers = b""
            await rig.ask_in_vain()
            rig.answers = b"OK\r\n"
            await until(lambda: rig.alarms[-2:] == ["STARTING", ""] and rig.alarms.count("") == 2)

    run(main)
