"""openr2 as the judges call it: the program around it, and what it tells."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

_SOURCE = Path(__file__).parent / "openr2_peer.c"


def build(folder: Path) -> Path:
    """The judge's program, built; skips where openr2 is not installed, fails there in CI."""
    if not Path("/usr/include/openr2.h").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("libopenr2-dev is not installed")
    program = folder / "peer"
    subprocess.run(["gcc", "-o", program, _SOURCE, "-lopenr2"], check=True)
    return program


async def start(program: Path, *arguments: str) -> asyncio.subprocess.Process:
    """Have it do what its source's head says."""
    return await asyncio.create_subprocess_exec(str(program), *arguments, stdout=asyncio.subprocess.PIPE)


async def until(judge: asyncio.subprocess.Process, line: str) -> None:
    """Until it has told so."""
    assert judge.stdout is not None
    while (said := await judge.stdout.readline()).strip() != line.encode():
        assert said, "it is gone"


async def told(judge: asyncio.subprocess.Process) -> list[str]:
    """What openr2 told, when it is through; it is through without an error."""
    output, _ = await judge.communicate()
    assert judge.returncode == 0, output.decode()
    return [line.strip() for line in output.decode().splitlines() if not line.startswith("[")]
