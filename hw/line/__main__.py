"""``python -m hw.line --config FILE``: the line process."""

from __future__ import annotations

import os

# One thread for matrix products: the second one would only wait for the first. Read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import asyncio
import logging
import resource
import signal
import sys
from pathlib import Path

from hw import journal
from hw.line.process import StartError, serve
from hw.line.realtime import tick_first
from hw.line.settings import LineSettings
from hw.line.signalling import open_trunk
from hw.settings import SettingsError, load

_log = logging.getLogger("hw.line")


def main() -> int:
    """Run until SIGTERM or SIGINT: 0 after a clean end, 1 when it cannot start, 2 for settings that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m hw.line", description="The line process: trunks and all audio.")
    parser.add_argument("--config", type=Path, required=True, help="the machine's settings file; [line] is read")
    parser.add_argument("--verbose", action="store_true", help="log more")
    arguments = parser.parse_args()
    journal.setup("line", logging.DEBUG if arguments.verbose else logging.INFO)
    try:
        settings = load(arguments.config, "line", LineSettings)
        asyncio.run(_run(settings))
    except SettingsError as error:
        _log.error("%s", error)
        return 2
    except (StartError, ValueError) as error:
        _log.error("%s", error)
        return 1
    return 0


async def _run(settings: LineSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # As many descriptors as are allowed: two for each stream.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tick_first(settings.realtime_priority)
    await serve(settings, lambda: [open_trunk(span, settings.zone) for span in settings.spans], stop)


if __name__ == "__main__":
    sys.exit(main())
