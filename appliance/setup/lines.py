"""Which lines the machine has: the simulator, or cards. Pure: the settings' text in, text out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.setup import edit


class SetupError(Exception):
    """A change that was not made; the text says why, a line for each fault."""


#: Drivers that a line can have today, with the lines that choosing one means: one span of a card, or of the simulator.
LINES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "dahdi": ({"name": "e1", "driver": "dahdi", "signalling": "pri", "dahdi": {"span": 1}},),
    "sim": ({"name": "e1", "driver": "sim", "signalling": "pri", "address": "/run/onecall/e1"},),
}


def use_lines(text: str, kind: str, address: str | None = None) -> str:
    """The settings with the lines of a kind, and no others. Raises ``EditError``, ``SetupError`` for an unknown kind.

    ``address`` is where the simulated exchange's sockets are, instead of the packaged place.
    """
    if kind not in LINES:
        raise SetupError(f"there are no lines of the kind {kind!r} (there are: {', '.join(LINES)})")
    rows = [{**row, "address": address} if address else row for row in LINES[kind]]
    return edit.set_tables(text, "line.spans", rows)
