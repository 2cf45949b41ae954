# SPDX-License-Identifier: Apache-2.0
"""Keys, roots, releases and orders on the command line, beside stock minisign."""
import base64
import json
import os
import pty
import re
import shutil
import subprocess
import tempfile
import termios

import policy
from store import AISLECTL, main, wait_for

MINISIGN = "minisign"


class Desk:
    """A folder in which commands run."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="aisle-keys-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def run(self, *words, stdin="", code=0, program=None, **more):
        done = subprocess.run((program or AISLECTL) + list(words), input=stdin, capture_output=True, text=True, timeout=120, cwd=self.path,
                              **more)
        assert done.returncode == code, (words, done)
        return done

    def minisign(self, *words, stdin="", code=0):
        return self.run(*words, stdin=stdin, code=code, program=[MINISIGN])

    def keys(self, *names):
        for name in names:
            self.run("keys", "generate", "-o", name, stdin="\n")

    def read(self, name):
        with open(self.file(name)) as f:
            return f.read()

    def json(self, *words):
        return json.loads(self.run(*words, "--json").stdout)

    def id(self, name):
        return self.json("keys", "show", name + ".pub")["key"]

    def bundle(self):
        return policy.bundle(self.path)

    def root(self, **more):
        """root.json: two release keys, both needed; one order key, one erase key."""
        self.keys("anna", "ben", "ops", "law")
        self.run("keys", "root", "--version", "1", "--release", "anna.pub,ben.pub", "--order", "ops.pub", "--erase", "law.pub",
                 "--threshold", "2", "--expires", more.get("expires", "365d"), "--key", "anna.key,ben.key", "-o", "root.json")

    def release(self, *words, sequence="7", out="r.json", expires="30d"):
        self.run("release", "make", "--channel", "stable", "--sequence", sequence, "--expires", expires, *words, self.bundle(), "-o", out)


# ---- stock minisign ----

def agrees(desk, name, password):
    """Each program signs with the key of this name, and the other verifies."""
    line = password + "\n" if password else ""
    desk.run("release", "sign", "r.json", "--key", name + ".key", stdin=line)
    desk.run("release", "show", "r.json", "--manifest", "m", "--signature", "s")
    said = desk.minisign("-V", "-p", name + ".pub", "-m", "m", "-x", "s").stdout
    assert "Trusted comment: timestamp:" in said and "release stable 7" in said
    line_alone = desk.read(name + ".pub").splitlines()[1]
    desk.minisign("-V", "-P", line_alone, "-m", "m", "-x", "s")
    with open(desk.file("m"), "ab") as f:
        f.write(b" ")
    desk.minisign("-V", "-p", name + ".pub", "-m", "m", "-x", "s", code=1)
    # The other way round: made by minisign of the manifest, brought to the release.
    desk.release(out="other.json")
    desk.run("release", "show", "other.json", "--manifest", "m2")
    desk.minisign("-S", "-s", name + ".key", "-m", "m2", "-x", "s2", "-t", "in the vault", stdin=line)
    desk.run("release", "sign", "other.json", "--signature", "s2")
    desk.run("keys", "root", "--version", "1", "--release", name + ".pub", "--threshold", "1", "--expires", "1d", "--key", name + ".key",
             "-o", "root.json", stdin=line)
    for release in ("r.json", "other.json"):
        assert "is signed" in desk.run("release", "verify", release, "--root", "root.json").stdout
    assert desk.json("release", "show", "other.json")["signatures"] == [{"key": desk.id(name), "comment": "in the vault"}]


def test_minisign_and_we_read_each_others_keys_and_signatures():
    for made_by in ("ours", "theirs"):
        with Desk() as desk:
            if made_by == "ours":
                desk.keys("k")
            else:
                desk.minisign("-G", "-W", "-p", "k.pub", "-s", "k.key")
            desk.release()
            agrees(desk, "k", None)


def test_minisign_reads_our_key_under_a_password():
    with Desk() as desk:
        # By itself it takes minisign's gigabyte, and seconds for each look at it.
        desk.run("keys", "generate", "-o", "k", "--memory", "64", stdin="open sésame\n")
        assert desk.json("keys", "show", "k.key") == {"kind": "secret", "password": True}
        desk.release()
        assert "not its password" in desk.run("release", "sign", "r.json", "--key", "k.key", stdin="open sesame\n", code=77).stderr
        assert "stdin" in desk.run("release", "sign", "r.json", "--key", "k.key", stdin="", code=66).stderr
        assert desk.json("release", "show", "r.json")["signatures"] == []
        agrees(desk, "k", "open sésame")
        # The password behind the key, where both come from one pipe.
        desk.release()
        desk.run("release", "sign", "r.json", "--key", "-", stdin=desk.read("k.key") + "open sésame\n")
        desk.run("release", "verify", "r.json", "--root", "root.json")


def test_we_read_minisigns_key_under_a_password():
    with Desk() as desk:
        desk.minisign("-G", "-p", "k.pub", "-s", "k.key", stdin="open sésame\nopen sésame\n")
        desk.release()
        desk.run("release", "sign", "r.json", "--key", "k.key", stdin="open sésame\n")
        desk.run("release", "show", "r.json", "--manifest", "m", "--signature", "s")
        desk.minisign("-V", "-p", "k.pub", "-m", "m", "-x", "s")


# ---- keys ----

def test_a_secret_key_is_for_its_owner_and_never_replaced():
    with Desk() as desk:
        said = desk.run("keys", "generate", "-o", "k", stdin="\n").stdout
        assert os.stat(desk.file("k.key")).st_mode & 0o777 == 0o600
        before = desk.read("k.key"), desk.read("k.pub")
        assert before[1].splitlines()[1] in said and before[0].splitlines()[1] not in said
        assert "one already" in desk.run("keys", "generate", "-o", "k", stdin="\n", code=77).stderr
        os.remove(desk.file("k.pub"))
        desk.run("keys", "generate", "-o", "k", stdin="\n", code=77)
        assert desk.read("k.key") == before[0] and sorted(os.listdir(desk.path)) == ["k.key"]
        desk.run("keys", "generate", "-o", "k2", stdin="", code=66)
        assert sorted(os.listdir(desk.path)) == ["k.key"]


def test_a_key_comes_from_a_pipe_a_named_pipe_or_stdin_and_is_read_once():
    with Desk() as desk:
        desk.root()
        desk.release()
        for name in ("anna", "ben"):
            desk.release()
            # stdin
            desk.run("release", "sign", "r.json", "--key", "-", stdin=desk.read(name + ".key"))
            assert [s["key"] for s in desk.json("release", "show", "r.json")["signatures"]] == [desk.id(name)]
        read, write = os.pipe()
        os.write(write, desk.read("anna.key").encode())
        os.close(write)
        desk.run("release", "sign", "r.json", "--key", f"/dev/fd/{read}", pass_fds=[read])
        os.close(read)
        desk.run("release", "verify", "r.json", "--root", "root.json")
        desk.release()
        os.mkfifo(desk.file("fifo"))
        writer = subprocess.Popen(["sh", "-c", "cat anna.key >fifo"], cwd=desk.path)
        desk.run("release", "sign", "r.json", "--key", "fifo,ben.key")
        assert writer.wait(10) == 0
        desk.run("release", "verify", "r.json", "--root", "root.json")


def typed_twice(desk, words, prompt, *lines):
    """On a terminal: what is asked for is not seen, and asked again. Returns how it left and what it said last."""
    master, slave = pty.openpty()
    process = subprocess.Popen(AISLECTL + words, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=desk.path)
    try:
        wait_for("no echo", lambda: not termios.tcgetattr(slave)[3] & termios.ECHO)
        assert process.stderr.read(len(prompt)) == prompt
        with open(f"/proc/{process.pid}/limits") as f:
            assert re.search(r"^Max core file size +0 +0 ", f.read(), re.M), "what dies with a secret in it leaves an image of it"
        os.write(master, lines[0])
        # The second question sets it again, so what was typed ahead is thrown away: wait for its words.
        asked = b""
        while len(lines) > 1 and not asked.endswith(b"again: "):
            asked += process.stderr.read(1)
        for line in lines[1:]:
            os.write(master, line)
        code, said = process.wait(60), process.stderr.read().decode()
        assert termios.tcgetattr(slave)[3] & termios.ECHO
        os.set_blocking(master, False)
        try:
            echoed = os.read(master, 1000)
        except BlockingIOError:
            echoed = b""
        assert b"said" not in echoed
        return code, said
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        os.close(master)
        os.close(slave)


def test_a_password_is_asked_for_without_an_echo_and_twice_for_a_new_key():
    with Desk() as desk:
        for words, prompt in ((["keys", "generate", "-o", "k"], b"password"),
                              (["hq", "init", "hq", "--host", "h", "--policy", os.path.join(os.path.dirname(__file__), "..", "..", "models", "starter")], b"password"),
                              (["manager", "add", "anna"], b"PIN")):
            code, said = typed_twice(desk, words, prompt, b"not said aloud\n", b"not said at all\n")
            assert code == 65 and "not the same twice" in said, (words, said)
            assert os.listdir(desk.path) == []
        with open(desk.file("conf"), "w") as f:
            f.write(f"[store]\nid = 7\n[state]\ncontrol = {desk.path}/none.sock\n")
        code, said = typed_twice(desk, ["--config", desk.file("conf"), "customer", "show"], b"card number", b"4000 not said\n")
        assert code == 69, said       # it was asked of a store that is not there


# ---- roots ----

def test_a_root_is_made_by_several_people_one_after_the_other():
    with Desk() as desk:
        desk.keys("anna", "ben", "cleo")
        said = desk.run("keys", "root", "--version", "1", "--release", "anna.pub,ben.pub", "--order", "anna.pub", "--threshold", "2",
                        "--expires", "2030-01-01T00:00:00Z", "--key", "anna.key", "-o", "root.json").stderr
        assert "not whole yet: threshold" in said
        desk.release()
        desk.run("release", "sign", "r.json", "--key", "anna.key,ben.key")
        desk.run("release", "verify", "r.json", "--root", "root.json", code=77)
        assert "whole" not in desk.run("keys", "sign", "root.json", "--key", "ben.key").stderr
        desk.run("release", "verify", "r.json", "--root", "root.json")
        shown = desk.json("keys", "show", "root.json")
        assert shown["version"] == 1 and shown["threshold"] == 2 and shown["expires"] == "2030-01-01T00:00:00.000Z"
        assert shown["release"] == [desk.id("anna"), desk.id("ben")] and shown["order"] == [desk.id("anna")] and shown["erase"] == []
        assert [s["key"] for s in shown["signatures"]] == [desk.id("anna"), desk.id("ben")]
        # Rotation: Ben leaves, Cleo comes. Both of the old sign, and both of the new.
        new = ["keys", "root", "--release", "anna.pub,cleo.pub", "--threshold", "2", "--expires", "365d", "--previous", "root.json", "-o", "2.json"]
        assert "new root" in desk.run(*new, "--version", "2", "--key", "anna.key,ben.key").stderr
        assert "whole" not in desk.run("keys", "sign", "2.json", "--key", "cleo.key", "--previous", "root.json").stderr
        assert "root-gap" in desk.run(*new, "--version", "3", "--key", "anna.key,ben.key,cleo.key", code=77).stderr
        assert "root-older" in desk.run(*new, "--version", "1", "--key", "anna.key,ben.key,cleo.key", code=77).stderr
        said = desk.run(*new, "--version", "3", code=77).stderr
        assert said == "aislectl: root-gap: --version 3 behind root.json, expected 2\n", "before anybody signs"
        assert desk.json("keys", "show", "2.json")["version"] == 2, "a root that is refused is not written"
        assert "wrong-key" in desk.run("release", "verify", "r.json", "--root", "2.json", code=77).stderr
        desk.run("release", "sign", "r.json", "--key", "cleo.key")
        desk.run("release", "verify", "r.json", "--root", "2.json", code=77)


# ---- releases ----

def test_a_release_names_its_bundles_as_they_are_and_says_what_was_said():
    with Desk() as desk:
        path = desk.bundle()
        desk.run("release", "make", "--channel", "stable", "--sequence", "7", "--expires", "30d", "--stores", "12.5%", "--salt",
                 "0011223344556677", "--ring", "early,late", "--bound", "latency_ms=50", "--bound", "agreement=0.9", "--hours", "22:00-06:00",
                 "--jitter", "600", "--rate", "128", path, "-o", "r.json")
        envelope = json.loads(desk.read("r.json"))
        manifest = json.loads(base64.b64decode(envelope["manifest"]))
        inspected = desk.json("bundle", "inspect", path)
        assert envelope["signatures"] == [] and list(envelope) == ["manifest", "signatures"]
        assert manifest["release"] == 1 and manifest["channel"] == "stable" and manifest["sequence"] == 7
        assert manifest["percent"] == 12.5 and manifest["salt"] == "0011223344556677" and manifest["rings"] == ["early", "late"]
        assert manifest["bounds"]["latency_ms"] == 50 and manifest["bounds"]["agreement"] == 0.9 and manifest["bounds"]["discount"] == 1.5
        assert manifest["fetch"] == {"hours": "22:00-06:00", "jitter_s": 600, "rate_kib_s": 128}
        [named] = manifest["bundles"]
        assert named == {"kind": "policy", "name": inspected["name"], "version": str(inspected["version"]), "bytes": os.path.getsize(path),
                         "hash": inspected["hash"], "chunk": 65536}
        assert "12.5 % of the stores (salt 0011223344556677), in ring early, late" in desk.run("release", "show", "r.json").stdout
        profiles = policy.profiles(desk.path, [{"subject": "00" * 16, "line": "x", "consent": {"personalise": "granted"}}], store="0417")
        desk.run("release", "make", "--channel", "stable", "--sequence", "1", "--expires", "1d", "--stores", "0417", profiles, "-o", "p.json")
        [named] = desk.json("release", "show", "p.json")["bundles"]
        with open(desk.file("t.csv"), "w") as f:
            f.write("sku,category\nC-1,grocery/coffee\n")
        desk.run("catalog", "build", "t.csv", "--version", "3", "--name", "range", "-o", "c.bundle")
        desk.run("release", "make", "--channel", "stable", "--sequence", "1", "--expires", "1d", path, "c.bundle", "-o", "both.json")
        assert [(b["kind"], b["name"], b["version"]) for b in desk.json("release", "show", "both.json")["bundles"]] == \
            [("policy", "test", "1"), ("catalog", "range", "3")]
        assert named["kind"] == "profiles" and named["name"] == "0417" and named["bytes"] == os.path.getsize(profiles)


def test_verify_says_why_not():
    with Desk() as desk:
        desk.root()
        desk.release()

        def refused(reason, root="root.json", file="r.json"):
            said = desk.run("release", "verify", file, "--root", root, code=77).stderr
            assert said.startswith(reason + ": "), said
        refused("unsigned")
        desk.run("release", "sign", "r.json", "--key", "anna.key")
        refused("threshold")
        desk.run("release", "sign", "r.json", "--key", "anna.key")
        refused("threshold")
        desk.run("release", "sign", "r.json", "--key", "ops.key")
        refused("wrong-key")
        desk.release()
        desk.run("release", "sign", "r.json", "--key", "anna.key,ben.key")
        desk.run("release", "verify", "r.json", "--root", "root.json")
        text = desk.read("r.json")
        with open(desk.file("bad.json"), "w") as f:
            f.write(text.replace(json.loads(text)["manifest"], base64.b64encode(
                base64.b64decode(json.loads(text)["manifest"]).replace(b'"sequence":7', b'"sequence":8')).decode()))
        refused("bad-signature", file="bad.json")
        with open(desk.file("bad.json"), "w") as f:
            f.write(json.dumps(json.loads(text)))
        refused("malformed", file="bad.json")
        desk.run("order", "make", "--store", "0417", "--type", "snapshot", "--sequence", "1", "--expires", "1d", "-o", "o.json")
        desk.run("order", "sign", "o.json", "--key", "ops.key")
        desk.run("release", "sign", "o.json", "--key", "anna.key", code=77)
        desk.run("order", "sign", "r.json", "--key", "ops.key", code=77)
        desk.run("keys", "sign", "r.json", "--key", "anna.key", code=77)
        assert [s["key"] for s in desk.json("release", "show", "r.json")["signatures"]] == [desk.id("anna"), desk.id("ben")]
        desk.run("release", "verify", "none.json", "--root", "root.json", code=66)
        desk.run("release", "verify", "r.json", "--root", "none.json", code=66)


# ---- orders ----

def test_orders_are_made_for_each_store_and_signed_with_the_keys_of_their_kind():
    with Desk() as desk:
        desk.root()
        desk.run("order", "make", "--store", "all", "--type", "stop", "--action", "*", "--sequence", "3", "--expires", "2d", "-o", "stop.json")
        desk.run("order", "verify", "stop.json", "--root", "root.json", code=77)
        desk.run("order", "sign", "stop.json", "--key", "ops.key")
        desk.run("order", "verify", "stop.json", "--root", "root.json")
        shown = desk.json("order", "show", "stop.json")
        assert shown["store"] == "all" and shown["action"] == "*" and shown["sequence"] == 3 and shown["signatures"][0]["key"] == desk.id("ops")
        desk.run("order", "show", "stop.json", "--manifest", "m", "--signature", "s")
        desk.minisign("-V", "-p", "ops.pub", "-m", "m", "-x", "s")
        desk.minisign("-S", "-s", "ops.key", "-m", "m", "-x", "s2")
        desk.run("order", "sign", "stop.json", "--signature", "s2")
        desk.run("order", "verify", "stop.json", "--root", "root.json")
        # One for each of several stores, signed at once.
        erase = ["order", "make", "--type", "erase", "--subject", "00112233445566778899aabbccddeeff", "--sequence", "9", "--expires", "30d"]
        desk.run(*erase, "--store", "0417,0418,0419", "-o", "erase.json")
        assert len(json.loads(desk.read("erase.json"))) == 3
        desk.run("order", "sign", "erase.json", "--key", "ops.key")
        assert "wrong-key" in desk.run("order", "verify", "erase.json", "--root", "root.json", code=77).stderr
        desk.run(*erase, "--store", "0417,0418,0419", "-o", "erase.json")
        desk.run("order", "sign", "erase.json", "--key", "-", stdin=desk.read("law.key"))
        assert desk.run("order", "verify", "erase.json", "--root", "root.json").stdout.count("is signed") == 3
        assert [json.loads(line)["store"] for line in desk.run("order", "show", "erase.json", "--json").stdout.splitlines()] == ["0417", "0418", "0419"]
        # What cannot be taken back goes to stores by name.
        desk.run(*erase, "--store", "all", "-o", "x.json", code=64)
        desk.run(*erase, "--store", "ring:early", "-o", "x.json", code=64)
        assert not os.path.exists(desk.file("x.json"))


def test_a_gateways_key_is_signed():
    with Desk() as desk:
        desk.root()
        with open(desk.file("request.json"), "w") as f:
            json.dump({"request": 1, "store": "0417", "key": base64.b64encode(bytes(range(32))).decode(), "at": "2026-11-30T10:00:00Z"}, f)
        desk.run("enroll", "sign", "request.json", "--key", "ops.key", "-o", "device.pub")
        manifest = json.loads(base64.b64decode(json.loads(desk.read("device.pub"))["manifest"]))
        assert manifest == {"device": 1, "store": "0417", "key": base64.b64encode(bytes(range(32))).decode()}
        shown = desk.json("keys", "show", "device.pub")
        assert shown["kind"] == "device" and shown["store"] == "0417" and shown["signatures"][0]["key"] == desk.id("ops")
        desk.run("enroll", "sign", "device.pub", "--key", "ops.key", "-o", "x.pub", code=77)


# ---- the page about it ----

def page(*path):
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", *path), encoding="utf-8") as f:
        return f.read()


def test_the_page_has_the_bounds_with_their_defaults_and_every_refusal():
    with Desk() as desk:
        desk.release()
        bounds = desk.json("release", "show", "r.json")["bounds"]
    said = page("docs", "releases.md")
    table = re.search(r"^\| bound \|.*?\n\n", said, re.M | re.S)[0]
    assert {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", table, re.M)} == bounds
    names = re.findall(r'X\(\w+, "([a-z-]+)"\)', page("include", "aisle", "refusal.h"))
    assert len(names) > 25
    table = re.search(r"^## What a store refuses\n.*", said, re.M | re.S)[0]
    assert sorted(names) == sorted(name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`([a-z-]+)`", row))


def test_what_the_page_shows_can_be_typed():
    with Desk() as desk:
        desk.bundle()
        os.rename(desk.file("policy.bundle"), desk.file("spring.bundle"))
        said = page("docs", "releases.md").replace("\\\n", "")
        begin, rotation = (re.search(rf"^## {head}.*?(?=^## |\Z)", said, re.M | re.S)[0] for head in ("In five minutes", "Another root"))
        desk.keys("cleo")
        for block in (begin, rotation):
            for line in re.findall(r"^    (aislectl .*|minisign .*)$", block, re.M):
                words = re.sub(r"  +.*", "", line.strip()) if "keys generate" in line else line
                words = words.split()
                program = AISLECTL if words[0] == "aislectl" else [MINISIGN]
                desk.run(*words[1:], stdin="\n", program=program)
        assert [s["key"] for s in desk.json("keys", "show", "root-2.json")["signatures"]] == [desk.id(k) for k in ("anna", "ben", "cleo")]


# ---- mistakes ----

def test_mistakes_are_told_with_what_was_expected():
    with Desk() as desk:
        desk.root()
        bundle = desk.bundle()
        make = ["release", "make", "--channel", "stable", "--sequence", "7", "--expires", "30d", "-o", "x.json"]
        order = ["order", "make", "--store", "0417", "--sequence", "7", "--expires", "30d", "-o", "x.json"]
        for words, code, what in (
                (make, 64, "usage"),
                ([*make, bundle, bundle], 65, "one of a kind"),
                ([*make, "root.json"], 65, "root.json"),
                ([*make, "none.bundle"], 66, "none.bundle"),
                (["release", "make", "--channel", "a b", "--sequence", "7", "--expires", "30d", "-o", "x.json", bundle], 64, "letters, digits"),
                (["release", "make", "--channel", "stable", "--sequence", "0", "--expires", "30d", "-o", "x.json", bundle], 64, "--sequence 0: expected"),
                (["release", "make", "--channel", "stable", "--expires", "30d", "-o", "x.json", bundle], 64, "--sequence N is expected"),
                (["release", "make", "--channel", "stable", "--sequence", "7", "-o", "x.json", bundle], 64, "--expires T is expected"),
                (["release", "make", "--channel", "stable", "--sequence", "7", "--expires", "soon", "-o", "x.json", bundle], 64, "30d from now on"),
                (["release", "make", "--channel", "stable", "--sequence", "7", "--expires", "2020-01-01T00:00:00Z", "-o", "x.json", bundle], 65, "is over"),
                ([*make, bundle, "--stores", "a,,b"], 64, "with commas"),
                ([*make, bundle, "--stores", "all"], 64, "without --stores"),
                ([*make[:-1], bundle, bundle], 64, "is one of the bundles"),
                ([*make, bundle, "--stores", "101%"], 64, "0% to 100%"),
                ([*make, bundle, "--salt", "0011223344556677"], 64, "goes with"),
                ([*make, bundle, "--stores", "5%", "--salt", "00"], 64, "16 hex"),
                ([*make, bundle, "--bound", "luck=1"], 64, "there is agreement"),
                ([*make, bundle, "--bound", "agreement=2"], 64, "0 to 1"),
                ([*make, bundle, "--bound", "agreement"], 64, "a name and a number"),
                ([*make, bundle, "--hours", "22-6"], 64, "22:00-06:00"),
                ([*make, bundle, "--rate", "0"], 64, "--rate 0"),
                ([*make, bundle, "--chanel", "x"], 64, "--channel"),
                ([*order, "--type", "explode"], 64, "erase, snapshot"),
                ([*order, "--type", "stop"], 64, "--action"),
                ([*order, "--type", "stop", "--action", "a", "--tablet", "t"], 64, "alone"),
                ([*order, "--type", "erase", "--subject", "4711"], 64, "32 lower-case"),
                (["order", "make", "--store", "a b", "--type", "snapshot", "--sequence", "7", "--expires", "30d", "-o", "x.json"], 64, "ring:NAME"),
                (["keys", "root", "--version", "1", "--release", "root.json", "--threshold", "1", "--expires", "1d", "-o", "x.json"], 65, "not a public key"),
                (["keys", "root", "--version", "1", "--release", "anna.pub", "--threshold", "2", "--expires", "1d", "-o", "x.json"], 77, "threshold"),
                (["keys", "root", "--version", "1", "--release", "anna.pub,anna.pub", "--threshold", "2", "--expires", "1d", "-o", "x.json"], 77, "twice"),
                (["keys", "generate", "-o", "x", "--memory", "15"], 64, "16 to 1024"),
                (["keys", "show", bundle], 65, "expected"),
                (["release", "sign", "root.json", "--key", "anna.key"], 77, "wrong-kind"),
                (["release", "sign", "root.json"], 64, "usage"),
                (["enroll", "sign", "root.json", "--key", "ops.key", "-o", "x.json"], 77, "malformed")):
            said = desk.run(*words, code=code).stderr
            assert what in said, (words, said)
            assert not os.path.exists(desk.file("x.json")), words
        desk.release()
        assert "not a secret key" in desk.run("release", "sign", "r.json", "--key", "anna.pub", code=65).stderr
        assert re.search("minisig", desk.run("release", "sign", "r.json", "--signature", "anna.pub", code=65).stderr)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
