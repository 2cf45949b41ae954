#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_release_kills.py [KILLS]: killed with -9 at a system call that writes, from the first chunk of a release to its last step.

strace counts the daemon's own calls, as they are in a run that is not killed, and kills it at one of them. Whatever it was: at its next
start the store serves the policy of before or the new one, whole, and then takes the release without anybody's help.
`tests/scenario/test_release_kills.py 1000` kills at each of them.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from releases import Chain, Headquarters, digest, release_of, trusting_store, wait_release
from store import AISLED, RUN, STARTED, main, wait_for

KILLS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 8
CALLS = ["write", "pwrite64", "pwritev", "fsync", "fdatasync", "rename", "renameat2", "unlink", "unlinkat", "ftruncate", "fallocate", "mkdir"]
QUICK = ["probation_s=1"]


class Bench:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aisle-chain-")
        self.chain = Chain(os.path.join(self.folder, "hq"))
        self.store = trusting_store(self.chain)
        self.hq = Headquarters(self.store)
        self.state = os.path.join(self.store.folder, "state")
        self.bundles = [self.chain.policy(1), self.chain.policy(2)]
        self.store.start()
        self.hq.publish(self.chain.roots[0], self.chain.release(1, self.bundles[0]), self.bundles[0])
        wait_release(self.store, "good", 1)
        self.store.stop()
        shutil.copytree(self.state, self.state + ".one")
        self.hq.publish(self.chain.release(2, self.bundles[1], bounds=QUICK), self.bundles[1])

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
        wait_release(self.store, "good", 2, 60)
        with open(os.path.join(self.folder, "calls"), errors="replace") as f:
            names = [name for name in re.findall(r"^(\w+)\(", f.read(), re.M) if name in CALLS]
        self.store.stop()
        return [(name, names[:n + 1].count(name)) for n, name in enumerate(names)]

    def kill_at(self, call, number):
        """false: it came to its end without that many."""
        self.begin("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
        end = time.monotonic() + 60
        while self.store.process.poll() is None and time.monotonic() < end:
            status = self.store.status(check=False)
            if status and status["release"].get("sequence") == 2 and status["release"]["state"] == "good":
                break
            time.sleep(0.05)
        killed = self.store.process.poll() == -signal.SIGKILL
        self.store.stop(signal.SIGKILL)
        return killed

    def look(self, where):
        names = {digest(path): n for n, path in enumerate(self.bundles, 1)}
        self.store.start()
        policy = self.store.status()["policy"]
        assert policy and names.get(policy["hash"]) == policy["version"], (where, policy, self.store.log_text()[-2000:])
        wait_release(self.store, "good", 2, 60)
        assert self.store.status()["policy"]["version"] == 2 and self.store.status()["refused"] == {}, (where, self.store.status())
        folder = os.path.join(self.state, "bundles")
        for name in os.listdir(folder):
            assert name.endswith(".image") or digest(os.path.join(folder, name)) == name, (where, name)
        assert "why" not in release_of(self.store), (where, release_of(self.store))
        # of what came whole and was not fetched for nothing a little may wait for the next release, which throws it away
        left = os.listdir(os.path.join(self.state, "transfer"))
        assert len(left) <= 2 and not [n for n in left if "image" in n], (where, left)
        self.store.stop()


def test_killed_at_any_call_that_writes_the_store_serves_a_whole_policy_and_takes_the_release():
    if RUN:
        return  # an emulator's calls are not the daemon's
    bench = Bench()
    try:
        calls = bench.calls()
        assert len(calls) > 50, calls
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


if __name__ == "__main__":
    main([test_killed_at_any_call_that_writes_the_store_serves_a_whole_policy_and_takes_the_release])
