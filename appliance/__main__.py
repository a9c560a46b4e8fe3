"""``python -m appliance --config FILE``: the control process."""

from __future__ import annotations

import sys

from appliance.cli import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
