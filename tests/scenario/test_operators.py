#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an operator mistypes is said, and does no harm."""
import json
import os
import re
import shutil
import subprocess
import time

import policy
from policy import bundle
from store import AISLECTL, AISLED, Broker, Client, Store, main, shipped_store, wait_for


def ctl(store, *words):
    done = subprocess.run(AISLECTL + ["--config", store.conf, *words], capture_output=True, text=True)
    return done.returncode, done.stderr


def test_a_tablet_is_paired_for_stations_that_can_exist_or_not_at_all():
    store = Store()
    store.start()
    try:
        many = ",".join(f"station-{n:03}" for n in range(200))      # more than is kept of a tablet
        for wrong in ("7, 8", "7,", ",7", "7,,8", "7;8", "a" * 33, "küche", many):
            code, said = ctl(store, "tablet", "pair", "--stations", wrong)
            assert code == 65 and "expected" in said, (wrong, code, said)
        for right in ("7", "7,8", "a" * 32, ",".join(f"station-{n:03}" for n in range(80))):
            assert ctl(store, "tablet", "pair", "--stations", right) == (0, "")
        token = store.pair("both", "7,8")
        assert store.http("GET", "/v1/stations/8", token=token)[0] == 200
        assert store.http("GET", "/v1/stations/9", token=token)[0] == 403
    finally:
        store.close()


def test_revoking_a_name_takes_back_every_token_of_that_name():
    store = Store()
    store.start()
    try:
        tokens = [store.pair("front") for _ in range(66)]
        other = store.pair("back")
        store.ctl("tablet", "revoke", "front")
        assert [t for t in tokens if store.http("GET", "/v1/stations", token=t)[0] != 401] == []
        assert store.http("GET", "/v1/stations", token=other)[0] == 200
        assert [t["name"] for t in json.loads(store.ctl("tablet", "list", "--json"))["tablets"]] == ["back"]
        store.ctl("tablet", "revoke", "bakc", code=66)
        assert store.said == 'aislectl: no tablet of that name; is "back" meant?\n', store.said
    finally:
        store.close()


def test_the_doctor_names_what_is_wrong_with_its_mend():
    store = Store()

    def findings(code):
        told = json.loads(store.ctl("doctor", "--json", code=code))["checks"]
        assert all(("mend" in one) == (one["state"] != "ok") for one in told), told
        return {one["check"]: one for one in reversed(told)}
    try:
        os.chmod(store.folder + "/pepper", 0o600)
        assert findings(69)["aisled"]["state"] == "bad", "it does not run"
        store.start()
        told = findings(69)
        assert (told["policy"]["state"], told["broker"]["state"], told["headquarters"]["state"]) == ("bad", "ok", "ok"), told
        assert told["access list"]["state"] == "bad", "this broker lets anybody in"
        store.ctl("bundle", "install", policy.bundle(store.folder))
        store.ctl("stop", "coffee-off")
        told = findings(69)
        assert told["policy"]["state"] == "ok" and told["stopped"]["state"] == "warn" and "coffee-off" in told["stopped"]["says"], told
        text = store.ctl("doctor", code=69)
        assert "\n                    aislectl stop ACTION --lift allows one again.\n" in text, text
        assert "1 action is silent: coffee-off" in text, text
        store.ctl("stop", "enrol")
        assert "2 actions are silent, among them " in store.ctl("doctor", code=69)
        store.broker.stop()
        wait_for("the broker to be missed", lambda: findings(69)["broker"]["state"] == "bad")
    finally:
        store.close()


def test_when_the_policy_was_switched_on_is_known_after_a_restart():
    store = Store()

    def since():
        text = store.http("GET", "/metrics")[1].decode()
        return float(re.search(r"^aisle_policy_activated_timestamp_seconds ([0-9.e+]+)$", text, re.M)[1])
    try:
        store.start()
        assert since() == 0
        before = int(time.time())
        built = policy.bundle(store.folder)
        store.ctl("bundle", "install", built)
        installed = since()
        assert before <= installed <= time.time() + 1
        assert "in force for less than a day" in store.ctl("doctor", code=69)
        store.stop()
        kept, = (one for one in os.listdir(store.folder + "/state/bundles") if re.fullmatch("[0-9a-f]{64}", one))
        os.utime(store.folder + "/state/bundles/" + kept, (before - 3 * 86400,) * 2)      # three days ago
        store.start()
        assert since() == before - 3 * 86400
        assert "; in force for 3 days\n" in store.ctl("doctor", code=69)
    finally:
        store.close()


