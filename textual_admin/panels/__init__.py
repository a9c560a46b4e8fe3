"""The screens of the console, a file each, and their order on the keys 1 to 8."""

from __future__ import annotations

from textual_admin.panels.agents import Agents
from textual_admin.panels.calls import Calls
from textual_admin.panels.events import Events
from textual_admin.panels.overview import Overview
from textual_admin.panels.panel import Panel
from textual_admin.panels.phones import Phones
from textual_admin.panels.queues import Queues
from textual_admin.panels.setup import Setup
from textual_admin.panels.trunks import Trunks

PANELS: tuple[type[Panel], ...] = (Overview, Trunks, Calls, Queues, Agents, Phones, Events, Setup)

__all__ = ["PANELS", "Panel"]
