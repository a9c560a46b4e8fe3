"""Which lines the machine has: the simulator, or cards. Pure: the settings' text in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.setup import edit


class SetupError(Exception):
    """A change that was not made; the text says why, a line for each fault."""


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
    text: str, kind: str, address: str | None = None, ports: Sequence[str] = (), number: str = "",
    *, spans: Sequence[Mapping[str, Any]] = (), signalling: str = "pri",
) -> str:  # fmt: skip
    """The settings with the lines of a kind, and no others. Raises ``EditError``, ``SetupError`` for an unknown kind.

    ``address`` is where the simulated exchange's sockets are, instead of the packaged place; ``ports`` are those of the
    voice modems, an analog line each; ``number`` is what callers dial for them; ``spans`` are those of the cards that
    were found, and ``signalling`` that of the card's span where none was.
    """
    if kind not in LINES:
        raise SetupError(f"there are no lines of the kind {kind!r} (there are: {', '.join(LINES)})")
    if kind == "modem":
        if not ports:
            raise SetupError("no voice modem was found; onecall lines check tells what is at the serial ports")
        if not number.isdecimal():
            raise SetupError("a modem's line needs the number that callers dial: --number")
        return edit.set_tables(text, "line.spans", [_modem(n, port, number) for n, port in enumerate(ports, 1)])
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


def _modem(count: int, port: str, number: str) -> dict[str, Any]:
    own = {"serial": {"port": port}, "voicemodem": {"number": number}}
    return {"name": f"po{count}", "driver": "serial", "signalling": "voicemodem", **own}
