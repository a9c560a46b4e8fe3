"""The demo's site: its folder, its settings file, and the simulated callers and phones that fit the default site."""

from __future__ import annotations

import random
import secrets
import shutil
import socket
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from appliance import toml

#: Where the product's own files are: beside the package in a checkout, under /etc when installed.
_ROOT = Path(__file__).resolve().parents[2]
ETC = _ROOT / "etc" if (_ROOT / "etc" / "site.toml").exists() else Path("/etc/onecall")

#: Simulated desks: agent number → seat. 8100 with agent 1009 is left for a real softphone.
DESKS = {
    **{f"100{n}": f"800{n}" for n in range(1, 9)},
    "1101": "8009",
    "1102": "8010",
    "1103": "8011",
    "1901": "8012",
    "1902": "8013",
}
SOFTPHONE = ("8100", "1009")
#: Numbers of the default site: the menu, and the agents without it.
MENU, OPERATOR = "95001", "95002"


@frozen
class DemoSite:
    """Paths and addresses of one run of the demo."""

    base: Path
    sockets: Path
    sip_port: int

    @property
    def config(self) -> Path:
        """The settings file that all processes read."""
        return self.base / "onecall.toml"

    @property
    def api(self) -> Path:
        """The API's socket."""
        return self.sockets / "api.sock"

    @property
    def report(self) -> Path:
        """What the simulator writes when it ends."""
        return self.base / "sim-report.json"

    @property
    def secrets(self) -> Path:
        """PINs and passwords made at the first start."""
        return self.base / "var" / "first-secrets.toml"

    @property
    def recordings(self) -> Path:
        """Recordings of this run."""
        return self.base / "var" / "recordings"


def make(
    base: Path, address: str, *, sip_port: int | None = None, settings: Mapping[str, Mapping[str, Any]] | None = None
) -> DemoSite:
    """A fresh site under ``base``: what an earlier run left is removed, but not the prompts it made.

    ``sip_port`` 0 is any free one. ``settings`` go over the tables of the settings file.
    """
    var = base / "var"
    for leftover in ("onecall.db", "onecall.db-wal", "onecall.db-shm", "first-secrets.toml"):
        (var / leftover).unlink(missing_ok=True)
    shutil.rmtree(var / "recordings", ignore_errors=True)
    shutil.rmtree(base / "log", ignore_errors=True)
    (base / "log").mkdir(parents=True)
    (base / "sim-report.json").unlink(missing_ok=True)
    var.mkdir(exist_ok=True)
    # Unix socket paths have room for 107 octets, so the sockets have a folder with a short name
    site = DemoSite(base, Path(tempfile.mkdtemp(prefix="onecall-")), sip_port or _free_port(address, sip_port))
    tables = _settings(site, address)
    for name, table in (settings or {}).items():
        tables.setdefault(name, {}).update(table)
    site.config.write_text(toml.dumps(tables), encoding="utf-8")
    return site


def _free_port(address: str, wanted: int | None) -> int:
    """5060 when nobody has it over UDP and TCP, else any; any at once when 0 is wanted."""
    # Below RTP's ports and below those that the system itself gives away, of which one may be taken a moment later.
    others = random.sample(range(10_000, 16_384), 50)
    for port in (5060, *others) if wanted is None else others:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        ):
            try:
                udp.bind((address, port))
                tcp.bind((address, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port for SIP at {address}")


def _settings(site: DemoSite, address: str) -> dict[str, Any]:
    var, sockets = site.base / "var", site.sockets
    return {
        "line": {
            "socket": str(sockets / "line.sock"),
            "rtp_address": address,
            "recordings": str(site.recordings),
            "spans": [{"name": "e1", "address": str(sockets / "e1")}],
        },
        "phone": {
            "socket": str(sockets / "phone.sock"),
            "listen": [f"udp:{address}:{site.sip_port}", f"tcp:{address}:{site.sip_port}"],
        },
        "control": {
            "socket": str(site.api),
            "line_socket": str(sockets / "line.sock"),
            "phone_socket": str(sockets / "phone.sock"),
            "store": str(var / "onecall.db"),
            "etc": str(ETC),
            "var": str(var),
            "recordings": str(site.recordings),
            "site": "OneCall 演示 demo",
        },
    }


def traffic(
    calls_per_hour: int, talk_ms: tuple[int, int], number: str = MENU, operator: str = OPERATOR
) -> dict[str, Any]:
    """What the simulated callers want: most an agent by way of the menu, some in English; some give up."""
    patience = {"do": "queue", "ms": [30_000, 90_000]}
    talk = {"do": "talk", "ms": list(talk_ms)}

    def menu(*keys: str) -> list[dict[str, Any]]:
        return [step for key in keys for step in ({"do": "wait", "ms": [1500, 5000]}, {"do": "press", "keys": key})]

    return {
        "calls_per_hour": calls_per_hour,
        "first_code": 2000,
        "wishes": [
            {"name": "业务受理 order", "called": number, "share": 5, "steps": [*menu("1"), patience, talk]},
            {"name": "投诉 complaint", "called": number, "share": 2, "steps": [*menu("3"), patience, talk]},
            {"name": "English", "called": number, "share": 1, "steps": [*menu("8", "1"), patience, talk]},
            {"name": "人工 operator", "called": operator, "share": 2, "steps": [patience, talk]},
            {"name": "不耐烦 impatient", "called": number, "share": 1, "steps": menu("9")},
        ],
    }


def simulated(site: DemoSite, address: str, callers: Mapping[str, Any]) -> None:
    """Add ``[sim]`` to the settings file, with the PINs and passwords that the control process has made."""
    sim = far_ends(
        tomllib.loads(site.secrets.read_text(encoding="utf-8")),
        exchange=[{"address": str(site.sockets / "e1")}],
        registrar=f"{address}:{site.sip_port}",
        callers=callers,
    )
    with site.config.open("a", encoding="utf-8") as file:
        file.write(toml.dumps({"sim": sim}))


def far_ends(
    made: Mapping[str, Any], *, exchange: list[dict[str, str]], registrar: str, callers: Mapping[str, Any]
) -> dict[str, Any]:
    """``[sim]``: the exchange's spans, its callers, a phone at every desk that has a PIN and a password ``made``."""
    desks = [(a, s) for a, s in DESKS.items() if a in made.get("pins", {}) and s in made.get("passwords", {})]
    phones = [
        {
            "account": seat,
            "password": made["passwords"][seat],
            "code": 1000 + n,
            "login": f"*50{agent}",
            "login_keys": f"{made['pins'][agent]}#",
        }
        for n, (agent, seat) in enumerate(desks)
    ]
    return {
        "exchange": {"spans": exchange},
        "traffic": dict(callers),
        "phones": {"registrar": registrar, "address": registrar.rpartition(":")[0], "list": phones},
        "seed": secrets.randbelow(1 << 30),
        "drain_ms": 1000,  # headless runs have drained before; whoever closes the console does not want to wait
    }


def softphone(site: DemoSite) -> dict[str, str]:
    """What a real softphone registers with to become an agent."""
    made = tomllib.loads(site.secrets.read_text(encoding="utf-8"))
    seat, agent = SOFTPHONE
    return {"account": seat, "password": made["passwords"][seat], "agent": agent, "pin": made["pins"][agent]}
