"""A menu as data: nodes and where each leads, read from TOML and checked so that no caller can be trapped in it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from typing import Any, Literal

from attrs import field, frozen, validators

from appliance.plugin import SettingsError, structure
from plugins.ivr.settings import IvrSettings

KEYS = "0123456789*#"
_DESTINATION = re.compile(r"[a-z][a-z0-9_-]*:.+")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")


class MenuError(Exception):
    """A menu that cannot be used; one line for each fault, naming file, node, key and what is allowed."""


@frozen
class SayNode:
    """Say a prompt and go on. A key stops it and counts at the next menu."""

    prompt: str
    next: str


@frozen
class MenuNode:
    """Say a prompt and wait for one key. No key or a wrong one: said again ``repeat`` times, then ``otherwise``."""

    prompt: str
    keys: dict[str, str]
    #: Seconds to wait after the prompt.
    timeout_s: float = field(default=5.0, validator=[validators.ge(1), validators.le(60)])
    repeat: int = field(default=2, validator=[validators.ge(0), validators.le(9)])
    #: Said before the prompt is said again after a wrong key.
    invalid: str = "ivr.invalid"
    #: Empty: the operator.
    otherwise: str = ""


@frozen
class AskNode:
    """Collect keys into the call's data under ``save``: from ``least`` to ``most`` of them, or until ``end``."""

    prompt: str
    save: str
    next: str
    least: int = field(default=1, validator=[validators.ge(1), validators.le(40)])
    most: int = field(default=20, validator=[validators.ge(1), validators.le(40)])
    end: Literal["#", "*", ""] = "#"
    #: Seconds to wait for each key.
    timeout_s: float = field(default=5.0, validator=[validators.ge(1), validators.le(60)])
    repeat: int = field(default=2, validator=[validators.ge(0), validators.le(9)])
    invalid: str = "ivr.invalid"
    otherwise: str = ""


@frozen
class LanguageNode:
    """Speak this language from now on; ``other`` is the one of the two that is not spoken now."""

    language: Literal["zh", "en", "other"]
    next: str


@frozen
class GoNode:
    """Leave for another service, with ``data`` for it. ``{name}`` in the destination is what an ask node saved."""

    destination: str
    data: dict[str, str] = field(factory=dict)


@frozen
class HangupNode:
    """Say good-bye, if there is a prompt, and hang up with a Q.850 cause."""

    prompt: str = ""
    cause: int = field(default=16, validator=[validators.ge(1), validators.le(127)])


Node = SayNode | MenuNode | AskNode | LanguageNode | GoNode | HangupNode
_KINDS: dict[str, type[Any]] = {
    "say": SayNode, "menu": MenuNode, "ask": AskNode, "language": LanguageNode, "go": GoNode, "hangup": HangupNode,
}  # fmt: skip


@frozen
class _Head:
    start: str
    operator: str | None = None
    operator_key: str | None = None
    nodes: dict[str, dict[str, Any]] = field(factory=dict)


@frozen
class Menu:
    """One menu, usable as it is. ``version`` tells two states of its file apart."""

    name: str
    version: str
    start: str
    operator: str
    operator_key: str
    nodes: dict[str, Node]


def read(name: str, data: bytes, settings: IvrSettings) -> Menu:
    """The menu in a TOML file's octets. Raises ``MenuError``."""
    file = f"{name}.toml"
    try:
        table = tomllib.loads(data.decode())
        head = structure(table, _Head, file)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MenuError(f"{file}: not TOML: {error}") from None
    except SettingsError as error:
        raise MenuError(str(error)) from None
    nodes: dict[str, Node] = {}
    faults = []
    for node, rows in head.nodes.items():
        try:
            nodes[node] = _node(rows, f"{file}: node {node}")
        except SettingsError as error:
            faults.append(str(error))
    menu = Menu(
        name=name,
        version=hashlib.sha256(data).hexdigest()[:12],
        start=head.start,
        operator=settings.operator if head.operator is None else head.operator,
        operator_key=settings.operator_key if head.operator_key is None else head.operator_key,
        nodes=nodes,
    )
    # What leads to a node that could not be read is not a fault of its own: tell the first cause only.
    if faults := faults or [f"{file}: {problem}" for problem in problems(menu)]:
        raise MenuError("\n".join(faults))
    return menu


def _node(rows: dict[str, Any], where: str) -> Node:
    kind = rows.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise SettingsError(f"{where}: kind: {kind!r} is not allowed (allowed: {', '.join(_KINDS)})")
    node: Node = structure({key: value for key, value in rows.items() if key != "kind"}, _KINDS[kind], where)
    return node


