"""baresip as a phone that answers by itself, with a WAV file as its microphone and one as its earpiece."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from hw.sim.pattern import RATE, voice

_CONFIG = """\
sip_listen 127.0.0.1:0
audio_player {player}
audio_source {source}
audio_alert aubridge,nil
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
{modules}
module_app account.so
module_app menu.so
snd_path {home}
"""


@asynccontextmanager
async def baresip(
    home: Path, account: str, password: str, realm: str, port: int, *commands: str,
    transport: str = "udp", microphone: Path | None = None,
) -> AsyncIterator[None]:  # fmt: skip
    """Registers at SIP ``port`` of this machine and does ``commands``; files stay in ``home``, which it makes.

    With a ``microphone`` it says that WAV of 8 kHz, and what it hears is in the file that ``heard`` finds.
    """
    home.mkdir()
    source, modules = "aubridge,nil", ""
    if microphone is not None:
        source, modules = f"aufile,{microphone}", "module aufile.so\nmodule sndfile.so"
    (home / "config").write_text(
        _CONFIG.format(player="aubridge,nil", source=source, modules=modules, home=home), encoding="utf-8"
    )
    (home / "accounts").write_text(
        f'<sip:{account}@{realm}>;outbound="sip:127.0.0.1:{port};transport={transport}";auth_user={account};'
        f"auth_pass={password};answermode=auto;regint=300;audio_codecs=PCMA/8000/1\n",
        encoding="utf-8",
    )
    arguments = [part for command in commands for part in ("-e", command)]
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "baresip", "-f", str(home), *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, "HOME": str(home)},
        )  # fmt: skip
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def microphone(path: Path, code: int, seconds: int) -> Path:
    """A WAV file in which the voice of ``code`` speaks."""
    cycle = voice(code)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.tile(cycle, seconds * RATE // len(cycle) + 1).astype("<i2").tobytes())
    return path


def heard(home: Path) -> Path:
    """The WAV file of all that baresip decoded in its call."""
    [path] = home.glob("dump-*-dec.wav")
    return path
