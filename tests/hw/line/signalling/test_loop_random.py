"""Whatever comes on a loop-start line, no port hangs."""

from __future__ import annotations

from hw.line.signalling.loop_actions import FxoPhase, FxsPhase
from tests.hw.line.signalling.loop_random import run


def test_after_whatever_events_every_port_is_idle_or_blocked_with_a_reason() -> None:
    phases, causes = run(200_000, seed=1)
    assert phases == {*FxoPhase, *FxsPhase}
    assert causes >= {1, 16, 17, 19, 27, 34, 41, 42, 44}
