# SPDX-License-Identifier: Apache-2.0
"""Who watches when nobody does: opens the link, taps Yes on the tablet, presses the keys of the till page, all over HTTP as a browser would."""
import http.cookies
import json
import time
import urllib.request


class Viewer:
    def __init__(self, link, tablet):
        self.link, self.till, self.tablet, self.cookie = link, link.split("?")[0].rstrip("/"), tablet, ""

    def ask(self, url, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json", "Cookie": self.cookie})
        with urllib.request.urlopen(request, timeout=10) as answer:
            for header in answer.headers.get_all("Set-Cookie") or []:
                self.cookie = "; ".join(f"{name}={value.value}" for name, value in http.cookies.SimpleCookie(header).items())
            return answer.read()

    def state(self):
        return json.loads(self.ask(self.till + "/state"))

    def press(self, what, item=None):
        self.ask(self.till + "/do", {"what": what, "item": item})

    def until(self, what, step, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.state()
            if step(state):
                return state
            time.sleep(0.1)
        raise AssertionError(f"{what} did not come within {seconds} s: {state}")

    def offer(self):
        """The path of the offer that the tablet shows; None: none came."""
        for _ in range(40):
            for guidance in json.loads(self.ask(f"http://{self.tablet}/v1/stations/1"))["open"]:
                for prompt in guidance["prompts"]:
                    if "offer" in prompt and prompt["state"] == "open":
                        return f"http://{self.tablet}/v1/guidance/{guidance['guidance']}/prompts/{prompt['prompt']}"
            time.sleep(0.1)
        return None

    def cut(self):
        """The WAN and aisled go, and come back."""
        def may(state):
            return [key for key in state["keys"] if key["what"] == "cut" and not key["off"]]

        before = self.until("the till's card", may)["cuts"]
        self.press("cut")
        self.until("the store after the cut", lambda state: may(state) and state["cuts"] > before)

    def tap_yes(self):
        path = self.offer()
        assert path, "the card was gone after the cut"
        self.ask(path + "/shown", {})
        self.ask(path + "/decision", {"decision": "accept"})

    def watch(self, customers):
        """One sale with an offer in it; whoever gets none leaves."""
        page = self.ask(self.link)
        assert b"<title" in page, page
        for _ in range(customers):
            self.press("card")
            if self.offer():
                break
            self.press("next")
        else:
            raise AssertionError(f"none of {customers} customers at station 1 got an offer")
        self.cut()
        self.tap_yes()
        state = self.until("the till's part", lambda s: s["step"] == 4)
        keys = [key for key in state["keys"] if key["what"] == "scan"]
        for key in sorted(keys, key=lambda key: not key["next"]):
            self.press("scan", key["item"])
            time.sleep(0.3)
        self.until("the discount on the receipt", lambda s: s["step"] == 5)
        self.cut()
        self.press("pay")
        self.until("the reason of the card", lambda s: s["why"])
