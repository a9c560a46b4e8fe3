"""The lines that a machine could have: cards that DAHDI knows, serial ports that may be modems."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen


@frozen
class Found:
    """``cards``: a span each, as DAHDI names it; ``serial``: devices that may be modems."""

    cards: tuple[str, ...]
    serial: tuple[str, ...]


def find(root: Path = Path("/")) -> Found:
    """What the system says. A serial port is told by its lasting name where it has one."""
    cards = [_name(path) for path in sorted((root / "proc/dahdi").glob("[0-9]*"), key=lambda p: int(p.name))]
    lasting = sorted((root / "dev/serial/by-id").glob("*"))
    named = {path.resolve() for path in lasting}
    plain = [path for kind in ("ttyUSB*", "ttyACM*") for path in sorted((root / "dev").glob(kind))]
    serial = [*lasting, *(path for path in plain if path.resolve() not in named)]
    return Found(tuple(cards), tuple(str(path) for path in serial))


def _name(span: Path) -> str:
    """The first line of /proc/dahdi/N: ``Span 1: WCT1/0 "Wildcard TE110P" (MASTER)``."""
    first = span.read_text(errors="replace").splitlines()[:1]
    return first[0].strip() if first else f"Span {span.name}"
