# SPDX-License-Identifier: Apache-2.0
"""Headquarters' keys and what they sign, made by aislectl as people make it."""
import json
import os
import subprocess

from store import AISLECTL

EXPIRES = "2027-11-30T00:00:00Z"


class Signing:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "signing")
        os.mkdir(self.folder)
        for name in ("release", "order", "erase"):
            self.key(name)
        self.root = self.make_root("root.json", 1)

    def path(self, name):
        return os.path.join(self.folder, name)

    def ctl(self, *words, stdin="\n", code=0):
        done = subprocess.run(AISLECTL + list(words), input=stdin, capture_output=True, text=True)
        assert done.returncode == code, (words, done.returncode, done.stderr)
        return done.stdout

    def key(self, name):
        self.ctl("keys", "generate", "-o", self.path(name))

    def make_root(self, name, version, release="release", order="order", erase="erase", threshold=1, sign=None, expires=EXPIRES, previous=None):
        pubs = lambda names: ",".join(self.path(n) + ".pub" for n in names.split(","))  # noqa: E731
        self.ctl("keys", "root", "--version", str(version), "--release", pubs(release), "--order", pubs(order), "--erase", pubs(erase),
                 "--threshold", str(threshold), "--expires", expires, *(["--previous", previous] if previous else []),
                 "--key", ",".join(self.path(n) + ".key" for n in (sign or release).split(",")), "-o", self.path(name))
        return self.path(name)

    def order(self, sequence, kind, store="0042", key=None, expires=EXPIRES, **members):
        """The envelope of an order, signed by the key of its role."""
        path = self.path("order.json")
        if os.path.exists(path):
            os.remove(path)
        more = [word for name, value in members.items() for word in ("--" + name, value)]
        self.ctl("order", "make", "--store", store, "--type", kind, *more, "--sequence", str(sequence), "--expires", expires, "-o", path)
        self.ctl("order", "sign", path, "--key", self.path(key or ("erase" if kind == "erase" else "order")) + ".key")
        with open(path) as f:
            return json.load(f)
