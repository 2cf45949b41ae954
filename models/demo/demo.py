#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A store day on real data, compressed: make demo.

Starts a private broker, an HQ broker and collector, and aisled in a temporary
folder; lets the store learn its customers from the months before; then plays
the day through MQTT as tills and loyalty readers would. Associates at stations
2 to 4 are simulated, station 1 is yours. The WAN is cut in the middle.

  --seconds N   length of the day (default 150)
  --once        leave when the day is over (for tests); non-zero if a record is missing
"""
import datetime
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "scenario"))
from store import STARTED, AISLECTL, Broker, Client, Store, wait_for  # noqa: E402
from journey import DAY, baskets, card, envelope, line_data, read, write_history, write_profiles  # noqa: E402

STATIONS = ["1", "2", "3", "4"]
ROOT = "aisle/v1/0042"


def say(text=""):
    print(text, flush=True)


class Till(threading.Thread):
    """A station: scans its baskets one after another, does what aisled's commands say."""

    def __init__(self, store, station, todo, seconds, stop):
        super().__init__(daemon=True)
        self.store, self.station, self.todo, self.seconds, self.stop = store, station, todo, seconds, stop
        self.client = Client(store.broker.port, [f"{ROOT}/pos/{station}/command", f"{ROOT}/guidance/{station}"])
        self.chance = random.Random(int(station))
        self.number = self.done_messages = self.redeemed = self.prompts = 0
        self.prefix = f"{os.getpid()}-{station}"
        self.token = {}
        self.answered = set()

    def event(self, kind, data, channel="pos", origin=None):
        self.number += 1
        at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        origin = origin or self.station
        self.client.publish(f"{ROOT}/{channel}/{origin}/event",
                            envelope(kind, f"/store/0042/{channel}/{origin}", f"{self.prefix}-{self.number}", data, at), wait=False)

    def attend(self):
        """Commands and guidance that came in since the last look."""
        with self.client.lock:
            new = self.client.messages[self.done_messages:]
            self.done_messages = len(self.client.messages)
        for topic, payload, _ in new:
            message = json.loads(payload)
            if topic.endswith("/command") and message["type"] == "apply-offer":
                self.token[message["basket"]] = (message["token"], message["offer"]["worth"])
                self.event("offer.applied", {"basket": message["basket"], "token": message["token"],
                                             "amount": message["offer"]["worth"]})
            for prompt in message.get("prompts", []):
                self.prompts += prompt["state"] == "open" and prompt["prompt"] not in self.answered
                if self.station != "1" and prompt["state"] == "open" and prompt["prompt"] not in self.answered:
                    self.answer(message["guidance"], prompt)

    def answer(self, guidance, prompt):
        """The simulated associate: mostly says it, sometimes has no time."""
        self.answered.add(prompt["prompt"])
        roll = self.chance.random()
        self.event("guidance.shown", {"guidance": guidance, "prompt": prompt["prompt"], "tablet": f"t{self.station}"},
                   "tablet", f"t{self.station}")
        if roll < 0.75:
            decided = {"decision": "accept" if roll < 0.5 else "dismiss"}
            if roll >= 0.5:
                decided["reason"] = "customer-declined"
            self.event("guidance.decided", {"guidance": guidance, "prompt": prompt["prompt"], **decided}, "tablet",
                       f"t{self.station}")

    def pause(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stop.is_set():
            self.attend()
            time.sleep(0.02)

    def serve(self, household, basket, lines):
        # As long as the day allows; at your own station long enough to read and tap.
        step = self.seconds / max(1, len(self.todo)) / (len(lines) + 4)
        basket = f"{self.prefix}-{basket}"
        self.event("basket.opened", {"basket": basket, "terminal": self.station})
        self.pause(step)
        if self.chance.random() < 0.85:
            self.event("customer.identified", {"card": card(household), "basket": basket, "station": self.station},
                       "loyalty", f"r{self.station}")
        total = 0
        for n, row in enumerate(lines):
            if self.stop.is_set():
                return
            self.pause(step)
            self.event("basket.item-added", line_data(basket, n + 1, row))
            total += int(row["amount"])
            if self.chance.random() < 0.04:
                for _ in range(3):
                    self.event("basket.item-voided", {"basket": basket, "line": n + 1})
                    self.event("basket.item-added", line_data(basket, n + 1, row))
        self.pause(2 * step)
        if basket in self.token:
            token, worth = self.token.pop(basket)
            self.event("offer.redeemed", {"basket": basket, "token": token, "amount": worth})
            self.redeemed += 1
            total -= worth
        self.event("basket.tender-started", {"basket": basket})
        if self.chance.random() < 0.04:
            self.event("basket.payment-declined", {"basket": basket})
        self.pause(step)
        self.event("basket.closed", {"basket": basket, "total": total, "currency": "USD"})

    def run(self):
        for _, household, basket, lines in self.todo:
            if self.stop.is_set():
                break
            self.serve(household, basket, lines)
        self.pause(0.5)


def learn(store, folder, past, shift, households):
    """The months before: through the engine, into the state that aisled will open."""
    write_profiles(f"{folder}/profiles.jsonl", households, past)
    profiles = f"{folder}/profiles.bundle"
    run(store, "profiles", "build", f"{folder}/profiles.jsonl", "--store", "0042", "-o", profiles)
    events = write_history(f"{folder}/history.jsonl", past, shift)
    start = time.monotonic()
    run(store, "replay", "--profiles", profiles, "--events", f"{folder}/history.jsonl", "--state", f"{folder}/state",
        "--out", "/dev/null")
    say(f"  {len(past):,} earlier baskets, {events:,} events learned in {time.monotonic() - start:.1f} s")
    return profiles


def worth_a_prompt(store, folder, past, today, shift, profiles, bundle):
    """Baskets of today in which the policy has something to say, from a dry run on a copy of the state."""
    shutil.copytree(f"{folder}/state", f"{folder}/dry")
    write_history(f"{folder}/today.jsonl", today, shift, 10 * sum(len(b[3]) for b in past))
    run(store, "replay", "--bundle", bundle, "--profiles", profiles, "--events", f"{folder}/today.jsonl", "--state",
        f"{folder}/dry", "--out", f"{folder}/dry.jsonl")
    with open(f"{folder}/dry.jsonl") as decisions:
        found = {d["basket"] for d in map(json.loads, decisions) if any("prompt" in s for s in d["slots"])}
    shutil.rmtree(f"{folder}/dry")
    return found


def run(store, *words):
    done = subprocess.run(AISLECTL + ["--config", store.conf, *words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"aislectl {' '.join(words)}: {done.stderr}")
    return done.stdout


def collector(port, database):
    process = subprocess.Popen(AISLECTL + ["collect", "--broker", f"mqtt://127.0.0.1:{port}", "--into", f"sqlite:{database}"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    STARTED.append(process)     # ended with the rest, whenever that is
    return process


def records(database):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        return db.execute("select lane, count(*), max(seq), count(distinct seq) from record group by lane").fetchall()


def http_port():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", 8080))
            return 8080
        except OSError:
            return 0


def share_out(today, wanted, seconds):
    """Station 1 gets few baskets, slowly, in which there is something to say; the others share the rest."""
    mine = [b for b in today if b[2] in wanted][:max(6, int(seconds // 12))]
    rest = [b for b in today if b not in mine]
    return [mine] + [rest[n::len(STATIONS) - 1] for n in range(len(STATIONS) - 1)]


def play(store, hq, database, shares, seconds):
    """The day, with the WAN cut in its middle. The collector that runs at its end."""
    stop = threading.Event()
    tills = [Till(store, s, share, seconds, stop) for s, share in zip(STATIONS, shares)]
    collect = collector(hq.port, database)
    for till in tills:
        till.start()
    start, cut, mended, shown = time.monotonic(), False, False, -1
    try:
        while any(t.is_alive() for t in tills):
            time.sleep(0.2)
            part = (time.monotonic() - start) / seconds
            if not cut and part > 0.4:
                cut = True
                hq.stop(signal.SIGKILL)
                say("  the WAN is cut: the store goes on, records wait on its disk")
            elif cut and not mended and part > 0.65:
                mended = True
                waiting = store.status()["hq"]["queued"]
                hq.start()
                say(f"  the WAN is back: {waiting} records had been waiting")
            if int(part * 10) != shown and part <= 1.05:
                shown = int(part * 10)
                status = store.status()
                say(f"  {min(100, shown * 10):3d} % of the day, {status['decisions']} decisions, "
                    f"{sum(t.prompts for t in tills)} prompts, {status['hq']['queued']} records waiting")
    finally:
        stop.set()
        if cut and not mended:
            hq.start()
    return collect, tills


def finish(store, database):
    """Every record, once."""
    wait_for("headquarters to have every record", lambda: store.status()["hq"]["queued"] == 0, 90)
    rows = records(database)
    whole = bool(rows)
    for lane, count, highest, distinct in rows:
        whole &= count == highest == distinct
        say(f"  HQ has {count} records in lane {lane}, numbered 1 to {highest}" + ("" if count == highest else ": MISSING"))
    return whole


def main():
    # A closed terminal and a plain kill end it as Ctrl-C does: nothing is left running.
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.default_int_handler)
    seconds = float(sys.argv[sys.argv.index("--seconds") + 1]) if "--seconds" in sys.argv else 150
    once = "--once" in sys.argv
    rows, households = read("journey.csv.gz"), read("households.csv")
    everything = baskets(rows)
    past = [b for b in everything if b[0][:10] < DAY]
    today = [b for b in everything if b[0][:10] == DAY]
    shift = datetime.datetime.combine(datetime.date.today(), datetime.time()) - datetime.datetime.fromisoformat(DAY)
    port = http_port()
    store = Store(currency="USD", zone="America/New_York", http=f"127.0.0.1:{port}",
                  config="[stations]\nr1 = 1\nr2 = 2\nr3 = 3\nr4 = 4\n", hq_folder=True)
    hq = collect = None
    ok = False
    try:
        hq = store.hq
        say("aisle: one store day of The Complete Journey (CC0), played as today")
        profiles = learn(store, store.folder, past, shift, households)
        bundle = f"{store.folder}/starter.bundle"
        run(store, "bundle", "build", os.path.join(HERE, "..", "starter"), "-o", bundle)
        wanted = worth_a_prompt(store, store.folder, past, today, shift, profiles, bundle)
        say(f"  {len(today)} baskets today; the policy has something to say in {len(wanted)} of them, and is silent else")
        store.start()
        store.ctl("bundle", "install", bundle)
        store.ctl("profiles", "install", profiles)
        code = json.loads(store.ctl("tablet", "pair", "--json"))["code"]
        address = store.status()["http"][0]
        say(f"\n  open  http://{address}/  and type the code  {code}  (good for five minutes)")
        say("  station 1 is yours; simulated associates answer at 2, 3 and 4")
        say(f"  the manager's page, in the same browser:  http://{address}/manager\n")
        if not once:
            time.sleep(5)
        database = os.path.join(store.folder, "records.sqlite")
        collect, tills = play(store, hq, database, share_out(today, wanted, seconds), seconds)
        say("  the day is over")
        ok = finish(store, database)
        say(f"  offers redeemed: {sum(t.redeemed for t in tills)}; "
            + ("headquarters has every record, once" if ok else "RECORDS ARE MISSING"))
        if not once:
            say("\n  aisled still serves the page. Ctrl-C stops everything.")
            while True:
                time.sleep(1)
    except KeyboardInterrupt:
        say("\n  stopping")
        ok = True
    finally:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        if collect is not None:
            collect.terminate()
            collect.wait()
        store.close()
        if hq is not None:
            hq.stop()
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
