"""DAHDI's system-call border: the ioctls and structures of ``dahdi/user.h`` that are used here (version 2.11 and 3).

A test compiles a C program against that header, where it is installed, and compares every number and offset.
"""

from __future__ import annotations

import fcntl
from enum import IntEnum
from struct import Struct
from typing import Literal

from attrs import frozen

_CODE = 0xDA
_DIRECTIONS = {"": 0, "w": 1, "r": 2, "wr": 3}

INT = Struct("=i")
#: struct dahdi_spaninfo (packed): number, name, description; alarms, tx and rx level; bpv, crc4, ebit, fas; fe, cv, be,
#: prbs, errored seconds; irq misses, sync source, channels configured, channels, spans, line build out, line
#: configuration; its name, location, manufacturer, device type; irq, line compatibility, type.
SPANINFO = Struct("=i20s40s3i4i5I7i40s40s40s40s2i6s")
#: struct dahdi_params: channel, span, position, signalling, its capabilities, five of hook and bits, law, idle bits;
#: name; eleven times in ms; alarms of this channel.
PARAMS = Struct("=12i40s11iI")
#: struct dahdi_bufferinfo: transmit and receive policy, number, size, full read and write buffers (never told: -1).
BUFFERINFO = Struct("=6i")
#: struct dahdi_gains: channel (0: this), receive and transmit table.
GAINS = Struct("=i256s256s")
#: struct dahdi_attach_echocan: channel, name (empty: none).
ATTACH = Struct("=i16s")
#: struct dahdi_ring_cadence: on and off in turn, ms; 0 is the end.
CADENCE = Struct("=16i")
#: struct dahdi_maintinfo: span, command.
MAINT = Struct("=2i")
#: struct dahdi_versioninfo: version, echo cancellers.
VERSION = Struct("=80s80s")


class Params(IntEnum):
    """Where some of ``PARAMS`` are. ``FLASH``: ours; ``RX_FLASH``: the longest of the far end."""

    OFF_HOOK, LAW, FLASH, RX_FLASH, ALARMS = 5, 10, 16, 19, 24


@frozen
class Request:
    """One ioctl: its number and what it takes or gives."""

    code: int
    layout: Struct


def _request(direction: Literal["w", "r", "wr"], number: int, layout: Struct = INT) -> Request:
    """Linux' ``_IOC`` (asm-generic/ioctl.h)."""
    return Request(_DIRECTIONS[direction] << 30 | layout.size << 16 | _CODE << 8 | number, layout)


FLUSH = _request("w", 3)
GET_PARAMS = _request("wr", 5, PARAMS)
SET_PARAMS = _request("w", 5, PARAMS)
HOOK = _request("w", 7)
GETEVENT = _request("r", 8)
IOMUX = _request("wr", 9)
SPANSTAT = _request("wr", 10, SPANINFO)
MAINT_MODE = _request("w", 11, MAINT)
SETGAINS = _request("w", 16, GAINS)
SET_BUFINFO = _request("w", 27, BUFFERINFO)
AUDIOMODE = _request("w", 32)
ECHOCANCEL = _request("w", 33)
SPECIFY = _request("w", 38)
SETLAW = _request("w", 39)
SETCADENCE = _request("w", 42, CADENCE)
GETRXBITS = _request("r", 43)
SETTXBITS = _request("w", 43)
TIMERCONFIG = _request("w", 47)
TIMERACK = _request("w", 48)
ONHOOKTRANSFER = _request("w", 51)
GETVERSION = _request("r", 57, VERSION)
LOOPBACK = _request("w", 58)
ATTACH_ECHOCAN = _request("w", 59, ATTACH)
SETPOLARITY = _request("w", 92)

#: A read or write while an event waits fails with this errno, which is no system's (user.h).
ELAST = 500
FLUSH_READ = 1
IOMUX_WRITEEMPTY, IOMUX_NOWAIT = 4, 0x100
POLICY_IMMEDIATE = 0
LAW_MULAW, LAW_ALAW = 1, 2
ONHOOK, OFFHOOK, FLASH, RING = 0, 1, 3, 5

EVENT_NONE, EVENT_ONHOOK, EVENT_RINGOFFHOOK, EVENT_WINKFLASH, EVENT_ALARM, EVENT_NOALARM = 0, 1, 2, 3, 4, 5
EVENT_ABORT, EVENT_OVERRUN, EVENT_BADFCS, EVENT_RINGEROFF, EVENT_BITSCHANGED = 6, 7, 8, 11, 13
EVENT_POLARITY, EVENT_RINGBEGIN, EVENT_REMOVED = 17, 18, 20

SIG_CLEAR = 1 << 7
SIG_HDLCRAW = 1 << 8 | SIG_CLEAR
SIG_HDLCFCS = 1 << 9 | SIG_HDLCRAW
SIG_HARDHDLC = 1 << 19 | SIG_CLEAR
SIG_CAS = 1 << 15
SIG_FXSKS, SIG_FXOKS = 1 << 2 | 1 << 13, 1 << 5 | 1 << 12

CONFIG_CCS, CONFIG_HDB3, CONFIG_CRC4 = 1 << 8, 1 << 9, 1 << 10

ALARM_RECOVER, ALARM_LOOPBACK, ALARM_YELLOW, ALARM_RED, ALARM_BLUE, ALARM_NOTOPEN = (1 << bit for bit in range(6))
ALARM_LOS, ALARM_LFA, ALARM_LMFA = 1 << 8, 1 << 9, 1 << 10
_ALARMS = {
    ALARM_RED: "RED", ALARM_BLUE: "BLUE", ALARM_YELLOW: "YELLOW", ALARM_LOOPBACK: "LOOPBACK",
    ALARM_RECOVER: "RECOVER", ALARM_NOTOPEN: "NOTOPEN", ALARM_LOS: "LOS", ALARM_LFA: "LFA", ALARM_LMFA: "LMFA",
}  # fmt: skip


def call(fd: int, request: Request, *values: int | bytes) -> tuple[int | bytes, ...]:
    """Do one ioctl and give the structure back as the kernel left it; values left out are zero. Raises ``OSError``."""
    given = request.layout.unpack(bytes(request.layout.size))
    buffer = bytearray(request.layout.pack(*values, *given[len(values) :]))
    fcntl.ioctl(fd, request.code, buffer)
    return request.layout.unpack(buffer)


def number(fd: int, request: Request) -> int:
    """An ioctl that gives one number."""
    value = call(fd, request)[0]
    assert isinstance(value, int)
    return value


def text(value: int | bytes) -> str:
    """A C string in an array of fixed length."""
    assert isinstance(value, bytes)
    return value.split(b"\0", 1)[0].decode("utf-8", "replace")


def alarm_name(alarms: int) -> str:
    """The bits as one word for people, empty for none: ``RED``, ``RED/LOS``, ``YELLOW``."""
    names = [name for bit, name in _ALARMS.items() if alarms & bit]
    return "/".join(names) or (f"ALARM {alarms:#x}" if alarms else "")
