"""The AT interpreter of simulated modems and modules (ITU-T V.250, 3GPP TS 27.007 §9): lines in, lines out. Strict.

What it does not know is an error with its number, as modules answer it; a set command is checked before it is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from attrs import frozen

Kind = Literal["set", "read", "test", "run"]
#: +CME ERROR (27.007 §9.2.1): not allowed, not supported, no SIM, PIN required, PUK required, failure of the SIM,
#: wrong password, not found, no network, invalid parameter.
NOT_ALLOWED, NOT_SUPPORTED, NO_SIM, PIN_WANTED, PUK_WANTED, WRONG_PIN, NO_NETWORK, WRONG_PARAMETER = (
    3, 4, 10, 11, 12, 16, 30, 50,
)  # fmt: skip
#: Done, and the answer comes later by itself.
LATER = None

_WORD = re.compile(r"\s*([+^*$#&]?[A-Z]+)(=\?|\?|=)?", re.IGNORECASE)
_BASIC = re.compile(r"\s*(&?[A-Z])(\d*)", re.IGNORECASE)


class CmeError(Exception):
    """A command that is refused (27.007 §9.2)."""

    def __init__(self, number: int) -> None:
        super().__init__(f"+CME ERROR: {number}")


class CmsError(Exception):
    """A command about messages that is refused (27.005 §3.2.5)."""

    def __init__(self, number: int) -> None:
        super().__init__(f"+CMS ERROR: {number}")


class Hangs(Exception):
    """The module says nothing more to this command."""


@frozen
class Command:
    """One command of a line: ``name`` in capitals (``+CREG``, ``D``, ``&F``), ``text`` its parameters."""

    name: str
    kind: Kind
    text: str = ""

    def parameters(self) -> list[str]:
        """The parameters, without their quotes; empty ones are "". Raises ``CmeError``."""
        if self.text.count('"') % 2:
            raise CmeError(WRONG_PARAMETER)
        return [part.strip().strip('"') for part in re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', self.text)]

    def numbers(self, *allowed: range) -> list[int]:
        """The parameters as numbers, each within its range; fewer than ranges are no fault. Raises ``CmeError``."""
        found = []
        for text, within in zip(self.parameters(), allowed, strict=False):
            if not text.isdecimal() or int(text) not in within:
                raise CmeError(WRONG_PARAMETER)
            found.append(int(text))
        if len(self.parameters()) > len(allowed):
            raise CmeError(WRONG_PARAMETER)
        return found


def commands(line: str) -> list[Command]:
    """The commands of a line behind its ``AT``. Raises ``CmeError`` for what is none."""
    found, rest = [], line.strip()
    while rest:
        if rest[0] in "+^*$#":
            word = _WORD.match(rest)
            if word is None:
                raise CmeError(NOT_SUPPORTED)
            text, rest = _until_semicolon(rest[word.end() :])
            kind: Kind = {"=?": "test", "?": "read", "=": "set"}.get(word[2] or "", "run")  # type: ignore[assignment]
            found.append(Command(word[1].upper(), kind, text))
        elif rest[0] in "dD":
            found.append(Command("D", "set", rest[1:].strip()))
            rest = ""
        else:
            basic = _BASIC.match(rest)
            if basic is None:
                raise CmeError(NOT_SUPPORTED)
            found.append(Command(basic[1].upper(), "set" if basic[2] else "run", basic[2]))
            rest = rest[basic.end() :].lstrip("; ")
    return found


def _until_semicolon(text: str) -> tuple[str, str]:
    """What stands before the first semicolon outside quotes, and what stands behind it."""
    quoted = False
    for place, char in enumerate(text):
        quoted ^= char == '"'
        if char == ";" and not quoted:
            return text[:place], text[place + 1 :].strip()
    return text, ""


#: Does a command; its lines, or ``LATER``. Raises ``CmeError``, ``CmsError``, ``Hangs``.
Handler = Callable[[Command], list[str] | None]


class Interpreter:
    """Takes bytes from the terminal, calls ``handlers``, writes answers. ``echo`` as ATE, ``numeric`` as +CMEE."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.handlers: Mapping[str, Handler] = {}
        self._write = write
        self._line = bytearray()
        self._text: Callable[[str | None], None] | None = None
        self.echo = True
        self.numeric = 0
        #: A fault: nothing is answered any more.
        self.hangs = False
        #: A command runs whose answer comes later.
        self.busy = False

    def reset(self) -> None:
        """The computer is gone, or the module starts anew."""
        self._line.clear()
        self._text = None
        self.echo, self.numeric, self.busy = True, 0, False

    def say(self, *lines: str) -> None:
        """Information, or a result code; nothing for no lines."""
        if lines and not self.hangs:
            self._write(("\r\n" + "\r\n".join(lines) + "\r\n").encode())

    def prompt(self, text: Callable[[str | None], None]) -> None:
        """Ask for text; ``text`` takes it at Ctrl-Z, or None at Escape (27.005 §4.3)."""
        self._text = text
        if not self.hangs:
            self._write(b"\r\n> ")

    def done(self, error: Exception | None = None) -> None:
        """The end of a command that has answered ``LATER``."""
        self.busy = False
        if isinstance(error, Hangs):
            return
        self.say("OK" if error is None else self._error(error))

    def feed(self, data: bytes) -> None:
        """Bytes of the computer."""
        for octet in data:
            if self.echo and not self.hangs:
                self._write(bytes((octet,)))
            if self._text is not None:
                self._take_text(octet)
            elif octet in b"\r":
                line, self._line = self._line.decode("ascii", "replace").strip(), bytearray()
                if line and not self.hangs:
                    self._do(line)
            elif octet in b"\x08":
                del self._line[-1:]
            elif octet not in b"\n\x1b\x1a":
                self._line.append(octet)

    def _take_text(self, octet: int) -> None:
        if octet in b"\x1a\x1b":
            text, self._text = self._text, None
            line, self._line = self._line.decode("ascii", "replace"), bytearray()
            assert text is not None
            text(line if octet == 0x1A else None)
        elif octet not in b"\r\n":
            self._line.append(octet)

    def _do(self, line: str) -> None:
        if self.busy:  # a command that comes while another runs breaks that off (V.250 §5.6.1): not modelled
            return
        if line[:2].upper() != "AT":
            return
        try:
            for command in commands(line[2:]):
                handler = self.handlers.get(command.name)
                if handler is None:
                    raise CmeError(NOT_SUPPORTED)
                answer = handler(command)
                if answer is LATER:
                    self.busy = True
                    return
                self.say(*answer)
            self.say("OK")
        except Hangs:
            return
        except (CmeError, CmsError) as error:
            self.say(self._error(error))

    def _error(self, error: Exception) -> str:
        return str(error) if self.numeric or isinstance(error, CmsError) else "ERROR"
