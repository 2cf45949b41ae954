#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl top: what it shows is what happened, and the terminal is as it was when it leaves."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios

from policy import bundle
from store import AISLECTL, Client, Store, main, wait_for


def busy_store():
    """One card open at station 7, one dead letter; the till's client."""
    store = Store()
    store.start()
    store.ctl("bundle", "install", bundle(store.folder))
    till = Client(store.broker.port)
    store.till(till, "basket.opened", {"basket": "b1", "terminal": "7"})
    store.till(till, "basket.item-added", store.item("b1", 1, "grocery/tea", 1500))
    store.till(till, "basket.item-added", {"basket": 5})
    wait_for("the dead letter", lambda: json.loads(store.ctl("deadletter", "--json"))["dead_letters"])
    return store, till


def look(store):
    return json.loads(store.ctl("top", "--json"))


def test_it_counts_what_happened():
    store, till = busy_store()
    try:
        before = look(store)
        assert before["store"] == "0042" and before["broker"] == "connected" and before["hq"]["state"] == "none", before
        assert before["policy"]["name"] == "test"
        assert (before["events"], before["dead_letters"], before["visits"]) == (2, 1, 1), before
        assert before["stations"] == [{"station": "7", "open": 1}], before
        assert before["waiting"] == {"events": 0, "bytes": 0} and before["streams"] == 0
        assert before["turn"]["p50_ms"] > 0 and before["turn"]["p99_ms"] >= before["turn"]["p50_ms"], before
        assert before["a_second"] == {"events": 0, "decisions": 0, "dead_letters": 0}, before
        same = store.event("basket.opened", {"basket": "b2", "terminal": "8"}, terminal="8")
        for _ in range(3):
            till.publish(f"{store.root}/pos/8/event", same)
        wait_for("the second basket", lambda: store.status()["visits"] == 2)
        after = look(store)
        assert after["events"] == 3 and after["doubles"] - before["doubles"] == 2, after
        assert {s["station"]: s["open"] for s in after["stations"]} == {"7": 1, "8": 0}, after
        assert after["today"]["currency"] == "EUR" and after["today"]["accepted"] == 0, after
    finally:
        store.close()


def test_what_happens_between_two_looks_is_told_as_a_rate():
    store, till = busy_store()
    try:
        asking = subprocess.Popen(AISLECTL + ["--config", store.conf, "top", "--json"], stdout=subprocess.PIPE, text=True)
        line = 2
        while asking.poll() is None:
            store.till(till, "basket.item-added", store.item("b1", line, "grocery/tea", 100))
            line += 1
        told = json.loads(asking.stdout.read())
        assert told["a_second"]["events"] > 0, told
        assert told["a_second"]["dead_letters"] == 0, told
    finally:
        store.close()


def test_once_is_a_screen_without_a_cursor():
    store, _ = busy_store()
    try:
        for words in (("top", "--once"), ("top",)):        # the output is no terminal
            text = store.ctl(*words)
            assert "\033" not in text
            for line in (r"store      0042, up 0:00:\d\d, ", r"policy     test version 1$", r"broker     connected$", r"hq         none$",
                         r"events +0\.0 /s +2 since start$", r"dead +0\.0 /s +1 since start$", r"turns      p50 \d+\.\d\d ms, p99 ",
                         r"waiting    0 events, 0 bytes$", r"visits     1 open$", r"today .* 0 redeemed: 0\.00 EUR$", r"cards      7:1$"):
                assert re.search("^" + line, text, re.M), (line, text)
    finally:
        store.close()