def test_the_doctor_says_what_the_link_to_headquarters_met():
    store = Store(hq_folder=True)

    def headquarters():
        return next(one for one in json.loads(store.ctl("doctor", "--json", code=69))["checks"] if one["check"] == "headquarters")
    try:
        store.hq.stop()
        with open(store.hq.conf) as f:
            conf = f.read()
        with open(store.hq.conf, "w") as f:
            f.write(conf.replace("allow_anonymous true", "allow_anonymous false"))
        store.hq.start()
        store.start()
        wait_for("its refusal", lambda: "not authorised" in headquarters()["says"])
        assert headquarters()["state"] == "warn" and "password_file" in headquarters()["mend"]
        store.stop()
        store.hq.stop()
        store.start()
        wait_for("nobody", lambda: "away: Connection refused, " in headquarters()["says"])
    finally:
        store.close()


def test_the_doctor_names_what_is_most_often_wrong_with_events_and_a_disk_that_is_too_small():
    store = Store(config="[limits]\nclock_past = 3d\n")
    with open(store.conf) as f:
        conf = f.read()
    with open(store.conf, "w") as f:
        f.write(conf.replace("[state]\n", "[state]\nmax_mib = 1048576\n"))
    try:
        store.start()
        till = Client(store.broker.port)
        till.publish(f"{store.root}/pos/7/event", dict(store.event("basket.opened", {"basket": "b1", "terminal": "7"}), time="2020-01-01T00:00:00Z"))
        wait_for("the dead letter", lambda: json.loads(store.ctl("deadletter", "--json"))["dead_letters"])
        told = {one["check"]: one for one in json.loads(store.ctl("doctor", "--json", code=69))["checks"]}
        assert told["events"]["says"].endswith("most of them: clock") and "one time server" in told["events"]["mend"], told["events"]
        assert "and the file system has" in told["state"]["says"] and "max_mib" in told["state"]["mend"], told["state"]
    finally:
        store.close()


def write_days(path, days):
    """A basket an hour, of so many days until now."""
    with open(path, "w") as out:
        for hour in range(24 * days, 0, -1):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600 * hour))
            events = [("basket.opened", {"basket": f"b{hour}", "terminal": "7"}),
                      ("basket.item-added", {"basket": f"b{hour}", "line": 1, "sku": "s1", "category": "c", "qty": 1, "amount": 100, "currency": "EUR"}),
                      ("basket.closed", {"basket": f"b{hour}", "total": 100, "currency": "EUR"})]
            for kind, data in events:
                out.write(json.dumps({"specversion": "1.0", "id": f"{kind}-{hour}", "source": "/store/0042/pos/7", "type": f"aisle.{kind}", "time": at,
                                      "recordedtime": at, "datacontenttype": "application/json", "data": data}) + "\n")


def test_how_many_days_of_decisions_fit_is_said_and_warned_of():
    store = Store()
    with open(store.conf) as f:
        conf = f.read()

    def start(max_mib):
        with open(store.conf, "w") as f:
            f.write(conf.replace("[state]\n", f"[state]\nmax_mib = {max_mib}\n"))
        store.start()
        state, = (one for one in json.loads(store.ctl("doctor", "--json", code=69))["checks"] if one["check"] == "state")
        return store.status()["room"], state
    try:
        room, state = start(64)
        assert room["days_fit"] is None and "fit" not in state["says"] and state["state"] == "ok", (room, state)
        assert ", how many days fit is known after one\n" in store.ctl("status")
        assert "\naisle_state_days_fit 0\n" in store.http("GET", "/metrics")[1].decode()
        store.stop()
        shutil.rmtree(store.folder + "/state")      # in a younger one they would be too old to decide anything
        write_days(store.folder + "/days.jsonl", 4)
        subprocess.run(AISLECTL + ["replay", "--config", store.conf, "--bundle", policy.bundle(store.folder), "--state", store.folder + "/state",
                                   "--events", store.folder + "/days.jsonl", "--out", "/dev/null"], check=True)
        room, state = start(1)
        assert room["max_bytes"] == 1 << 20 and 3 < room["days_fit"] < 35 and room["decision_days"] == 35, room
        assert state["state"] == "warn" and "decision_days" in state["mend"], state
        assert state["says"].endswith(f", {room['days_fit']} days of decisions fit at this pace, 35 are to be kept"), state
        assert re.search(rf"^state     \d of 1 MiB, {room['days_fit']} days of decisions fit, 35 are to be kept$", store.ctl("status"), re.M)
        assert f"\naisle_state_days_fit {room['days_fit']}\n" in store.http("GET", "/metrics")[1].decode()
        store.stop()
        room, state = start(64)
        assert room["days_fit"] > 100 and state["state"] == "ok", (room, state)
        # What is written in a day is known after an hour.
        assert store.status()["flash"] == {"bytes_a_day": None, "terabytes": None, "years": None}
        assert re.search(r"^aisle_disk_written_bytes_total \d+$", store.http("GET", "/metrics")[1].decode(), re.M)
    finally:
        store.close()


