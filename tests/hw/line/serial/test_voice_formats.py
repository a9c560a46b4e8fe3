"""Which of a modem's formats is taken, and that A-law comes through it as well as its eight bits allow."""

from __future__ import annotations

import numpy as np
import pytest

from hw.g711 import alaw_decode
from hw.line.serial.voice_formats import choose
from hw.sim.pattern import voice

#: As a CX93010, a USR5637 and V.253's own table tell them.
CONEXANT = ['0,"SIGNED PCM",8,0,8000,0,0', '1,"UNSIGNED PCM",8,0,8000,0,0', '129,"IMA ADPCM",4,0,8000,0,0',
            '131,"Mulaw",8,0,8000,0,0', '132,"Alaw",8,0,8000,0,0', '133,"14 bit PCM",14,0,8000,0,0']  # fmt: skip
USR = ['128,"8-BIT LINEAR",8,0,8000,0,0', '129,"16-BIT LINEAR",16,0,8000,0,0', '132,"4-BIT ADPCM",4,0,8000,0,0']
ITU = ['+VSM: 4,"",8,0,(7200,8000),(0),(0)', '+VSM: 5,"",8,0,(7200-11025),(0),(0)']


@pytest.mark.parametrize(
    ("lines", "name", "method"),
    [
        (CONEXANT, "alaw", 132), (CONEXANT[:4], "ulaw", 131), (USR, "unsigned", 128), (ITU, "alaw", 5),
        (ITU[:1], "ulaw", 4),
    ],
)
def test_the_best_of_a_modems_formats_is_taken(lines: list[str], name: str, method: int) -> None:
    chosen = choose(lines)
    assert chosen is not None and (chosen.name, chosen.method) == (name, method)


@pytest.mark.parametrize("lines", [[], ["OK"], ['5,"A-LAW",8,0,7200,0,0'], ['129,"IMA ADPCM",4,0,8000,0,0']])
def test_a_modem_without_any_is_told_apart(lines: list[str]) -> None:
    assert choose(lines) is None


@pytest.mark.parametrize(("row", "off"), [(0, 400), (1, 400), (3, 300), (4, 0)])
def test_a_voice_comes_through_every_format(row: int, off: int) -> None:
    chosen = choose(CONEXANT[row : row + 1])
    assert chosen is not None
    octets = np.arange(256, dtype=np.uint8)
    samples = alaw_decode(octets).astype(int)
    quiet = np.abs(samples) < np.abs(voice(1)).max()
    there_and_back = alaw_decode(chosen.from_modem[chosen.to_modem[octets]]).astype(int)
    assert np.abs(there_and_back - samples)[quiet].max() <= off
