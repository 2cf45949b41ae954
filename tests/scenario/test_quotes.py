#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Names that JSON has to escape, from outside: whatever a policy, a shop or a till calls things, what is said of them
is JSON, and a line of the log is one line."""
import json
import os
import re

from policy import OFFER, POLICY, bundle, changed
from store import Client, Store, main, wait_for

NAME = 'sale"1"\\' + 120 * '"'    # 128 characters, as many as there may be, of those that take the most room
ACTION = 'coffee"off"\\'


def stored(config=""):
    store = Store(config=config)
    path = bundle(os.path.join(store.folder, "p"), policy=changed(POLICY, name=NAME),
                  actions=[changed(OFFER, action=ACTION, eligible=True, personal=False)])
    store.start()
    return store, path


def test_a_policys_name_with_a_quote_is_installed_told_and_outlives_a_restart():
    store, path = stored()
    try:
        watcher = Client(store.broker.port, [f"{store.root}/#"])
        store.ctl("bundle", "install", path)
        assert store.status()["policy"]["name"] == NAME
        assert NAME in store.ctl("status")
        assert json.loads(store.ctl("bundle", "inspect", path, "--json"))["name"] == NAME
        wait_for("the status", lambda: [s for s in watcher.on("/status") if s["policy"]])
        assert watcher.on("/status")[-1]["policy"]["name"] == NAME
        store.till(watcher, "basket.opened", {"basket": "b1", "terminal": "7"})
        store.till(watcher, "basket.item-added", store.item("b1", 1, "grocery/tea", 200))
        guidance = wait_for("a card", lambda: [g for g in watcher.on("guidance/7") if g.get("prompts")])[-1]
        assert guidance["policy"]["name"] == NAME
        assert guidance["prompts"][0]["action"] == ACTION
        token = store.pair()
        status, report = store.http("GET", "/v1/report", token=token)
        assert status == 200 and report["policy"]["name"] == NAME and report["actions"][0]["action"] == ACTION
        assert json.loads(store.ctl("why", guidance["decision"], "--json"))
        store.ctl("stop", ACTION)
        assert store.status()["stopped"] == [ACTION]
        store.stop()
        store.start()
        assert store.status()["policy"]["name"] == NAME
        watcher.close()
    finally:
        store.close()


FIELDS = re.compile(r'(?: [a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^\s"=]+))+$')


def test_what_a_till_sends_cannot_add_a_field_to_a_line_of_the_log():
    store = Store()
    store.start()
    try:
        till = Client(store.broker.port)
        till.publish(f"{store.root}/pos/7/event", '{"a":1 "b":2}')
        event = store.till(till, "basket.opened", {"basket": "b1", "terminal": "7"}, id='e" source=forged \\')
        till.publish(f"{store.root}/pos/7/event", dict(event, data={"basket": "b2", "terminal": "7"}))
        lines = wait_for("the lines", lambda: len(found := [
            line for line in store.log_text().splitlines()
            if "input set aside" in line or "one id, two bodies" in line]) == 3 and found)
        for line in lines:
            assert FIELDS.search(line), line
            assert " source=forged" not in re.sub(r'"(?:[^"\\]|\\.)*"', '""', line), line
        assert json.loads(store.ctl("deadletter", "--json"))
        till.close()
    finally:
        store.close()


if __name__ == "__main__":
    main([v for n, v in list(globals().items()) if n.startswith("test_")])
