"""The machine's settings file: one TOML file, one table a process, read once at start.

Every error names the file, the key and what is allowed.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import attrs
from cattrs import BaseValidationError, Converter, ForbiddenExtraKeysError, transform_error

T = TypeVar("T")


class SettingsError(Exception):
    """A settings file that cannot be used; the text says where and what is allowed."""


def load(path: Path, table: str, kind: type[T]) -> T:
    """Read ``[table]`` of the TOML file at ``path`` as the attrs class ``kind``; without the table it has its defaults.

    Raises ``SettingsError``.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    part = data.get(table, {})
    if not isinstance(part, dict):
        raise SettingsError(f"{path}: {table}: must be a table [{table}], is {part!r}")
    return structure(part, kind, f"{path}: [{table}]")


def structure(data: dict[str, Any], kind: type[T], where: str) -> T:
    """``data`` as the attrs class ``kind``. Raises ``SettingsError`` whose lines tell ``where`` and the key."""
    try:
        return _converter.structure(data, kind)
    except BaseValidationError as error:
        lines = transform_error(error, format_exception=_say)
        raise SettingsError("\n".join(f"{where}: {line}" for line in lines)) from None


def _say(error: BaseException, kind: type[Any] | None) -> str:
    match error:
        case ForbiddenExtraKeysError():
            allowed = ", ".join(f.alias for f in attrs.fields(error.cl))
            return f"unknown key {', '.join(sorted(error.extra_fields))} (allowed: {allowed})"
        case KeyError():
            return f"key {error} is missing"
        case AttributeError():  # what cattrs meets when it looks for the items of something that has none
            return "must be a table"
        case ValueError() | TypeError():
            return f"{error} (must be {getattr(kind, '__name__', kind)})" if kind else str(error)
        case _:
            return repr(error)


_converter = Converter(forbid_extra_keys=True)


def _path(value: Any, _: Any) -> Path:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a path")
    return Path(value)


def _number(value: Any, _: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not allowed")
    return float(value)


# Not as decorators: cattrs of Debian 12 (23.1) does not take them so.
_converter.register_structure_hook(Path, _path)
_converter.register_structure_hook(float, _number)


def _strict(kind: type[Any]) -> None:
    """TOML knows its types: a string where a number belongs is an error, not something to convert."""

    def check(value: Any, _: Any) -> Any:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise TypeError(f"{value!r} is not allowed")
        return value

    _converter.register_structure_hook(kind, check)


for _kind in (str, int, bool):
    _strict(_kind)
