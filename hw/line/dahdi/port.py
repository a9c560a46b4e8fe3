"""One analog port of a card, open: hook, ringing, polarity, and its audio as A-law whatever the card has."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from attrs import frozen

from hw.line.dahdi import abi
from hw.line.dahdi.channel import BearerChannel, gain_table


@frozen
class LineStatus:
    """``off_hook``: the telephone at an FXS port; ``alarms``: not 0 for an FXO port's line without battery."""

    off_hook: bool
    alarms: int


class AnalogChannel(BearerChannel):
    """A port (``fxsks=``, ``fxoks=``). When it is closed, the kernel puts it on hook."""

    def hook(self, what: int) -> None:
        """``abi.ONHOOK``, ``OFFHOOK``, ``FLASH`` or ``RING``; the last two take their time. Raises ``OSError`` (EBUSY:
        not through with what it was told before).
        """
        try:
            abi.call(self.fd, abi.HOOK, what)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise

    def set_polarity(self, *, turned: bool) -> None:
        """FXS. Raises ``OSError`` (ENOTTY: the card cannot; EINVAL: not while it rings)."""
        abi.call(self.fd, abi.SETPOLARITY, int(turned))

    def pass_on_hook(self, ms: int) -> None:
        """FXS: pass audio to the telephone, though it is on hook, for so long. Raises ``OSError``."""
        abi.call(self.fd, abi.ONHOOKTRANSFER, ms)

    def set_cadence(self, ms: Sequence[int]) -> None:
        """FXS: ringing on and off in turn. Raises ``OSError``."""
        abi.call(self.fd, abi.SETCADENCE, *ms)

    def set_flash(self, ms: int) -> None:
        """FXO: how long a flash is; FXS: the longest that is one. Raises ``OSError``."""
        params = list(abi.call(self.fd, abi.GET_PARAMS))
        params[abi.Params.FLASH] = params[abi.Params.RX_FLASH] = ms
        abi.call(self.fd, abi.SET_PARAMS, *params)

    def line(self) -> LineStatus:
        """How it is now. Raises ``OSError``."""
        params = abi.call(self.fd, abi.GET_PARAMS)
        alarms = params[abi.Params.ALARMS]
        assert isinstance(alarms, int)
        return LineStatus(bool(params[abi.Params.OFF_HOOK]), alarms)

    def _set_up(self, rx_gain_db: float, tx_gain_db: float) -> None:
        # The law of an analog card is what its converters are set to: SETLAW would only tell the kernel another.
        law = abi.call(self.fd, abi.GET_PARAMS)[abi.Params.LAW]
        assert isinstance(law, int)
        rx, tx = gain_table(rx_gain_db, law, abi.LAW_ALAW), gain_table(tx_gain_db, abi.LAW_ALAW, law)
        abi.call(self.fd, abi.SETGAINS, 0, rx, tx)
