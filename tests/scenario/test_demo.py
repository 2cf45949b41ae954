# SPDX-License-Identifier: Apache-2.0
"""The demonstration as a newcomer meets it: it ends well by itself, and leaves nothing when it is ended."""
import os
import signal
import subprocess
import sys

from store import main, wait_for

DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models", "demo", "demo.py")


def living(session):
    """Processes of this session: whatever the demonstration started, and what that started."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{pid}/cmdline") as f:
                command = f.read().replace("\0", " ")
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(command)
    return found


def demo(*words):
    return subprocess.Popen([sys.executable, "-u", DEMO, "--once", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, start_new_session=True)


def read_until(process, word):
    for line in process.stdout:
        if word in line:
            return line
    raise AssertionError(f"it ended before it said {word}")


def test_whoever_ends_it_in_the_middle_nothing_is_left_running():
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = demo("--seconds", "60")
        try:
            read_until(process, "10 % of the day")
            assert [c for c in living(process.pid) if "collect" in c] and [c for c in living(process.pid) if "aisled" in c]
            process.send_signal(name)
            rest = process.stdout.read()
            assert "Traceback" not in rest, rest
            process.wait(30)
            wait_for("nothing to be left", lambda: not living(process.pid))
        finally:
            if living(process.pid):
                os.killpg(process.pid, signal.SIGKILL)


def test_a_day_ends_with_every_record_at_headquarters_once():
    process = demo("--seconds", "12")
    text = process.stdout.read()
    assert process.wait(60) == 0, text
    assert "headquarters has every record, once" in text and "MISSING" not in text, text
    wait_for("nothing to be left", lambda: not living(process.pid))


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
