# SPDX-License-Identifier: Apache-2.0
"""A manager signs in over HTTP, away from the operators' addresses, and what that opens."""
import json
import signal
from datetime import datetime, timedelta, timezone

import policy
from store import Client, Store, main, wait_for

AWAY = "[http]\noperators = 192.0.2.0/24\n"


class Managed:
    """A store with a policy, the manager anna, and one card on station 7."""

    def __init__(self, config=AWAY, **more):
        self.store = Store(config=config)
        self.store.start()
        self.store.ctl("bundle", "install", policy.bundle(self.store.folder, **more))
        self.store.ctl("profiles", "install", policy.profiles(self.store.folder, [policy.GOLD], pepper=self.store.pepper))
        self.store.ctl("manager", "add", "anna", stdin="4711\n")
        self.watch = Client(self.store.broker.port, [f"{self.store.root}/#"])

    def card(self, basket="b1"):
        before = len(self.watch.on("guidance/7"))
        self.store.till(self.watch, "basket.opened", {"basket": basket, "terminal": "7"})
        self.store.till(self.watch, "customer.identified", {"card": policy.GOLD["card"], "basket": basket, "station": "7"})
        return wait_for("guidance", lambda: [g for g in self.watch.on("guidance/7")[before:] if g.get("prompts")])[-1]

    def close(self):
        self.watch.close()
        self.store.close()


def sign_in(store, manager, pin, token=None):
    return store.http("POST", "/v1/manager/session", {"manager": manager, "pin": pin}, token)


def test_a_session_opens_the_figures_until_it_is_ended_the_manager_removed_or_the_gateway_started_anew():
    managed = Managed()
    store = managed.store
    try:
        assert store.http("GET", "/v1/report")[0] == 401
        status, body = sign_in(store, "anna", "4711")
        assert status == 200 and body == {"manager": "anna"}, (status, body)
        cookie = store.sign_in("anna", "4711")
        assert store.http("GET", "/v1/report", headers=cookie)[0] == 200
        assert b"manager.js" in store.http("GET", "/manager", headers=cookie)[1]
        assert store.http("DELETE", "/v1/manager/session", headers=cookie)[0] == 200
        assert store.http("GET", "/v1/report", headers=cookie)[0] == 401
        assert store.http("DELETE", "/v1/manager/session", headers=cookie)[0] == 401

        cookie = store.sign_in("anna", "4711")
        store.ctl("manager", "add", "anna", stdin="1234\n")  # another PIN
        assert store.http("GET", "/v1/report", headers=cookie)[0] == 401
        cookie = store.sign_in("anna", "1234")
        store.ctl("manager", "remove", "anna")
        assert store.http("GET", "/v1/report", headers=cookie)[0] == 401
        assert sign_in(store, "anna", "1234")[0] == 401

        store.ctl("manager", "add", "anna", stdin="4711\n")
        cookie = store.sign_in("anna", "4711")
        store.stop()
        store.start()
        assert store.http("GET", "/v1/report", headers=cookie)[0] == 401
        store.sign_in("anna", "4711")
    finally:
        managed.close()


def test_five_wrong_pins_lock_where_they_came_from_and_no_other_place_and_a_restart_keeps_the_lock():
    managed = Managed()
    store = managed.store
    try:
        token = store.pair()
        assert sign_in(store, "anna", "")[0] == 400
        for n in range(5):
            assert sign_in(store, "anna" if n % 2 else "nobody", "0000")[0] == 401
        assert sign_in(store, "anna", "4711")[0] == 423
        assert sign_in(store, "anna", "4711", token)[0] == 200  # a tablet's own
        store.stop()
        store.start()
        assert sign_in(store, "anna", "4711")[0] == 423
        for _ in range(5):
            assert sign_in(store, "anna", "0000", token)[0] == 401
        assert sign_in(store, "anna", "4711", token)[0] == 423
    finally:
        managed.close()


def test_what_the_models_saw_is_for_operators_and_a_manager_sees_every_stations_decisions():
    managed = Managed()
    store = managed.store
    try:
        shown = managed.card()
        path = f"/v1/decisions/{shown['decision']}"
        whole = json.loads(store.ctl("why", shown["decision"], "--json"))
        whole.pop("features"), whole.pop("counters", None), whole.pop("contributions", None)
        for candidate in whole["candidates"]:
            candidate.pop("p1", None), candidate.pop("p0", None)
        assert store.http("GET", path)[0] == 401
        assert store.http("GET", path, token=store.pair("t8", "8"))[0] == 403
        for asked in ({"token": store.pair("t7", "7")}, {"headers": store.sign_in("anna", "4711")}):
            status, record = store.http("GET", path, **asked)
            assert status == 200 and record == whole, (record, whole)
    finally:
        managed.close()


