"""``python -m hw.phone --config FILE``: the phone process, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import logging
import resource
import signal
import sys
from pathlib import Path

from hw import journal
from hw.phone.process import PhoneProcess
from hw.phone.settings import PhoneSettings
from hw.settings import SettingsError, load


async def _run(settings: PhoneSettings) -> None:
    # As many descriptors as are allowed, so that strangers' TCP connections meet libre's limit first: it refuses them,
    # and the control process still gets in.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    process = PhoneProcess(settings)
    await process.start()
    await stopped.wait()
    await process.close()


def main() -> int:
    """Exit status 0 after a clean stop, 1 when it cannot start, 2 for settings that cannot be used."""
    parser = argparse.ArgumentParser(prog="hw.phone", description="The phone process of OneCall.")
    parser.add_argument("--config", type=Path, default=Path("/etc/onecall/onecall.toml"), help="the settings file")
    arguments = parser.parse_args()
    journal.setup("phone")
    try:
        asyncio.run(_run(load(arguments.config, "phone", PhoneSettings)))
    except SettingsError as error:
        logging.getLogger(__name__).error("%s", error)
        return 2
    except OSError as error:
        logging.getLogger(__name__).error("cannot start: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
