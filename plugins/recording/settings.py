"""``[recording]`` of onecall.toml."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen


@frozen
class RecordingSettings:
    """What is recorded, and where to."""

    enabled: bool = True
    #: Whether talks between two of our own phones are recorded too.
    internal: bool = False
    #: Folder of the recordings; relative: below the folder for what the box makes.
    folder: Path = Path("recordings")
