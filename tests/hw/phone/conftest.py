"""The phone process in this test's own loop, the link to it, and phones built on the same user agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hw.link import Link, connect
from hw.messages import Account, Cleared, Codec, Dial, Media, Message, SetAccounts
from hw.phone import sdp
from hw.phone.call import By, Call, CallHandler
from hw.phone.digest import Credentials, ha1
from hw.phone.process import PhoneProcess
from hw.phone.registration import Registration
from hw.phone.settings import PhoneSettings
from hw.phone.stack import Flow, Request, Transport
from hw.phone.stack import Message as SipMessage
from hw.phone.text import Address
from hw.phone.useragent import UserAgent

E = TypeVar("E")
REALM = "onecall.test"
#: What our RTP ports would offer, and what the phones' media are.
OURS = Media("127.0.0.1", 16384, (Codec("PCMA", 8), Codec("PCMU", 0)), 101)
THEIRS = Media("127.0.0.1", 40000, (Codec("PCMU", 0), Codec("PCMA", 8)), 96)


def password(account: str) -> str:
    return f"secret-of-{account}"


def accounts(*names: str) -> SetAccounts:
    return SetAccounts(REALM, tuple(Account(n, ha1(n, REALM, password(n)), f"Seat {n}") for n in names))


class Box:
    """A mailbox of things that happen: ``next`` takes the first of a kind, waiting for it."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._came = asyncio.Event()

    def put(self, thing: Any) -> None:
        self.all.append(thing)
        self._came.set()

    async def next(self, kind: type[E], **fields: Any) -> E:
        while True:
            for thing in self.all:
                if isinstance(thing, kind) and all(getattr(thing, name) == value for name, value in fields.items()):
                    self.all.remove(thing)
                    return thing
            self._came.clear()
            await self._came.wait()

    def any(self, kind: type[E], **fields: Any) -> bool:
        return any(isinstance(t, kind) and all(getattr(t, n) == v for n, v in fields.items()) for t in self.all)


class Told:
    """What a phone's call told: ``what`` is the handler's method, ``detail`` its status, body or method."""

    def __init__(self, what: str, call: Call, detail: Any) -> None:
        self.what, self.call, self.detail = what, call, detail


class Phone(CallHandler):
    """One phone: an account, a user agent, and a box of what happened. It answers nothing by itself but requests."""

    def __init__(self, name: str, server: Flow) -> None:
        self.name = name
        self.server = server
        self.box = Box()
        self.media = THEIRS
        self.offers_accepted = True
        self.agent = UserAgent(software=f"Test phone {name}", on_request=self._request)
        self.port = self.agent.listen(server.transport, "127.0.0.1")
        self.credentials = Credentials(name, password(name))
        self.registration = Registration(
            self.agent, server, realm=REALM, credentials=self.credentials,
            on_change=lambda outcome, status: self.box.put((outcome, status)),
        )  # fmt: skip

    def _request(self, request: Request) -> None:
        if request.message.method == "INVITE":
            self.box.put(Told("called", self.agent.accept(request, self, self.name), request.message.body))
        else:
            request.reply(200, "OK")

    async def register(self) -> int:
        self.registration.start()
        return (await self.box.next(tuple))[1]

    async def unregister(self) -> None:
        self.registration.stop()
        assert await self.box.next(tuple) == ("removed", 200)

    def dial(self, number: str, body: bytes | None = None, **more: Any) -> Call:
        local = Address.parse(f"sip:{self.name}@{REALM}")
        offer = sdp.offer(self.media, 1, 1) if body is None else body
        more.setdefault("credentials", self.credentials)
        return self.agent.invite(self, f"sip:{number}@{REALM}", self.server, local=local, body=offer, **more)

    def answer(self, call: Call, offer: bytes) -> None:
        call.answer(sdp.answer(sdp.parse(offer), self.media, 2, 1))

    async def told(self, what: str) -> Told:
        return await self.box.next(Told, what=what)

    def progress(self, call: Call, message: SipMessage) -> None:
        self.box.put(Told("progress", call, message))

    def answered(self, call: Call, message: SipMessage) -> None:
        self.box.put(Told("answered", call, message))

    def confirmed(self, call: Call, body: bytes) -> None:
        self.box.put(Told("confirmed", call, body))

    def offered(self, call: Call, body: bytes) -> None:
        self.box.put(Told("offered", call, body))
        if self.offers_accepted:
            call.accept(sdp.answer(sdp.parse(body), self.media, 2, 2))
        else:
            call.refuse(488, "Not Acceptable Here")

    def modified(self, call: Call, message: SipMessage | None) -> None:
        self.box.put(Told("modified", call, message))

    def requested(self, call: Call, request: Request) -> None:
        self.box.put(Told("requested", call, request.message))
        request.reply(200, "OK")

    def ended(self, call: Call, by: By, message: SipMessage | None) -> None:
        self.box.put(Told("ended", call, (by, message)))


class Desk:
    """The phone process and its control side: ``send`` commands, take events from ``box``."""

    def __init__(self, process: PhoneProcess, link: Link, path: Path) -> None:
        self.process = process
        self._path = path
        self.link = link
        self.box = Box()
        self.phones: list[Phone] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.link:
            self.box.put(message)

    async def reconnect(self) -> None:
        """A new control process; events of before are forgotten."""
        self.box.all.clear()
        self.link = await connect(self._path)
        self._reading = asyncio.create_task(self._read())

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.link.send(message)

    async def next(self, kind: type[E], **fields: Any) -> E:
        return await self.box.next(kind, **fields)

    def server(self, transport: Transport = "udp") -> Flow:
        return Flow(transport, "127.0.0.1", self.process.ports[transport])

    def phone(self, name: str, transport: Transport = "udp") -> Phone:
        self.phones.append(Phone(name, self.server(transport)))
        return self.phones[-1]

    async def registered(self, *names: str, transport: Transport = "udp") -> list[Phone]:
        phones = [self.phone(name, transport) for name in names]
        for phone in phones:
            assert await phone.register() == 200
        return phones


Open = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def desk(tmp_path: Path) -> Open:
    """``async with desk("201", "202") as d``: the process runs with these accounts, the control side is connected."""

    @asynccontextmanager
    async def opened(*names: str, **settings: Any) -> AsyncIterator[Desk]:
        listen = ("udp:127.0.0.1:0", "tcp:127.0.0.1:0")
        process = PhoneProcess(PhoneSettings(socket=tmp_path / "phone.sock", listen=listen, **settings))
        async with asyncio.timeout(20):
            await process.start()
            made = Desk(process, await connect(tmp_path / "phone.sock"), tmp_path / "phone.sock")
            made.send(accounts(*names), Dial("known", "phones", "nobody", media=OURS))
            await made.next(Cleared, leg="known")  # so the accounts are known too
            try:
                yield made
            finally:
                await process.close()
                for phone in made.phones:
                    phone.agent.close()
                made.link.close()
                made._reading.cancel()

    return opened
