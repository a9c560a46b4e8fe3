"""All benches, one after the other: ``python -m tests.bench [NAME...]`` prints the figures as one line of JSON each.

``python -m tests.bench tick site`` runs two of them; ``python -m tests.bench.bench_site --help`` tells its options.
On a machine that does other work the figures are worse; nothing else should run beside them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

NAMES = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> int:
    """0 when every bench came to its end."""
    options = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("names", nargs="*", metavar="NAME", help=f"which ({', '.join(NAMES)}); all without")
    names = options.parse_args().names or NAMES
    if unknown := set(names) - set(NAMES):
        options.error(f"no bench {', '.join(sorted(unknown))} (there are: {', '.join(NAMES)})")
    failed = [
        name for name in names if subprocess.run([sys.executable, "-m", f"tests.bench.bench_{name}"]).returncode != 0
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