def test_what_a_manager_orders_counts_from_the_next_decision_and_outlives_kill_9():
    levers = policy.changed(policy.POLICY, levers={"group:coffee": {"value": 1, "min": 0.5, "max": 2}, "issue:grow": 1})
    managed = Managed(policy=levers)
    store = managed.store
    later = (datetime.now(timezone.utc) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    try:
        cookie = store.sign_in("anna", "4711")

        def order(name, body):
            return store.http("POST", f"/v1/manager/{name}", body, headers=cookie)[0]

        assert store.http("POST", "/v1/manager/stop", {"action": "*"}, store.pair())[0] == 401
        assert order("stop", {"action": "coffee-of"}) == 404 and order("stop", {}) == 400
        assert order("stop", {"action": "*", "until": "2020-01-01T00:00:00Z"}) == 400
        for action in "", "a" * 129, "two words", "tab\there", "x\n*", "é":
            assert order("stop", {"action": action}) == 400, action
        assert order("lift", {"action": "coffee-off"}) == 409
        assert order("lever", {"name": "group:coffee", "value": 2.5, "until": later}) == 400
        assert order("lever", {"name": "group:coffee", "value": 2}) == 400
        assert order("lever", {"name": "issue:grow", "value": 2, "until": later}) == 403
        assert order("lever", {"name": "group:tea", "value": 2, "until": later}) == 404
        assert order("lever", {"name": "group:coffee", "value": 2, "until": later}) == 200
        shown = managed.card()
        record = json.loads(store.ctl("why", shown["decision"], "--json"))
        assert [c["lever"] for c in record["candidates"] if c["action"] == "coffee-off"][0] == 2, record
        assert order("stop", {"action": "coffee-off", "until": later}) == 200
        wait_for("the withdrawal", lambda: managed.watch.on("guidance/7")[-1].get("prompts") == [])
        store.stop(signal.SIGKILL)
        store.start()
        cookie = store.sign_in("anna", "4711")
        report = store.http("GET", "/v1/report", headers=cookie)[1]
        assert [(row["action"], row["until"]) for row in report["stopped"]] == [("coffee-off", later)], report["stopped"]
        assert report["levers"] == [{"name": "group:coffee", "value": 2, "own": 1, "min": 0.5, "max": 2, "until": later}]
        assert order("lift", {"action": "coffee-off"}) == 200
        assert store.http("GET", "/v1/report", headers=cookie)[1]["stopped"] == []
    finally:
        managed.close()


def test_without_a_policy_a_stop_is_of_the_action_that_it_names_and_of_no_other_after_a_restart():
    store = Store()
    try:
        store.start()
        store.ctl("stop", "x\n*", code=65)
        store.ctl("stop", "tab\there", code=65)
        store.ctl("stop", "coffee-off")
        store.stop()
        store.start()
        assert [row["action"] for row in store.http("GET", "/v1/report")[1]["stopped"]] == ["coffee-off"]
    finally:
        store.close()


def test_what_waits_for_a_manager_is_told_and_approved_with_the_session_and_the_till_is_asked():
    managed = Managed(actions=[policy.changed(policy.OFFER, gate="manager")])
    store = managed.store
    try:
        shown = managed.card()
        cookie = store.sign_in("anna", "4711")
        waiting, = store.http("GET", "/v1/report", headers=cookie)[1]["waiting"]
        prompt = shown["prompts"][0]
        assert (waiting["guidance"], waiting["prompt"], waiting["station"], waiting["action"]) == (
            shown["guidance"], prompt["prompt"], "7", prompt["action"]), waiting
        answer = {"guidance": waiting["guidance"], "prompt": waiting["prompt"], "decision": "accept"}
        token = store.pair()
        path = f"/v1/guidance/{waiting['guidance']}/prompts/{waiting['prompt']}/decision"
        assert store.http("POST", path, {"decision": "accept"}, token)[0] == 403  # a tablet needs the PIN
        assert store.http("POST", "/v1/manager/answer", answer, token)[0] == 401
        for _ in range(2):
            assert store.http("POST", "/v1/manager/answer", answer, headers=cookie)[0] == 200
        wait_for("the command", lambda: managed.watch.on("pos/7/command"))
        assert store.http("POST", "/v1/manager/answer", {**answer, "decision": "dismiss"}, headers=cookie)[0] == 409
        assert store.http("GET", "/v1/report", headers=cookie)[1]["waiting"] == []
        accepted, = [o for o in store.http("GET", f"/v1/decisions/{shown['decision']}", headers=cookie)[1]["outcomes"] if o["outcome"] == "accepted"]
        assert accepted["manager_name"] == "anna" and "tablet" not in accepted, accepted
    finally:
        managed.close()


def test_the_command_line_stops_for_a_while_moves_a_lever_and_lists_managers():
    levers = policy.changed(policy.POLICY, levers={"group:coffee": {"value": 1, "min": 0.5, "max": 2}, "issue:grow": 1})
    managed = Managed(config="", policy=levers)
    store = managed.store
    try:
        store.ctl("stop", "coffee-off", "--until", "2999-01-01T00:00:00Z")
        store.ctl("stop", "coffee-off", "--until", "2020-01-01T00:00:00Z", code=65)
        store.ctl("stop", "coffee-off", "--until", "2999-01-01T00:00:00Z", "--lift", code=64)
        assert store.http("GET", "/v1/report")[1]["stopped"][0]["until"] == "2999-01-01T00:00:00.000Z"
        store.ctl("stop", "coffee-off", "--lift")
        store.ctl("lever", "set", "group:coffee", "0.5", "--until", "2999-01-01T00:00:00Z")
        store.ctl("lever", "set", "group:coffee", "0.4", "--until", "2999-01-01T00:00:00Z", code=65)
        store.ctl("lever", "set", "group:coffee", "0.5", code=64)
        store.ctl("lever", "set", "group:tea", "0.5", "--until", "2999-01-01T00:00:00Z", code=66)
        store.ctl("lever", "set", "issue:grow", "0.5", "--until", "2999-01-01T00:00:00Z", code=77)
        assert store.http("GET", "/v1/report")[1]["levers"][0]["value"] == 0.5
        assert [row["manager"] for row in json.loads(store.ctl("manager", "list", "--json"))["managers"]] == ["anna"]
        assert store.ctl("manager", "list").startswith("anna ")
    finally:
        managed.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
