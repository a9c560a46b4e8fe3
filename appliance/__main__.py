"""``python -m appliance --config FILE``: the control process (``onecall serve``)."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from appliance import settings
from appliance.daemon import Daemon
from appliance.store.store import StoreError
from hw import journal

log = logging.getLogger("appliance")


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. 2: the settings cannot be used, 1: the store or a socket cannot be opened."""
    parser = argparse.ArgumentParser(prog="onecall serve", description="Run the control process.")
    parser.add_argument("--config", type=Path, default=settings.DEFAULT, metavar="FILE", help="settings file")
    parser.add_argument("--level", default="info", choices=("debug", "info", "warning", "error"))
    options = parser.parse_args(arguments)
    journal.setup("control", logging.getLevelNamesMapping()[options.level.upper()])
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)  # its debug records have every value: PINs' hashes, HA1
    try:
        asyncio.run(Daemon(options.config, settings.load(options.config)).run())
    except settings.SettingsError as error:
        log.error("%s", error)
        return 2
    except (StoreError, OSError) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
