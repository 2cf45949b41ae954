# SPDX-License-Identifier: Apache-2.0
"""Events a second of `aislectl replay`, on one core, over a made store day.

    BUILD=build /usr/bin/python3 tests/bench/replay.py [--events 20000] [--folder KEEP] [--rounds 3]

Five policies of 100 actions: no trigger fires ("plain": only baskets, visits and customers), each event triggers 10
of them, each triggers all; and 10 and 100 again ("rich") with a model, caps, an experiment and exploration. The figure is the
best of the rounds, after the time to start with an empty file is taken off; beside it the SHA-256 of the output, which
no change of speed may change.
"""
import argparse
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
import policy  # noqa: E402
from store import AISLECTL  # noqa: E402

GROUPS = ["coffee", "tea", "bread", "dairy", "fruit", "wine", "snacks", "pasta", "fish", "pet"]
TYPES = ["aisle.basket.item-added", "aisle.customer.identified"]
FEATURES = [
    policy.feature("tier", "profile.tier", "string", default="none"),
    policy.feature("age", "profile.age", default=40),
    policy.feature("visits", "local.visits()"),
    policy.feature("recency", "local.recency()"),
    policy.feature("total", "basket.total()"),
    policy.feature("lines", "basket.lines()"),
    policy.feature("hour", "time.hour"),
    policy.feature("saving", "action.worth"),
    policy.feature("said", "history.count(all, outcome=decided, within=30d)"),
] + [policy.feature(f"b_{g}", f"basket.sum(category=food/{g})") for g in GROUPS] \
  + [policy.feature(f"s_{g}", f"local.sum(category=food/{g}, half_life=30d)") for g in GROUPS] \
  + [policy.feature(f"h_{g}", f"history.count(group={g}, outcome=dismissed, within=30d)")
     for g in GROUPS]
LINEAR = {"format": "aisle-linear", "link": "logit", "bias": -1.1,
          "weights": {"total": -0.00003, "visits": 0.04, "tier=gold": 0.5, "saving": 0.004}, "missing": {"visits": 0}}


def write_action(i, on, rich):
    group = GROUPS[i % len(GROUPS)]
    offer = i % 2 == 0
    action = {"action": f"a{i:03d}-{group}", "kind": "offer" if offer else "recommend", "issue": f"i{i % 4}",
              "group": group, "on": on,
              "eligible": {">=": [{"var": "age"}, 18 + i % 30]},
              "applicable": {"and": [{"<": [{"var": f"b_{group}"}, 400 + 100 * (i % 7)]}, {">": [{"var": "total"}, i]}]},
              "suitable": {"<": [{"var": f"h_{group}"}, 3]},
              "propensity": {"model": "buys"} if rich and i % 3 == 0 else
              {"min": [0.9, {"+": [0.01 * (i % 20), {"*": [0.00001, {"var": f"s_{group}"}]}]}]},
              "incremental": 0.3 + 0.01 * (i % 30), "margin": 120 + 7 * (i % 23), "placements": ["tablet"],
              "gate": "associate", "expires": "120s",
              "outcome": {"is": "redeemed", "within": "0d"} if offer else
              {"is": "bought", "within": "0d", "item": {"category": f"food/{group}"}},
              "treatments": [{"treatment": "plain", "language": "en", "headline": f"Something for {group} {i}",
                              "say": "Would you like {{worth|money}} off?" if offer else "Have you seen our bread?",
                              "body": "{{b_" + group + "|money|default:}}", "why": ["Usually buys it by now"]},
                             {"treatment": "short", "language": "en", "headline": f"{group}, today"}]}
    if offer:
        action["offer"] = {"type": "percent", "depth": 5 + i % 10, "typical": 450, "max": 300, "apply": "till-code",
                           "include": {"category": f"food/{group}"}}
        if i % 4 == 0:
            action["offer"]["stack"] = group
        if rich and i % 10 == 0:
            action["budget"] = {"money": 200000, "per": "store-day"}
    if rich:
        action["caps"] = [{"per": "customer", "outcome": "shown", "max": 2, "within": "7d"}]
    return action


def triggers(i, mode):
    if mode == "plain":
        return ["aisle.wallet.changed"]
    if mode == "all":
        return TYPES
    # Ten of each type.
    return [TYPES[i % 2]] if i < 20 else ["aisle.basket.resumed" if i % 2 else "aisle.return.completed"]


def write_policy(folder, mode, rich):
    head = dict(policy.POLICY, salts=policy.SALTS, interrupt=3, quiet={"tender": True})
    extra = {}
    if rich:
        head.update(explore={"unit": 100, "cost_max": 2, "shortlist": 8}, control={"share": 0.05},
                    levers={"group:coffee": 1.1, "issue:i1": 0.9})
        extra["models/models.json"] = {"models": [{"model": "buys", "file": "buys.linear.json"}]}
        extra["models/buys.linear.json"] = LINEAR
        extra["contact.json"] = {
            "caps": [{"per": "customer", "scope": "all", "outcome": "shown", "max": 12, "within": "1d",
                      "clock": "business-day"}],
            "suppress": [{"after": {"outcome": "dismissed", "count": 2, "within": "30d"}, "scope": "group",
                          "for": "30d"}]}
        extra["experiments.json"] = {"experiments": [
            {"experiment": "quiet", "unit": "customer", "salt": "ab" * 32, "share": 0.5,
             "arms": {"a": {"weight": 1}, "b": {"weight": 1, "patch": {"policy": {"interrupt": 9}}}}}]}
    actions = [write_action(i, triggers(i, mode), rich) for i in range(100)]
    return policy.bundle(folder, policy=head, features=FEATURES, actions=actions, extra=extra)


