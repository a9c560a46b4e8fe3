"""``python -m textual_admin``: the console on this terminal. ``onecall admin`` and ``onecall demo`` start it."""

from __future__ import annotations

import argparse
from pathlib import Path

from textual_admin.app import Console
from textual_admin.lang import LANGUAGES

#: Where the package's service listens.
SOCKET = Path("/run/onecall/api.sock")


def main() -> None:
    """Until the user quits."""
    parser = argparse.ArgumentParser(prog="python -m textual_admin", description="The OneCall console.")
    parser.add_argument("--socket", type=Path, default=SOCKET, help=f"the service's socket ({SOCKET})")
    parser.add_argument("--lang", choices=tuple(LANGUAGES), default="zh", help="language (zh)")
    parser.add_argument("--note", action="append", default=[], metavar="TEXT", help="a line to keep on the overview")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the settings file whose lines can be changed")
    parser.add_argument("--first-steps", action="store_true", help="begin with them while the site is not set up")
    wanted = parser.parse_args()
    Console(wanted.socket, wanted.lang, notes=wanted.note, config=wanted.config, first_steps=wanted.first_steps).run()


if __name__ == "__main__":
    main()
