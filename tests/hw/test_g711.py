"""G.711 by its tables: the values of the Recommendation, and nothing lost that need not be."""

import numpy as np
import pytest

from hw.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode

EVERY = np.arange(256, dtype=np.uint8)
LINEAR = np.arange(-32768, 32768).astype(np.int16)


@pytest.mark.parametrize(("octet", "sample"), [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0x80, 5504)])
def test_alaw_values(octet, sample):
    assert alaw_decode(np.array([octet], np.uint8)) == [sample]


@pytest.mark.parametrize(("octet", "sample"), [(0xFF, 0), (0x7F, 0), (0x80, 32124), (0x00, -32124), (0xFE, 8)])
def test_ulaw_values(octet, sample):
    assert ulaw_decode(np.array([octet], np.uint8)) == [sample]


def test_octets_survive_decoding_and_encoding():
    assert (alaw_encode(alaw_decode(EVERY)) == EVERY).all()
    again = ulaw_encode(ulaw_decode(EVERY))
    assert set(EVERY[again != EVERY]) == {0x7F}  # minus zero


@pytest.mark.parametrize(("encode", "decode"), [(alaw_encode, alaw_decode), (ulaw_encode, ulaw_decode)])
def test_louder_stays_louder_and_the_error_is_half_a_step(encode, decode):
    heard = decode(encode(LINEAR)).astype(int)
    assert (np.diff(heard) >= 0).all()
    inside = np.abs(LINEAR.astype(int)) < 32000
    error = np.abs(heard - LINEAR)[inside]
    assert (error <= (np.abs(LINEAR.astype(int))[inside] + 132) / 32 + 4).all()
