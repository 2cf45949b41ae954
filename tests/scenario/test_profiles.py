# SPDX-License-Identifier: Apache-2.0
"""Profiles from headquarters to a store: its own key, encrypted files, deltas, and a kill at any moment of an install."""
import json
import os
import random
import signal
import subprocess
import time

import policy
from store import AISLECTL, Store, main

CARD = "4000123412341234"


def run(*words, stdin=None, code=0):
    done = subprocess.run(AISLECTL + list(words), capture_output=True, text=True, input=stdin)
    assert done.returncode == code, (words, done)
    return done.stdout + done.stderr


def enrolled(store):
    """The store's key as headquarters signed it, and the root that says whose signature that is."""
    path = store.folder
    for name in ("r", "o", "e"):
        run("keys", "generate", "-o", f"{path}/{name}", stdin="\n")
    run("keys", "root", "--version", "1", "--release", f"{path}/r.pub", "--order", f"{path}/o.pub", "--erase", f"{path}/e.pub",
        "--threshold", "1", "--expires", "2099-01-01T00:00:00Z", "--key", f"{path}/r.key", "-o", f"{path}/root.json")
    store.ctl("enroll", "-o", f"{path}/request.json")
    with open(f"{path}/request.json") as f:
        request = json.load(f)
    assert request["request"] == 1 and request["store"] == "0042", request
    run("enroll", "sign", f"{path}/request.json", "--key", f"{path}/o.key", "-o", f"{path}/device.pub")
    return f"{path}/device.pub"


def lines(store, name, rows):
    path = os.path.join(store.folder, name)
    with open(path, "w") as f:
        for row in rows:
            f.write(json.dumps(row) + "\n")
    return path


def build(store, name, rows, *more):
    out = os.path.join(store.folder, name + ".bundle")
    run("profiles", "build", lines(store, name + ".jsonl", rows), "--store", "0042", "--pepper", store.pepper, "-o", out, *more)
    return out


def row(n, line):
    return {"card": f"77{n:010d}", "line": f"{line} {n}", "consent": {"personalise": "granted", "profile": "granted"}, "attributes": {}}


def export(store, card=CARD):
    return json.loads(store.ctl("customer", "export", stdin=card + "\n"))


def line_of(store, n):
    return export(store, f"77{n:010d}").get("profile", {}).get("line")


def test_enrolled_encrypted_installed_and_served():
    store = Store()
    store.start()
    try:
        device = enrolled(store)
        gold = policy.changed(policy.GOLD, wallet=[{"offer": "w-1", "worth": 300, "until": "2099-01-01T00:00:00Z"}],
                              contacts=[{"channel": "mail", "action": "coffee-off", "at": time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime())}],
                              journeys=[{"journey": "late-parcel"}], household="h-9")
        out = build(store, "one", [gold], "--to", device, "--version", "7")
        with open(out, "rb") as f:
            assert b"Gold" not in f.read()
        assert json.loads(run("--config", store.conf, "profiles", "install", out)) == {"profiles": 1, "version": 7}
        status = store.status()
        assert status["profiles"] == 1 and status["profiles_version"] == 7, status
        told = export(store)
        assert told["profile"]["wallet"] == [{"offer": "w-1", "worth": 300, "until": "2099-01-01T00:00:00.000Z"}], told
        assert told["profile"]["journeys"] == [{"journey": "late-parcel"}] and told["profile"]["household"] == "h-9", told
        assert [c["channel"] for c in told["contacts"]] == ["mail"], told
        # The same request again: one key for good, also after a restart.
        store.stop()
        store.start()
        store.ctl("enroll", "-o", f"{store.folder}/again.json")
        keys = [json.load(open(f"{store.folder}/{name}.json"))["key"] for name in ("request", "again")]
        assert keys[0] == keys[1], keys
        assert export(store)["profile"]["household"] == "h-9"
        # Another store's key, and a key that headquarters did not sign.
        with open(f"{store.folder}/hq.conf", "w") as f:
            f.write(f"[store]\nid = 0042\n[hq]\nroot = {store.folder}/root.json\n")
        build(store, "two", [gold], "--to", device, "--config", f"{store.folder}/hq.conf")
        run("keys", "generate", "-o", f"{store.folder}/thief", stdin="\n")
        run("enroll", "sign", f"{store.folder}/request.json", "--key", f"{store.folder}/thief.key", "-o", f"{store.folder}/thief.dev")
        run("profiles", "build", f"{store.folder}/two.jsonl", "--store", "0042", "--pepper", store.pepper, "--to", f"{store.folder}/thief.dev",
            "-o", f"{store.folder}/three.bundle", "--config", f"{store.folder}/hq.conf", code=77)
        run("profiles", "build", f"{store.folder}/two.jsonl", "--store", "0043", "--pepper", store.pepper, "--to", device,
            "-o", f"{store.folder}/three.bundle", code=77)
        assert not os.path.exists(f"{store.folder}/three.bundle")
        # Forgotten: in no later file.
        store.ctl("customer", "forget", stdin=CARD + "\n")
        run("--config", store.conf, "profiles", "install", out)
        store.ctl("customer", "show", stdin=CARD + "\n", code=66)
    finally:
        store.close()


