"""Opening one of the first steps: its dialog, what is told the service or the machine, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textual.app import App

from textual_admin import firstrun, machine
from textual_admin.dialogs import Question
from textual_admin.feed import Feed
from textual_admin.firstrun import Facts, Name
from textual_admin.forms import Field, Form, Notice, Values
from textual_admin.lang import _
from textual_admin.machine import MachineError, NotAllowedError
from textual_admin.ordering import told


class Settling:
    """``open`` a step, in a worker: its dialogs are waited for."""

    def __init__(self, app: App[None], feed: Feed, config: Path | None) -> None:
        """``config`` is the settings file whose lines can be changed; None: none can."""
        self._app, self._feed, self._config = app, feed, config
        self._steps: Mapping[Name, Callable[[Facts, int], Awaitable[None]]] = {
            "zone": self._zone,
            "lines": self._lines,
            "number": self._number,
            "agents": self._agent,
            "phones": self._phone,
            "done": self._done,
        }

    async def open(self, name: Name, facts: Facts, calls: int) -> None:
        """``calls`` are up now, as far as a step would end them."""
        self._app.clear_notifications()  # what was said before would cover the dialog
        await self._steps[name](facts, calls)

    async def _ask(self, question: str) -> bool:
        self._app.clear_notifications()
        return await self._app.push_screen_wait(Question(question))

    async def _tell(self, text: str) -> None:
        """What must be read: nothing covers it, and it stays until it is closed."""
        self._app.clear_notifications()
        await self._app.push_screen_wait(Notice(text))

    async def _call(self, method: str, **params: Any) -> Any:
        return await told(self._app, self._feed.call(method, **params))

    async def _zone(self, facts: Facts, calls: int) -> None:
        if self._config is None or facts.lines is None:
            self._app.notify(firstrun.why_unknown(facts), severity="warning", markup=False)
            return
        zones, chosen = facts.lines.zones, ""

        async def send(values: Values) -> bool:
            nonlocal chosen
            if values["zone"] not in zones:
                self._app.notify(_("there are the zones {}").format(", ".join(zones)), severity="error")
                return False
            chosen = values["zone"]
            return True

        note = _("Whose tones callers hear, and whose ringing and caller's number analog lines have:")
        names = "\n".join(f"  {name}  {title}" for name, title in zones.items())
        fields = [Field("zone", _("Zone"), facts.lines.zone)]
        if not await self._form(_("Zone"), f"{note}\n{names}", fields, send) or chosen == facts.lines.zone:
            return
        question = "\n".join([_("Use the zone {} ({})?").format(chosen, zones[chosen]), *_consequences(calls)])
        if await self._ask(question):
            await self._change(self._config, machine.use_zone(chosen))

    # -- lines ---------------------------------------------------------------------------------------------------------

    async def _lines(self, facts: Facts, calls: int) -> None:
        if self._config is None or facts.lines is None:
            self._app.notify(firstrun.why_unknown(facts), severity="warning", markup=False)
            return
        kind = machine.other(facts.lines)
        signalling: str | None = ""
        if kind == "dahdi" and facts.lines.cards:
            signalling = await self._signalling()
        if signalling is not None and await self._ask(_question(kind, bool(facts.lines.cards), calls)):
            await self._change(self._config, machine.use_lines(kind, firstrun.published(facts), signalling))

    async def _signalling(self) -> str | None:
        """What the exchange speaks on a card's digital spans; None: it was left."""
        chosen: str | None = None

        async def send(values: Values) -> bool:
            nonlocal chosen
            if values["signalling"] not in machine.SIGNALLING:
                allowed = ", ".join(machine.SIGNALLING)
                self._app.notify(_("the signalling must be one of {}").format(allowed), severity="error")
                return False
            chosen = values["signalling"]
            return True

        note = _("What the exchange speaks on E1 lines: pri (ISDN, Q.931), or r2 (China's No. 1 signalling, MFC-R2).")
        await self._form(_("Lines"), note, [Field("signalling", _("Signalling"), machine.SIGNALLING[0])], send)
        return chosen

    async def _change(self, config: Path, words: Sequence[str]) -> None:
        """Have the settings changed by the command, and the services restart; says what to type where it may not."""
        try:
            await machine.change(config, *words)
        except NotAllowedError as error:
            await self._by_hand(str(error), machine.CHANGE.format(" ".join(words)), machine.RESTART)
            return
        except MachineError as error:
            await self._tell(str(error))
            return
        try:
            restarted = await machine.restart(config)
        except MachineError as error:
            await self._by_hand(_("The settings are changed, but the services did not restart: {}").format(error),
                                machine.RESTART)  # fmt: skip
            return
        later = _("The settings are changed; they hold from the next start of the services on.")
        self._app.notify(_("The settings are changed. The services restart.") if restarted else later)

    async def _by_hand(self, why: str, *commands: str) -> None:
        await self._tell("\n\n".join([why, _("It can be done in a terminal:"), *(f"  {words}" for words in commands)]))

    # -- number, agents, phones ----------------------------------------------------------------------------------------

    async def _number(self, facts: Facts, calls: int) -> None:
        first = next(iter(firstrun.published(facts)), "")
        rows = {row["pattern"]: row for row in facts.numbers}
        now = rows.get(first, {"destination": "menu:main", "name": ""})

        async def send(values: Values) -> bool:
            method = "numbers.change" if values["pattern"] in rows else "numbers.add"
            return await self._call(method, **values) is not None

        fields = [
            Field("pattern", _("Number"), first),
            Field("destination", _("Leads to"), now["destination"]),
            Field("name", _("Name"), now["name"]),
        ]
        note = _(
            "A number that is there is changed, another is added. menu:main is the menu, queue:service the agents."
        )
        await self._form(_("Number"), note, fields, send)

    async def _agent(self, facts: Facts, calls: int) -> None:
        known = {row["number"] for row in facts.agents}
        made = ""

        async def send(values: Values) -> bool:
            nonlocal made
            number, name, pin = values["number"], values["name"], values["pin"]
            if pin != values["again"]:
                self._app.notify(_("the two PINs are not the same"), severity="error")
                return False
            if number in known:
                if not await self._ask(_("Agent {} is there already. Give him this PIN (and name)?").format(number)):
                    return False
                secret = {"pin": pin} if pin else {"new_pin": True}
                answer = await self._call("agents.change", number=number, name=name or None, **secret)
            else:
                answer = await self._call("agents.add", number=number, name=name, pin=pin or None)
            if answer is not None and answer["pin"]:
                made = _("The PIN of agent {} is {}. It is not shown again.").format(number, answer["pin"])
            return answer is not None

        fields = [
            Field("number", _("Agent's number"), next((r["number"] for r in facts.agents if not r["has_pin"]), "")),
            Field("name", _("Name")),
            Field("pin", "PIN", secret=True),
            Field("again", _("PIN again"), secret=True),
        ]
        note = _("Without a PIN one is made at random and shown once.")
        if await self._form(_("Agents"), note, fields, send) and made:
            await self._tell(made)

    async def _phone(self, facts: Facts, calls: int) -> None:
        known = {row["account"] for row in facts.seats}
        made = ""

        async def send(values: Values) -> bool:
            nonlocal made
            account, outside = values["account"], values["outside"] == "y"
            if account in known:
                if not await self._ask(
                    _("Phone {} is there already. Make a new password? With the old one it can no longer register.")
                    .format(account)
                ):  # fmt: skip
                    return False
                display = values["display"] or None
                answer = await self._call(
                    "seats.change", account=account, display=display, outside=outside, new_password=True
                )
            else:
                answer = await self._call("seats.add", account=account, display=values["display"], outside=outside)
            if answer is not None:
                made = _("Phone {}: the password is {}. It is not shown again.").format(account, answer["password"])
            return answer is not None

        fields = [
            Field("account", _("Account")),
            Field("display", _("Name")),
            Field("outside", _("May call outside (y/n)"), "n", yes=True),
        ]
        note = _("The password is made at random and shown once.")
        if await self._form(_("Phones"), note, fields, send):
            await self._tell(made)

    async def _form(
        self, title: str, note: str, fields: list[Field], send: Callable[[Values], Awaitable[bool]]
    ) -> bool:
        return await self._app.push_screen_wait(Form(title, note, fields, send))

    # -- the end -------------------------------------------------------------------------------------------------------

    async def _done(self, facts: Facts, calls: int) -> None:
        if facts.done:
            self._app.notify(_("the site is set up already"))
        elif await self._ask(_("Is the site set up? The console then begins with the overview.")):
            await self._call("site.setup_done")


def _question(kind: str, found: bool, calls: int) -> str:
    """What going over to other lines does."""
    what = {
        "dahdi": _("Use the card's lines? onecall.toml gets every E1 span (e1, e2 …) and analog port that is found."),
        "modem": _("Use modems? Every serial port is asked; voice modems (po1 …) and GSM modules (gsm1 …) are lines."),
        "sim": _("Use the simulator? onecall.toml gets the line e1 of the simulated exchange; no real call comes in."),
    }[kind]
    parts = [
        what,
        _("Lines that stand there are replaced."),
        *_consequences(calls),
    ]
    if kind == "dahdi" and not found:
        parts.insert(1, _("No card was found: until there is one, nobody can call in."))
    return "\n".join(parts)


def _consequences(calls: int) -> Sequence[str]:
    """What every change of the settings brings."""
    return (
        _("The file before is kept as onecall.toml.old."),
        _("Then the services restart, and calls that are up end: {}.").format(calls),
    )
