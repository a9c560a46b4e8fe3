"""The console as a program, on a real terminal."""

import asyncio
import os
import pty
import sys
from pathlib import Path

import pytest

from tests.appliance.api.serving import serving

ROOT = Path(__file__).resolve().parents[2]


async def tmux(folder: Path, *words: str) -> str:
    """What tmux says, on a server of its own."""
    process = await asyncio.create_subprocess_exec(
        "tmux", "-S", str(folder / "tmux"), *words,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return (await process.communicate())[0].decode()


async def until(folder: Path, text: str) -> str:
    """The terminal, when it shows a text."""
    seen = ""
    try:
        async with asyncio.timeout(15):
            while text not in seen:
                await asyncio.sleep(0.1)
                seen = await tmux(folder, "capture-pane", "-p")
    except TimeoutError:
        raise AssertionError(f"never seen: {text}\n{seen}") from None
    return seen


@pytest.mark.judge("tmux")
def test_it_runs_in_80_by_24_speaks_chinese_changes_to_english_and_ends_by_q(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path) as served:
            command = (
                f"{sys.executable} -m textual_admin --socket {served.path} --lang zh; echo ended with $?; sleep 60"
            )
            await tmux(tmp_path, "-u", "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command)
            try:
                seen = await until(tmp_path, "告警：1")
                assert max(len(line) for line in seen.splitlines()) <= 80
                await tmux(tmp_path, "send-keys", "5")
                await until(tmp_path, "■ 通话")
                await tmux(tmp_path, "send-keys", "F2")
                await until(tmp_path, "■ talking")
                await tmux(tmp_path, "send-keys", "q")
                await until(tmp_path, "ended with 0")
            finally:
                await tmux(tmp_path, "kill-server")

    asyncio.run(main())


def test_it_ends_with_its_terminal_even_when_nobody_tells_it(tmp_path: Path) -> None:
    async def main() -> None:
        ours, terminal = pty.openpty()
        command = (sys.executable, "-m", "textual_admin", "--socket", str(tmp_path / "nobody"))
        console = await asyncio.create_subprocess_exec(  # as it is not its session's terminal, there is no SIGHUP
            *command, cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
        )
        os.close(terminal)
        seen = b""
        while b"OneCall" not in seen:
            seen += await asyncio.to_thread(os.read, ours, 65536)
        os.close(ours)
        try:
            async with asyncio.timeout(20):
                await console.wait()
        finally:
            if console.returncode is None:
                console.kill()

    asyncio.run(main())
