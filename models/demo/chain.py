# SPDX-License-Identifier: Apache-2.0
"""Headquarters of the demonstration: keys in a folder, what is signed with them, and a publisher that serves it."""
import json
import os
import shutil
import subprocess
import threading

from store import AISLECTL, STARTED, wait_for


class Refused(Exception):
    """A command said no; the sentence."""


def ctl(*words, stdin="\n"):
    done = subprocess.run(AISLECTL + list(words), input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise Refused(f"aislectl {' '.join(words[:2])}: {done.stderr.strip()}")
    return done.stdout


class Headquarters:
    def __init__(self, folder, broker_port):
        self.folder, self.broker = os.path.join(folder, "headquarters"), f"mqtt://127.0.0.1:{broker_port}"
        for name in ("secret", "root", "releases", "orders", "artifacts"):
            os.makedirs(self.path(name))
        for name in ("release", "order", "erase", "stranger"):
            ctl("keys", "generate", "-o", self.path("secret", name))
        self.root = self.path("root", "root-1.json")
        ctl("keys", "root", "--version", "1", *(word for role in ("release", "order", "erase") for word in (f"--{role}", self.path("secret", role + ".pub"))),
            "--threshold", "1", "--expires", "365d", "--key", self.key("release"), "-o", self.root)
        self.sequence, self.orders = 0, 0
        self.publisher = None

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def key(self, name):
        return self.path("secret", name + ".key")

    def serve(self):
        self.publisher = subprocess.Popen(AISLECTL + ["publish", "--dir", self.folder, "--serve", "--broker", self.broker],
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        STARTED.append(self.publisher)

    def stop(self):
        if self.publisher is not None:
            self.publisher.terminate()
            self.publisher.wait(20)

    # ---- a release: the bundle first, so that the publisher never sees one without ----

    def release(self, bundle, key="release", store=None, more=()):
        self.sequence += 1
        name = f"{store or 'stable'}-{self.sequence}"
        kept, made = self.path("artifacts", name + ".bundle"), self.path("new.json")
        shutil.copy(bundle, kept)
        ctl("release", "make", "--channel", "stable", "--sequence", str(self.sequence), "--expires", "30d",
            *(("--stores", store) if store else ()), *more, kept, "-o", made)
        ctl("release", "sign", made, "--key", self.key(key))
        os.rename(made, self.path("releases", name + ".json"))

    def order(self, kind, action):
        self.orders += 1
        made = self.path("new.json")
        ctl("order", "make", "--store", "all", "--type", kind, "--action", action, "--sequence", str(self.orders), "--expires", "30d", "-o", made)
        ctl("order", "sign", made, "--key", self.key("order"))
        os.rename(made, self.path("orders", f"all-{self.orders}.json"))

    # ---- profiles: for one store's key, and for nobody else ----

    def profiles(self, store, rows, pepper):
        request, device, bundle = (self.path(f"{store.id}.{tail}") for tail in ("request", "pub", "profiles"))
        store.ctl("enroll", "-o", request)
        ctl("enroll", "sign", request, "--key", self.key("order"), "-o", device)
        ctl("profiles", "build", rows, "--store", store.id, "--pepper", pepper, "--to", device, "-o", bundle)
        self.release(bundle, store=store.id)


class Plan(threading.Thread):
    """What headquarters does while the store sells: each step waits until the store is there, and is told when it has come about."""

    def __init__(self, headquarters, store, source, say, look):
        super().__init__(daemon=True)
        self.headquarters, self.store, self.source, self.say, self.look = headquarters, store, source, say, look
        self.failure, self.over = None, threading.Event()

    def run(self):
        try:
            for step in (self.better, self.too_dear, self.back, self.stop, self.lift):
                step()
                self.look()
        except (AssertionError, Refused) as error:
            self.failure = f"headquarters: {error}"
        self.over.set()

    def wait(self, what, condition):
        """The viewer may cut the WAN and kill the store meanwhile: then it is asked again."""
        return wait_for(what, lambda: (status := self.store.status(check=False)) and condition(status), 120)

    def policy(self, name, change):
        """The policy in a folder of its own, changed, as a bundle."""
        folder, bundle = self.headquarters.path(name), self.headquarters.path(name + ".bundle")
        shutil.copytree(self.source, folder)
        change(folder)
        ctl("bundle", "build", folder, "-o", bundle)
        return bundle

    def better(self):
        def change(folder):
            edit(os.path.join(folder, "policy.json"), lambda policy: policy.update(version=policy["version"] + 1))
            edit(os.path.join(folder, "actions", "soft-drinks-off.json"), lambda action: action["offer"].update(depth=12))
        bundle = self.policy("better", change)
        for line in ctl("policy", "diff", self.source, bundle).splitlines()[:3]:
            self.say(f"  headquarters: {line.strip()}")
        self.headquarters.release(bundle, more=("--bound", "probation_s=5"))
        new = json.loads(ctl("bundle", "inspect", bundle, "--json"))["version"]
        self.wait("the store to take the new policy", lambda status: status["policy"] and status["policy"]["version"] == int(new))
        self.say(f"  headquarters signed policy version {new}: the store fetched it, examined it, tried it on its last sales, and serves it")
        self.wait("it to prove itself", lambda status: status["release"]["state"] == "good")
        self.say("  it is the last known good one now")

    def too_dear(self):
        def change(folder):
            edit(os.path.join(folder, "policy.json"), lambda policy: policy.update(version=policy["version"] + 2))
            for name in os.listdir(os.path.join(folder, "actions")):
                if name.endswith("-off.json"):
                    edit(os.path.join(folder, "actions", name), lambda action: action["offer"].update(depth=90, max=9000, typical=9000))
        self.headquarters.release(self.policy("too-dear", change), more=("--bound", "agreement=0.9"))
        release = self.wait("the store to refuse it", lambda status: status["release"]["state"] == "refused" and status["release"])
        self.say(f"  headquarters signed a policy that gives 90 % away: refused, {release['why']}: {release.get('detail', '')}")

    def back(self):
        """A release with the next number that names the bundle before: the store has it, and nothing is fetched."""
        self.headquarters.release(self.headquarters.path("better.bundle"))
        self.wait("the release to be taken back", lambda status: status["release"]["state"] == "good")
        self.say("  headquarters took it back: the next release names the policy before")

    def stop(self):
        self.headquarters.order("stop", "soft-drinks-off")
        self.wait("the stop", lambda status: "soft-drinks-off" in status["stopped"])
        self.say("  headquarters stopped soft-drinks-off in all stores: it is off the tablets here")

    def lift(self):
        self.headquarters.order("lift", "soft-drinks-off")
        self.wait("its end", lambda status: "soft-drinks-off" not in status["stopped"])
        self.say("  and allowed it again")


def edit(path, change):
    with open(path) as f:
        content = json.load(f)
    change(content)
    with open(path, "w") as f:
        json.dump(content, f)
