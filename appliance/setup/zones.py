"""The zones a site can be in, as they are called, and the change of the settings to one of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.api.locale import Translate
from appliance.setup import edit
from hw.zones import DEFAULT


def titles(_: Translate) -> dict[str, str]:
    """Every zone of ``hw.zones`` by its name."""
    return {
        "cn": _("China"),
        "hk": _("Hong Kong"),
        "tw": _("Taiwan"),
        "sg": _("Singapore"),
        "us": _("North America"),
        "uk": _("United Kingdom"),
        "de": _("Germany"),
        "fr": _("France"),
    }


def now(tables: Mapping[str, Any]) -> str:
    """The zone that the settings name."""
    return str(tables.get("line", {}).get("zone", DEFAULT))


def use_zone(text: str, name: str) -> str:
    """The settings' text with another zone. Raises ``EditError``."""
    return edit.set_keys(text, "line", {"zone": name})
