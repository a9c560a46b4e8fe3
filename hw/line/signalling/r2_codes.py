"""MFC-R2 as China has it (Signalling System No. 1, variant CN): bits, signals, causes, times. No effects.

Line signals are ITU-T Q.421 and Q.422 with bits C and D always 1; register signals are Q.440 to Q.442 with China's
meanings: A-6 asks for the calling party's category (KA) and number, A-3 for the kind of service (KD) and announces a
group B signal (KB).
"""

from __future__ import annotations

from enum import IntEnum

# -- line signals: bits A B C D as the low four bits -------------------------------------------------------------------
IDLE = 0xB
SEIZE = 0x3
SEIZE_ACK = 0xF
ANSWER = 0x7
CLEAR_BACK = 0xF
BLOCKED = 0xF
#: What the A and B bits of received line signals mean depends on the phase; C and D are not looked at (Q.421).
AB_MASK = 0xC
AB_IDLE, AB_SEIZED, AB_ANSWER, AB_ACK = 0x8, 0x0, 0x4, 0xC


class A(IntEnum):
    """Backward signals of group A."""

    NEXT = 1
    FROM_FIRST = 2
    TO_B = 3
    CONGESTION = 4
    UNALLOCATED = 5
    CALLER = 6


class B(IntEnum):
    """Backward signals of group B (KB)."""

    FREE = 1
    BUSY_LOCAL = 2
    BUSY_TOLL = 3
    CONGESTION = 4
    UNALLOCATED = 5
    FREE_CALLER_CONTROLS = 6


#: Group I: the digit 0, and the end of the calling number.
DIGIT_0, END = 10, 15
#: Group II: an ordinary subscriber (KA), and a local call (KD).
KA_ORDINARY, KD_LOCAL = 1, 3

# -- causes (Q.850) ----------------------------------------------------------------------------------------------------
UNALLOCATED, NORMAL, BUSY, NO_ANSWER, OUT_OF_ORDER, INCOMPLETE = 1, 16, 17, 19, 27, 28
TEMPORARY_FAILURE, CONGESTION, NOT_AVAILABLE, TIMER_EXPIRED, PROTOCOL_ERROR = 41, 42, 44, 102, 111
#: What a called side's signal means to the caller; 0: the subscriber is free.
CAUSE_OF_KB: dict[int, int] = {
    B.FREE: 0, B.FREE_CALLER_CONTROLS: 0, B.BUSY_LOCAL: BUSY, B.BUSY_TOLL: BUSY, B.CONGESTION: CONGESTION,
    B.UNALLOCATED: UNALLOCATED,
}  # fmt: skip
CAUSE_OF_A: dict[int, int] = {A.CONGESTION: CONGESTION, A.UNALLOCATED: UNALLOCATED}
_KB_OF_CAUSE = {
    UNALLOCATED: B.UNALLOCATED, 3: B.UNALLOCATED, INCOMPLETE: B.UNALLOCATED, BUSY: B.BUSY_LOCAL, 21: B.BUSY_LOCAL,
}  # fmt: skip

# -- times in ms -------------------------------------------------------------------------------------------------------
#: Q.476: a forward signal without an answer (15 ± 3 s); waiting without sending (24 s or more); the incoming register
#: without a signal (8 to 24 s: shorter than T1, so that the caller is told).
T1, T2, T3 = 15_000, 24_000, 10_000
#: Q.442: a pulsed signal, and how long forward signals are not looked at from its beginning.
PULSE, PULSE_DEAF = 150, 300
#: The called side's decision is waited for at most so long before the caller is told that the number is free.
DECISION = 8_000
#: Q.422: a line signal counts once it has stood so long.
RECOGNITION = 20
#: The seizure is acknowledged within so long (Q.422: 1 to 2 s where a satellite may be in between).
ACKNOWLEDGE = 2_000
#: Both ends have seized: clear forward is sent no sooner than this (Q.422).
DOUBLE_SEIZURE = 100
#: The called party answers, or the call is given up (Q.118: 2 to 4 min).
ANSWERED = 180_000
#: After clear forward the far end shows idle (the release guard); after our clear back it clears forward.
RELEASE, CLEARED = 10_000, 10_000
#: A channel is shown idle so long before it is shown blocked, so that the far end sees that its call is released.
IDLE_FIRST = 100


def code_of(digit: str) -> int:
    """The group I signal of a digit. Raises ``ValueError`` for what is none: R2 carries the digits 0 to 9 only."""
    if len(digit) != 1 or digit not in "0123456789":
        raise ValueError(f"{digit!r}: MFC-R2 carries the digits 0 to 9 only")
    return int(digit) or DIGIT_0


def codes_of(number: str) -> list[int]:
    """The group I signals of a number. Raises ``ValueError``."""
    return [code_of(digit) for digit in number]


def digit_of(code: int) -> str:
    """The digit of a group I signal; empty for 11 to 15."""
    return str(code % 10) if code <= DIGIT_0 else ""


def kb_of(cause: int) -> B:
    """The group B signal that refuses a call with a cause: busy, unallocated, or congestion for all else."""
    return _KB_OF_CAUSE.get(cause, B.CONGESTION)
