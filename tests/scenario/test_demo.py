# SPDX-License-Identifier: Apache-2.0
"""The demonstration as a newcomer meets it: it ends well by itself or says what failed, and leaves nothing when it is ended."""
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

from store import BUILD, main, wait_for

DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models", "demo", "demo.py")


def living(session):
    """Processes of this session and their commands: whatever the demonstration started, and what that started."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{pid}/cmdline") as f:
                command = f.read().replace("\0", " ")
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found[int(pid)] = command
    return found


def demo(*words):
    return subprocess.Popen([sys.executable, "-u", DEMO, "--once", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, start_new_session=True)


def read_until(process, word):
    for line in process.stdout:
        if word in line:
            return line
    raise AssertionError(f"it ended before it said {word}")


def the_one(process, word):
    return next(pid for pid, command in living(process.pid).items() if word in command.split(" --into")[0])


def ended(process):
    text = process.stdout.read()
    code = process.wait(60)
    assert "Traceback" not in text, text
    wait_for("nothing to be left", lambda: not living(process.pid))
    return code, text


def test_whoever_ends_it_in_the_middle_nothing_is_left_running():
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = demo("--seconds", "60")
        try:
            read_until(process, "20 % of the day")
            assert the_one(process, "collect") and the_one(process, "aisled")
            process.send_signal(name)
            assert ended(process)[0] == 0
        finally:
            if living(process.pid):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_day_ends_with_a_card_that_outlived_the_kill_and_offers_redeemed():
    process = demo("--seconds", "12")
    code, text = ended(process)
    assert code == 0, text
    assert "headquarters has every record, once" in text and "MISSING" not in text, text
    assert text.count("the same card is still there") == 2 and "BEFORE" not in text, text
    assert float(re.search(r"the first card, ([\d.]+) s after the link", text)[1]) < 60, text
    assert re.search(r"station 1: paid: \$[\d.]+; redeemed: \$0\.[0-9]*[1-9]", text), text
    assert int(re.search(r"offers redeemed: (\d+)", text)[1]) >= 1, text


def test_what_dies_in_the_middle_ends_it_with_a_sentence_that_says_so():
    for word, sentence in (("broker.conf", "the store's broker ended"), ("hq.conf", "headquarters' broker ended"), ("collect", "the collector")):
        process = demo("--seconds", "60")
        try:
            read_until(process, "the WAN is back")
            os.kill(the_one(process, word), signal.SIGKILL)
            code, text = ended(process)
            assert code == 1 and "THE DEMONSTRATION FAILED" in text and sentence in text, text
        finally:
            if living(process.pid):
                os.killpg(process.pid, signal.SIGKILL)


def refused(request):
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as refusal:
        return refusal.code
    return None


def test_the_link_pairs_its_tablet_and_the_printed_lines_work():
    process = demo("--seconds", "60")
    try:
        link = read_until(process, "  open  ").split()[1]
        till = link.split("?")[0]
        manager = read_until(process, "manager's page").split()[-1]
        status = read_until(process, " status\n").split()
        read_until(process, "20 % of the day")
        with urllib.request.urlopen(link) as answer:
            cookie = answer.headers["Set-Cookie"].split(";")[0]
        with urllib.request.urlopen(till + "?code=000000") as answer:
            assert "Set-Cookie" not in answer.headers
        tablet = manager.replace("/manager", "/v1/stations/1")
        with urllib.request.urlopen(urllib.request.Request(tablet, headers={"Cookie": cookie})) as answer:
            assert json.load(answer)["station"] == "1"
        assert refused(tablet) == 401
        assert refused(urllib.request.Request(till + "do", b"{}", {"Origin": "http://elsewhere", "Content-Type": "application/json"})) == 403
        with urllib.request.urlopen(manager) as answer:
            assert b"manager.js" in answer.read()
        words = [os.path.join(BUILD, os.path.basename(status[0])), *status[1:]]
        assert "starter" in subprocess.run(words, capture_output=True, text=True, check=True).stdout
        process.send_signal(signal.SIGTERM)
        assert ended(process)[0] == 0
    finally:
        if living(process.pid):
            os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