def test_deltas_upon_their_version_and_no_other():
    store = Store()
    store.start()
    try:
        device = enrolled(store)
        one = build(store, "one", [row(n, "old") for n in range(100)], "--to", device, "--version", "3")
        two = build(store, "two", [row(n, "new") for n in range(90, 110)] + [{"card": f"77{5:010d}", "removed": True}],
                    "--to", device, "--from", "3", "--version", "4")
        run("profiles", "build", f"{store.folder}/two.jsonl", "--store", "0042", "--pepper", store.pepper, "--from", "3", "--version", "3",
            "-o", f"{store.folder}/no", code=64)
        nobody = ["profiles", "build", "/dev/null", "--store", "0042", "--pepper", store.pepper, "-o", f"{store.folder}/nobody", "--version", "4"]
        assert "no customer in it" in run(*nobody, code=65) and not os.path.exists(f"{store.folder}/nobody"), "an export that failed"
        run(*nobody, "--from", "3")
        assert "expected a snapshot" in run("--config", store.conf, "profiles", "install", two, code=77)
        run("--config", store.conf, "profiles", "install", one)
        assert json.loads(run("--config", store.conf, "profiles", "install", two)) == {"profiles": 109, "version": 4}
        assert [line_of(store, n) for n in (4, 5, 89, 90, 109)] == ["old 4", None, "old 89", "new 90", "new 109"]
        assert "expected a snapshot" in run("--config", store.conf, "profiles", "install", two, code=77)
        assert store.status()["profiles_version"] == 4
    finally:
        store.close()


def test_with_a_root_a_file_alone_is_not_enough():
    store = Store()
    store.start()
    try:
        device = enrolled(store)
        out = build(store, "one", [row(1, "x")], "--to", device)
        store.stop()
        with open(store.conf, "a") as f:
            f.write(f"\n[hq]\nroot = {store.folder}/root.json\n")
        store.start()
        assert "signed release" in run("--config", store.conf, "profiles", "install", out, code=77)
        assert store.status()["profiles"] == 0
    finally:
        store.close()


def test_a_kill_at_any_moment_leaves_whole_profiles():
    store = Store()
    store.start()
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    try:
        device = enrolled(store)
        files = {word: build(store, word, [row(n, word) for n in range(count)], "--to", device, "--version", version)
                 for word, count, version in (("old", 4000, "1"), ("new", 9000, "2"))}
        run("--config", store.conf, "profiles", "install", files["old"])
        started = time.monotonic()
        run("--config", store.conf, "profiles", "install", files["new"])
        takes = time.monotonic() - started
        seen = set()
        for n in range(10):
            word = "old" if n % 2 == 0 else "new"
            installing = subprocess.Popen(AISLECTL + ["--config", store.conf, "profiles", "install", files[word]],
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, takes * 1.1))
            os.kill(store.process.pid, signal.SIGKILL)
            store.process.wait()
            installing.wait()
            store.start()
            count = store.status()["profiles"]
            assert count in (4000, 9000), count
            word = "old" if count == 4000 else "new"
            seen.add(word)
            for i in (0, 1, 1999, 3999, 4000, 8999, *(chance.randrange(9000) for _ in range(5))):
                assert line_of(store, i) == (f"{word} {i}" if i < count else None), (i, word)
            left = [name for name in os.listdir(os.path.join(store.folder, "state")) if name.startswith("profiles-")]
            assert len(left) == 2, left
        run("--config", store.conf, "profiles", "install", files["new"])
        assert line_of(store, 8999) == "new 8999"
    finally:
        store.close()


if __name__ == "__main__":
    main([value for name, value in list(globals().items()) if name.startswith("test_")])
