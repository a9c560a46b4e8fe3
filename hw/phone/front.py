"""Requests that belong to no call: who is it, may he, what does he want. What strangers send ends here."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from hw.messages import PhoneEvent, SipTrunk
from hw.phone import sdp
from hw.phone.dialog import reach, sequence
from hw.phone.registrar import Contact, FailureLimit, OutOfOrderError, Registrar
from hw.phone.stack import Message, Request
from hw.phone.text import Address, MalformedError
from hw.phone.transfer import replaced
from hw.phone.useragent import ALLOW, UserAgent

#: When neither Contact nor Expires says how long (RFC 3261 §10.2.1.1).
DEFAULT_EXPIRES_S = 3600
#: Methods of other RFCs that we do not do: 405; a method nobody knows is 501 (RFC 3261 §8.2.1, §21.5.2).
_REFUSED = ("MESSAGE", "PUBLISH", "UPDATE", "PRACK")


@frozen
class Caller:
    """An INVITE that may become a leg: over which ``line``, from whom, to whom, offering what (None: nothing yet)."""

    line: str
    called: str
    number: str
    name: str
    restricted: bool
    offer: sdp.Description | None


class Front:
    """Registrar and doorkeeper. ``admit`` gets each INVITE that may pass; ``now`` is a clock in s."""

    def __init__(
        self, agent: UserAgent, registrar: Registrar, bounds_s: tuple[int, int], *,
        emit: Callable[[PhoneEvent], None], admit: Callable[[Request, Caller], None], now: Callable[[], float],
    ) -> None:  # fmt: skip
        self.trunks: tuple[SipTrunk, ...] = ()
        self.failures = FailureLimit()
        self._agent = agent
        self._registrar = registrar
        self._least_s, self._most_s = bounds_s
        self._emit = emit
        self._admit = admit
        self._now = now

    def take(self, request: Request) -> None:
        """Answer a request or pass it on. Raises ``MalformedError`` (the agent answers 400)."""
        method = request.message.method
        match method:
            case "REGISTER":
                self._register(request)
            case "INVITE":
                self._invite(request)
            case "OPTIONS":
                request.reply(200, "OK", [*self._agent.capabilities(), ("Accept", "application/sdp")])
            case "SUBSCRIBE":
                request.reply(489, "Bad Event")
            case "NOTIFY" | "BYE" | "INFO" | "REFER" | "CANCEL":
                request.reply(481, "Call/Transaction Does Not Exist")
            case _ if method in _REFUSED:
                request.reply(405, "Method Not Allowed", [("Allow", ALLOW)])
            case _:
                request.reply(501, "Not Implemented", [("Allow", ALLOW)])

    # -- registration --------------------------------------------------------------------------------------------------

    def _register(self, request: Request) -> None:
        message = request.message
        account = self._prove(request, "authorization", 401, "Unauthorized", "WWW-Authenticate")
        if account is None:
            return
        if Address.parse(message.headers.get("to")).uri.user != account:
            self._refuse(request, account, "registers another's address")
            return
        call_id, seq = message.headers.get("call-id"), sequence(message)
        try:
            if message.headers.get("contact").strip() == "*":
                if message.headers.get("expires").strip() != "0":
                    raise MalformedError("Contact: * without Expires: 0")
                events = self._registrar.unregister_all(account, call_id=call_id, seq=seq)
            else:
                contacts = _contacts(message, self._most_s)
                if any(0 < contact.expires_s < self._least_s for contact in contacts):
                    request.reply(423, "Interval Too Brief", [("Min-Expires", str(self._least_s))])
                    return
                flow = reach(message, contacts[0].uri) if contacts else message.flow
                agent = message.headers.get("user-agent")[:80]
                events = self._registrar.register(
                    account, contacts, flow=flow, agent=agent, call_id=call_id, seq=seq, now=self._now()
                )
        except OutOfOrderError:
            request.reply(500, "Server Internal Error")
            return
        now = self._now()
        bound = self._registrar.bindings(account, now)
        lines = [("Contact", f"<{b.contact}>;expires={max(1, round(b.expires_at - now))}") for b in bound]
        request.reply(200, "OK", lines)
        for event in events:
            self._emit(event)

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _invite(self, request: Request) -> None:
        message = request.message
        trunk = self._trunk(message)
        account: str | None = None
        if trunk is None or message.headers.get("proxy-authorization"):
            account = self._prove(
                request, "proxy-authorization", 407, "Proxy Authentication Required", "Proxy-Authenticate"
            )
            if account is None:
                return
        if not self._understood(request):
            return
        try:
            offer = sdp.parse(message.body, message.flow.host) if message.body else None
        except sdp.SdpError as error:
            self._agent.count("sdp_refused")
            malformed = isinstance(error, sdp.MalformedSdpError)
            request.reply(*((400, "Bad Request") if malformed else (488, "Not Acceptable Here")))
            return
        line = trunk.name if trunk and account is None else ""
        self._admit(request, self._caller(message, line, account or "", offer))

    def _trunk(self, message: Message) -> SipTrunk | None:
        """The trunk with the source's address; its port may differ unless phones live at that address too."""
        flow = message.flow
        here = [trunk for trunk in self.trunks if trunk.host == flow.host]
        exact = next((trunk for trunk in here if (trunk.transport, trunk.port) == (flow.transport, flow.port)), None)
        if exact is None and here and not self._registrar.lives_at(flow.host):
            return here[0]
        return exact

    def _caller(self, message: Message, trunk: str, account: str, offer: sdp.Description | None) -> Caller:
        called = Address.parse(f"<{message.uri}>").uri.user
        if not trunk:
            return Caller("phones", called, account, self._registrar.accounts[account].display, False, offer)
        sender = Address.parse(message.headers.get("from"))
        asserted = message.headers.all("p-asserted-identity")  # RFC 3325: the trunk is trusted
        if asserted:
            sender = Address.parse(asserted[0])
        privacy = {part.strip().lower() for part in message.headers.get("privacy").split(";")}
        anonymous = sender.uri.user.lower() == "anonymous"
        restricted = anonymous or bool(privacy & {"id", "user", "header"})
        return Caller(trunk, called, "" if anonymous else sender.uri.user, sender.name, restricted, offer)

    def _understood(self, request: Request) -> bool:
        message = request.message
        unknown = [option for option in message.headers.all("require") if option != "replaces"]
        kind = message.headers.get("content-type").partition(";")[0].strip().lower()
        if unknown:
            request.reply(420, "Bad Extension", [("Unsupported", ", ".join(unknown))])
        elif message.body and kind != "application/sdp":
            request.reply(415, "Unsupported Media Type", [("Accept", "application/sdp")])
        elif message.headers.get("replaces"):
            named = replaced(message.headers.get("replaces"))
            known = self._agent.find(named.call_id, named.local_tag) is not None
            request.reply(*((501, "Not Implemented") if known else (481, "Call/Transaction Does Not Exist")))
        else:
            return True
        return False

    # -- identity ------------------------------------------------------------------------------------------------------

    def _prove(self, request: Request, field: str, status: int, phrase: str, ask: str) -> str | None:
        """The account that the request proves; otherwise it is answered: challenged, or refused and reported."""
        message = request.message
        if not self._registrar.informed:
            # Just started: a phone that gets 403 gives up for long, or for ever; one that gets 503 comes again.
            self._agent.count("refused_uninformed")
            request.reply(503, "Service Unavailable", [("Retry-After", "2")])
            return None
        verdict = self._registrar.authenticate(message.headers.fields(field), message.method, self._now())
        if verdict.account:
            return verdict.account
        if verdict.challenge:
            self._agent.count("challenged")
            request.reply_once(status, phrase, [(ask, verdict.challenge)])
            return None
        self._refuse(request, verdict.user, verdict.failure)
        return None

    def _refuse(self, request: Request, user: str, failure: str) -> None:
        self._agent.count("refused")
        request.reply_once(403, "Forbidden", [])
        event = self.failures.report(str(request.message.flow), user, failure, self._now())
        if event is not None:
            self._emit(event)


def _contacts(message: Message, most_s: int) -> list[Contact]:
    stated = message.headers.get("expires").strip()
    found = []
    for value in message.headers.all("contact"):
        address = Address.parse(value)
        text = address.params.get("expires", stated)
        if text and not (text.isascii() and text.isdigit()):
            raise MalformedError(f"expires {text[:20]!r} is no number of seconds")
        expires_s = min(int(text[:10]) if text else DEFAULT_EXPIRES_S, most_s)
        found.append(Contact(address.uri, expires_s))
    return found
