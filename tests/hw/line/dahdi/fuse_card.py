"""Trunk cards without a card: a process (card/main.c) that shows two spans on one cable as DAHDI's files."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path(__file__).parent / "card"


class Card:
    """Spans in ``devices``, a folder like /dev/dahdi, and the orders of a test. Time stands still unless it passes."""

    def __init__(self, devices: Path) -> None:
        self.devices = devices
        self._control = os.open(devices / "control", os.O_WRONLY | os.O_CLOEXEC)

    def configure(self, system_conf: str) -> None:
        """As ``dahdi_cfg`` does. Raises ``OSError``."""
        fd = os.open(self.devices / "system.conf", os.O_WRONLY)
        try:
            os.write(fd, system_conf.encode())
        finally:
            os.close(fd)

    def tell(self, *words: object) -> None:
        """One command of those in card/main.c. Raises ``OSError`` (EINVAL) for what is none."""
        os.write(self._control, " ".join(map(str, words)).encode())

    def frames(self, count: int) -> None:
        """So many times 20 ms."""
        self.tell("pass", 20 * count)

    def step(self) -> bool:
        """20 ms, if everybody has read what he has; False when not."""
        try:
            self.tell("step", 20)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        os.close(self._control)


def build(folder: Path) -> Path:
    """The card's program, built. Raises ``CalledProcessError``."""
    program = folder / "card"
    words = ["gcc", "-O1", "-Wall", "-Werror", "-I/usr/include/fuse3", "-o", program, *SOURCES.glob("*.c"), "-lfuse3"]
    subprocess.run(words, check=True)
    return program


@contextmanager
def cards(program: Path, devices: Path, *kinds: str) -> Iterator[Card]:
    """A machine with these cards: ``e1``, ``fxo4`` …; the first two are joined, the next two, and so on."""
    devices.mkdir()
    words = [program, devices, *kinds]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # it ends with its stdin
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        card = Card(devices)
        try:
            yield card
        finally:
            card.close()
            process.stdin.close()
            process.wait(10)
