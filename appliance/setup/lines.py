"""Which lines the machine has: the simulator, or cards. Pure: the settings' text in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from appliance.setup import edit


class SetupError(Exception):
    """A change that was not made; the text says why, a line for each fault."""


@frozen
class Modem:
    """A voice modem's port, or a GSM module's for commands and for ``audio``, joined in its maker's way ``pcm``."""

    port: str
    audio: str = ""
    pcm: str = ""


#: Signalling of digital spans that can be chosen.
SIGNALLING = ("pri", "r2")
#: Kinds of lines, with the lines that choosing one means where nothing else is found: one span of a card, of the
#: simulator, or modems (one a port).
LINES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "dahdi": ({"name": "e1", "driver": "dahdi", "signalling": "pri", "dahdi": {"span": 1}},),
    "modem": (),
    "sim": ({"name": "e1", "driver": "sim", "signalling": "pri", "address": "/run/onecall/e1"},),
}


def use_lines(
    text: str, kind: str, address: str | None = None, modems: Sequence[Modem] = (), number: str = "",
    *, spans: Sequence[Mapping[str, Any]] = (), signalling: str = "pri",
) -> str:  # fmt: skip
    """The settings with the lines of a kind, and no others. Raises ``EditError``, ``SetupError`` for an unknown kind.

    ``address`` is where the simulated exchange's sockets are, instead of the packaged place; ``modems`` are a
    line each; ``number`` is what callers dial for them, a GSM module's SIM may know its own; ``spans`` are those of
    the cards that were found, and ``signalling`` that of the card's span where none was.
    """
    if kind not in LINES:
        raise SetupError(f"there are no lines of the kind {kind!r} (there are: {', '.join(LINES)})")
    if kind == "modem":
        return edit.set_tables(text, "line.spans", _modems(modems, number))
    rows: Sequence[Mapping[str, Any]] = [{**row, "address": address} if address else row for row in LINES[kind]]
    if kind == "dahdi":
        rows = spans or [{**row, "signalling": signalling} for row in rows]
    return edit.set_tables(text, "line.spans", rows)


def use_signalling(text: str, signalling: str) -> str:
    """The settings with another signalling on all digital spans of cards. Raises ``EditError``."""
    spans = edit.parsed(text).get("line", {}).get("spans", [])
    rows = [{**span, "signalling": signalling} if is_digital(span) else span for span in spans]
    return edit.set_tables(text, "line.spans", rows) if rows != spans else text


def is_digital(span: Mapping[str, Any]) -> bool:
    """Whether it is a digital span of a card."""
    return span.get("driver") == "dahdi" and span.get("signalling", "pri") in SIGNALLING


def _modems(modems: Sequence[Modem], number: str) -> list[dict[str, Any]]:
    """A line for each, voice modems first."""
    if not modems:
        raise SetupError(
            "no voice modem was found, and no GSM module whose audio port is known; "
            "onecall lines check tells what is at the serial ports"
        )
    voice, gsm = [one for one in modems if not one.audio], [one for one in modems if one.audio]
    if voice and not number.isdecimal():
        raise SetupError("a modem's line needs the number that callers dial: --number")
    own = {"number": number} if number else {}
    rows = [_serial(f"po{n}", "voicemodem", one.port, own) for n, one in enumerate(voice, 1)]
    return rows + [
        _serial(f"gsm{n}", "gsm", one.port, {"audio": one.audio, "pcm": one.pcm, **own}) for n, one in enumerate(gsm, 1)
    ]


def _serial(name: str, signalling: str, port: str, own: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "driver": "serial", "signalling": signalling, "serial": {"port": port}, signalling: own}
