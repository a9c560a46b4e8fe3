"""Whatever comes on an R2 line, no channel hangs."""

from __future__ import annotations

from hw.line.signalling.r2_actions import Phase
from tests.hw.line.signalling.r2_random import run


def test_after_whatever_events_every_channel_is_idle_or_blocked_with_a_reason() -> None:
    phases, causes = run(200_000, seed=1)
    assert phases == set(Phase)
    assert causes >= {1, 16, 17, 28, 41, 42, 44, 102, 111}
