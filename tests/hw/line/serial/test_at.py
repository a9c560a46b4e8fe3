"""AT commands: every answer goes to its own command, whatever the modem sends in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from hw.line.serial import at
from hw.line.serial.at import AtEngine, AtError, AtLost, AtTimeout


class Wire:
    """An engine whose modem is a function from what was written to what comes back."""

    def __init__(self, answers: Callable[[bytes], bytes], **more: Any) -> None:
        self.written: list[bytes] = []
        self.told: list[tuple[str, str]] = []
        self.sick = 0
        self.answers = answers
        self.engine = AtEngine(
            self._write, unsolicited=lambda *told: self.told.append(told), unhealthy=self._unhealthy, **more
        )

    def _write(self, data: bytes) -> None:
        self.written.append(data)
        if answer := self.answers(data):
            asyncio.get_running_loop().call_soon(self.engine.feed, answer)

    def _unhealthy(self) -> None:
        self.sick += 1


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


def script(**answers: str) -> Callable[[bytes], bytes]:
    """Answers by the command's text without ``AT``."""
    table = {f"AT{key}\r".encode(): value.encode() for key, value in answers.items()}
    return lambda data: table.get(data, b"\r\nOK\r\n")


def test_a_command_brings_its_lines_and_its_result() -> None:
    async def main() -> None:
        wire = Wire(script(I="\r\nACME\r\nV.92 modem\r\n\r\nOK\r\n"))
        answer = await wire.engine.command("ATI")
        assert (answer.lines, answer.result) == (["ACME", "V.92 modem"], "OK")

    run(main)


def test_echo_is_no_answer_and_bytes_may_be_cut_anywhere() -> None:
    async def main() -> None:
        wire = Wire(lambda _data: b"")
        asking = asyncio.create_task(wire.engine.command("AT+CSQ"))
        await asyncio.sleep(0)
        for octet in b"AT+CSQ\r\r\n+CSQ: 17,99\r\n\r\nOK\r\n":
            wire.engine.feed(bytes([octet]))
        assert (await asking).lines == ["+CSQ: 17,99"]

    run(main)


@pytest.mark.parametrize("result", ["ERROR", "+CME ERROR: 10", "+CMS ERROR: 500"])
def test_a_refusal_names_the_command_but_not_its_arguments(result: str) -> None:
    async def main() -> None:
        wire = Wire(lambda _data: f"\r\n{result}\r\n".encode())
        with pytest.raises(AtError) as refused:
            await wire.engine.command('AT+CPIN="1234"')
        assert refused.value.result == result
        assert str(refused.value) == f"AT+CPIN…: {result}"

    run(main)


def test_lines_that_nobody_asked_for_are_handed_over_also_in_the_middle_of_an_answer() -> None:
    async def main() -> None:
        wire = Wire(lambda _data: b"\r\nRING\r\n\r\n+CLCC: 1,1\r\nNMBR = 139\r\n+CREG: 1\r\n\r\nOK\r\n")
        answer = await wire.engine.command("AT+CLCC")
        assert answer.lines == ["+CLCC: 1,1"]
        wire.engine.feed(b"\r\n+CMT: ,24\r\n0891683108\r\nNO CARRIER\r\nCall Ready\r\n")
        assert wire.told == [
            ("RING", ""), ("NMBR = 139", ""), ("+CREG: 1", ""), ("+CMT: ,24", "0891683108"), ("NO CARRIER", ""),
        ]  # fmt: skip
        assert wire.engine.counters()["at_garbage"] == 1  # Call Ready is no word of this modem

    run(main)


def test_the_end_of_a_call_answers_a_command_that_calls_and_no_other() -> None:
    async def main() -> None:
        wire = Wire(lambda data: b"BUSY\r\n" if data.startswith(b"ATD") else b"NO CARRIER\r\nOK\r\n")
        with pytest.raises(AtError, match="BUSY"):
            await wire.engine.command("ATDT10086")
        assert (await wire.engine.command("AT+VLS=0")).result == "OK"
        assert wire.told == [("NO CARRIER", "")]

    run(main)


def test_a_message_is_sent_at_the_prompt() -> None:
    async def main() -> None:
        def modem(data: bytes) -> bytes:
            return b"\r\n> " if data == b"AT+CMGS=3\r" else b"\r\n+CMGS: 7\r\n\r\nOK\r\n"

        wire = Wire(modem)
        assert (await wire.engine.command("AT+CMGS=3", body="0011")).lines == ["+CMGS: 7"]
        assert wire.written == [b"AT+CMGS=3\r", b"0011\x1a"]

    run(main)


def test_a_late_answer_is_never_taken_for_the_next_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at, "QUIET_S", 0.03)

    async def main() -> None:
        def modem(data: bytes) -> bytes:
            # The first answer comes only now, right in front of the answer to the attention.
            return {b"AT\r": b"late\r\nOK\r\nOK\r\n", b"AT+GMM\r": b"M1\r\nOK\r\n"}.get(data, b"")

        wire = Wire(modem)
        with pytest.raises(AtTimeout):
            await wire.engine.command("AT+COPS=?", timeout_s=0.01)
        assert (await wire.engine.command("AT+GMM")).lines == ["M1"]
        assert wire.engine.counters()["at_timeouts"] == 1

    run(main)


def test_a_modem_that_never_answers_is_told_once_for_each_three_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at, "ATTENTION_S", 0.01)

    async def main() -> None:
        wire = Wire(lambda _data: b"")
        for _ in range(6):
            with pytest.raises(AtTimeout):
                await wire.engine.command("AT", timeout_s=0.01)
        assert wire.sick == 2

    run(main)


def test_commands_wait_for_each_other_and_a_lost_port_ends_them_all() -> None:
    async def main() -> None:
        wire = Wire(lambda _data: b"")
        tasks = [asyncio.create_task(wire.engine.command(f"AT+V{n}")) for n in range(3)]
        await asyncio.sleep(0)
        assert wire.written == [b"AT+V0\r"]
        wire.engine.lost()
        assert [type(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == [AtLost] * 3
        wire.answers = script()
        assert (await wire.engine.command("AT")).result == "OK"

    run(main)


def test_garbage_is_counted_and_the_next_command_is_answered() -> None:
    async def main() -> None:
        random = Random(7)
        wire = Wire(script(E0="OK\r\n"))
        for _ in range(200):
            wire.engine.feed(random.randbytes(random.randrange(1, 400)))
        wire.engine.feed(b"x" * 5000)
        assert wire.engine.counters()["at_garbage"] > 100
        wire.engine.feed(b"\r\r")
        assert (await wire.engine.command("ATE0")).result == "OK"

    run(main)
