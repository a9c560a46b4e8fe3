"""SIP calls a second through the phone process, and CPU a call: SIPp as carrier, a control side that answers.

    python -m tests.bench.bench_sip [--rate 200] [--calls 2000]

One JSON line: what was asked and reached, failed calls, CPU of the phone process in ms a call (INVITE to BYE), its
memory in MB at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

from hw.messages import Answer, Cleared, Incoming, LineState, Message, SetSipTrunks, SipTrunk
from tests.hw.phone.conftest import OURS
from tests.judges.phonebox import PhoneBox, free_port, phonebox


def used(pid: int) -> tuple[float, float]:
    """CPU seconds and resident MB of a process (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks, pages = int(fields[11]) + int(fields[12]), int(fields[21])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def load(box: PhoneBox, folder: Path, rate: int, calls: int) -> dict[str, float]:
    """Run the calls; every one is answered at once and hung up by SIPp."""
    port = free_port()
    box.send(SetSipTrunks((SipTrunk("carrier", "127.0.0.1", port),)))
    await box.next(LineState)
    cleared = 0

    def decide(event: Message) -> None:
        nonlocal cleared
        if isinstance(event, Incoming):
            box.send(Answer(event.leg, OURS))
        cleared += isinstance(event, Cleared)
        box.box.all.clear()

    box.on_event = decide
    before, _ = used(box.process.pid)
    began = time.monotonic()
    sipp = await asyncio.create_subprocess_exec(
        "sipp", f"127.0.0.1:{box.port}", "-sn", "uac", "-i", "127.0.0.1", "-p", str(port), "-r", str(rate),
        "-m", str(calls), "-l", "10000", "-nostdin", cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    status = await sipp.wait()
    seconds = time.monotonic() - began
    after, memory = used(box.process.pid)
    return {
        "rate": rate, "calls": calls, "calls_per_s": round(calls / seconds, 1), "cleared": cleared,
        "sipp_status": status, "cpu_ms_per_call": round((after - before) * 1000 / calls, 3), "rss_mb": round(memory, 1),
    }  # fmt: skip


async def main() -> None:
    """Print the line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--calls", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        async with phonebox(Path(folder), trace=False) as box:
            print(json.dumps({"bench": "sip", **await load(box, Path(folder), arguments.rate, arguments.calls)}))


if __name__ == "__main__":
    asyncio.run(main())
