"""States as a symbol, a word and a tone: a state is never told by its colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

from textual_admin.lang import N_, _

#: What a colour means; the theme says which colour (``theme.COLOURS``).
Tone = Literal["", "good", "busy", "warn", "bad", "dim", "bold"]


@frozen
class State:
    """``symbol`` is one cell wide; ``word`` is translated where it is shown."""

    symbol: str
    word: str
    tone: Tone

    def text(self) -> str:
        """Symbol and word in the present language."""
        return f"{self.symbol} {_(self.word)}"


CHANNELS: Mapping[str, State] = {
    "idle": State("·", N_("idle"), "dim"),
    "busy": State("■", N_("busy"), "good"),
    "blocked": State("×", N_("blocked"), "warn"),
    "alarm": State("!", N_("alarm"), "bad"),
}
DRAINING = State("…", N_("draining"), "warn")
GROUP_OPEN = State("▲", N_("in service"), "good")
DIRECTIONS: Mapping[str, str] = {"both": N_("both ways"), "in": N_("incoming"), "out": N_("outgoing")}
TRUNK_UP = State("▲", N_("up"), "good")
TRUNK_DOWN = State("!", N_("down"), "bad")

CALLS: Mapping[str, State] = {
    "offered": State(">", N_("coming in"), "busy"),
    "ringing": State("~", N_("ringing"), "busy"),
    "service": State("#", N_("in a service"), ""),
    "queued": State("…", N_("waiting"), "warn"),
    "talking": State("■", N_("talking"), "good"),
    "held": State("=", N_("on hold"), "warn"),
}

AGENTS: Mapping[str, State] = {
    "out": State("-", N_("logged out"), "dim"),
    "free": State("o", N_("ready"), "good"),
    "paused": State("=", N_("paused"), "warn"),
    "offered": State(">", N_("offered a call"), "busy"),
    "ringing": State("~", N_("ringing"), "busy"),
    "talking": State("■", N_("talking"), "good"),
    "held": State("=", N_("on hold"), "warn"),
    "wrapup": State("+", N_("wrap-up"), "busy"),
    "busy": State("x", N_("own call"), "warn"),
}

PHONE_BUSY = State("■", N_("in a call"), "good")
PHONE_THERE = State("o", N_("registered"), "good")
PHONE_GONE = State("!", N_("not there"), "dim")

STEP_DONE = State("✓", N_("done"), "good")
STEP_OPEN = State("○", N_("open"), "warn")

PROCESSES: Mapping[str, str] = {"line": N_("line"), "phone": N_("phone"), "control": N_("control")}

STRATEGIES: Mapping[str, str] = {
    "longest-idle": N_("longest idle"),
    "hunting": N_("hunting"),
    "ring-all": N_("ring all"),
}


def state(words: Mapping[str, State], name: str) -> State:
    """The word for a state; one that a newer service has and we do not know is shown as it is."""
    return words.get(name, State("?", name, "warn"))
