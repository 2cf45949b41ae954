# SPDX-License-Identifier: Apache-2.0
"""A chain that signs: keys, roots and releases by the real aislectl, on a real broker of headquarters."""
import base64
import hashlib
import json
import os
import subprocess

from policy import POLICY, bundle, changed
from signing import Keys, run
from store import Client, Store, wait_for


def ctl(*words, code=0):
    return run(*words, code=code).stdout


class Chain(Keys):
    def __init__(self, folder, threshold=1):
        super().__init__(folder, "a", "b", "order", "erase", "stranger")
        self.threshold = threshold
        self.serial = 0
        self.made = {}
        self.version = 0
        self.keys = ["a", "b"]
        self.roots = []
        self.root()

    def root(self, keys=None, signed_by=None, expires="365d"):
        """The next one; its keys are those that sign from then on."""
        before = self.keys
        self.keys = keys or before
        self.version += 1
        previous = self.roots[-1] if self.roots else None
        self.roots.append(self.write_root(f"root-{self.version}.json", self.version, self.keys, ["order"], ["erase"], self.threshold,
                                          signed_by or list(dict.fromkeys(before + self.keys)), expires, previous))
        return self.roots[-1]

    def policy(self, version, **more):
        """A policy bundle of this version, built once."""
        if version not in self.made:
            source = self.path(f"p{version}")
            what = {"policy": changed(POLICY, version=version), **more}
            self.made[version] = bundle(source, **what)
        return self.made[version]

    def release(self, sequence, *bundles, channel="stable", keys=None, expires="30d", bounds=(), more=()):
        self.serial += 1
        words = [w for bound in bounds for w in ("--bound", bound)]
        return self.sign(self.write_release(f"release-{self.serial}.json", sequence, bundles, channel, expires, [*words, *more]), keys)

    def sign(self, release, keys=None):
        return self.put_signatures("release", release, keys or self.keys[:self.threshold])

    def release_of_anything(self, sequence, path, policy=None, **members):
        """Of a file that release make would not take, in the place of one that it does; members of its bundle as they are said."""
        out = self.release(sequence, policy or self.policy(1))
        with open(out) as f:
            envelope = json.load(f)
        manifest = base64.b64decode(envelope["manifest"])
        said = json.loads(manifest)["bundles"][0]
        is_so = {"hash": digest(path), "bytes": os.path.getsize(path), **members}
        for name in is_so:
            manifest = manifest.replace(b'"%s":%s' % (name.encode(), json.dumps(said[name]).encode()),
                                        b'"%s":%s' % (name.encode(), json.dumps(is_so[name]).encode()))
        with open(out, "w") as f:
            f.write(json.dumps({"manifest": base64.b64encode(manifest).decode(), "signatures": []}, separators=(",", ":")) + "\n")
        return self.sign(out)


CHUNK = 65536


def digest(path):
    return hashlib.blake2b(read(path), digest_size=32).hexdigest()


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Headquarters:
    """Its broker's retained topics, put there by aislectl publish."""

    def __init__(self, store):
        self.port = store.hq.port
        self.client = Client(self.port)

    def publish(self, *files):
        return ctl("publish", *files, "--broker", f"mqtt://127.0.0.1:{self.port}")

    def retain(self, topic, payload):
        """As it is, past all that publish looks at."""
        info = self.client.client.publish(topic, payload, qos=1, retain=True)
        info.wait_for_publish(10)

    def artifact(self, path, name=None):
        """The chunks of a file as publish sends them, under its own hash or another."""
        data = read(path)
        for n in range(0, len(data), CHUNK):
            frame = subprocess.run(["zstd", "-q", "-c"], input=data[n:n + CHUNK], capture_output=True, check=True).stdout
            self.retain(f"aisle/v1/hq/artifact/{name or digest(path)}/{n // CHUNK}", frame)

    def close(self):
        self.client.close()


def trusting_store(chain, config="", root=1, kind=Store):
    """A store that was born with the chain's first root, and its headquarters' broker."""
    store = kind(hq_folder=True, config=config)
    with open(store.conf) as f:
        text = f.read()
    with open(store.conf, "w") as f:
        f.write(text.replace("[hq]\n", f"[hq]\nroot = {chain.roots[root - 1]}\n"))
    return store


def release_of(store):
    return store.status()["release"]


def wait_release(store, state, sequence=None, seconds=20):
    def there():
        release = release_of(store)
        return release if release["state"] == state and sequence in (None, release.get("sequence")) else None
    try:
        return wait_for(f"release {sequence} {state}", there, seconds)
    except AssertionError:
        raise AssertionError(f"expected release {sequence} {state}, got {release_of(store)}\n{store.log_text()[-3000:]}")
