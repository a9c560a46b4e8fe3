"""The menu's interpreter: where the caller is and what he pressed, in; what to do next, out. No effect, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from attrs import field, frozen

from plugins.ivr.menu import (
    AskNode,
    GoNode,
    HangupNode,
    LanguageNode,
    Menu,
    MenuNode,
    SayNode,
    is_destination,
    placeholders,
)

#: So many menus in a row without a key, and the caller is taken to the operator: menus may lead to each other in a
#: circle.
SILENT_MENUS = 5


@frozen
class Say:
    """Say a prompt; answered with the key that stopped it, or nothing."""

    prompt: str
    until_digit: bool


@frozen
class Choose:
    """Say prompts and wait for one key; answered with it, or nothing."""

    prompts: tuple[str, ...]
    timeout_s: float


@frozen
class Ask:
    """Say prompts and collect keys; answered with them. ``before`` is said first and not stopped by a key."""

    before: tuple[str, ...]
    prompt: str
    most: int
    end: str
    timeout_s: float


@frozen
class Keep:
    """Put a value into the call's data."""

    name: str
    value: str


@frozen
class Speak:
    """Speak another language from now on."""

    language: Literal["zh", "en", "other"]


@frozen
class Go:
    """Leave the menu; ``destination`` may have names in braces, ``otherwise`` is where to go when one has no value."""

    destination: str
    otherwise: str


@frozen
class Hangup:
    """End the call with a Q.850 cause."""

    cause: int


#: The last action of a step is one of these: it waits for the caller, or it ends the menu.
Last = Say | Choose | Ask | Go | Hangup
Action = Last | Keep | Speak


@frozen
class State:
    """Where a caller is: at which node of which menu (this version of it), and how often he was asked again there."""

    menu: Menu
    at: str = ""
    tries: int = 0


@frozen
class Step:
    """What follows: the new state, quick actions in order, and the one that waits or ends."""

    state: State
    last: Last
    first: tuple[Keep | Speak, ...] = field(factory=tuple)


def start(menu: Menu, node: str = "", silent_menus: int = 0) -> Step:
    """Enter a menu at its start or at ``node``; ``silent_menus`` is how many went by without a key before."""
    if silent_menus > SILENT_MENUS:
        return Step(State(menu, menu.start), Go(menu.operator, menu.operator))
    return _enter(menu, node if node in menu.nodes else menu.start)


def step(state: State, pressed: str) -> Step:
    """Go on: ``pressed`` is what the caller pressed in answer to the last action, nothing when he did not."""
    menu = state.menu
    if pressed == menu.operator_key:
        return _leave(menu, state.at, menu.operator)
    match menu.nodes[state.at]:
        case SayNode() as say:
            return _enter(menu, say.next, pressed)
        case MenuNode() as node:
            return _chosen(state, node, pressed)
        case AskNode() as ask:
            return _entered(state, ask, pressed)
        case HangupNode() as end:
            return Step(state, Hangup(end.cause))
        case node:
            raise ValueError(f"node {state.at} of menu {menu.name} does not wait for anything: {node}")


def filled(destination: str, data: Mapping[str, Any]) -> str | None:
    """``destination`` with the call's data in place of names in braces; None when one has no value."""
    for name in placeholders(destination):
        if not (value := data.get(name)):
            return None
        destination = destination.replace(f"{{{name}}}", str(value))
    return destination


def _enter(menu: Menu, target: str, key: str = "", first: tuple[Keep | Speak, ...] = (), last_at: str = "") -> Step:
    """Come to ``target``; ``key`` was pressed ahead of the next menu, ``first`` is to be done before."""
    if is_destination(target):
        return _leave(menu, last_at or menu.start, target, first)
    state = State(menu, target)
    match menu.nodes[target]:
        case SayNode() as say:
            if key:
                return _enter(menu, say.next, key, first, target)
            return Step(state, Say(say.prompt, until_digit=not _asks_next(menu, say.next)), first)
        case MenuNode() as node:
            if key in node.keys:
                return _enter(menu, node.keys[key], "", first, target)
            return Step(state, Choose((node.prompt,), node.timeout_s), first)
        case AskNode() as ask:
            return Step(state, Ask((), ask.prompt, ask.most, ask.end, ask.timeout_s), first)
        case LanguageNode() as choice:
            return _enter(menu, choice.next, key, (*first, Speak(choice.language)), target)
        case GoNode() as go:
            return _leave(menu, target, go.destination, (*first, *(Keep(*item) for item in go.data.items())))
        case HangupNode() as end:
            last = Say(end.prompt, until_digit=True) if end.prompt else Hangup(end.cause)
            return Step(state, last, first)


def _leave(menu: Menu, at: str, destination: str, first: tuple[Keep | Speak, ...] = ()) -> Step:
    return Step(State(menu, at), Go(destination, menu.operator), first)


def _chosen(state: State, node: MenuNode, key: str) -> Step:
    if key in node.keys:
        return _enter(state.menu, node.keys[key], last_at=state.at)
    if state.tries >= node.repeat:
        return _enter(state.menu, node.otherwise or state.menu.operator, last_at=state.at)
    again = State(state.menu, state.at, state.tries + 1)
    return Step(again, Choose((node.invalid, node.prompt) if key else (node.prompt,), node.timeout_s))


def _entered(state: State, ask: AskNode, keys: str) -> Step:
    if ask.least <= len(keys) <= ask.most:
        return _enter(state.menu, ask.next, first=(Keep(ask.save, keys),), last_at=state.at)
    if state.tries >= ask.repeat:
        return _enter(state.menu, ask.otherwise or state.menu.operator, last_at=state.at)
    before = (ask.invalid,) if keys else ()
    again = State(state.menu, state.at, state.tries + 1)
    return Step(again, Ask(before, ask.prompt, ask.most, ask.end, ask.timeout_s))


def _asks_next(menu: Menu, target: str) -> bool:
    """Whether the keys pressed while a prompt is said belong to an ask node after it, not to a menu."""
    while (node := menu.nodes.get(target)) is not None and isinstance(node, SayNode | LanguageNode):
        target = node.next
    return isinstance(node, AskNode)
