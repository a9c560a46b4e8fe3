"""Caller ID's messages and keys: whole, damaged, and by spandsp's own sender and receiver as judge."""

from __future__ import annotations

import numpy as np
import pytest
from cffi import FFI
from numpy.random import default_rng
from numpy.typing import NDArray

from hw.g711 import alaw_encode
from hw.line.dsp.fsk import Bell202, spill
from hw.line.dsp.level import peak
from hw.line.signalling.caller_id import BadMessage, CallerId, MessageReader, keys_of, mdmf, read, read_keys, sdmf

WHEN = "07301425"
LI = CallerId("13800138000", "LI LEI")


def over_the_line(samples: NDArray[np.int16], db: float = 0.0, noise_dbm0: float = -60.0) -> CallerId | None:
    """What our receiver makes of a spill that is ``db`` louder, behind a second of noise. Raises ``BadMessage``."""
    pcm = np.concatenate([np.zeros(8000), samples * 10 ** (db / 20), np.zeros(1120)])
    pcm += default_rng(1).normal(0, peak(noise_dbm0) / np.sqrt(2), len(pcm))
    frames = alaw_encode(np.pad(pcm, (0, -len(pcm) % 160)).clip(-32768, 32767).astype(np.int16)).reshape(-1, 160)
    receiver, reader = Bell202(), MessageReader()
    for frame in frames:
        if (caller := reader.take(receiver.hear(frame))) is not None:
            return caller
    return None


@pytest.mark.requirement("A9.18")
@pytest.mark.parametrize("message", [mdmf(LI, WHEN), sdmf(LI, WHEN)])
@pytest.mark.parametrize(("db", "noise"), [(0, -60), (-20, -60), (10, -60), (0, -33), (-12, -48)])
def test_a_caller_is_read_at_the_levels_and_the_noise_of_real_lines(message: bytes, db: float, noise: float) -> None:
    caller = over_the_line(spill(message), db, noise)
    assert caller == (LI if message[0] == 0x80 else CallerId(LI.number))


def test_a_wrong_checksum_is_told_and_the_next_message_is_read() -> None:
    good = mdmf(LI, WHEN)
    bad = good[:-1] + bytes((good[-1] ^ 0x10,))
    with pytest.raises(BadMessage, match="checksum"):
        over_the_line(spill(bad))
    reader = MessageReader()
    with pytest.raises(BadMessage):
        reader.take(b"\x55" * 20 + bad)
    assert reader.take(b"\x55" * 20 + good) == LI


def test_noise_alone_is_no_message() -> None:
    assert over_the_line(default_rng(2).normal(0, peak(-20), 40000).astype(np.int16)) is None


@pytest.mark.parametrize(("data", "why"), [
    (bytes((2, 30)) + b"123", "longer"), (bytes((2, 3)) + b"1x3", "digits"), (b"\x02", "longer"),
])
def test_nonsense_with_a_good_checksum_is_refused(data: bytes, why: str) -> None:
    message = bytes((0x80, len(data))) + data
    with pytest.raises(BadMessage, match=why):
        read(message + bytes((-sum(message) & 0xFF,)))


def test_who_hides_is_restricted_and_who_is_not_known_is_not() -> None:
    hidden, unknown = CallerId(restricted=True), CallerId()
    for write in (mdmf, sdmf):
        assert read(write(hidden, WHEN)) == hidden and read(write(unknown, WHEN)) == unknown


@pytest.mark.parametrize(("keys", "caller"), [
    ("D13800138000C", CallerId("13800138000")), ("A13800138000D95001C", CallerId("13800138000")),
    ("A075512345678D95001B00C", CallerId("075512345678")), ("12345678#", CallerId("12345678")),
    ("A12345678#", CallerId("12345678")), ("D1#", CallerId(restricted=True)), ("D3#", CallerId()),
    ("B10C", CallerId(restricted=True)), ("B00C", CallerId()), ("D138", None), ("", None), ("D1*C", None),
])
def test_each_form_of_dtmf_caller_id_is_read(keys: str, caller: CallerId | None) -> None:
    assert read_keys(keys) == caller


def test_what_is_sent_as_keys_is_read_again_and_without_a_number_nothing_is_sent() -> None:
    assert read_keys(keys_of(LI)) == CallerId(LI.number)
    assert keys_of(CallerId(restricted=True)) == ""


# -- the judge: spandsp's whole caller ID; our messages, modulation and framing have no part in it ---

ADSI = FFI()
ADSI.cdef("""
    typedef void (*put_msg_func_t)(void *user_data, const uint8_t *msg, int len);
    void *adsi_rx_init(void *s, int standard, put_msg_func_t put_msg, void *user_data);
    int adsi_rx(void *s, const int16_t amp[], int len);
    int adsi_rx_free(void *s);
    void *adsi_tx_init(void *s, int standard);
    int adsi_tx(void *s, int16_t amp[], int max_len);
    int adsi_tx_put_message(void *s, const uint8_t *msg, int len);
    int adsi_tx_free(void *s);
""")
CLASS = 1


def test_the_judge_reads_what_we_send_and_not_what_is_damaged() -> None:
    lib, heard = ADSI.dlopen("libspandsp.so.2"), list[bytes]()

    @ADSI.callback("put_msg_func_t")
    def put(_: object, message: object, length: int) -> None:
        heard.append(bytes(ADSI.buffer(message, length)))

    receiver = lib.adsi_rx_init(ADSI.NULL, CLASS, put, ADSI.NULL)
    good = mdmf(LI, WHEN)
    for message in (good, good[:-1] + b"\x00", sdmf(LI, WHEN)):
        pcm = np.concatenate([spill(message), np.zeros(1600, np.int16)])
        lib.adsi_rx(receiver, ADSI.from_buffer("int16_t[]", pcm), len(pcm))
    lib.adsi_rx_free(receiver)
    assert [message[0] for message in heard] == [0x80, 0x04]
    assert b"13800138000" in heard[0] and b"LI LEI" in heard[0]


def test_we_read_what_the_judge_sends() -> None:
    lib = ADSI.dlopen("libspandsp.so.2")
    sender = lib.adsi_tx_init(ADSI.NULL, CLASS)
    without_sum = mdmf(LI, WHEN)[:-1]
    assert lib.adsi_tx_put_message(sender, without_sum, len(without_sum)) == len(without_sum)
    pcm = np.zeros(16000, np.int16)
    lib.adsi_tx(sender, ADSI.from_buffer("int16_t[]", pcm), len(pcm))
    lib.adsi_tx_free(sender)
    assert over_the_line(pcm) == LI
