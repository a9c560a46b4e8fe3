"""The one face of all trunk drivers, and of the lowest layer they stand on.

A *span* is the lowest layer, the same for a card and for the simulator: a D channel (a packet descriptor) and the
timeslots' audio. A *trunk* is signalling over spans: it turns the commands of the link into Q.931 (or R2, or hook and
ring) and what the far end does into the link's events. Causes are Q.850 everywhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hw.messages import LegState, LineEvent, LineState, SendSms

#: Samples of one timeslot in one tick: 20 ms at 8 kHz.
FRAME = 160
Octets = NDArray[np.uint8]

#: Q.850: requested facility not implemented.
NOT_IMPLEMENTED = 69


class NoChannel(Exception):
    """No idle channel for a new call; ``cause`` (Q.850) is 34, or what is known of the one telephone it was for."""

    def __init__(self, reason: str, cause: int = 34) -> None:
        super().__init__(reason)
        self.cause = cause


class Timeslots(ABC):
    """Audio of a span's bearer channels: one row of ``FRAME`` A-law octets for each, in the order of ``channels``."""

    channels: Sequence[int]

    @abstractmethod
    def read(self, into: Octets) -> None:
        """Fill ``into`` [channels, 160] with the frame that is due; silence (0xD5) where the far end sent none."""

    @abstractmethod
    def write(self, frames: Octets) -> None:
        """Send one frame [channels, 160]; never blocks: what cannot be sent is dropped and counted."""

    @abstractmethod
    def counters(self) -> dict[str, int]:
        """Slips, frames missing and frames dropped since the start."""


class Trunk(ABC):
    """Signalling of one trunk. Everything runs in the line process's loop; nothing blocks; ``emit`` takes its events.

    Commands about an unknown leg raise ``KeyError``; commands that do not fit the leg's phase are ignored when they
    come too late (the far end has cleared) and raise ``ValueError`` otherwise.
    """

    name: str
    timeslots: Timeslots

    @abstractmethod
    async def start(self, emit: Callable[[LineEvent], None]) -> None:
        """Open the span and start signalling; every change of the line's state is emitted as ``LineState``."""

    @abstractmethod
    async def close(self) -> None:
        """Clear what is up (cause 41) and let go of the span."""

    @abstractmethod
    def dial(self, leg: str, number: str, caller: str, name: str) -> int:
        """Call out; returns the bearer channel taken. Raises ``NoChannel``."""

    def dial_restricted(self, leg: str, number: str, caller: str, name: str) -> int:
        """``dial``, but the called party is not to be shown ``caller`` (CLIR, Q.951 §4). Raises ``NoChannel``: with
        cause 69 where the exchange shows the line's number whatever we do.
        """
        raise NoChannel(f"{self.name} cannot keep its number from being shown", NOT_IMPLEMENTED)

    @abstractmethod
    def proceed(self, leg: str) -> None:
        """Q.931 CALL PROCEEDING (§5.2.5.1) or what the signalling has for it."""

    @abstractmethod
    def alert(self, leg: str) -> None:
        """Q.931 ALERTING (§5.2.5.2)."""

    @abstractmethod
    def progress(self, leg: str) -> None:
        """Q.931 PROGRESS, in-band information available (§5.2.6)."""

    @abstractmethod
    def answer(self, leg: str) -> None:
        """Q.931 CONNECT (§5.2.7)."""

    @abstractmethod
    def hangup(self, leg: str, cause: int) -> None:
        """Clear the leg (§5.3); ``Cleared`` follows once the channel is free."""

    def flash(self, leg: str) -> None:
        """Press the hook for a moment. Raises ``KeyError``, ``ValueError`` on a line that has no hook."""
        self.channel_of(leg)
        raise ValueError(f"{self.name} has no hook")

    @abstractmethod
    def block(self, channel: int | None, blocked: bool) -> None:
        """Take a channel (None: all) out of service for new calls or back; a call on it goes on."""

    @abstractmethod
    def restart(self, channel: int | None) -> None:
        """Restart a channel or all (§5.5); calls on it are cleared."""

    def send_digits(self, leg: str, digits: str) -> bool:
        """Send keys as the signalling has them; False where they go as tones in the audio. Raises ``KeyError``."""
        return False

    @abstractmethod
    def channel_of(self, leg: str) -> int:
        """The bearer channel of a leg. Raises ``KeyError``."""

    @abstractmethod
    def state(self) -> LineState:
        """The line as it is now, with every channel."""

    @abstractmethod
    def legs(self) -> Sequence[LegState]:
        """Every leg that is not cleared."""

    @abstractmethod
    def counters(self) -> dict[str, int]:
        """What was dropped, late, missing or wrong on the line since the start, the timeslots' audio included."""


class Messenger(ABC):
    """A trunk that carries short messages besides calls; its events are ``SmsSent`` and those that follow there."""

    @abstractmethod
    def send_sms(self, message: SendSms) -> None:
        """Send one. Raises ``ValueError`` while another one is being sent, and where the line carries none."""

    @abstractmethod
    def sms_taken(self, message: str) -> None:
        """The control process has this received message. Raises ``ValueError`` where the line carries none."""

    @abstractmethod
    def tell_sms(self) -> None:
        """Tell what a new control process must know: the end of the last message sent, messages not taken yet."""

    @abstractmethod
    def sms_in_hand(self) -> tuple[str, ...]:
        """Messages that are being sent, or whose end ``tell_sms`` tells."""
