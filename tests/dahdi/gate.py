"""Builds the machine, checks our numbers against the package's header, runs the scenarios inside, and counts.

The names of groups of scenarios, if any are given, say which are run.
"""

from __future__ import annotations

import itertools
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from machine import CACHE, ROOT, MachineError, build, header, run
from scenarios import SCENARIOS

from tests.judges import openr2

CHECKOUT = Path(__file__).resolve().parents[2]
#: Seconds; the machine takes about 180 on two cores that do nothing else.
_LIMIT_S = 600.0


def abi() -> str:
    """The test that compiles against the header; PASS or FAIL."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/hw/line/dahdi/test_dahdi_abi.py"]
    environment = os.environ | {"DAHDI_INCLUDE": str(header())}
    done = subprocess.run(words, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    good = done.returncode == 0 and "3 passed" in done.stdout
    return "PASS numbers and structures: as in dahdi/user.h" if good else f"FAIL numbers and structures:\n{done.stdout}"


def main() -> int:
    """A line a scenario; 0 when all passed."""
    began = time.monotonic()
    passed = failed = 0
    groups = sys.argv[1:] or list(SCENARIOS)
    if unknown := set(groups) - set(SCENARIOS):
        print(f"there are no scenarios {', '.join(unknown)} (there are {', '.join(SCENARIOS)})")
        return 2
    variables = {
        "PYTHONPATH": ".", "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "DAHDI_TOOLS": str(ROOT),
        "OPENR2_PEER": str(CACHE / "peer"),
    }  # fmt: skip
    words = ["env", *(f"{name}={value}" for name, value in variables.items())]
    words += [sys.executable, "tests/dahdi/scenarios.py", *groups]
    command = f"cd {shlex.quote(str(CHECKOUT))} && {shlex.join(words)}"
    try:
        build()
        openr2.build(CACHE)
        print(f"the machine was built after {time.monotonic() - began:.0f} s", flush=True)
        for line in itertools.chain([abi()], run(command, _LIMIT_S)):
            if "\x1b" in line and "PASS" not in line and "FAIL" not in line:
                continue  # the firmware's
            shown = line[max(line.find("PASS "), line.find("FAIL "), 0) :]  # the firmware's last line has no end
            passed += shown.startswith("PASS ")
            failed += shown.startswith("FAIL ")
            print(shown, flush=True)
    except MachineError as error:
        print(error, flush=True)
    missing = 1 + sum(len(SCENARIOS[group]) for group in groups) - passed - failed
    print(f"{missing} scenarios did not run\n" * (missing > 0), end="")
    print(f"{passed} passed, {failed + missing} failed", flush=True)
    return int(failed + missing > 0)


if __name__ == "__main__":
    sys.exit(main())
