"""How many events a second the queue engine takes: ``python tests/bench/bench_routing.py``.

60 agents serve three queues while about 120 callers wait: every answered call ends, every agent is offered the next,
now and then one does not answer, pauses, or hangs up waiting. No I/O, the engine alone; times are CPU times, so that
other programs on the machine do not count. One line of JSON is printed: ``events_s`` (events a second, one core),
``p50_us``/``p99_us``/``max_us`` (one event, microseconds), ``waiting`` (mean).
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plugins.acd import words as w
from plugins.acd.engine import Engine
from plugins.acd.settings import Queue

AGENTS = tuple(str(1001 + n) for n in range(60))


class Traffic:
    """Calls, phones and agents as random as a busy hour, by one seed."""

    def __init__(self, waiting: int, seed: int) -> None:
        queues = (
            Queue("service", "客服", AGENTS),
            Queue("vip", "贵宾", AGENTS[:20], priority=10),
            Queue("sales", "销售", AGENTS[40:], strategy="hunting", wrapup_s=5.0),
        )
        self.engine = Engine({queue.queue: queue for queue in queues})
        self.names = [queue.queue for queue in queues]
        self.rng = random.Random(seed)
        self.wanted = waiting
        self.entered = 0
        self.at = 0.0
        self.ringing: list[tuple[str, str]] = []
        self.talking: list[tuple[str, str]] = []
        self.paused: list[str] = []
        self.took: list[float] = []
        self.waited = 0
        for n, agent in enumerate(AGENTS):
            self.tell(w.Login(agent, str(8001 + n)))

    def tell(self, event: w.Event) -> None:
        self.at += 0.05
        began = time.thread_time()
        actions = self.engine.handle(event, self.at)
        self.engine.next_due()
        self.took.append(time.thread_time() - began)
        self.waited += len(self.engine.line)
        for action in actions:
            if isinstance(action, w.Offer):
                self.ringing.append((action.contact, action.agent))
            elif isinstance(action, w.Withdraw):
                self.ringing.remove((action.contact, action.agent))
            elif isinstance(action, w.StateChanged) and action.state == "paused":
                self.paused.append(action.agent)

    def step(self) -> None:
        """One event or two, most of them of calls."""
        rng = self.rng
        if len(self.engine.line) < self.wanted:
            self.entered += 1
            self.tell(w.CallEntered(f"c{self.entered}", rng.choice(self.names)))
            return
        if self.ringing:
            contact, agent = self.ringing.pop(rng.randrange(len(self.ringing)))
            self.tell(w.Alerting(contact, agent))
            if rng.random() < 0.9:
                self.tell(w.Answered(contact, agent))
                self.talking.append((contact, agent))
            else:
                self.tell(w.NotAnswered(contact, agent, 19))
        elif self.paused:
            self.tell(w.Resume(self.paused.pop()))
        elif rng.random() < 0.05:
            self.tell(w.CallLeft(rng.choice(self.engine.line).contact))
        elif rng.random() < 0.05:
            self.tell(w.Due())
        elif self.talking:
            contact, agent = self.talking.pop(rng.randrange(len(self.talking)))
            self.tell(w.CallEnded(contact, agent))
        else:
            self.tell(w.Due())


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description="Events a second of the queue engine.")
    options.add_argument("--events", type=int, default=20_000)
    options.add_argument("--waiting", type=int, default=120)
    given = options.parse_args()
    traffic = Traffic(given.waiting, seed=1)
    while len(traffic.engine.line) < given.waiting:
        traffic.step()
    traffic.took.clear()
    traffic.waited = 0
    gc.freeze()
    while len(traffic.took) < given.events:
        traffic.step()
    took = sorted(traffic.took)
    print(
        json.dumps(
            {
                "bench": "routing",
                "agents": len(AGENTS),
                "waiting": round(traffic.waited / len(took)),
                "events": len(took),
                "events_s": round(len(took) / sum(took)),
                "p50_us": round(took[len(took) // 2] * 1e6, 1),
                "p99_us": round(took[len(took) * 99 // 100] * 1e6, 1),
                "max_us": round(took[-1] * 1e6, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
