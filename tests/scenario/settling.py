# SPDX-License-Identifier: Apache-2.0
"""Settled records of shortlists whose truth is known."""
import json
import math
import random
from datetime import datetime, timedelta, timezone

from records import Records

START = datetime(2026, 10, 5, tzinfo=timezone.utc)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


class Settled(Records):
    """What collect would have written, and of each row that counts (p1, p0)."""

    def __init__(self, seed):
        self.dice, self.rows, self.counts, self.visit = random.Random(seed), [], {}, 0

    def record(self, rows, rev=0, visit=None, day=0):
        self.visit += visit is None
        at = (START + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        body = {"decision": "d", "visit": visit or f"v{self.visit}", "placement": "tablet", "slot": 1, "at": at, "bundle": "", "rev": rev,
                "counted": True, "cost_max": 2, "rows": rows}
        self.rows.append(("0001", "00000000000000e1", "decision", len(self.rows) + 1, "settled", at, json.dumps(body)))
        return body["visit"]

    def noisy(self, action, count, noise, **more):
        """Rows of an action whose models see middle and difference through noise."""
        for _ in range(count):
            middle, effect = self.dice.gauss(-1, 0.7), self.dice.gauss(0.5, 0.4)
            p1, p0 = (sigmoid(middle + s * effect / 2 + self.dice.gauss(0, noise)) for s in (1, -1))
            shown = self.dice.random() < 0.5
            y = self.dice.random() < sigmoid(middle + (effect if shown else -effect) / 2)
            row = {"action": action, "segment": "", "p": 0.5, "p1": p1, "p0": p0, "margin": 200, "cost": 0, "drawn": shown, "shown": shown,
                   "other": False, "y": int(y), **more}
            # What was told first is not what it came to.
            visit = self.record([{**row, "y": int(not y)}]) if self.dice.random() < 0.2 else None
            self.record([row, {"action": "nothing", "p": 0.5, "drawn": not shown}], rev=0 if visit is None else 1, visit=visit)
            self.counts.setdefault(action, []).append((p1, p0))
