#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A store day on real data, compressed, and a sale in it that waits for you: make demo.

Starts a private broker, an HQ broker and collector, and aisled in a temporary
folder; lets the store learn its customers from the months before; then plays
the day through MQTT as tills and loyalty readers would. Stations 2 to 4 have
simulated associates, station 1 has a page with buttons.

  --seconds N   length of the day (default 90, with --once 60)
  --once        nobody watches: press the buttons too, and leave when the day is over

It ends with a status that is not 0 when anything of its day did not arrive.
"""
import datetime
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(TOP, "tests", "scenario"))
from store import STARTED, AISLECTL, Store, free_port, wait_for  # noqa: E402
from chain import Headquarters, Plan, Refused, ctl  # noqa: E402
from journey import DAY, baskets, denies, read, write_history, write_profiles  # noqa: E402
from show import Show, money  # noqa: E402
from till import Simulated, Till  # noqa: E402
from viewer import Viewer  # noqa: E402

STATIONS = ["2", "3", "4"]
FIRST_CARD_S = 60
FOOD = ("grocery", "produce", "meat", "meat-pckgd", "deli", "pastry")      # what the viewer scans


class Failed(Exception):
    """Something of the show did not happen: said in a sentence."""


def say(text=""):
    print(text, flush=True)


class DemoStore(Store):
    def __init__(self):
        self.http_address = f"127.0.0.1:{free_port()}"
        super().__init__(currency="USD", zone="America/New_York", http=self.http_address,
                         config="[stations]\nr1 = 1\nr2 = 2\nr3 = 3\nr4 = 4\n", hq_folder=True)
        self.headquarters = Headquarters(self.folder, self.hq.port)
        with open(self.conf) as f:
            text = f.read()
        with open(self.conf, "w") as f:
            f.write(text.replace("[hq]\n", f"[hq]\nroot = {self.headquarters.root}\n"))
        self.guard = threading.Lock()
        self.hq_away = self.restarting = self.over = False
        self.waited = 0

    def line(self, *words):
        return " ".join([os.path.relpath(AISLECTL[-1]), "--config", self.conf, *words])

    def cut_off(self):
        with self.guard:
            if self.over:
                return
            self.restarting = self.hq_away = True
            self.hq.stop(signal.SIGKILL)
            self.stop(signal.SIGKILL)
            self.start()
            self.restarting = False

    def reconnect(self):
        with self.guard:
            if self.hq_away and not self.over:
                self.waited = self.status()["hq"]["queued"]
                self.hq.start()
                self.hq_away = False
                say(f"  the WAN is back: {self.waited} records had been waiting on the gateway's disk")

    def close(self):
        with self.guard:
            self.over = True
        self.headquarters.stop()
        super().close()
        self.hq.stop()

    def check(self):
        """Whatever the day needs, but for what was cut on purpose."""
        if self.broker.process.poll() is not None:
            raise Failed(f"the store's broker ended in the middle (status {self.broker.process.returncode}): no till can be heard")
        with self.guard:
            if self.process is None or self.process.poll() is not None:
                raise Failed(f"aisled ended in the middle: {self.log_text()[-400:]}")
            if not self.hq_away and self.hq.process.poll() is not None:
                raise Failed("headquarters' broker ended in the middle")


def aisled(store, *words):
    done = subprocess.run(AISLECTL + ["--config", store.conf, *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"aislectl {' '.join(words)}: {done.stderr}")
    return done.stdout


# ---- before the doors open ----

def learn(store, past, shift, households):
    """The months before: through the engine, into the state that aisled will open."""
    folder, start = store.folder, time.monotonic()
    write_profiles(f"{folder}/profiles.jsonl", households, past)
    profiles = f"{folder}/profiles.bundle"
    aisled(store, "profiles", "build", f"{folder}/profiles.jsonl", "--store", "0042", "-o", profiles)
    events = write_history(f"{folder}/history.jsonl", past, shift)
    aisled(store, "replay", "--profiles", profiles, "--events", f"{folder}/history.jsonl", "--state", f"{folder}/state", "--out", "/dev/null")
    say(f"  {len(past):,} earlier baskets, {events:,} events learned in {time.monotonic() - start:.1f} s")
    return profiles


def rehearse(store, past, today, shift, profiles, bundle):
    """Baskets of today whose customer gets an offer when the card is read, from a dry run on a copy of the state."""
    folder, found, speaks = store.folder, set(), set()
    shutil.copytree(f"{folder}/state", f"{folder}/dry")
    write_history(f"{folder}/today.jsonl", today, shift, 10 * sum(len(b[3]) for b in past))
    aisled(store, "replay", "--bundle", bundle, "--profiles", profiles, "--events", f"{folder}/today.jsonl", "--state", f"{folder}/dry",
           "--out", f"{folder}/dry.jsonl")
    with open(f"{folder}/dry.jsonl") as decisions:
        for d in map(json.loads, decisions):
            prompts = [s["action"] for s in d["slots"] if "prompt" in s and not d["withheld"]]
            speaks.update([d["basket"]] if prompts else [])
            if d["trigger"]["type"] == "aisle.customer.identified" and prompts and prompts[0].endswith("-off"):
                found.add(d["basket"])
    shutil.rmtree(f"{folder}/dry")
    say(f"  {len(today)} baskets today; the policy has something to say in {len(speaks)} of them, and is silent else")
    return found


def habits(past):
    """What each household took last of each category."""
    usual = {}
    for _, household, _, lines in past:
        for row in lines:
            usual.setdefault(household, {})[row["category"]] = row
    return usual


def for_the_viewer(today, offered):
    """Sales for station 1: of customers who get an offer when their card is read, those of about four items first."""
    sales = []
    for _, household, basket, lines in sorted(today, key=lambda b: (abs(len(b[3]) - 4), b[0])):
        decent = [row for row in lines if row["category"].split("/")[0] in FOOD and "beer" not in row["category"]]
        if basket in offered and decent and not denies(household):
            sales.append({"household": household, "basket": basket, "lines": decent[:6],
                          "line": f"What customer {household} of the data came for"})
    if not sales:
        raise Failed("no customer of today gets an offer: the policy does not fit the data")
    return sales


# ---- the day ----

def collector(store, database):
    process = subprocess.Popen(AISLECTL + ["collect", "--broker", f"mqtt://127.0.0.1:{store.hq.port}", "--into", f"sqlite:{database}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    STARTED.append(process)     # ended with the rest, whenever that is
    return process


def play(store, tills, show, viewer, seconds, collect, plan):
    """Until the day is over, and the viewer's sale too."""
    start, shown, asked = time.monotonic(), -1, False
    for till in tills:
        till.thread.start()
    plan.start()
    while any(till.thread.is_alive() for till in tills) or not show.done or not plan.over.is_set():
        time.sleep(0.2)
        store.check()
        if collect.poll() is not None:
            raise Failed("the collector at headquarters ended in the middle")
        if viewer and viewer.failure:
            raise Failed(viewer.failure)
        if plan.failure:
            raise Failed(plan.failure)
        part = (time.monotonic() - start) / seconds
        if int(part * 5) != shown and part <= 1.05 and not store.restarting:
            shown = int(part * 5)
            status = store.status(check=False)
            if status:
                say(f"  {min(100, shown * 20):3d} % of the day, {sum(t.closed for t in tills + [show.till])} sales, "
                    f"{sum(t.cards_seen for t in tills + [show.till])} cards, {status['hq']['queued']} records wait for headquarters")
        if part > 1.1 and not asked and not show.done:
            asked = True
            say("  the day is over at stations 2 to 4; station 1 waits for you")
        if viewer and part > 1.5 and time.monotonic() - start > 120:
            raise Failed("the day did not end")


