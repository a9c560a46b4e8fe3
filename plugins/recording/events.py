"""What happens to recordings. ``path`` is the file's full name."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from appliance.plugin import Event


@frozen
class RecordingStarted(Event):
    """The contact is being recorded."""

    kind: ClassVar[str] = "recording.started"
    path: str


@frozen
class RecordingMade(Event):
    """The file is whole; ``ms`` is its length."""

    kind: ClassVar[str] = "recording.made"
    path: str
    ms: int


@frozen
class RecordingFailed(Event):
    """There is no recording, or none yet: why."""

    kind: ClassVar[str] = "recording.failed"
    path: str
    reason: str
