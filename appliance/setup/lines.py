"""Which lines the machine has: the simulator, or cards. Pure: the settings' text in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from appliance.setup import edit


class SetupError(Exception):
    """A change that was not made; the text says why, a line for each fault."""


#: Kinds of lines, with the lines that choosing one means: one span of a card, of the simulator, or modems (one a port).
LINES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "dahdi": ({"name": "e1", "driver": "dahdi", "signalling": "pri", "dahdi": {"span": 1}},),
    "modem": (),
    "sim": ({"name": "e1", "driver": "sim", "signalling": "pri", "address": "/run/onecall/e1"},),
}


def use_lines(
    text: str, kind: str, address: str | None = None, ports: Sequence[str] = (), number: str = ""
) -> str:
    """The settings with the lines of a kind, and no others. Raises ``EditError``, ``SetupError`` for an unknown kind.

    ``address`` is where the simulated exchange's sockets are, instead of the packaged place; ``ports`` are those of the
    voice modems, an analog line each; ``number`` is what callers dial for them.
    """
    if kind not in LINES:
        raise SetupError(f"there are no lines of the kind {kind!r} (there are: {', '.join(LINES)})")
    if kind == "modem":
        if not ports:
            raise SetupError("no voice modem was found; onecall lines check tells what is at the serial ports")
        if not number.isdecimal():
            raise SetupError("a modem's line needs the number that callers dial: --number")
        return edit.set_tables(text, "line.spans", [_modem(n, port, number) for n, port in enumerate(ports, 1)])
    rows = [{**row, "address": address} if address else row for row in LINES[kind]]
    return edit.set_tables(text, "line.spans", rows)


def _modem(count: int, port: str, number: str) -> dict[str, Any]:
    own = {"serial": {"port": port}, "voicemodem": {"number": number}}
    return {"name": f"po{count}", "driver": "serial", "signalling": "voicemodem", **own}