def targets(node: Node) -> Iterator[tuple[str, str]]:
    """(key of the file, target) of everything a node leads to; an empty ``otherwise``, the operator, left out."""
    match node:
        case SayNode() | LanguageNode():
            yield "next", node.next
        case MenuNode():
            yield from ((f"keys.{key}", target) for key, target in node.keys.items())
        case AskNode():
            yield "next", node.next
        case GoNode():
            yield "destination", node.destination
    if isinstance(node, MenuNode | AskNode) and node.otherwise:
        yield "otherwise", node.otherwise


def unattended(node: Node) -> str:
    """Where a caller comes who never presses a key; empty for the operator and at the end."""
    match node:
        case SayNode() | LanguageNode():
            return node.next
        case MenuNode() | AskNode():
            return node.otherwise
        case GoNode():
            return node.destination
        case HangupNode():
            return ""


def is_destination(target: str) -> bool:
    """Whether a target leaves the menu (``queue:service``) rather than naming one of its nodes."""
    return ":" in target


def placeholders(destination: str) -> list[str]:
    """Names in braces of a destination."""
    return _PLACEHOLDER.findall(destination)


def problems(menu: Menu) -> Iterator[str]:
    """Everything that is wrong with a menu, a line each: where and what is allowed."""
    names = ", ".join(menu.nodes) or "none"
    if menu.start not in menu.nodes:
        yield f"start: there is no node {menu.start!r} (allowed: {names})"
    if _DESTINATION.fullmatch(menu.operator) is None or menu.operator.startswith("menu:") or "{" in menu.operator:
        yield f"operator: {menu.operator!r} is not allowed (allowed: a destination like queue:service, but no menu)"
    if len(menu.operator_key) != 1 or menu.operator_key not in KEYS:
        yield f"operator_key: {menu.operator_key!r} is not allowed (allowed: one of {KEYS})"
    saved = {node.save for node in menu.nodes.values() if isinstance(node, AskNode)}
    for name, node in menu.nodes.items():
        for key, target in targets(node):
            if fault := _target_fault(menu, node, target, saved):
                yield f"node {name}: {key}: {fault}"
        if isinstance(node, MenuNode):
            for pressed in node.keys:
                if len(pressed) != 1 or pressed not in KEYS or pressed == menu.operator_key:
                    reason = f"allowed: {KEYS} without {menu.operator_key}, which leads to the operator"
                    yield f"node {name}: keys: {pressed!r} is not allowed ({reason})"
        if isinstance(node, AskNode) and node.least > node.most:
            yield f"node {name}: least: {node.least} is not allowed (allowed: 1 to most, {node.most})"
        if circle := _circle(menu, name):
            yield f"node {name}: a caller who presses nothing goes round for ever: {' → '.join(circle)}"


def _target_fault(menu: Menu, node: Node, target: str, saved: set[str]) -> str:
    if not is_destination(target) and not isinstance(node, GoNode):
        nodes = ", ".join(menu.nodes)
        return "" if target in menu.nodes else f"there is no node {target!r} (allowed: {nodes}, or SERVICE:ARGUMENT)"
    if _DESTINATION.fullmatch(target) is None:
        return f"{target!r} is no destination (allowed: SERVICE:ARGUMENT like queue:service, extension:{{number}})"
    if unknown := [name for name in placeholders(target) if name not in saved]:
        return f"nothing saves {{{unknown[0]}}} (saved by ask nodes: {', '.join(sorted(saved)) or 'nothing'})"
    if "{" in _PLACEHOLDER.sub("", target) or "}" in _PLACEHOLDER.sub("", target):
        return f"{target!r} has a brace without its partner (allowed: {{name}})"
    return ""


def _circle(menu: Menu, start: str) -> list[str]:
    """The way of a silent caller from ``start`` if it comes back to ``start``; nothing when it ends."""
    way = [start]
    while (at := unattended(menu.nodes[way[-1]])) in menu.nodes:
        if at in way:
            return [*way, start] if at == start else []
        way.append(at)
    return []


def prompts(menu: Menu) -> list[str]:
    """Every prompt id that a menu may say, each once."""
    found: dict[str, None] = {}
    for node in menu.nodes.values():
        for name in ("prompt", "invalid"):
            if prompt := getattr(node, name, ""):
                found[prompt] = None
    return list(found)
