"""What a channel tells of its calls, whatever its signalling is; ``channel_trunk`` turns it into the link's events."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

By = Literal["far", "us", "fault"]


@frozen
class Seized:
    """A call comes in; nothing is known of it yet. ``Offered`` or ``Released`` follows."""


@frozen
class Offered:
    """What is known of the incoming call is there; it is to be alerted, answered or hung up.

    ``category`` is R2's KA; ``restricted``: the caller does not want to be shown.
    """

    called: str
    caller: str
    category: int = 0
    name: str = ""
    restricted: bool = False


@frozen
class Acknowledged:
    """Our seizure is acknowledged: the number is being sent."""


@frozen
class InBand:
    """The number is sent: what the far end sends from now on, tones and announcements, is for the caller."""


@frozen
class Accepted:
    """The called subscriber is free: it rings. ``inband``: the far end sends the tone of it on the channel."""

    inband: bool = True


@frozen
class Answered:
    """The called subscriber has answered."""


@frozen
class Flashed:
    """The hook of the telephone was pressed for a moment."""


@frozen
class Released:
    """The call is over, by a Q.850 cause. ``retry``: the channel was at fault before the call got anywhere. Of an
    incoming call ``called`` and ``caller`` are what had come in of the numbers.
    """

    cause: int
    by: By
    retry: bool = False
    called: str = ""
    caller: str = ""


@frozen
class Blocked:
    """Whether new calls may take the channel has changed; ``reason`` is empty when they may. ``fault``: it is
    neither wanted here nor shown by the far end.
    """

    reason: str
    fault: bool = False


@frozen
class Changed:
    """Whether the channel is idle has changed; it is not for a while before and after a call, too."""


Notice = Seized | Offered | Acknowledged | InBand | Accepted | Answered | Flashed | Released | Blocked | Changed
