#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_release_kills.py [KILLS]: killed with -9 at a system call that writes, from the first chunk of a release to its last step.

strace counts the daemon's own calls, as they are in a run that is not killed, and kills it at one of them. Whatever it was: at its next
start the store serves the policy (or the profiles) of before or the new one, whole, and then takes the release without anybody's help.
`tests/scenario/test_release_kills.py 1000` kills at each of them.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from releases import Chain, Headquarters, ctl, digest, release_of, trusting_store
from store import AISLECTL, AISLED, RUN, STARTED, main, wait_for

KILLS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 8
CALLS = ["write", "pwrite64", "pwritev", "fsync", "fdatasync", "rename", "renameat2", "unlink", "unlinkat", "ftruncate", "fallocate", "mkdir"]
QUICK = ["probation_s=1"]


class Bench:
    """A state with the first of two, and the second on its way. member: of status, where it stands."""
    member = "release"

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aisle-chain-")
        self.chain = Chain(os.path.join(self.folder, "hq"))
        self.store = trusting_store(self.chain)
        self.hq = Headquarters(self.store)
        self.state = os.path.join(self.store.folder, "state")
        self.store.start()
        self.hq.publish(self.chain.roots[0])
        self.bundles = self.build()
        self.offer(1)
        self.wait(1)
        self.store.stop()
        shutil.copytree(self.state, self.state + ".one")
        self.offer(2)

    def stands(self, status):
        one = (status or {}).get(self.member) or {}
        return one.get("state"), one.get("sequence")

    def wait(self, sequence):
        wait_for(f"{self.member} {sequence}", lambda: self.stands(self.store.status(check=False)) == ("good", sequence), 60)

    def close(self):
        self.hq.close()
        self.store.close()
        self.store.hq.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self, *words):
        """The daemon with release 1 and its headquarters with release 2, under strace (which is not its parent)."""
        shutil.rmtree(self.state)
        shutil.copytree(self.state + ".one", self.state)
        traced = ["strace", "-D", "-qq", "-o", os.path.join(self.folder, "calls"), *words, *AISLED, "--config", self.store.conf]
        self.store.process = subprocess.Popen(traced, stdout=self.store.log, stderr=self.store.log)
        STARTED.append(self.store.process)

    def calls(self):
        """(call, its number among its like), in their order, of a run that nothing disturbs."""
        self.begin("-e", "trace=" + ",".join("?" + c for c in CALLS))
        wait_for("aisled to answer", lambda: self.store.status(check=False), 30)
        self.wait(2)
        with open(os.path.join(self.folder, "calls"), errors="replace") as f:
            names = [name for name in re.findall(r"^(\w+)\(", f.read(), re.M) if name in CALLS]
        self.store.stop()
        return [(name, names[:n + 1].count(name)) for n, name in enumerate(names)]

    def kill_at(self, call, number):
        """false: it came to its end without that many."""
        self.begin("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
        end = time.monotonic() + 60
        while self.store.process.poll() is None and time.monotonic() < end:
            if self.stands(self.store.status(check=False)) == ("good", 2):
                break
            time.sleep(0.05)
        killed = self.store.process.poll() == -signal.SIGKILL
        self.store.stop(signal.SIGKILL)
        return killed


class Policies(Bench):
    def build(self):
        return [self.chain.policy(1), self.chain.policy(2)]

    def offer(self, n):
        self.hq.publish(self.chain.release(n, self.bundles[n - 1], bounds=QUICK), self.bundles[n - 1])

    def look(self, where):
        names = {digest(path): n for n, path in enumerate(self.bundles, 1)}
        self.store.start()
        policy = self.store.status()["policy"]
        assert policy and names.get(policy["hash"]) == policy["version"], (where, policy, self.store.log_text()[-2000:])
        self.wait(2)
        assert self.store.status()["policy"]["version"] == 2 and self.store.status()["refused"] == {}, (where, self.store.status())
        folder = os.path.join(self.state, "bundles")
        for name in os.listdir(folder):
            assert name.endswith(".image") or digest(os.path.join(folder, name)) == name, (where, name)
        assert "why" not in release_of(self.store), (where, release_of(self.store))
        # of what came whole and was not fetched for nothing a little may wait for the next release, which throws it away
        left = os.listdir(os.path.join(self.state, "transfer"))
        assert len(left) <= 2 and not [n for n in left if "image" in n], (where, left)
        self.store.stop()


class Profiles(Bench):
    """300 customers, then 40 of them with another line: the others are gone."""
    member = "own_release"
    ROWS = [range(300), range(20, 60)]

    def build(self):
        path = self.chain.path
        self.store.ctl("enroll", "-o", path("request.json"))
        ctl("enroll", "sign", path("request.json"), "--key", path("order.key"), "-o", path("device.pub"))
        for n, cards in enumerate(self.ROWS, 1):
            with open(path("rows.jsonl"), "w") as f:
                f.writelines(json.dumps({"card": f"card-{c}", "line": f"set {n}", "consent": {"personalise": "granted"}}) + "\n" for c in cards)
            ctl("profiles", "build", path("rows.jsonl"), "--store", "0042", "--pepper", self.store.pepper, "--to", path("device.pub"),
                "--version", n, "-o", path(f"set-{n}.bundle"))
        self.publisher = None
        return [path(f"set-{n}.bundle") for n in (1, 2)]

    def offer(self, n):
        self.end_publisher()
        release = self.chain.release(n, self.bundles[n - 1], more=("--stores", "0042"))
        self.publisher = subprocess.Popen(AISLECTL + ["publish", release, self.bundles[n - 1], "--serve", "--broker", f"mqtt://127.0.0.1:{self.hq.port}"],
                                          stderr=subprocess.DEVNULL)
        STARTED.append(self.publisher)

    def end_publisher(self):
        if self.publisher:
            self.publisher.kill()
            self.publisher.wait()

    def close(self):
        self.end_publisher()
        super().close()

    def lines(self):
        """What the store knows of a card of both sets, of the first alone, of the second alone."""
        known = (json.loads(self.store.ctl("customer", "show", "--json", stdin=f"card-{c}\n")).get("profile") for c in (25, 5, 55))
        return [one and one["line"] for one in known]

    def look(self, where):
        whole = [(300, ["set 1", "set 1", "set 1"]), (40, ["set 2", None, "set 2"])]
        self.store.start()
        before = self.store.status()["profiles"], self.lines(), self.store.status()["profiles"]
        assert before[:2] in whole or before[0] != before[2], (where, before, self.store.log_text()[-2000:])
        self.wait(2)
        now = self.store.status()["profiles"], self.lines()
        assert now == whole[1] and self.store.status()["refused"] == {}, (where, now)
        self.store.stop()
        sets = [n for n in os.listdir(self.state) if n.startswith("profiles-")]
        assert len(sets) <= 2, (where, sets)


def kill_everywhere(bench, least):
    try:
        calls = bench.calls()
        assert len(calls) > least, calls
        # what makes and unmakes files first: there is little of it
        rare = [c for c in calls if c[0] in ("rename", "renameat2", "unlink", "unlinkat", "ftruncate", "mkdir", "fallocate")]
        often = [c for c in calls if c not in rare]
        few = (KILLS + 1) // 2
        points = calls if KILLS >= len(calls) else rare[:: max(1, len(rare) // few)][:few] + often[:: max(1, len(often) // (KILLS - few))][-(KILLS - few):]
        killed = 0
        for call, number in points:
            killed += bench.kill_at(call, number)
            bench.look((call, number))
        print(f"        {killed} kills of {len(points)}, {len(calls)} calls that write", flush=True)
        assert killed >= len(points) * 2 // 3, (killed, points)
    finally:
        bench.close()


def test_killed_at_any_call_that_writes_the_store_serves_a_whole_policy_and_takes_the_release():
    if not RUN:  # an emulator's calls are not the daemon's
        kill_everywhere(Policies(), 50)


def test_killed_at_any_call_that_writes_the_store_has_whole_profiles_and_takes_the_others():
    if not RUN:
        kill_everywhere(Profiles(), 20)


if __name__ == "__main__":
    main([test_killed_at_any_call_that_writes_the_store_serves_a_whole_policy_and_takes_the_release,
          test_killed_at_any_call_that_writes_the_store_has_whole_profiles_and_takes_the_others])
