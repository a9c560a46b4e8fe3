"""``onecall demo``: the simulated call centre, with the console or headless."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from appliance.demo import run, site
from appliance.demo.children import ChildFailed

_WELCOME = """\
演示呼叫中心已启动。 The simulated call centre is up.
  软电话 a real softphone:  sip:{account}@{address}:{port}   密码 password: {password}
  签入 log in:  dial *50{agent}, then the PIN {pin} and #      签出 log out:  *51
"""


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command's arguments."""
    parser = argparse.ArgumentParser(prog="onecall demo", description="Run the simulated call centre.")
    parser.add_argument("--headless", action="store_true", help="no console; print figures at the end")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N", help="headless: callers come so long (60)")
    parser.add_argument("--json", action="store_true", help="headless: one JSON object on stdout")
    parser.add_argument("--calls-per-hour", type=int, default=600, metavar="N", help="callers that arrive (600)")
    parser.add_argument("--talk", type=float, default=20.0, metavar="S", help="mean talk time in seconds (20)")
    parser.add_argument("--address", default="127.0.0.1", help="IPv4 address for SIP and RTP; another one lets phones "
                        "on the network register (127.0.0.1)")  # fmt: skip
    parser.add_argument("--sip-port", type=int, metavar="N", help="SIP port (5060, or any free one)")
    parser.add_argument("--dir", type=Path, metavar="PATH", help="where the demo keeps its files")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh", help="language of the console (zh)")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run it; 0 when headless found all audio right and nothing left over, or when the console was closed."""
    wanted = parse(arguments)
    wanted.headless |= wanted.json or not sys.stdout.isatty()
    try:
        return asyncio.run(_run(wanted))
    except ChildFailed as error:
        print(f"onecall demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


async def _run(wanted: argparse.Namespace) -> int:
    made = site.make(wanted.dir or run.base_folder(), wanted.address, sip_port=wanted.sip_port)
    demo = run.Demo(made, wanted.address, _say)
    talk_ms = (int(wanted.talk * 500), int(wanted.talk * 1500))
    try:
        await demo.start(site.traffic(wanted.calls_per_hour, talk_ms))
        _say(_WELCOME.format(address=wanted.address, port=made.sip_port, **site.softphone(made)))
        if not wanted.headless:
            return await run.console(made, wanted.lang)
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
    print(text, file=sys.stderr, flush=True)


def _table(figures: dict[str, object]) -> None:
    for name, value in figures.items():
        print(f"{name:14} {value}")
