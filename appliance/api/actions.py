"""What the API does to calls and trunks, through the switchboard."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.calls.switchboard import Switchboard
from hw.messages import Block


class SwitchboardActions:
    """The ``Actions`` of the control process."""

    def __init__(self, switchboard: Switchboard) -> None:
        """Nothing is kept here."""
        self._switchboard = switchboard

    def hangup(self, contact: str) -> None:
        """End a contact with cause 16, all its legs. Raises ``LookupError`` when it is not up."""
        call = self._switchboard.calls.get(contact)
        if call is None:
            raise LookupError(f"there is no call {contact}")
        for leg in call.legs:
            if leg.alive:
                leg.hangup(16)

    def leftover(self) -> Mapping[str, int]:
        """What calls that are over have left behind."""
        return self._switchboard.leftover()

    def block(self, line: str, channel: int | None, blocked: bool) -> None:
        """Take a channel (None: all of the line) out of service or back. Raises ``LookupError`` for an unknown one."""
        state = self._switchboard.lines.get(line)
        process = self._switchboard.process_of(line)
        if state is None:
            known = ", ".join(sorted(self._switchboard.lines)) or "none"
            raise LookupError(f"there is no line {line} (there are: {known})")
        if process != "line":
            raise LookupError(f"line {line} is a SIP trunk and cannot be blocked")
        channels = [row.channel for row in state.channels]
        if channel is not None and channel not in channels:
            known = f"{min(channels)} to {max(channels)}" if channels else "none"
            raise LookupError(f"line {line} has no channel {channel} (it has: {known})")
        self._switchboard.send(process, Block(line, channel, blocked))
