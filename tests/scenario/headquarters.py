# SPDX-License-Identifier: Apache-2.0
"""Headquarters in a folder: keys, a root, releases and orders as files."""
import os

from signing import Keys


class Headquarters(Keys):
    """Keys r1 r2 (release), o1 (order), e1 (erase); root 1 with this threshold."""

    def __init__(self, folder, threshold=1):
        super().__init__(os.path.join(folder, "headquarters"), "r1", "r2", "o1", "e1")
        self.root = self.write_root("root.json", 1, ["r1", "r2"], ["o1"], ["e1"], threshold, ["r1", "r2"][:threshold])

    def release(self, sequence, *bundles, channel="stable", keys=("r1",), name=None, expires="30d", more=()):
        path = self.write_release(name or f"{channel}-{sequence}.json", sequence, bundles, channel, expires, more)
        return self.put_signatures("release", path, keys)

    def order(self, target, sequence, kind, *more, keys=("o1",), name=None, expires="30d"):
        path = self.write_order(name or f"order-{target.replace(':', '-')}-{sequence}.json", target, sequence, kind, more, expires)
        return self.put_signatures("order", path, keys)
