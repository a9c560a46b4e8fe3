"""``onecall demo``: the simulated call centre, with the console or headless."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import ipaddress
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from appliance.api import locale
from appliance.api.locale import Translate
from appliance.demo import run, site
from appliance.demo.children import ChildFailed

_WELCOME = """\
演示呼叫中心已启动。 The simulated call centre is up.
  软电话 a real softphone:  sip:{account}@{address}:{port}   密码 password: {password}
  签入 log in:  dial *50{agent}, then the PIN {pin} and #      签出 log out:  *51
"""
#: The same for the console's overview, whose boxes are narrow.
_NOTES = ("sip:{account}@{address}:{port}", "密码 password {password}", "签入 log in *50{agent}, PIN {pin}#")


def parse(arguments: list[str], _: Translate) -> argparse.Namespace:
    """The command's arguments."""
    parser = argparse.ArgumentParser(prog="onecall demo", description=_("run a simulated call centre"))
    told = _("headless: callers come so long, in seconds (60)")
    parser.add_argument("--headless", action="store_true", help=_("no console; figures at the end"))
    parser.add_argument("--seconds", type=_at_least(0.0, _), default=60.0, metavar="N", help=told)
    parser.add_argument("--json", action="store_true", help=_("headless: one JSON object on stdout"))
    told = _("callers that arrive in an hour (600)")
    parser.add_argument("--calls-per-hour", type=_at_least(0, _), default=600, metavar="N", help=told)
    told = _("mean talk time in seconds (20)")
    parser.add_argument("--talk", type=_at_least(0.0, _), default=20.0, metavar="S", help=told)
    told = _("IPv4 address for SIP and RTP; another one lets phones on the network register (127.0.0.1)")
    parser.add_argument("--address", type=partial(_own_address, _=_), default="127.0.0.1", help=told)
    told = _("SIP port (5060, or any free one)")
    parser.add_argument("--sip-port", type=_at_least(0, _, 65535), metavar="N", help=told)
    parser.add_argument("--dir", type=Path, metavar="PATH", help=_("where the demo keeps its files"))
    parser.add_argument("--lang", choices=locale.LANGUAGES, default=locale.chosen(), help=_("language (zh)"))
    return parser.parse_args(arguments)


def _at_least(low: float, _: Translate, high: float = float("inf")) -> Callable[[str], float]:
    """Reads a number of the kind of ``low``, from it to ``high``."""

    def read(text: str) -> float:
        with suppress(ValueError):
            if low <= (number := type(low)(text)) <= high:
                return number
        allowed = _("{:g} or more").format(low) if high == float("inf") else _("from {:g} to {:g}").format(low, high)
        raise argparse.ArgumentTypeError(_("{!r} must be a number, {}").format(text, allowed))

    return read


def _own_address(text: str, _: Translate) -> str:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((str(ipaddress.IPv4Address(text)), 0))
    except (OSError, ValueError):
        raise argparse.ArgumentTypeError(_("{!r} must be an IPv4 address of this machine").format(text)) from None
    return text


def main(arguments: list[str], _: Translate) -> int:
    """Run it; 0 when headless found all audio right and nothing left over, or when the console was closed."""
    wanted = parse(arguments, _)
    wanted.headless |= wanted.json or not sys.stdout.isatty()
    try:
        return asyncio.run(_run(wanted))
    except ChildFailed as error:
        print(f"onecall demo: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130


async def _run(wanted: argparse.Namespace) -> int:
    base: Path = wanted.dir or run.base_folder()
    task = asyncio.current_task()
    assert task is not None  # asyncio.run made it
    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal ends the demo as cleanly as a closed console
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with _alone(base):
        return await _run_in(base, wanted)


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    """Keep a second demo out of the folder. Raises ``ChildFailed`` when one runs there."""
    base.mkdir(parents=True, exist_ok=True)
    with (base / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ChildFailed(f"a demo runs in {base} already; stop it, or give this one a folder with --dir") from None
        yield


async def _run_in(base: Path, wanted: argparse.Namespace) -> int:
    made = site.make(base, wanted.address, sip_port=wanted.sip_port)
    demo = run.Demo(made, wanted.address, _say)
    talk_ms = (int(wanted.talk * 500), int(wanted.talk * 1500))
    try:
        await demo.start(site.traffic(wanted.calls_per_hour, talk_ms))
        phone = site.softphone(made)
        _say(_WELCOME.format(address=wanted.address, port=made.sip_port, **phone))
        if not wanted.headless:
            notes = [line.format(address=wanted.address, port=made.sip_port, **phone) for line in _NOTES]
            return await run.console(made, wanted.lang, notes)
        figures = await run.headless(demo, wanted.seconds, _say)
        if wanted.json:
            run.print_json(figures)
        else:
            _table(figures)
        return 0 if run.passed(figures) else 1
    finally:
        _say("stopping")
        await demo.stop()
        shutil.rmtree(made.sockets, ignore_errors=True)


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        print(text, file=sys.stderr, flush=True)


def _table(figures: dict[str, object]) -> None:
    for name, value in figures.items():
        print(f"{name:14} {value}")
