"""The far ends as a process: ``python -m hw.sim --config FILE [--report FILE] [--level info]``.

Reads ``[sim]`` of the file, runs the exchange with its callers and the phones with their people until SIGTERM, lets the
calls that are up end for a while, hangs up the rest, and writes what happened as JSON. SIGUSR1 only stops new calls.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from hw.settings import SettingsError, load
from hw.sim.settings import SimSettings
from hw.sim.simulator import Simulator

_log = logging.getLogger("hw.sim")


async def run(settings: SimSettings, report: Path | None) -> None:
    """Run until SIGTERM or SIGINT; with ``report`` write what happened. Raises ``OSError``."""
    stop = asyncio.Event()
    simulator = Simulator(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, simulator.drain)
    try:
        await simulator.run(stop)
    finally:
        if report is not None:
            simulator.write(report)


def main(arguments: list[str] | None = None) -> int:
    """Exit status 2 with bad settings, 1 when something cannot be opened."""
    parser = argparse.ArgumentParser(prog="python -m hw.sim", description="Simulated exchange, callers and phones.")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings with a table [sim]")
    parser.add_argument("--report", type=Path, metavar="FILE", help="where to write every call as JSON at the end")
    parser.add_argument("--level", default="info", choices=("debug", "info", "warning", "error"))
    options = parser.parse_args(arguments)
    logging.basicConfig(level=options.level.upper(), format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        asyncio.run(run(load(options.config, "sim", SimSettings), options.report))
    except SettingsError as error:
        _log.error("%s", error)
        return 2
    except OSError as error:
        _log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