class Writer:
    def __init__(self, out):
        self.out, self.count, self.ms = out, 0, 1_790_000_000_000

    def event(self, till, kind, **data):
        self.ms += 37
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.ms // 1000)) + f".{self.ms % 1000:03d}Z"
        self.out.write(json.dumps({"specversion": "1.0", "id": f"{till}-{self.count}", "source": f"/store/0042/pos/{till}",
                                   "type": f"aisle.{kind}", "time": at, "topic": f"pos/{till}/event",
                                   "datacontenttype": "application/json", "data": data}) + "\n")
        self.count += 1


def basket_steps(chance, till, serial, day_cards):
    """One basket, event by event: opened, most identified, a dozen lines, a void now and then, tender, closed."""
    basket, total, lines = f"{till}-{serial:06d}", 0, []
    yield "basket.opened", {"basket": basket, "terminal": str(till)}
    if chance.random() < 0.8:
        yield "customer.identified", {"card": chance.choice(day_cards), "basket": basket, "station": str(till)}
    for n in range(1, 1 + chance.randint(4, 20)):
        amount = chance.randint(49, 999)
        lines.append((n, amount))
        total += amount
        group = chance.choice(GROUPS)
        yield "basket.item-added", {"basket": basket, "line": n, "sku": f"{group}-{chance.randint(1, 40)}",
                                    "category": f"food/{group}/kind{chance.randint(1, 5)}", "qty": 1, "amount": amount,
                                    "currency": "EUR", "margin": amount // 4}
        if chance.random() < 0.03:
            line, back = lines.pop(chance.randrange(len(lines)))
            total -= back
            yield "basket.item-voided", {"basket": basket, "line": line}
    yield "basket.tender-started", {"basket": basket}
    yield "basket.closed", {"basket": basket, "total": total, "currency": "EUR",
                            "tenders": [{"type": "card", "amount": total}]}


def write_events(path, count):
    chance = random.Random(20261121)
    cards = [f"4000{n:012d}" for n in range(600)]
    with open(path, "w") as out:
        writer = Writer(out)
        open_baskets = {}
        serial = 0
        while writer.count < count:
            till = chance.randint(1, 12)
            if till not in open_baskets:
                serial += 1
                open_baskets[till] = basket_steps(chance, till, serial, cards)
            try:
                kind, data = next(open_baskets[till])
                writer.event(till, kind, **data)
            except StopIteration:
                del open_baskets[till]
    return cards


def prepare(folder, count):
    pepper = os.path.join(folder, "pepper")
    with open(pepper, "w") as f:
        f.write("5a" * 32 + "\n")
    cards = write_events(f"{folder}/events.jsonl", count)
    chance = random.Random(3)
    rows = [{"card": card, "language": "en", "consent": {"personalise": "granted", "profile": "granted"},
             "attributes": {"tier": chance.choice(["gold", "silver", "none"]), "age": chance.randint(20, 80)}}
            for card in cards]
    profiles = policy.profiles(folder, rows, pepper=pepper)
    open(f"{folder}/empty.jsonl", "w").close()
    return profiles, pepper


def run(bundle, profiles, pepper, events, out):
    words = AISLECTL + ["replay", "--bundle", bundle, "--profiles", profiles, "--pepper", pepper, "--store", "0042",
                        "--events", events, "--out", out]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(folder, name, bundle, profiles, pepper, options):
    events, out = f"{folder}/events.jsonl", f"{folder}/{name}.out"
    start = min(run(bundle, profiles, pepper, f"{folder}/empty.jsonl", out) for _ in range(3))
    best = min(run(bundle, profiles, pepper, events, out) for _ in range(options.rounds)) - start
    data = open(out, "rb").read()
    decisions = data.count(b"\n")
    print(f"replay: {name:11} {options.events / best:8.0f} events/s, {best / options.events * 1e6:6.1f} us an event, "
          f"{decisions} decisions of {len(data) // max(decisions, 1)} bytes, "
          f"sha256 {hashlib.sha256(data).hexdigest()[:16]}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="keep the files there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aisle-bench-") as temporary:
        folder = options.folder or temporary
        os.makedirs(folder, exist_ok=True)
        profiles, pepper = prepare(folder, options.events)
        for name, mode, rich in (("plain", "plain", False), ("ten", "ten", False), ("hundred", "all", False),
                                 ("ten-rich", "ten", True), ("hundred-rich", "all", True)):
            os.makedirs(f"{folder}/{name}", exist_ok=True)
            bundle = write_policy(f"{folder}/{name}", mode, rich)
            measure(folder, name, bundle, profiles, pepper, options)


if __name__ == "__main__":
    main()