class Terminal:
    """aislectl top on a terminal of 80 columns and 24 rows."""

    def __init__(self, store):
        self.fd, inner = pty.openpty()
        termios.tcsetwinsize(inner, (24, 80))
        self.was = termios.tcgetattr(inner)
        self.process = subprocess.Popen(AISLECTL + ["--config", store.conf, "top"], stdin=inner, stdout=inner, stderr=inner,
                                        preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)))
        self.inner, self.text = inner, ""

    def read(self):
        while select.select([self.fd], [], [], 0.05)[0]:
            self.text += os.read(self.fd, 65536).decode()
        return self.text

    def left(self):
        """Its exit code; the terminal is as it was."""
        wait_for("top to leave", lambda: self.read() is not None and self.process.poll() is not None)
        self.read()
        assert termios.tcgetattr(self.inner) == self.was
        assert "\033[?1049h" in self.text and self.text.rindex("\033[?1049l") > self.text.rindex("\033[?1049h"), self.text
        assert self.text.rindex("\033[?25h") > self.text.rindex("\033[?25l")
        os.close(self.fd)
        os.close(self.inner)
        return self.process.returncode


def test_it_leaves_by_q_by_ctrl_c_and_by_a_signal_and_gives_the_terminal_back():
    store, _ = busy_store()
    try:
        for leave in (lambda t: os.write(t.fd, b"q"), lambda t: os.write(t.fd, b"\x03"),
                      lambda t: t.process.send_signal(signal.SIGTERM)):
            terminal = Terminal(store)
            wait_for("two screens", lambda: terminal.read().count("\033[H") >= 2)
            assert "visits     1 open" in terminal.text
            assert termios.tcgetattr(terminal.inner) != terminal.was
            leave(terminal)
            assert terminal.left() == 0
    finally:
        store.close()


def test_a_store_that_starts_anew_is_waited_for_and_said_to_be_away():
    store, _ = busy_store()
    try:
        terminal = Terminal(store)
        wait_for("a screen", lambda: "\033[H" in terminal.read())
        store.stop()
        wait_for("the word", lambda: "NO ANSWER" in terminal.read().split("\033[H")[-1])
        away = terminal.text.split("\033[H")[-1]
        assert "no answer from aisled at " in away and "visits     1 open" in away, away
        store.start()
        wait_for("the store", lambda: "NO ANSWER" not in terminal.read().split("\033[H")[-1])
        wait_for("its figures", lambda: "since start" in terminal.read().split("\033[H")[-1])
        assert re.search(r"events +0\.0 /s +0 since start", terminal.text.split("\033[H")[-1]), terminal.text.split("\033[H")[-1]
        os.write(terminal.fd, b"q")
        assert terminal.left() == 0
        assert "aislectl: " not in terminal.text
        # No line of it is wider or longer than the terminal.
        for screen in terminal.text.split("\033[H")[1:]:
            lines = screen.split("\033[J")[0].replace("\r", "").split("\033[K\n")
            assert len(lines) <= 24 and max(len(line) for line in lines) <= 80, lines
    finally:
        store.close()


def test_who_leaves_while_the_store_is_away_hears_it_on_a_terminal_that_is_given_back():
    store, _ = busy_store()
    try:
        terminal = Terminal(store)
        wait_for("a screen", lambda: "\033[H" in terminal.read())
        store.stop()
        wait_for("the word", lambda: "NO ANSWER" in terminal.read())
        os.write(terminal.fd, b"\x03")
        assert terminal.left() == 69
        assert "aislectl: " in terminal.text[terminal.text.rindex("\033[?1049l"):], terminal.text
        code = subprocess.run(AISLECTL + ["--config", store.conf, "top"], capture_output=True, text=True)
        assert code.returncode in (66, 69) and "\033" not in code.stdout + code.stderr, code
    finally:
        store.close()


def test_a_store_that_hangs_does_not_keep_who_wants_to_leave():
    store, _ = busy_store()
    try:
        terminal = Terminal(store)
        wait_for("two screens", lambda: terminal.read().count("\033[H") >= 2)
        store.process.send_signal(signal.SIGSTOP)
        try:
            shown = terminal.read().count("\033[H")
            wait_for("at most the screen that was under way", lambda: terminal.read().count("\033[H") <= shown + 1)
            os.write(terminal.fd, b"\x03")
            assert terminal.left() in (0, 69)
        finally:
            store.process.send_signal(signal.SIGCONT)
    finally:
        store.close()


main([v for k, v in list(globals().items()) if k.startswith("test_")])
