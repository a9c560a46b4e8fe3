"""The first steps: zone, lines, number, agents, phones, and the word that the site is set up."""

from __future__ import annotations

from collections.abc import Mapping

from textual_admin import firstrun
from textual_admin.firstrun import TITLES, Step
from textual_admin.lang import N_, _
from textual_admin.panels.panel import Line, TablePanel
from textual_admin.store import Store
from textual_admin.table import Cell, of
from textual_admin.words import STEP_DONE, STEP_OPEN


class Setup(TablePanel):
    """A row for each step; Enter opens it."""

    NAME = "setup"
    TITLE = N_("Set up")
    HELP = N_(
        "The first steps, from the machine as it was installed to a site that serves callers. Enter opens a step; "
        "it can be opened again at any time. Passwords and PINs that are made here are shown once and kept as hashes. "
        "Going over from the simulator to a card's lines changes onecall.toml and restarts the services; it asks first."
    )
    KEYS = (("↵", N_("Open")),)
    FILTERS = False
    HEADS = (N_("Step"), N_("State"), N_("Now"))

    def lines(self, store: Store) -> Mapping[str, Line]:
        """All steps, once the service has told how they are."""
        return {step.name: _line(step) for step in _steps(store)}

    def sum_up(self, store: Store) -> str:
        """What to do next."""
        return firstrun.advice(_steps(store)) if store.setup else _("The service is asked how the site is set up…")


def _steps(store: Store) -> list[Step]:
    return firstrun.steps(store.setup, store.live.phones if store.live else ()) if store.setup else []


def _line(step: Step) -> Line:
    word = STEP_DONE if step.done else STEP_OPEN
    return Line(step, (Cell(_(TITLES[step.name]), "bold"), of(word), Cell(step.now)))
