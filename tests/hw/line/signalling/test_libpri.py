"""The D channel engine by itself: two of them back to back, without a trunk or an exchange around them."""

from __future__ import annotations

import asyncio

import pytest

from hw.line.signalling import libpri, q931
from hw.line.signalling.libpri import DChannel

CAUSES = (1, 6, 7, 16, 17, 18, 21, 26, 31, 34, 44, 82, 88, 127)


class Ends:
    """A network and a user side; frames pass in the loop's next turn. Events are (side, event)."""

    def __init__(self):
        loop = asyncio.get_running_loop()
        self.events = []
        self.came = asyncio.Event()
        self.net = DChannel(
            "network", transmit=lambda f: loop.call_soon(self.cpe.receive, f), event=lambda e: self.take("net", e)
        )
        self.cpe = DChannel(
            "cpe", transmit=lambda f: loop.call_soon(self.net.receive, f), event=lambda e: self.take("cpe", e)
        )
        self.net.start()
        self.cpe.start()

    def take(self, side, event):
        self.events.append((side, event))
        self.came.set()

    async def next(self, side, kind):
        while True:
            for entry in self.events:
                if entry[0] == side and isinstance(entry[1], kind):
                    self.events.remove(entry)
                    return entry[1]
            self.came.clear()
            await self.came.wait()

    async def ring(self, **setup):
        """A SETUP from the network: its call, and what the user side got."""
        call = self.net.setup("400", channel=1, **setup)
        return call, await self.next("cpe", q931.Ring)


def _run(scenario):
    async def main():
        ends = Ends()
        async with asyncio.timeout(10):
            await ends.next("net", q931.LinkUp)
            await ends.next("cpe", q931.LinkUp)
            await scenario(ends)
        ends.net.stop()
        ends.cpe.stop()

    asyncio.run(main())


@pytest.mark.parametrize("cause", CAUSES)
def test_a_call_refused_before_any_answer_is_gone_on_both_sides_once(cause):
    async def scenario(ends):
        call, ring = await ends.ring()
        ends.cpe.hangup(ring.call, cause)
        ends.cpe.hangup(ring.call, 127)  # nothing more
        assert (await ends.next("cpe", q931.Gone)).call is ring.call
        gone = await ends.next("net", q931.Gone)
        assert (gone.call, gone.timed_out) == (call, False)
        clearing = [event.cause for side, event in ends.events if isinstance(event, q931.Clearing)]
        assert cause in (gone.cause, *clearing)
        await asyncio.sleep(0.02)
        assert not [event for _, event in ends.events if isinstance(event, q931.Gone)]
        assert call.gone and ring.call.gone

    _run(scenario)


@pytest.mark.parametrize("cause", (1, 34, 44, 82, 88))
def test_a_refusal_without_an_answer_is_one_message_and_tells_the_cause_at_once(cause):
    async def scenario(ends):
        _, ring = await ends.ring()
        ends.cpe.hangup(ring.call, cause)
        assert ("cpe", q931.Gone(ring.call, cause)) in ends.events
        assert (await ends.next("net", q931.Gone)).cause == cause
        assert not [event for _, event in ends.events if isinstance(event, q931.Clearing | q931.Proceeding)]

    _run(scenario)


def test_hanging_up_twice_is_hanging_up_once():
    async def scenario(ends):
        call, ring = await ends.ring()
        ends.cpe.connect(ring.call, 1)
        await ends.next("net", q931.Connected)
        ends.net.hangup(call, 16)
        ends.net.hangup(call, 31)
        assert (await ends.next("cpe", q931.Clearing)).cause == 16
        # libpri by itself would have lost its timer here and left the call to the far end's patience.
        await ends.next("cpe", q931.Gone)
        await ends.next("net", q931.Gone)

    _run(scenario)


def test_a_caller_who_goes_before_any_answer_is_gone_here_too():
    async def scenario(ends):
        call, ring = await ends.ring()
        ends.net.hangup(call, 34)
        await ends.next("net", q931.Gone)
        # Nothing was sent for this call yet: libpri has no event for its end, the engine looks for it.
        assert (await ends.next("cpe", q931.Gone)).call is ring.call

    _run(scenario)