def test_a_store_as_it_is_shipped_is_well():
    store = shipped_store()
    try:
        os.chmod(store.folder + "/pepper", 0o600)
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder))
        told = json.loads(store.ctl("doctor", "--json"))["checks"]
        assert [one for one in told if one["state"] != "ok"] == [], told
    finally:
        store.close()


def test_what_is_mistyped_is_answered_with_what_may_have_been_meant():
    def said(*words):
        done = subprocess.run(AISLECTL + list(words), capture_output=True, text=True)
        assert done.returncode == 64, (words, done)
        return done.stderr.split("\n")[0]
    assert said("policy") == "aislectl: policy: there is policy check, policy preview, policy diff"
    assert said("polcy", "check", ".").startswith('aislectl: no command "polcy check"; is "policy check" meant?')
    assert said("status", "--jsno") == 'aislectl: unknown option --jsno; is "--json" meant?'
    assert said("policy", "check", ".", "--strickt") == 'aislectl: unknown option --strickt; is "--strict" meant?'
    assert said("policy", "check", ".", "--at") == "aislectl: --at: its value is missing"
    assert said("policy", "check", ".", "--quite-other") == "aislectl: unknown option --quite-other"
    store = Store()
    try:
        store.start()
        levers = {"group:coffee": {"value": 1, "min": 0.5, "max": 2}}
        store.ctl("bundle", "install", policy.bundle(store.folder, policy=dict(policy.POLICY, levers=levers)))
        store.ctl("lever", "set", "group:cofee", "1.2", "--until", "2099-01-01T00:00:00Z", code=66)
        assert store.said.endswith('no such lever; is "group:coffee" meant?\n'), store.said
        store.ctl("lever", "set", "nothing:like-it", "1.2", "--until", "2099-01-01T00:00:00Z", code=66)
        assert store.said.endswith("no such lever\n"), store.said
    finally:
        store.close()


def test_a_control_path_that_names_somebodys_file_leaves_it_alone():
    store = Store()
    try:
        path = os.path.join(store.folder, "control.sock")
        with open(path, "w") as f:
            f.write("a file of somebody's")
        done = subprocess.run(AISLED + ["--config", store.conf], capture_output=True, text=True, timeout=20)
        assert done.returncode == 78 and "control.sock" in done.stderr and "socket" in done.stderr, done
        with open(path) as f:
            assert f.read() == "a file of somebody's"
        os.unlink(path)
        store.start()
        assert oct(os.stat(path).st_mode & 0o777) == "0o660"
    finally:
        store.close()


def test_a_file_that_is_too_large_hears_that_it_is():
    store = Store()
    store.start()
    try:
        path = os.path.join(store.folder, "large.bundle")
        with open(path, "wb") as f:
            f.truncate((256 << 20) + 1)
        for words in (("bundle", "install"), ("profiles", "install")):
            code, said = ctl(store, *words, path)
            assert code == 74 and "too large" in said, (words, code, said)
        code, said = ctl(store, "bundle", "install", os.path.join(store.folder, "none"))
        assert code == 66 and "none" in said, (code, said)
    finally:
        store.close()


def test_a_recording_is_not_written_over_by_what_comes_of_it():
    store = Store()
    try:
        path, policy = os.path.join(store.folder, "events.jsonl"), bundle(store.folder)
        event = json.dumps(store.event("basket.opened", {"basket": "b1", "terminal": "7"})) + "\n"
        with open(path, "w") as f:
            f.write(event)
        os.link(path, path + ".too")
        for words in (("replay", "--out", path), ("replay", "--out", path + ".too"), ("features", "-o", path)):
            done = subprocess.run(AISLECTL + [words[0], "--bundle", policy, "--events", path, *words[1:]],
                                  capture_output=True, text=True)
            assert done.returncode == 64 and "events" in done.stderr, (words, done)
            with open(path) as f:
                assert f.read() == event, words
        done = subprocess.run(AISLECTL + ["replay", "--bundle", policy, "--events", path, "--out", store.folder + "/no/file"],
                              capture_output=True, text=True)
        assert done.returncode == 74, done
    finally:
        store.close()


def test_rows_that_are_no_number_are_a_mistake_of_usage():
    store = Store()
    store.start()
    try:
        for wrong in ("many", "", "3x", "0", "-1"):
            code, said = ctl(store, "deadletter", "--rows", wrong)
            assert code == 64 and "--rows" in said, (wrong, code, said)
        assert ctl(store, "deadletter", "--rows", "3") == (0, "")
    finally:
        store.close()


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
