"""What a backup says about itself: the first member of its tar file is the manifest, the last the sums.

The members between are ``PART/PATH``. A part is a folder or file of the machine: ``etc``, ``var``, ``recordings`` when
they are outside ``var``, ``store`` (the database, as one file), ``config`` when onecall.toml is outside ``etc``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath

import attrs
from attrs import frozen

from hw.settings import SettingsError, structure

FORMAT = 1
MANIFEST = "manifest.json"
#: As ``sha256sum --check`` reads it.
SUMS = "SHA256SUMS"
PARTS = ("config", "etc", "store", "var", "recordings")


class BackupError(Exception):
    """A backup that cannot be made, read or restored; the text says why and what to do."""


@frozen
class Manifest:
    """``version`` of the OneCall that made it, ``made_at`` ISO 8601 with its zone; ``parts``: where each belongs."""

    format: int
    version: str
    made_at: str
    host: str
    parts: dict[str, str]
    files: int
    bytes: int


def to_json(manifest: Manifest) -> bytes:
    """The member's octets."""
    return json.dumps(attrs.asdict(manifest), ensure_ascii=False, indent=2).encode() + b"\n"


def from_json(data: bytes, where: str) -> Manifest:
    """Raises ``BackupError`` for what is no manifest, or one of a format that this version does not read."""
    try:
        manifest = structure(json.loads(data), Manifest, where)
    except (ValueError, SettingsError) as error:
        raise BackupError(f"{where}: is no backup of OneCall: {error}") from None
    if manifest.format != FORMAT:
        raise BackupError(
            f"{where}: has format {manifest.format}, this version reads {FORMAT}: restore it with OneCall"
            f" {manifest.version} or newer"
        )
    wrong = [f"{part} = {path}" for part, path in manifest.parts.items() if part not in PARTS or not _whole(path)]
    if wrong:
        raise BackupError(f"{where}: {MANIFEST}: {', '.join(wrong)}: must be one of {', '.join(PARTS)} at a full path")
    return manifest


def member_place(name: str, where: str, parts: Mapping[str, str]) -> tuple[str, PurePosixPath]:
    """The part of a member and its path there. Raises ``BackupError`` for one that would lead elsewhere."""
    path = PurePosixPath(name)
    part, *rest = path.parts or ("",)
    if part not in parts or path.is_absolute() or ".." in rest or str(path) != name:
        raise BackupError(f"{where}: member {name!r} belongs to no part of a backup")
    return part, PurePosixPath(*rest)


def _whole(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.is_absolute() and ".." not in pure.parts and len(pure.parts) > 2
