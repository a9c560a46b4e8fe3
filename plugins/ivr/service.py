"""A call in a menu: carries out what the engine says and tells it what the caller pressed."""

from __future__ import annotations

from typing import ClassVar, NoReturn

from attrs import frozen

from appliance.plugin import Call, Event
from plugins.ivr import engine
from plugins.ivr.engine import Ask, Choose, Go, Hangup, Keep, Say, Speak, State, Step
from plugins.ivr.library import Library
from plugins.ivr.menu import MenuError
from plugins.ivr.settings import IvrSettings

#: In the call's data: how many menus in a row the caller went through without a key.
_SILENT = "ivr.silent_menus"


@frozen
class MenuEntered(Event):
    """A caller is in a menu, at ``node``; ``version`` says which state of the file he gets to the end."""

    kind: ClassVar[str] = "menu.entered"
    menu: str
    version: str
    node: str


@frozen
class MenuLeft(Event):
    """He left it from ``node`` for ``to``, a destination as the file has it (without what he typed) or ``hangup``."""

    kind: ClassVar[str] = "menu.left"
    menu: str
    version: str
    node: str
    to: str


@frozen
class MenuBroken(Event):
    """A menu's file cannot be used as it is; its last good version, or the default destination, serves."""

    kind: ClassVar[str] = "menu.broken"
    menu: str
    error: str


async def serve(call: Call, argument: str, library: Library, settings: IvrSettings) -> None:
    """Guide a caller through a menu: ``argument`` is its name, or NAME/NODE to enter at a node with the data kept."""
    await call.answer()
    name, _, node = argument.partition("/")
    try:
        menu = library.get(name)
    except MenuError:  # the library has told why
        call.go(settings.default)
    taken = engine.start(menu, node, call.data.get(_SILENT, 0))
    call.emit(MenuEntered(menu.name, menu.version, taken.state.at))
    silent = True
    while True:
        _prepare(call, taken)
        if isinstance(taken.last, Go | Hangup):
            _leave(call, taken.state, taken.last)
        pressed = await _wait(call, taken.last)
        silent = silent and not pressed
        call.data[_SILENT] = call.data.get(_SILENT, 0) + 1 if silent else 0
        taken = engine.step(taken.state, pressed)


def _prepare(call: Call, taken: Step) -> None:
    for action in taken.first:
        match action:
            case Keep(name, value):
                call.data[name] = value
            case Speak("other"):
                call.language = "en" if call.language == "zh" else "zh"
            case Speak(language):
                call.language = language


async def _wait(call: Call, action: Say | Choose | Ask) -> str:
    """Let the caller hear something, and what he presses."""
    match action:
        case Say(prompt, until_digit):
            return await call.say(prompt, until_digit=until_digit)
        case Choose(prompts, timeout_s):
            for prompt in prompts:
                if key := await call.say(prompt, until_digit=True):
                    return key
            return await call.digit(timeout_s)
        case Ask(before, prompt, most, end, timeout_s):
            for said in before:
                await call.say(said)
            return await call.ask(prompt, digits=range(1, most + 1), end=end, timeout_s=timeout_s)


def _leave(call: Call, state: State, action: Go | Hangup) -> NoReturn:
    to = action.destination if isinstance(action, Go) else "hangup"
    call.emit(MenuLeft(state.menu.name, state.menu.version, state.at, to))
    if isinstance(action, Go):
        call.go(engine.filled(action.destination, call.data) or action.otherwise)
    call.hangup(action.cause)
