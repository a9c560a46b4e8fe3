"""What a GSM module says, taken apart (3GPP TS 27.007, 27.005): calls, registration, signal, causes. Pure.

Lines come from a device that may be broken: one that cannot be understood gives None, never an error.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from enum import IntEnum
from typing import Literal

from attrs import frozen

#: What makers' modules say of a call besides V.250's words; the list of calls tells what became of it.
CALL_WORDS = ("VOICE CALL", "MISSED_CALL")
#: Words without a ``+`` that modules say by themselves, most when they start.
WORDS = (*CALL_WORDS, "RDY", "SMS DONE", "SMS READY", "PB DONE", "CALL READY", "Call Ready", "SMS Ready", "PSUTTZ")
#: How calls end, in V.250's words; not all modules have all.
CALL_ENDS = ("NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE")
#: How calls end, as Q.850 causes: V.250's words. The other party cleared, or nobody knows why.
_CAUSES = {"BUSY": 17, "NO ANSWER": 19}
_NORMAL, _NORMAL_UNSPECIFIED = 16, 31
#: +CMS ERROR (27.005 §3.2.5) that will be the same the next time: 3GPP TS 24.011 table 8.4 and 23.040 §9.2.3.22: number
#: unassigned, barred, unknown subscriber, not subscribed, not possible; the message itself is not accepted.
_FINAL = {1, 8, 10, 28, 29, 30, 50, 69, 81, 95, 96, 97, 98, 99, 111, 128, 129, 130, 143, 144, 145, 159, 160, 161,
          176, 193, 194, 195, 197, 198, 208, 302, 303, 304, 305}  # fmt: skip
#: The network has not said in time whether it took the message.
_NETWORK_TIMEOUT = 332

Outcome = Literal["again", "refused", "unknown"]


class CallState(IntEnum):
    """27.007 §7.18, ``<stat>``."""

    ACTIVE = 0
    HELD = 1
    DIALLING = 2
    ALERTING = 3
    INCOMING = 4
    WAITING = 5


@frozen
class Listed:
    """One call as +CLCC lists it."""

    index: int
    incoming: bool
    state: CallState
    number: str


def fields(line: str) -> list[str]:
    """The parameters behind ``+NAME:``, without quotes."""
    return [part.strip() for part in next(csv.reader([line.partition(":")[2]], skipinitialspace=True), [])]


def numbers(line: str) -> list[int]:
    """The parameters that are numbers, in their places; -1 for one that is none."""
    return [int(part) if part.isascii() and part.isdecimal() else -1 for part in fields(line)]


def calls(lines: Iterable[str]) -> list[Listed]:
    """The voice calls of an answer to AT+CLCC."""
    found = []
    for line in lines:
        parts, values = fields(line), numbers(line)
        if line.startswith("+CLCC:") and len(values) >= 4 and 0 <= values[2] <= 5 and values[3] == 0:
            number = parts[5] if len(parts) > 5 else ""
            found.append(Listed(values[0], values[1] == 1, CallState(values[2]), number))
    return found


def clip(line: str) -> tuple[str, bool] | None:
    """The caller's number and whether it is withheld, of a +CLIP (§7.11: validity 1)."""
    parts = fields(line)
    if not line.startswith("+CLIP:") or not parts:
        return None
    validity = numbers(line)[5] if len(parts) > 5 else 0
    return parts[0], validity == 1


def registered(line: str) -> bool | None:
    """Whether the network knows the module: +CREG, +CEREG, as an answer or by itself (§7.2, §10.1.22).

    1 home, 5 roaming; 6 and 7 are for messages only.
    """
    values = numbers(line)
    if not values or not line.startswith(("+CREG:", "+CEREG:")):
        return None
    # An answer has the mode in front; by itself the state comes first, behind it quoted places.
    is_answer = len(values) > 1 and not line.partition(",")[2].startswith('"')
    return values[1 if is_answer else 0] in (1, 5)


def signal_dbm(line: str) -> int | None:
    """The strength of the signal of a +CSQ (§8.5): 0 is -113 dBm or less, 31 is -51 or more, 99 is not known."""
    values = numbers(line)
    if not line.startswith("+CSQ:") or not values or not 0 <= values[0] <= 31:
        return None
    return -113 + 2 * values[0]


def tries_left(line: str) -> int | None:
    """How often the PIN may still be tried: +CPINR (§8.65), or as Quectel (+QPINC) and SIMCom (+SPIC) tell it."""
    values = numbers(line)
    place = {"+CPINR": 1, "+QPINC": 1, "+SPIC": 0}.get(line.partition(":")[0])
    if place is None or len(values) <= place or values[place] < 0:
        return None
    return values[place]


def cause(word: str, report: str, *, answered: bool) -> int:
    """The Q.850 cause of a call that has ended with a ``word``; ``report`` is what +CEER says (§6.10).

    Its text is the maker's; a number at its end is the cause of 3GPP TS 24.008 (§10.5.4.11), which is Q.850's.
    """
    if answered:
        return _NORMAL
    if word in _CAUSES:
        return _CAUSES[word]
    number = re.search(r"(\d+)\s*$", report)
    return int(number[1]) if number and 0 < int(number[1]) < 128 else _NORMAL_UNSPECIFIED


def outcome(result: str) -> Outcome:
    """What becomes of a message that was refused with ``+CMS ERROR: n`` or another result."""
    number = re.search(r"\+CMS ERROR:\s*(\d+)\s*$", result)
    if number is None:
        return "again"
    if int(number[1]) == _NETWORK_TIMEOUT:
        return "unknown"
    return "refused" if int(number[1]) in _FINAL else "again"