class Watcher(threading.Thread):
    """Presses the buttons where nobody does."""

    def __init__(self, show, store):
        super().__init__(daemon=True)
        self.show, self.viewer, self.failure = show, Viewer(show.link, store.http_address), None

    def run(self):
        try:
            self.viewer.watch(len(self.show.sales))
        except Exception as error:  # noqa: whatever it is, the demonstration ends with it
            self.failure = f"nobody could have bought at station 1: {error}"


def finish(store, tills, show, database, once):
    """Every record at headquarters once, every sale among them, and what was given away."""
    store.reconnect()
    closed, redeemed = sum(t.closed for t in tills), sum(t.redeemed for t in tills)
    wait_for("headquarters to have every record", lambda: store.status()["hq"]["queued"] == 0, 60)
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        lanes = db.execute("select lane, count(*), max(seq), count(distinct seq) from record group by lane").fetchall()
        sales = db.execute("select count(*) from record where type = 'sale'").fetchone()[0]
    for lane, count, highest, distinct in lanes:
        say(f"  headquarters has {count} records in lane {lane}, numbered 1 to {highest}" + ("" if count == highest == distinct else ": MISSING"))
    if not lanes or any(count != highest or count != distinct for _, count, highest, distinct in lanes):
        raise Failed("records are missing at headquarters")
    if sales < closed or closed == 0:
        raise Failed(f"{closed} sales were closed and headquarters heard of {sales}")
    report = store.http("GET", "/v1/report")[1]
    say(f"  {closed} sales, {report['prompts']} cards, {report['shown']} seen, {report['accepted']} accepted; "
        f"offers redeemed: {report['redeemed']}, {money(report['redeemed_minor'])} given away")
    if report["redeemed"] != redeemed or redeemed == 0:
        raise Failed(f"the tills redeemed {redeemed} offers, and the store knows of {report['redeemed']}")
    if once and show.first_card > FIRST_CARD_S:
        raise Failed(f"the first card took {show.first_card:.0f} s from the link, {FIRST_CARD_S} are allowed")
    if not all(show.kept):
        raise Failed("what was on the tablet did not outlive the kill")
    say("  headquarters has every record, once")


