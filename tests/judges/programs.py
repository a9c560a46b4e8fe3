"""SIPp and tshark as the judges call them."""

from __future__ import annotations

import asyncio
from pathlib import Path

#: What tshark calls malformed, and what its experts warn of or call an error.
WRONG = "_ws.malformed or _ws.expert.severity >= 6291456"
SCENARIOS = Path(__file__).parent / "sipp"


async def sipp(
    folder: Path, box_port: int, account: str, password: str, realm: str, *arguments: str,
    port: int, transport: str = "u1",
) -> asyncio.subprocess.Process:  # fmt: skip
    """SIPp from ``port`` towards SIP at ``box_port`` of this machine; our scenarios use the account's credentials."""
    values = folder / "values.csv"
    proof = f"[authentication username={account} password={password}]"
    values.write_text(f"SEQUENTIAL\n{realm};{account};{proof}\n", encoding="utf-8")
    return await asyncio.create_subprocess_exec(
        "sipp", f"127.0.0.1:{box_port}", "-i", "127.0.0.1", "-p", str(port), "-t", transport, "-inf", str(values),
        "-nostdin", "-timeout", "20s", "-timeout_error", *arguments, cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def succeeded(running: asyncio.subprocess.Process) -> None:
    """Every call went as the scenario says; SIPp's own words when not."""
    _, said = await running.communicate()
    assert running.returncode == 0, said.decode()


async def tshark(trace: Path, wanted: str, *options: str, field: str = "frame.number") -> list[str]:
    """A field of every frame of a trace that passes a display filter."""
    process = await asyncio.create_subprocess_exec(
        "tshark", "-r", str(trace), *options, "-Y", wanted, "-T", "fields", "-e", field,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode().split()
