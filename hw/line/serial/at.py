"""AT commands (ITU-T V.250; 3GPP TS 27.007 §9 and 27.005 §3 for result codes): one at a time, each with its answer.

Echo is tolerated. After a command that was not answered in time the modem is brought to order before the next: an
answer that comes late must never be taken for another command's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence

from attrs import define, field, frozen

#: Seconds that a command may take, if nothing else is said.
TIMEOUT_S = 5.0
#: Commands in succession without an answer after which the modem is unhealthy.
TOLERANCE = 3
#: A modem that is brought to order must answer within the first, and has said all when it was silent for the second.
ATTENTION_S, QUIET_S = 1.0, 0.15

_CR, _ESCAPE, _SUBSTITUTE = b"\r", b"\x1b", b"\x1a"
_LONGEST = 4096
_GOOD = re.compile(r"OK$|CONNECT\b|VCON$")
_BAD = re.compile(r"ERROR$|\+CM[ES] ERROR:|COMMAND NOT SUPPORT$|TOO MANY PARAMETERS$")
#: How a call ends: an answer to a command that calls (dial, answer, voice streams), unsolicited otherwise.
_CALL_ENDS = re.compile(r"NO CARRIER$|BUSY$|NO ANSWER$|NO DIAL ?TONE$")
_CALLING = re.compile(r"AT(D|A$|O|\+V[TR]X|\+VTR)", re.IGNORECASE)
#: Lines that nobody has asked for, whatever command runs: ringing and caller ID (V.253 §9.2.3).
_UNASKED = re.compile(r"RING$|RING |CRING|(DATE|TIME|NMBR|NAME|MESG|DDN_NMBR)\s*=")
_NAMED = re.compile(r"[+^*$#%]([A-Z0-9]+)")
#: Unsolicited result codes with a second line, the message (27.005 §3.4.1).
_WITH_BODY = re.compile(r"\+(CMT|CDS|CBM):")


class AtError(Exception):
    """The modem refused a command; ``result`` is its final result code. No arguments are told: there may be a PIN.

    ``prompted``: the command's body had been sent.
    """

    prompted = False

    def __init__(self, command: str, result: str) -> None:
        super().__init__(f"{_without_arguments(command)}: {result}")
        self.result = result


class AtTimeout(AtError):
    """The modem did not answer in time."""


class AtLost(AtError):
    """The port is gone."""


@frozen
class Answer:
    """What a command brought: lines of information, and the final result code (``OK``, ``CONNECT`` …)."""

    lines: Sequence[str]
    result: str


@define(eq=False)
class _Running:
    text: str
    body: str | None
    done: asyncio.Future[str]
    #: When the modem must have answered; and seconds from the prompt on.
    limit: asyncio.Timeout | None = None
    timeout_s: float = TIMEOUT_S
    prompted: bool = False
    lines: list[str] = field(factory=list)


class AtEngine:
    """The commands of one port.

    ``unsolicited`` takes each line that nobody asked for, with its message if it has one (else empty); ``unhealthy`` is
    called when ``TOLERANCE`` commands in succession were not answered. ``words`` begin unsolicited lines of this modem
    that have no ``+`` in front (``Call Ready``).
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        *,
        unsolicited: Callable[[str, str], None],
        unhealthy: Callable[[], None] = lambda: None,
        words: tuple[str, ...] = (),
    ) -> None:
        self._write = write
        self._unsolicited = unsolicited
        self._unhealthy = unhealthy
        self._words = words
        self._turn = asyncio.Lock()
        self._running: _Running | None = None
        self._draining: asyncio.Event | None = None
        self._partial = bytearray()
        self._header = ""
        self._disorder = False
        self._unanswered = 0
        self._connection = 0
        self._counts = {"at_timeouts": 0, "at_garbage": 0, "at_unexpected": 0}

    async def command(self, text: str, *, timeout_s: float | None = None, body: str | None = None) -> Answer:
        """Do one command (``AT…``) when its turn has come. ``body`` is sent at the prompt ``> ``, ended by Ctrl-Z.

        Raises ``AtError`` when the modem refuses, ``AtTimeout`` when it does not answer within ``timeout_s`` of the
        command's being sent (of the prompt, which must come within ``TIMEOUT_S``), ``AtLost`` when the port is lost.
        """
        return await self._exchange(text, text.encode("ascii") + _CR, body, timeout_s)

    async def ended(self, text: str, sign: bytes = b"", *, timeout_s: float | None = None) -> Answer:
        """The second final result of a command that was answered by CONNECT, after ``sign`` has ended its stream.

        Raises as ``command``.
        """
        return await self._exchange(text, sign, None, timeout_s)

    async def _exchange(self, text: str, data: bytes, body: str | None, timeout_s: float | None) -> Answer:
        timeout_s = TIMEOUT_S if timeout_s is None else timeout_s
        connection = self._connection
        async with self._turn:
            if connection != self._connection:
                raise AtLost(text, "the port is gone")
            if self._disorder:
                await self._restore_order(text)
            running = self._running = _Running(text, body, asyncio.get_running_loop().create_future())
            running.timeout_s = timeout_s
            self._write(data)
            self._disorder = True
            try:
                async with asyncio.timeout(timeout_s if body is None else TIMEOUT_S) as running.limit:
                    result = await running.done
            except TimeoutError:
                self._late()
                late = f"no answer within {timeout_s:g} s" if body is None or running.prompted else "no prompt"
                error = AtTimeout(text, late)
                error.prompted = running.prompted
                raise error from None
            finally:
                self._running = None
            self._disorder = False
            self._unanswered = 0
        if not _GOOD.match(result):
            raise AtError(text, result)
        return Answer(running.lines, result)

    def abort(self) -> None:
        """Break off a command that calls (V.250 §5.6.1): the modem answers it at once."""
        if self._running is not None:
            self._write(_CR)

    def distrust(self) -> None:
        """The modem may be in the middle of something: bring it to order before the next command."""
        self._disorder = True

    def lost(self) -> None:
        """The port is gone: whoever waits is told, and what had come of a line is forgotten."""
        self._connection += 1
        self._partial.clear()
        self._header = ""
        self._disorder = False
        self._unanswered = 0
        if self._running is not None and not self._running.done.done():
            error = AtLost(self._running.text, "the port is gone")
            error.prompted = self._running.prompted
            self._running.done.set_exception(error)

    def feed(self, data: bytes) -> None:
        """Bytes from the modem, cut anywhere."""
        self._partial += data.replace(b"\n", _CR)
        *lines, rest = bytes(self._partial).split(_CR)
        self._partial[:] = rest
        for line in lines:
            self._on_line(line.strip())
        if len(self._partial) > _LONGEST:
            self._counts["at_garbage"] += 1
            self._partial.clear()
        if self._partial.strip() == b">":
            self._on_prompt()

    def counters(self) -> dict[str, int]:
        """Commands without an answer, lines that were ``garbage``, results that were ``unexpected``."""
        return dict(self._counts)

    # -- lines ---------------------------------------------------------------------------------------------------------

    def _on_prompt(self) -> None:
        running = self._running
        if running is None or running.body is None:
            return
        self._partial.clear()
        running.prompted = True
        if running.limit is not None:
            running.limit.reschedule(asyncio.get_running_loop().time() + running.timeout_s)
        self._write(running.body.encode("ascii") + _SUBSTITUTE)

    def _on_line(self, raw: bytes) -> None:
        if not raw:
            return
        if any(octet < 0x20 or octet == 0x7F for octet in raw) or len(raw) > _LONGEST:
            self._counts["at_garbage"] += 1
            return
        line = raw.decode("utf-8", "replace")
        if self._header:
            header, self._header = self._header, ""
            self._unsolicited(header, line)
        elif _WITH_BODY.match(line):
            self._header = line
        elif self._draining is not None:
            self._drain(line)
        elif self._running is None or self._running.done.done():
            self._of_no_command(line)
        else:
            self._of_command(self._running, line)

    def _of_command(self, running: _Running, line: str) -> None:
        if line in (running.text, running.body) or line == f"> {running.body}":
            return  # echo
        calling = _CALLING.match(running.text)
        if _GOOD.match(line) or _BAD.match(line) or (calling and _CALL_ENDS.match(line)):
            running.done.set_result(line)
        elif self._unasked(line) or (not calling and _CALL_ENDS.match(line)) or not _asked_by(running.text, line):
            self._unsolicited(line, "")
        else:
            running.lines.append(line)

    def _of_no_command(self, line: str) -> None:
        if _GOOD.match(line) or _BAD.match(line):
            self._counts["at_unexpected"] += 1
        elif self._unasked(line) or _CALL_ENDS.match(line) or _NAMED.match(line):
            self._unsolicited(line, "")
        else:
            self._counts["at_garbage"] += 1

    def _unasked(self, line: str) -> bool:
        return bool(_UNASKED.match(line)) or (bool(self._words) and line.startswith(self._words))

    # -- order ---------------------------------------------------------------------------------------------------------

    async def _restore_order(self, text: str) -> None:
        """Until the modem answers again and has nothing left to say. Raises ``AtTimeout``."""
        loop = asyncio.get_running_loop()
        heard = self._draining = asyncio.Event()
        try:
            # Escape leaves a prompt, the return breaks off a call; neither does harm otherwise.
            self._write(_ESCAPE + _CR)
            self._write(b"AT" + _CR)
            until = loop.time() + ATTENTION_S
            answered = False
            while True:
                try:
                    async with asyncio.timeout_at(min(until, loop.time() + QUIET_S) if answered else until):
                        await heard.wait()
                except TimeoutError:
                    break
                heard.clear()
                answered = True
        finally:
            self._draining = None
        if not answered:
            self._late()
            raise AtTimeout(text, "the modem does not answer")

    def _drain(self, line: str) -> None:
        if _GOOD.match(line) or _BAD.match(line):
            assert self._draining is not None
            self._draining.set()
        else:
            self._of_no_command(line)

    def _late(self) -> None:
        self._counts["at_timeouts"] += 1
        self._unanswered += 1
        if self._unanswered == TOLERANCE:
            self._unanswered = 0
            self._unhealthy()


def _asked_by(command: str, line: str) -> bool:
    """Whether a command may bring this line: one that is named must have been asked for by its name."""
    named = _NAMED.match(line)
    return named is None or named[1] in command.upper()


def _without_arguments(command: str) -> str:
    cut = re.match(r"(AT(?:D|[^=\d]*))", command, re.IGNORECASE)
    name = cut[1] if cut else ""
    return name if name == command else f"{name}…"