def supply(store, bundle):
    """Policy and customers come from headquarters: signed, and the customers for this store's key alone."""
    start, headquarters = time.monotonic(), store.headquarters
    headquarters.serve()
    headquarters.release(bundle)
    wait_for("the first release", lambda: store.status()["policy"], 60)
    headquarters.profiles(store, f"{store.folder}/profiles.jsonl", store.pepper)
    wait_for("the customers", lambda: store.status()["profiles"], 60)
    say(f"  headquarters signed the policy and {store.status()['profiles']} customers: both in the store over its link after {time.monotonic() - start:.1f} s")


def look(store, database):
    """The fleet, as headquarters sees it."""
    ctl("fleet", "--from", f"sqlite:{database}", "--dir", store.headquarters.folder, "-o", fleet_page(store))


def account(store, database, bundle):
    """What the day brought, each figure with how sure a day of one store can be of it."""
    words = ("report", "--from", f"sqlite:{database}", "--bundle", bundle, "--start", datetime.date.today().isoformat(), "--weeks", "8")
    ctl(*words, "-o", report_page(store))
    day = json.loads(ctl(*words, "--json"))["figures"][0]
    say("  of 1,000 visits like these, and what chance makes of it: " + ", ".join(
        f"{name} {money(day[figure]['is'])} ({money(day[figure]['low'])} to {money(day[figure]['high'])})"
        for name, figure in (("takings", "takings_per_1000_visits"), ("given away", "discount_per_1000_visits"))))
    yes = day["accepted_of_shown"]
    say(f"  of the cards that were seen {yes['is']:.0%} accepted ({yes['low']:.0%} to {yes['high']:.0%}); what they earned takes an experiment to say")
    say(f"  the report           file://{report_page(store)}")


def report_page(store):
    return os.path.join(store.folder, "report.html")


def fleet_page(store):
    return os.path.join(store.folder, "fleet.html")


def announce(store, show, seconds):
    say(f"\n  open  {show.link}")
    say(f"        the till of station 1, and from there its tablet: paired by the link. Stations 2 to 4 play the day in {seconds:.0f} s\n")
    say(f"  the manager's page   http://{store.http_address}/manager")
    say(f"  the fleet's page     file://{fleet_page(store)}    anew whenever headquarters has done something")
    say("  this store, from another terminal:")
    for words in (("status",), ("tablet", "list"), ("deadletter",), ("stop", "soft-drinks-off")):
        say(f"    {store.line(*words)}")
    say()


def run(store, seconds, once):
    rows, households = read("journey.csv.gz"), read("households.csv")
    everything = baskets(rows)
    past, today = [b for b in everything if b[0][:10] < DAY], [b for b in everything if b[0][:10] == DAY]
    shift = datetime.datetime.combine(datetime.date.today(), datetime.time()) - datetime.datetime.fromisoformat(DAY)
    say("aisle: one store day of The Complete Journey (CC0), played as today")
    profiles = learn(store, past, shift, households)
    bundle = f"{store.folder}/starter.bundle"
    aisled(store, "bundle", "build", os.path.join(TOP, "models", "starter"), "-o", bundle)
    sales = for_the_viewer(today, rehearse(store, past, today, shift, profiles, bundle))
    store.start()
    supply(store, bundle)
    for station in STATIONS:
        store.ctl("tablet", "add", f"t{station}", "--stations", station)
    code = json.loads(store.ctl("tablet", "pair", "--stations", "1", "--json"))["code"]
    show = Show(store, Till(store.broker.port, "1"), sales[:8], [row for _, _, _, lines in past for row in lines], code, say)
    rest = [b for b in today if b[2] not in {sale["basket"] for sale in show.sales}]
    stop = threading.Event()
    tills = [Simulated(store.broker.port, s, rest[n::len(STATIONS)], habits(past), seconds, stop) for n, s in enumerate(STATIONS)]
    announce(store, show, seconds)
    database = os.path.join(store.folder, "records.sqlite")
    collect, viewer = collector(store, database), Watcher(show, store) if once else None
    plan = Plan(store.headquarters, store, os.path.join(TOP, "models", "starter"), say, lambda: look(store, database))
    try:
        if viewer:
            viewer.start()
        play(store, tills, show, viewer, seconds, collect, plan)
        say("  the day is over")
        finish(store, tills + [show.till], show, database, once)
        account(store, database, bundle)
        look(store, database)
        if not once:
            say("\n  The pages are still served. Ctrl-C stops everything.")
            while True:
                time.sleep(1)
                store.check()
    finally:
        stop.set()
        collect.terminate()
        collect.wait()


def main():
    # A closed terminal and a plain kill end it as Ctrl-C does: nothing is left running.
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.default_int_handler)
    once = "--once" in sys.argv
    seconds = float(sys.argv[sys.argv.index("--seconds") + 1]) if "--seconds" in sys.argv else 60 if once else 90
    store, code = DemoStore(), 0
    try:
        run(store, seconds, once)
    except KeyboardInterrupt:
        say("\n  stopping")
    except (Failed, Refused, AssertionError) as failure:
        say(f"\n  THE DEMONSTRATION FAILED: {failure}")
        code = 1
    finally:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        store.close()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
