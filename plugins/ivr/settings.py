"""The ``[ivr]`` table of onecall.toml."""

from __future__ import annotations

from attrs import field, frozen, validators


@frozen
class IvrSettings:
    """What holds for all menus; a menu file may name another operator or operator key."""

    #: The key that leads to a person from every node.
    operator_key: str = field(default="0", validator=validators.matches_re(r"[0-9*#]"))
    #: Where that key leads, and where a caller ends who does not choose.
    operator: str = field(default="queue:service", validator=validators.matches_re(r"(?!menu:)[a-z][a-z0-9_-]*:.+"))
    #: Where a call goes when its menu cannot be used.
    default: str = field(default="queue:service", validator=validators.matches_re(r"(?!menu:)[a-z][a-z0-9_-]*:.+"))
