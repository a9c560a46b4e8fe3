"""A GSM module's one channel as a line: its machine (``gsm_call``), whose actions become AT commands here."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from hw.line.serial import gsm_codes
from hw.line.serial.at import AtEngine, AtError
from hw.line.serial.gsm_audio import PcmTimeslots
from hw.line.serial.gsm_call import Action, Audio, Do, GsmCall, Look, TurnedAway
from hw.line.signalling.notices import Notice
from hw.line.trunk import Octets

log = logging.getLogger(__name__)

#: The list of calls is looked at so often while there is one; a word from the module brings the next look forward.
LOOK_S = 0.5
_TEMPORARY_FAILURE = 41


class GsmLine:
    """The line of ``ChannelTrunk``. ``call.number`` may be set once the module has told its own."""

    def __init__(
        self,
        number: str,
        audio: PcmTimeslots,
        *,
        join: tuple[str, str],
        early: bool,
        tell: Callable[[int, Notice], None],
        turned_away: Callable[[str, int], None],
        moved: Callable[[], None],
    ) -> None:
        """``join``: the commands that join the module's audio port and let go of it; ``turned_away`` takes caller and
        cause of calls that were refused; ``moved`` is called when the call's phase may have changed; ``early`` as in
        ``GsmCall``.
        """
        self.call = GsmCall(number, early=early)
        self.channels = {1: self.call}
        self.at: AtEngine
        self._audio = audio
        self._join = join
        self._tell = tell
        self._turned_away = turned_away
        self._moved = moved
        self._queue: deque[Action] = deque()
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.refused_commands = 0

    def start(self, at: AtEngine) -> None:
        """Begin to give commands."""
        self.at = at
        self._task = asyncio.create_task(self._run(), name="gsm line")

    async def stop(self) -> None:
        """Give no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def on_line(self, line: str) -> bool:
        """A line that the module said by itself; whether it was about a call."""
        if line == "RING" or line.startswith("+CRING"):
            self._act(self.call.rings())
        elif (caller := gsm_codes.clip(line)) is not None:
            self._act(self.call.caller(*caller))
        elif line in gsm_codes.CALL_ENDS or line.startswith((*gsm_codes.CALL_WORDS, "+CCWA:")):
            self._act(self.call.word(line if line in gsm_codes.CALL_ENDS else ""))
        else:
            return False
        return True

    def look(self) -> None:
        """Ask for the list of calls, whether there is one or not: one that nobody knows of is found so."""
        self._act([Look()])

    def send_digits(self, digits: str) -> None:
        """Press keys (27.007 §C.2.11); those of a call that is over are dropped."""
        self._act([Do(f"AT+VTS={digit}", "digit") for digit in digits if self.call.phase in ("answering", "up")])

    # -- the line's commands -------------------------------------------------------------------------------------------

    def up(self) -> None:
        """The module is set up."""

    def lost(self) -> None:
        """The module is gone, and the call."""
        self._queue.clear()
        self._act(self.call.lost())

    def dial(self, number: str, *, restricted: bool) -> None:
        """Call out. Raises ``ValueError``."""
        self._act(self.call.dial(number, restricted=restricted))

    def alert(self, number: int) -> None:
        """Nothing: the network sends ringback by itself."""

    def answer(self, number: int) -> None:
        """Answer."""
        self._act(self.call.answer())

    def hush(self, number: int) -> None:
        """Nothing: before the answer the caller hears the network."""

    def hangup(self, number: int, cause: int) -> None:
        """Clear the call."""
        self._act(self.call.hang_up(cause))

    def reset(self, number: int) -> None:
        """Clear the call, if there is one."""
        self._act(self.call.hang_up(_TEMPORARY_FAILURE))

    def block(self, number: int, blocked: bool) -> None:
        """Refuse calls that come in."""
        self.call.withdrawn = blocked

    def hear(self, frames: Octets) -> None:
        """The module's sounds are not ours."""

    def say(self, frames: Octets) -> None:
        """We have no sounds of our own."""

    # -- actions -------------------------------------------------------------------------------------------------------

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case TurnedAway(caller, cause):
                    self._turned_away(caller, cause)
                case Audio(on=False):
                    self._audio.join(False)
                    self._put(action)
                case Do() | Look() | Audio():
                    self._put(action)
                case _:
                    self._tell(1, action)
        self._moved()

    def _put(self, action: Action) -> None:
        once = isinstance(action, Look) or (isinstance(action, Do) and action.purpose == "refuse")
        if not once or action not in self._queue:
            self._queue.append(action)
        self._some.set()

    async def _run(self) -> None:
        while True:
            if not self._queue:
                self._some.clear()
                if not await self._waited():
                    continue
            action = self._queue.popleft()
            try:
                await self._do(action)
            except AtError as error:
                self.refused_commands += 1
                match action:
                    case Do(purpose=purpose):
                        self._act(self.call.result(purpose, False, error.result))
                    case Audio(on=True) if self.call.phase != "idle":  # not ready yet
                        asyncio.get_running_loop().call_later(LOOK_S, self._put, action)
            except Exception:  # a fault of ours, which must not be the end of all calls
                log.exception("a %s failed", type(action).__name__)

    async def _waited(self) -> bool:
        """Until there is something to do, at most until it is time to look while there is a call."""
        try:
            async with asyncio.timeout(None if self.call.phase == "idle" else LOOK_S):
                await self._some.wait()
        except TimeoutError:
            self._put(Look())
        return bool(self._queue)

    async def _do(self, action: Action) -> None:
        match action:
            case Do(command, purpose, timeout_s):
                answer = await self.at.command(command, timeout_s=timeout_s)
                self._act(self.call.result(purpose, True, " ".join(answer.lines)))
            case Look():
                answer = await self.at.command("AT+CLCC")
                self._act(self.call.listed(gsm_codes.calls(answer.lines)))
            case Audio(on):
                if on and self.call.phase == "idle":
                    return
                await self.at.command(self._join[0 if on else 1])
                if on and self.call.phase != "idle":
                    self._audio.join(True)
