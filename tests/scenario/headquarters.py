# SPDX-License-Identifier: Apache-2.0
"""Headquarters in a folder: keys, a root, what is signed with them, all made by the commands that people type."""
import os
import subprocess

from store import AISLECTL


class Headquarters:
    """Keys r1 r2 (release), o1 (order), e1 (erase) without passwords; root 1 with this threshold."""

    def __init__(self, folder, threshold=1):
        self.folder = os.path.join(folder, "headquarters")
        os.makedirs(self.folder, exist_ok=True)
        for name in ("r1", "r2", "o1", "e1"):
            self.ctl("keys", "generate", "-o", self.path(name), stdin="\n")
        self.root = self.path("root.json")
        self.ctl("keys", "root", "--version", "1", "--release", self.path("r1.pub") + "," + self.path("r2.pub"),
                 "--order", self.path("o1.pub"), "--erase", self.path("e1.pub"), "--threshold", str(threshold),
                 "--expires", "365d", "--key", self.path("r1.key") + ("," + self.path("r2.key") if threshold > 1 else ""), "-o", self.root)

    def path(self, name):
        return os.path.join(self.folder, name)

    def ctl(self, *words, stdin=None, code=0):
        done = subprocess.run(AISLECTL + list(words), input=stdin, capture_output=True, text=True)
        assert code is None or done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        self.said = done.stderr
        return done.stdout

    def release(self, sequence, *bundles, channel="stable", keys=("r1",), name=None, expires="30d", more=()):
        out = self.path(name or f"{channel}-{sequence}.json")
        self.ctl("release", "make", "--channel", channel, "--sequence", str(sequence), "--expires", expires, *more, *bundles, "-o", out)
        for key in keys:
            self.ctl("release", "sign", out, "--key", self.path(key + ".key"))
        return out

    def order(self, target, sequence, kind, *more, keys=("o1",), name=None, expires="30d"):
        out = self.path(name or f"order-{target.replace(':', '-')}-{sequence}.json")
        self.ctl("order", "make", "--store", target, "--type", kind, "--sequence", str(sequence), "--expires", expires, *more, "-o", out)
        for key in keys:
            self.ctl("order", "sign", out, "--key", self.path(key + ".key"))
        return out
