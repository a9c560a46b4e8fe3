"""The trunks as calls use them: the lines' states, the groups that bundle them, and what is out of service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable

from attrs import evolve, frozen

from appliance.calls.admission import Admission, admit, group_of
from appliance.calls.blocks import ALL, Block, Blocks
from appliance.calls.choice import Attempt, Choice, choose
from appliance.calls.groups import TrunkGroups
from appliance.calls.leg import Leg
from appliance.calls.load import Line, Load
from appliance.calls.telephones import KIND as TELEPHONES
from appliance.link.client import Process
from hw import messages
from hw.messages import LineState, Message


@frozen
class Drain:
    """How far a drain is: ``busy`` calls are still to end."""

    busy: int
    drained: bool


class Trunks:
    """Lines by name, in the order in which they were told. ``legs`` are all there are, ``caller`` the site's number."""

    def __init__(
        self,
        groups: TrunkGroups,
        blocks: Blocks,
        *,
        send: Callable[[Process, Message], None],
        legs: Callable[[], Iterable[Leg]],
        caller: str,
    ) -> None:
        self.groups = groups
        self.blocks = blocks
        self.caller = caller
        self.lines: dict[str, LineState] = {}
        #: Calls refused on each line since the start.
        self.refused: Counter[str] = Counter()
        self._send = send
        self._legs = legs
        #: Lines whose process knows our blocks.
        self._told: set[str] = set()

    # -- the lines -----------------------------------------------------------------------------------------------------

    def process_of(self, line: str) -> Process:
        """Which process has a line: trunks of the line process say so in their ``LineState``, the rest is SIP."""
        state = self.lines.get(line)
        return "line" if state is not None and state.kind != "sip" else "phone"

    def line_changed(self, state: LineState) -> None:
        """A line as it is now. The first word of its process since that was started is answered by our blocks."""
        self.lines[state.line] = state
        if state.line not in self._told and state.channels:
            self._told.add(state.line)
            for channel in sorted(self.blocks.channels(state.line)):
                self._say_block(state.line, channel, True)
        self.settle()

    def process_lost(self, process: Process) -> None:
        """A process died: its lines are down, and their blocks must be said again to the next one."""
        for line, state in list(self.lines.items()):
            if self.process_of(line) == process:
                self.lines[line] = LineState(line, state.kind, False, (), "process away")
                self._told.discard(line)

    def two_way(self, line: str) -> bool:
        """Whether one can talk over a line: False where audio goes one way at a time (``LineState.duplex``)."""
        state = self.lines.get(line)
        return state is None or state.duplex

    # -- calls ---------------------------------------------------------------------------------------------------------

    def load(self) -> Load:
        """How lines and groups are used at this moment."""
        legs = [leg for leg in self._legs() if leg.alive and leg.line in self.lines]
        on = Counter(leg.line for leg in legs)
        lines = {name: self._line(state, on[name]) for name, state in self.lines.items()}
        calls = Counter((leg.group, leg.line) for leg in legs)
        return Load(lines, calls, self.groups.last, self.blocks.groups())

    def choose(self, number: str, *, wanted: str = "", tried: Collection[tuple[str, str]] = ()) -> Choice:
        """The ways for a call to an outside number; ``wanted`` is what it would like to show."""
        load = self.load()
        trunks = {name: line for name, line in load.lines.items() if self.lines[name].kind != TELEPHONES}
        load = evolve(load, lines=trunks)
        return choose(number, self.groups.groups(), load, caller=self.caller, wanted=wanted, tried=tried)

    def used(self, way: Attempt) -> None:
        """A call goes this way."""
        self.groups.last[way.group] = way.line

    def admit(self, line: str) -> Admission:
        """Whether a call may come in over a line, and for which group it counts."""
        whole = line in self.lines and not self.lines[line].channels and ALL in self.blocks.channels(line)
        found = admit(line, self.groups.groups(), self.load())
        return Admission(found.group, found.cause or 42) if whole else found

    def group_of(self, line: str, *, incoming: bool) -> str:
        """The group that an adopted call is counted for."""
        return group_of(line, incoming, self.groups.groups())

    def _line(self, state: LineState, calls: int) -> Line:
        idle = sum(channel.state == "idle" for channel in state.channels) if state.channels else None
        if not state.duplex:  # who calls out wants to talk
            idle = 0
        return Line(state.line, state.up, idle, calls, ALL in self.blocks.channels(state.line))

    # -- out of service ------------------------------------------------------------------------------------------------

    def block(self, line: str, channel: int | None, blocked: bool, by: str, *, draining: bool = False) -> None:
        """Take a channel (None: all of the line) out of service or back. Raises ``LookupError`` for an unknown one."""
        there = [each.channel for each in self._known(line).channels]
        if channel is not None and channel not in there:
            raise LookupError(f"no channel {channel} on line {line}")
        what = Block("line", line, ALL if channel is None else channel)
        if blocked:
            self.blocks.block(what, draining=draining, by=by)
        else:
            self.blocks.unblock(what, there, by=by)
        if there:
            self._say_block(line, what.channel, blocked)
        self.settle()

    def drain(self, line: str, channel: int | None, by: str) -> Drain:
        """Take out of service; an event tells when the last call on it has ended. Raises ``LookupError``."""
        self.block(line, channel, True, by, draining=True)
        return self._progress(Block("line", line, ALL if channel is None else channel))

    def block_group(self, group: str, blocked: bool, by: str, *, draining: bool = False) -> None:
        """Let a group take no new calls, or let it again. Raises ``LookupError``."""
        self.groups.known(group)
        if blocked:
            self.blocks.block(Block("group", group), draining=draining, by=by)
        else:
            self.blocks.unblock(Block("group", group), (), by=by)
        self.settle()

    def drain_group(self, group: str, by: str) -> Drain:
        """``block_group``; an event tells when its last call has ended. Raises ``LookupError``."""
        self.block_group(group, True, by, draining=True)
        return self._progress(Block("group", group))

    async def remove_group(self, group: str, by: str) -> None:
        """Take a group away, and its block. Raises ``LookupError``."""
        await self.groups.remove(group, by=by)
        if group in self.blocks.groups():
            self.blocks.unblock(Block("group", group), (), by=by)

    def settle(self) -> None:
        """Tell of what is drained now; called after each change of lines and legs."""
        for block in self.blocks.draining():
            if self._progress(block).drained:
                self.blocks.drained(block)

    def draining(self, line: str, channel: int = ALL) -> bool:
        """Whether somebody waits for the calls on a line, or on one of its channels, to end."""
        return any(block == Block("line", line, channel) for block in self.blocks.draining())

    def _progress(self, block: Block) -> Drain:
        """What is to end yet. A channel is done when the line process says that it is blocked and not busy."""
        if block.kind == "group":
            busy = sum(leg.alive and leg.group == block.name for leg in self._legs())
            return Drain(busy, not busy)
        state = self.lines.get(block.name)
        if state is None:
            return Drain(0, False)
        if not state.channels and state.up:
            busy = sum(leg.alive and leg.line == block.name for leg in self._legs())
            return Drain(busy, not busy)
        states = [each.state for each in state.channels if block.channel in (ALL, each.channel)]
        return Drain(states.count("busy"), not {"busy", "idle"} & set(states))

    def _known(self, line: str) -> LineState:
        if line not in self.lines:
            raise LookupError(f"no line {line!r} (there are: {', '.join(self.lines)})")
        return self.lines[line]

    def _say_block(self, line: str, channel: int, blocked: bool) -> None:
        self._send(self.process_of(line), messages.Block(line, channel or None, blocked))
