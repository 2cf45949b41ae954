# SPDX-License-Identifier: Apache-2.0
"""Headquarters' keys and what they sign, made by aislectl as people make it: the one way to sign, for every test."""
import json
import os
import subprocess

from store import AISLECTL

EXPIRES = "2027-11-30T00:00:00Z"


def run(*words, stdin="\n", code=0):
    """What it did; code None: whatever it ended with."""
    done = subprocess.run(AISLECTL + [str(word) for word in words], input=stdin, capture_output=True, text=True)
    assert code is None or done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class Keys:
    """A folder of keys, each without a password, and of what is made with them."""

    def __init__(self, folder, *names):
        self.folder = folder
        self.said = ""
        os.makedirs(folder, exist_ok=True)
        for name in names:
            self.key(name)

    def path(self, name):
        return os.path.join(self.folder, name)

    def ctl(self, *words, stdin="\n", code=0):
        done = run(*words, stdin=stdin, code=code)
        self.said = done.stderr
        return done.stdout

    def key(self, name):
        self.ctl("keys", "generate", "-o", self.path(name))

    def files(self, names, tail):
        return ",".join(self.path(name) + tail for name in names)

    def write_root(self, name, version, release, order, erase, threshold=1, signed_by=None, expires="365d", previous=None):
        roles = [word for role, names in (("release", release), ("order", order), ("erase", erase)) for word in ("--" + role, self.files(names, ".pub"))]
        self.ctl("keys", "root", "--version", version, *roles, "--threshold", threshold, "--expires", expires,
                 *(["--previous", previous] if previous else []), "--key", self.files(signed_by or release, ".key"), "-o", self.path(name))
        return self.path(name)

    def write_release(self, name, sequence, bundles, channel="stable", expires="30d", more=()):
        self.ctl("release", "make", "--channel", channel, "--sequence", sequence, "--expires", expires, *more, *bundles, "-o", self.path(name))
        return self.path(name)

    def write_order(self, name, target, sequence, kind, more=(), expires="30d"):
        self.ctl("order", "make", "--store", target, "--type", kind, "--sequence", sequence, "--expires", expires, *more, "-o", self.path(name))
        return self.path(name)

    def put_signatures(self, what, path, keys):
        """what: release, order."""
        if keys:
            self.ctl(what, "sign", path, "--key", self.files(keys, ".key"))
        return path


class Signing(Keys):
    """A key for each role, and orders as envelopes."""

    def __init__(self, folder):
        super().__init__(os.path.join(folder, "signing"), "release", "order", "erase")
        self.root = self.make_root("root.json", 1)

    def make_root(self, name, version, release="release", order="order", erase="erase", threshold=1, sign=None, expires=EXPIRES, previous=None):
        return self.write_root(name, version, *(names.split(",") for names in (release, order, erase)), threshold,
                               (sign or release).split(","), expires, previous)

    def order(self, sequence, kind, store="0042", key=None, expires=EXPIRES, **members):
        """The envelope of an order, signed by the key of its role."""
        more = [word for name, value in members.items() for word in ("--" + name, value)]
        path = self.write_order("order.json", store, sequence, kind, more, expires)
        with open(self.put_signatures("order", path, [key or ("erase" if kind == "erase" else "order")])) as f:
            return json.load(f)
