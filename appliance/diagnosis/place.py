"""What the plugins' checks may know while the service is down: read from the settings file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from appliance.pluginmanager import Plugins
from appliance.settings import ControlSettings
from hw import settings as files

T = TypeVar("T")


class OfflinePlace:
    """A ``Place`` without a service."""

    def __init__(self, config: Path, settings: ControlSettings, plugins: Plugins) -> None:
        """``plugins`` are loaded; their prompts are gathered here."""
        self._config = config
        self.etc = settings.etc
        self.var = settings.var
        self.language: str = settings.language
        plugins.collect({}, settings.etc / "prompts")
        self.prompts: Mapping[str, Mapping[str, str]] = plugins.prompts.texts

    def settings(self, table: str, kind: type[T]) -> T:
        """A table of onecall.toml. Raises ``SettingsError``."""
        return files.load(self._config, table, kind)
