"""The far ends of an installed site whose trunk is the simulated exchange: writes the settings of ``python -m hw.sim``.

``python -m appliance.demo.installed --out FILE`` before the simulator is started. Status 1, with the reason: this site
has real lines, or the first passwords are deleted, so nothing is to be simulated.
"""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance import settings, toml
from appliance.demo import site
from appliance.settings import SettingsError
from appliance.site import read


class NothingSimulatedError(Exception):
    """There is no far end to simulate; the text says why."""


def table(config: Path, calls_per_hour: int, talk_ms: tuple[int, int]) -> dict[str, Any]:
    """``[sim]`` for the site of ``config``. Raises ``NothingSimulatedError``, ``SettingsError``, ``OSError``."""
    control = settings.load(config)
    tables = tomllib.loads(config.read_text(encoding="utf-8"))
    spans = [span for span in tables.get("line", {}).get("spans", []) if span.get("driver", "sim") == "sim"]
    if not spans:
        raise NothingSimulatedError(f"{config}: [line] has no span with driver sim")
    made = control.var / "first-secrets.toml"
    if not made.exists():
        raise NothingSimulatedError(f"{made} is gone: the simulated phones have no passwords")
    listen = tables.get("phone", {}).get("listen", ["udp:127.0.0.1:5060"])
    registrar = next((text.removeprefix("udp:") for text in listen if text.startswith("udp:")), None)
    if registrar is None:
        raise NothingSimulatedError(f"{config}: [phone] listen has no udp, which the simulated phones speak")
    return site.far_ends(
        tomllib.loads(made.read_text(encoding="utf-8")),
        exchange=[{"address": span["address"]} for span in spans],
        registrar=registrar,
        callers=site.traffic(calls_per_hour, talk_ms, *_numbers(control.etc / "site.toml")),
    )


def _numbers(path: Path) -> tuple[str, str]:
    """The numbers of the menu and of the agents, those of the default site where the file has none."""
    plan = read(path).numbers

    def first(service: str, default: str) -> str:
        return next((number for number, row in plan.items() if row.destination.startswith(service)), default)

    return first("menu:", site.MENU), first("queue:", site.OPERATOR)


def write(path: Path, tables: Mapping[str, Any]) -> None:
    """Write the file whole, readable by the owner alone: it has PINs and passwords."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(toml.dumps(tables))
    part.replace(path)


def main(arguments: list[str] | None = None) -> int:
    """Status 0: written; 1: nothing to simulate; 255: the settings cannot be used (see systemd.service(5))."""
    parser = argparse.ArgumentParser(prog="python -m appliance.demo.installed", description="The simulator's settings.")
    parser.add_argument("--config", type=Path, default=settings.DEFAULT, metavar="FILE", help="settings file")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="what the simulator reads")
    parser.add_argument("--calls-per-hour", type=int, default=12, metavar="N", help="simulated callers (12)")
    parser.add_argument(
        "--talk", type=int, nargs=2, default=(10, 30), metavar=("LEAST", "MOST"), help="seconds of talk (10 30)"
    )
    options = parser.parse_args(arguments)
    least, most = options.talk
    try:
        write(options.out, {"sim": table(options.config, options.calls_per_hour, (least * 1000, most * 1000))})
    except NothingSimulatedError as reason:
        print(f"nothing is simulated: {reason}", file=sys.stderr)
        return 1
    except (SettingsError, tomllib.TOMLDecodeError, OSError) as error:
        print(error, file=sys.stderr)
        return 255
    return 0


if __name__ == "__main__":
    sys.exit(main())