def test_a_call_that_its_far_end_never_clears_is_given_up(monkeypatch):
    """CONNECT ACKNOWLEDGE behind our DISCONNECT stops libpri's timer for good; the exchange did not get the latter."""
    monkeypatch.setattr(libpri, "_SPARE_MS", 20)
    monkeypatch.setattr(libpri, "_LOOK_S", 0.02)

    async def scenario(ends):
        for name in ("T305", "T308"):
            ends.cpe.set_timer(name, 50)
        call, ring = await ends.ring()
        deliver = ends.cpe._transmit
        # DISCONNECT arrives as NOTIFY.
        ends.cpe._transmit = lambda frame: deliver(
            frame[:8] + b"\x6e\x27\x01\xf1" if frame[8:9] == b"\x45" else frame
        )
        ends.cpe.connect(ring.call, 1)
        ends.cpe.hangup(ring.call, 16)
        assert await ends.next("cpe", q931.Gone) == q931.Gone(ring.call, 41, True)
        assert not call.gone, "the exchange knows nothing of it"

    _run(scenario)


def test_what_setup_carries_arrives():
    async def scenario(ends):
        _, ring = await ends.ring(caller="13800138000", name="Ada", restricted=True, complete=False)
        assert ring == q931.Ring(ring.call, 1, True, "400", "13800138000", "", True, False), "nor is the name shown"
        call = ends.net.setup("1234567890123456789012345678901", channel=q931.ANY_CHANNEL, exclusive=False)
        ring = await ends.next("cpe", q931.Ring)
        assert (ring.channel, ring.exclusive, len(ring.called)) == (q931.ANY_CHANNEL, False, 31)
        with pytest.raises(ValueError, match="number"):
            ends.net.setup("1" * 32, channel=1)
        with pytest.raises(ValueError, match="number"):
            ends.net.setup("1\x00", channel=1)
        assert not call.gone

    _run(scenario)


@pytest.mark.parametrize(
    "number,octets",
    [("02188881234", b"\xa12188881234"), ("0085223456789", b"\x9185223456789"), ("95588", b"\x8095588")],
)
def test_a_users_setup_carries_types_of_number_in_octet_3(number, octets):
    async def scenario(ends):
        frames = []
        ends.cpe._transmit = frames.append
        ends.cpe.setup(number, number, channel=1)
        [setup] = frames
        called = b"\x70" + bytes([len(octets)]) + octets
        calling = b"\x6c" + bytes([len(octets) + 1, octets[0] & 0x7F, 0x80]) + octets[1:]
        assert called in setup and calling in setup

    _run(scenario)


def test_a_users_restricted_number_says_that_nobody_has_screened_it():
    async def scenario(ends):
        frames = []
        ends.cpe._transmit = frames.append
        ends.cpe.setup("95588", "4008", channel=1, restricted=True)
        assert b"\x6c\x06\x00\xa04008" in frames[0], "octet 3a of Q.931 figure 4-11: restricted, not screened"

    _run(scenario)


@pytest.mark.parametrize("name", ["Ada", "李雷", "Zoë", "中" * 40, ""])
def test_names_in_any_script_arrive_as_far_as_they_fit(name):
    async def scenario(ends):
        _, ring = await ends.ring(caller="1", name=name)
        assert name.startswith(ring.name) and len(ring.name.encode()) >= min(len(name.encode()), 46)

    _run(scenario)


def test_after_stop_nothing_is_sent_and_nothing_happens():
    async def scenario(ends):
        call, _ = await ends.ring()
        ends.net.stop()
        ends.events.clear()
        assert call.gone and not ends.net.running
        ends.net.hangup(call, 16)
        ends.net.receive(b"\x02\x01\x73")
        assert ends.net.dropped == 1
        await asyncio.sleep(0.02)
        assert not [side for side, _ in ends.events if side == "net"]
        ends.net.start()
        await ends.next("net", q931.LinkUp)

    _run(scenario)
