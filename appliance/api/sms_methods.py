"""Methods of the API about short messages."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.api.dispatch import Method
from appliance.api.peer import Peer
from appliance.api.types import SmsRow
from appliance.sms.desk import SmsDesk
from appliance.sms.message import Sms

_MOST = 1000


class SmsMethods:
    """``table`` has them by name."""

    def __init__(self, desk: SmsDesk) -> None:
        self._desk = desk
        self.table: Mapping[str, Method] = {"sms.list": self._list, "sms.send": self._send}

    async def _list(self, number: str = "", contact: str = "", limit: int = 50) -> list[SmsRow]:
        """The newest messages both ways."""
        if not 1 <= limit <= _MOST:
            raise ValueError(f"limit must be from 1 to {_MOST}, is {limit}")
        return [_row(each) for each in await self._desk.messages(number=number, contact=contact, limit=limit)]

    async def _send(self, number: str, text: str, peer: Peer, line: str = "") -> SmsRow:
        return _row(await self._desk.send(number, text, line=line, by=peer.name))


def _row(each: Sms) -> SmsRow:
    return SmsRow(
        each.id, each.incoming, each.at, each.number, each.text, each.state, each.line or each.wanted, each.contact,
        each.parts, each.missing, len(each.references), each.tries, each.next_at if each.state == "waiting" else 0.0,
        each.reason,
    )  # fmt: skip
