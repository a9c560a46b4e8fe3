"""``python -m hw.check --config FILE``: says what is wrong with [line] and [phone] of a settings file.

0: nothing, 2: a sentence for each fault on stderr. The two processes say the same when they start; this asks them
before, so that a file that cannot be used never takes the place of one that can.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hw.line.settings import LineSettings
from hw.phone.settings import PhoneSettings
from hw.settings import SettingsError, load


def main(arguments: list[str] | None = None) -> int:
    """Check one file."""
    parser = argparse.ArgumentParser(prog="python -m hw.check", description="Check [line] and [phone] of a file.")
    parser.add_argument("--config", type=Path, required=True, help="the machine's settings file")
    config = parser.parse_args(arguments).config
    faults = 0
    for table, kind in (("line", LineSettings), ("phone", PhoneSettings)):
        try:
            load(config, table, kind)
        except SettingsError as error:
            faults += 1
            print(error, file=sys.stderr)
    return 2 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
