# SPDX-License-Identifier: Apache-2.0
"""What the documents, the shipped files and the programs say must be the same thing."""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile

import paho.mqtt.client as mqtt

import policy
from store import AISLECTL, AISLED, Store, free_port, main, now, wait_for

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def run(*words, **more):
    return subprocess.run(list(words), capture_output=True, text=True, **more)


def keys():
    """(section, key, type, default or None, reload) of `aisled --keys`."""
    found, section = [], None
    for line in run(*AISLED, "--keys").stdout.splitlines():
        head = re.fullmatch(r"\[(\w+)\]", line)
        key = re.fullmatch(r"(\w+) \(([^;)]*)(?:; (.*))?\)( \[reload\])?", line)
        if head:
            section = head[1]
        elif key:
            found.append((section, key[1], key[2], key[3], bool(key[4])))
    assert len(found) > 30, found
    return found


def commands():
    """The commands of `aislectl --help`."""
    found = re.findall(r"^  ([a-z-]+(?: [a-z-]+){0,2}) ", run(*AISLECTL, "--help").stdout, re.M)
    assert len(found) > 20, found
    return found


# ---- configuration ----

def test_every_key_is_in_operating_md_with_its_default():
    sections = dict(re.findall(r"^#### \[(\w+)\]\n(.*?)(?=^#|\Z)", read("docs", "operating.md"), re.M | re.S))
    for section, key, kind, default, reload in keys():
        row = re.search(rf"^\| `{key}` \|(.*)$", sections[section], re.M)
        assert row, f"[{section}] {key} is missing"
        cells = [c.strip() for c in row[1].split("|")]
        assert cells[0] == kind, f"[{section}] {key}: {cells[0]}, expected {kind}"
        assert cells[1] == (f"`{default}`" if default else "—"), f"[{section}] {key}: {cells[1]}, expected {default}"
        assert ("*Reload.*" in row[1]) == reload, f"[{section}] {key}: reload"


def test_every_key_is_in_the_manual_page_with_its_default():
    page = read("docs", "man", "aisled.conf.5")
    sections = dict(re.findall(r"^\.Ss \[(\w+)\]\n(.*?)(?=^\.S|\Z)", page, re.M | re.S))
    for section, key, kind, default, reload in keys():
        item = re.search(rf"^\.It Ic {key}\n(.*?)(?=^\.It|^\.El)", sections[section], re.M | re.S)
        assert item, f"[{section}] {key} is missing"
        head = f"({kind}; default\n.Ql {default} )\n" if default else f"({kind}; no default)\n"
        assert item[1].startswith(head), f"[{section}] {key}: {item[1]!r}, expected {head!r}"
        assert ("by a reload" in item[1]) == reload, f"[{section}] {key}: reload"


def check(text):
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        f.write(text)
        f.flush()
        return run(*AISLED, "--config", f.name, "--check")


def test_the_shipped_configuration_passes_the_check():
    done = run(*AISLED, "--config", os.path.join(ROOT, "firmware-config", "aisled.conf"), "--check")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_each_example_in_the_shipped_configuration_is_a_value_that_passes():
    lines = read("firmware-config", "aisled.conf").splitlines()
    example = re.compile(r"#(\w+ = .*)")
    some_file = os.path.join(ROOT, "README.md")
    tried = 0
    for i, line in enumerate(lines):
        match = example.fullmatch(line)
        if not match:
            continue
        one = list(lines)
        one[i] = re.sub("/usr/share/aisle/", os.path.join(ROOT, "firmware-config", ""), match[1])
        one[i] = re.sub(r"/etc/aisle/\S+", some_file, one[i])
        # A certificate and its key stand one below the other, and go together.
        for name, at in (("cert", i + 1), ("key", i - 1)):
            if match[1].startswith(name + " = "):
                one[at] = re.sub(r"/etc/aisle/\S+", some_file, example.fullmatch(lines[at])[1])
        # What is said of headquarters needs its host.
        if lines.index("[hq]") < i < lines.index("[loyalty]"):
            one = [re.sub(r"#(host = hq)", r"\1", x) for x in one]
        if one[i].startswith("host = 127"):
            one = [x for x in one if not x.startswith("socket = ")]
        if one[i].startswith("listen = 0.0.0.0"):
            one[i] += "\nplain_lan = yes"
        done = check("\n".join(one) + "\n")
        # The file that stands in for a certificate or the pepper is none, and that is all that is wrong.
        only_file = match[1].startswith(("cert = ", "key = ", "ca = ", "pepper_file = ")) and done.stderr.count("\n") == 1 and \
            re.search(rf"(\[(http|mqtt|hq)\] (cert|ca):?|pepper file) {some_file}: ", done.stderr)
        assert done.returncode == 0 or only_file, f"{match[1]}: {done.stderr}"
        tried += 1
    assert tried > 20, tried


def test_a_default_that_is_written_out_is_the_default():
    lines = read("firmware-config", "aisled.conf").splitlines()
    defaults = {(s, k): d for s, k, _, d, _ in keys()}
    section, shown = None, set()
    for line in lines:
        head = re.fullmatch(r"\[(\w+)\]", line)
        section = head[1] if head else section
        match = re.fullmatch(r"#(\w+) = (.*)", line)
        if match and section in ("limits", "log", "state") and match[1]:
            assert defaults[section, match[1]] == match[2], line
            shown.add((section, match[1]))
    assert shown >= {k for k in defaults if k[0] in ("limits", "log", "state")}


# ---- commands ----

def test_every_command_is_in_the_manual_page():
    page = read("docs", "man", "aislectl.1")
    for command in commands():
        assert re.search(rf"^\.It Ic {command}(?= (?:Ar|Fl|Op|Oo)\b|$)", page, re.M), command


def test_every_command_completes():
    script = ('. "$0"; COMP_WORDS=(aislectl "$@"); COMP_CWORD=$#; COMPREPLY=(); _aislectl; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    completion = os.path.join(ROOT, "docs", "aislectl.bash")

    def offers(*words):
        with tempfile.TemporaryDirectory() as empty:
            return run("bash", "-c", script, completion, *words, cwd=empty).stdout.split()
    for command in commands():
        words = command.split()
        assert words[0] in offers(words[0][:2]), command
        if len(words) > 1:
            assert words[1] in offers(words[0], words[1][:1]), command
        usage = run(*AISLECTL, *words, "--help").stdout.split("\n")[0]
        offered = offers(*words, "-")
        for option in re.findall(r"(?<!\w)(--?[a-z-]+)", usage.replace("[--config FILE]", "")):
            assert option in offered, f"{command}: {option} is not offered, only {offered}"


def test_names_of_the_running_store_complete():
    script = ('. "$1"; shift; COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; IFS=" " read -ra COMP_WORDS <<<"${COMP_LINE//:/ : }"; '
              '[ "${COMP_LINE: -1}" != " " ] || COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _aislectl; printf "%s\\n" "${COMPREPLY[@]}"')
    store = Store()
    store.start()
    try:
        def offers(*words):
            done = run("bash", "-c", script, "-", os.path.join(ROOT, "docs", "aislectl.bash"), AISLECTL[-1], "--config", store.conf, *words)
            return done.stdout.split()
        assert offers("stop", "") == [] and offers("tablet", "revoke", "") == []
        moved = policy.changed(policy.POLICY, levers={"issue:grow": {"value": 1, "min": 0.5, "max": 2}, "group:coffee": 1.5})
        store.ctl("bundle", "install", policy.bundle(store.folder, policy=moved))
        store.ctl("tablet", "add", "front-1")
        store.ctl("manager", "add", "anna", stdin="4711\n")
        assert offers("stop", "cof") == ["coffee-off"] and "coffee-off" in offers("why-not", "")
        assert offers("stop", "coffee-off", "--l") == ["--lift"] and offers("stop", "coffee-off", "--until", "") == []
        assert offers("lever", "set", "") == ["issue:grow"] and offers("lever", "set", "iss") == ["issue:grow"], "one that no manager moves is none"
        assert offers("lever", "set", "issue:g") == ["grow"] and offers("lever", "set", "issue:") == ["grow"], "bash begins a word behind a colon"
        assert offers("tablet", "revoke", "f") == ["front-1"] and offers("manager", "remove", "") == ["anna"]
        assert json.loads(store.ctl("names", "actions", "--json")) == store.ctl("names", "actions").split()
        store.ctl("names", "nothing", code=64)
    finally:
        store.close()


def test_every_command_says_what_it_takes():
    for command in commands():
        done = run(*AISLECTL, *command.split(), "--help")
        assert done.returncode == 0 and done.stdout.startswith("usage: aislectl"), (command, done)


def test_manual_pages_are_clean():
    if not shutil.which("man"):
        return
    for page in sorted(glob.glob(os.path.join(ROOT, "docs", "man", "*"))):
        done = run("man", "--warnings", "-l", page, env=dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="100"))
        assert done.returncode == 0 and done.stderr == "", f"{page}: {done.stderr}"


# ---- what watches ----

def exposed():
    """Of a running daemon: metric → label → the values that it has."""
    store = Store()
    store.start()
    try:
        text = store.http("GET", "/metrics")[1].decode()
    finally:
        store.close()
    found = {}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.M):
        values = found.setdefault(name, {})
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
            values.setdefault(label, set()).add(value)
    assert len(found) > 30, found
    return found


def check_expression(expression, metrics):
    """Each metric in it exists, and so does each value of a label that it selects, each label that it sums by."""
    used = re.findall(r"\b((?:aisle|process)_\w+)(?:\{(.*?)\})?", expression)
    for name, selectors in used:
        assert name in metrics, f"{expression}: there is no {name}"
        for label, how, value in re.findall(r'(\w+)(=~|=)"([^"]*)"', selectors):
            if label in ("instance", "job"):
                continue
            for one in value.split("|") if how == "=~" else [value]:
                assert one in metrics[name].get(label, ()), f'{expression}: {name} has no {label}="{one}"'
    labels = {label for name, _ in used for label in metrics[name]} | {"instance"}
    for group in re.findall(r"\bby \(([^)]*)\)", expression):
        assert set(group.split(", ")) <= labels, f"{expression}: by {group}, of {labels}"
    return {name for name, _ in used}


def test_each_alert_asks_for_metrics_that_exist_and_names_its_mend():
    metrics, names = exposed(), commands()
    known = {f"{section} {key}" for section, key, *_ in keys()}
    rules = re.split(r"^      - alert: ", read("docs", "alerts.yml"), flags=re.M)[1:]
    assert len(rules) >= 15, len(rules)
    assert len({rule.split()[0] for rule in rules}) == len(rules)
    for rule in rules:
        expression = re.search(r"^        expr: (.*)$", rule, re.M)[1]
        used = check_expression(expression, metrics)
        assert used or expression.startswith("up{"), expression
        assert re.search(r"^          severity: (page|ticket)$", rule, re.M), rule
        said = re.search(r'^          description: "([^"]*)"$', rule, re.M)[1]
        assert re.search(r"Mend: \w.{20}", said), said
        for words in re.findall(r"aislectl ([a-z]+(?: [a-z]+)?)", said):
            assert words in names or words.split()[0] in names, f"{said}: aislectl {words}"
        for section, key in re.findall(r"\[([a-z]+)\](?: (\w+))?", said):
            assert f"{section} {key}" in known or any(k.startswith(section + " ") for k in known), said
            assert not re.search(r"_", key) or f"{section} {key}" in known, f"{said}: [{section}] {key}"
    for name in re.findall(r"(?:aisle|process)_\w+", read("docs", "alerts.yml")):
        assert name in metrics, name


def test_each_panel_of_the_dashboard_asks_for_metrics_that_exist():
    metrics = exposed()
    board = json.loads(read("docs", "grafana-store.json"))
    assert len(board["panels"]) >= 15
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])
    taken = set()
    for panel in board["panels"]:
        for target in panel["targets"]:
            assert check_expression(target["expr"], metrics), target["expr"]
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells


def test_each_metric_in_the_documents_exists():
    metrics = exposed()
    for name in re.findall(r"`((?:aisle|process)_\w+)[`{]", read("docs", "operating.md")):
        assert name in metrics, name


# ---- documents ----

def documents():
    found = [p for p in glob.glob(os.path.join(ROOT, "**", "*.md"), recursive=True)
             if "/build" not in p and "/node_modules/" not in p]
    assert len(found) > 5, found
    return found


def anchors(path):
    """The headings of a document as their anchors."""
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"^```.*?^```", "", f.read(), flags=re.M | re.S)
    return {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}


def test_relative_links_lead_somewhere():
    for path in documents():
        with open(path, encoding="utf-8") as f:
            text = re.sub(r"^```.*?^```", "", f.read(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            to = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
            assert os.path.exists(to), f"{path}: {target}"
            if anchor:
                assert anchor in anchors(to), f"{path}: {target}"


def test_files_that_contributors_are_sent_to_are_there():
    text = read("docs", "CONTRIBUTING.md")
    named = set(re.findall(r"`((?:src|include|tests|docs)/[\w./*-]*)`", text))
    assert len(named) > 10, named
    for path in named:
        assert glob.glob(os.path.join(ROOT, path)) or "NAME" in path, path
    for target in set(re.findall(r"`make ([a-z-]+)`", text)):
        assert re.search(rf"^{target}:", read("Makefile"), re.M), target
    for name in set(re.findall(r"`(\w+)\(\)`", text)):
        assert run("git", "-C", ROOT, "grep", "-qw", name, "--", "src", "include").returncode == 0, name


def test_json_in_the_documents_is_json():
    for name in ("http.md", "headquarters.md", "deciding.md", "operating.md"):
        for block in re.findall(r"^```json\n(.*?)^```", read("docs", name), re.M | re.S):
            for line in block.split("\n\n"):
                json.loads(line)


CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def blake(data, size, key):
    return hashlib.blake2b(data, digest_size=size, key=key).digest()


def ulid(raw):
    n = int.from_bytes(raw, "big")
    return "".join(CROCKFORD[n >> 5 * (25 - i) & 31] for i in range(26))


def test_the_published_vectors_are_right():
    """docs/deciding.md against another BLAKE2b; the same numbers are in test_id.c and test_explore.c."""
    key = bytes(range(32))
    text = read("docs", "deciding.md")
    rows = re.findall(r"^\| `(id|subject|U)\((.*)\)` \| `(.*)` \|$", text, re.M)
    assert len(rows) >= 9, rows
    known = read("tests", "unit", "test_id.c") + read("tests", "unit", "test_explore.c")
    for what, arguments, value in rows:
        parts = [p.strip() for p in arguments.split(",")]
        if what == "id":
            raw = int(parts[0]).to_bytes(6, "big") + blake("\0".join(parts[1:]).encode(), 32, key)[:10]
            assert ulid(raw) == value, (arguments, ulid(raw))
        elif what == "subject":
            assert blake(parts[0].encode(), 16, key).hex() == value, arguments
        else:
            u = (int.from_bytes(blake("\0".join(parts).encode(), 32, key)[:8], "little") >> 11) * 2.0 ** -53
            assert u == float(value), (arguments, u)
        assert value[:14] in known, f"{value} is not in the unit tests"


# ---- systemd ----

UNITS = ("aisled.service", "aisled.socket", "aisle-link.service", "aisle-link.socket")


def units_in(folder):
    """The programs and pages of a system that it is not installed on: ours, and none."""
    for name in UNITS:
        text = read("systemd", name).replace("/usr/sbin/aisled", "/bin/true")
        with open(os.path.join(folder, name), "w") as f:
            f.write(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))


def exposure(folder, unit, dropin=None):
    """What systemd-analyze makes of it, from 0 to 10."""
    path = os.path.join(folder, unit)
    if dropin:
        text = read("systemd", "examples", dropin)
        with open(path, "a") as f:
            f.write(text[text.index("[Service]"):])
    done = run("systemd-analyze", "security", "--offline=true", "--threshold=100", path)
    assert done.returncode == 0, done.stderr
    return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)[1])


def test_the_units_are_right_and_tight():
    with tempfile.TemporaryDirectory() as folder:
        units_in(folder)
        done = run("systemd-analyze", "verify", *(os.path.join(folder, name) for name in UNITS))
        assert done.returncode == 0 and "aisle" not in done.stderr, done.stderr
        figures = {"aisled.service": exposure(folder, "aisled.service"), "aisle-link.service": exposure(folder, "aisle-link.service")}
        assert figures["aisled.service"] <= 0.3 and figures["aisle-link.service"] <= 1.0, figures
        said = re.search(r"rates the daemon (\S+), the link (\S+), ", read("docs", "operating.md"))
        assert [float(x) for x in said.groups()] == list(figures.values()), figures
        assert exposure(folder, "aisle-link.service", "networks.conf") <= 1.0
        assert exposure(folder, "aisled.service", "network.conf") <= 1.2


def test_the_daemon_and_its_link_meet_at_one_socket():
    unit, sock, link = (read("systemd", name) for name in ("aisled.service", "aisle-link.socket", "aisle-link.service"))
    path = re.search(r"^ListenStream=(.*)$", sock, re.M)[1]
    assert f"Environment=AISLE_LINK={path}\n" in unit
    assert re.search(r"^SocketUser=(.*)$", sock, re.M)[1] == re.search(r"^User=(.*)$", unit, re.M)[1]
    assert re.search(r"^User=(.*)$", link, re.M)[1] != re.search(r"^User=(.*)$", unit, re.M)[1]
    assert "SocketMode=0600\n" in sock and re.search(r"^ExecStart=\S+ --link 3 ", link, re.M)


def test_a_wrong_configuration_does_not_start_in_a_loop():
    never = re.search(r"^RestartPreventExitStatus=(.*)$", read("systemd", "aisled.service"), re.M)[1].split()
    done = run(*AISLED, "--config", "/nonexistent/aisled.conf")
    assert str(done.returncode) in never, (done.returncode, never)
    done = run(*AISLED, "--nonsense")
    assert str(done.returncode) in never, (done.returncode, never)


# ---- the shipped broker configuration ----

def event(kind, number, data, source):
    return json.dumps({"specversion": "1.0", "id": f"{source}-{number}", "source": source, "type": kind,
                       "time": now(), "data": data, "receipt": True})


def try_to_say(port, user, topic, text, *more):
    """From a connection of its own, which the broker closes: this mosquitto acknowledges what it refuses, then hangs up."""
    done = run("mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-i", user + "-forger", "-u", user,
               "-P", "secret-" + user, "-q", "1", "-t", topic, "-m", text, *more, timeout=20)
    assert "refused" not in done.stderr.lower(), done.stderr    # the connection is; only the topic is not


class Person:
    """A client of the broker with a name and a password."""

    def __init__(self, port, user, topics=()):
        self.heard = []
        self.refused = None
        self.ready = False
        self.client = mqtt.Client(client_id=user, protocol=mqtt.MQTTv311)
        self.client.username_pw_set(user, "secret-" + user)
        self.client.on_message = lambda c, u, m: self.heard.append((m.topic, json.loads(m.payload)))
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = lambda *a: setattr(self, "ready", True)
        self.topics = topics
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        wait_for(user, lambda: self.ready)

    def on_connect(self, client, userdata, flags, rc):
        assert rc == 0, rc
        client.subscribe([(t, 1) for t in self.topics or ["aisle/v1/0042/status"]])

    def say(self, topic, kind, number, data, source):
        self.client.publish(topic, event(kind, number, data, source), qos=1).wait_for_publish(10)

    def on(self, end):
        return [m for t, m in list(self.heard) if t.endswith(end)]

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


def set_up_store(folder):
    """The shipped files with paths, id and port adapted; returns (broker's file, aisled's file, port)."""
    port, socket = free_port(), os.path.join(folder, "mqtt.sock")
    users = re.findall(r"^user (\S+)$", read("firmware-config", "aclfile"), re.M)
    shutil.copy(os.path.join(ROOT, "firmware-config", "aclfile"), folder)
    os.chmod(os.path.join(folder, "aclfile"), 0o600)
    for user in users:
        make = [] if os.path.exists(os.path.join(folder, "passwd")) else ["-c"]
        done = run("mosquitto_passwd", "-b", *make, os.path.join(folder, "passwd"), user, "secret-" + user)
        assert done.returncode == 0, done.stderr
    text = read("firmware-config", "mosquitto.conf")
    for old, new in (("/run/aisle-broker/mqtt.sock", socket), ("/etc/mosquitto/", folder + "/"),
                     ("/var/lib/mosquitto/", folder + "/"), ("/run/mosquitto/", folder + "/")):
        text = text.replace(old, new)
    text = text.replace("#listener 8883", f"listener {port} 127.0.0.1")
    if os.geteuid() == 0:
        text += "user root\n"
    with open(os.path.join(folder, "mosquitto.conf"), "w") as f:
        f.write(text)
    with open(os.path.join(folder, "password"), "w") as f:
        f.write("secret-aisled\n")
    text = read("firmware-config", "aisled.conf").replace("/run/aisle-broker/mqtt.sock", socket)
    for old, new in (("#password_file = /etc/aisle/broker-password", f"password_file = {folder}/password"),
                     ("#listen = 127.0.0.1:8080", "listen = 127.0.0.1:0"),
                     ("#dir = /var/lib/aisle", f"dir = {folder}/state"),
                     ("#control = /run/aisle/control.sock", f"control = {folder}/control.sock")):
        assert old in text, old
        text = text.replace(old, new)
    with open(os.path.join(folder, "aisled.conf"), "w") as f:
        f.write(text)
    return port


def test_a_till_cannot_speak_for_another_till():
    folder = tempfile.mkdtemp(prefix="aisle-")
    broker = daemon = None
    people = []
    try:
        port = set_up_store(folder)
        log = open(os.path.join(folder, "log"), "ab")
        broker = subprocess.Popen([shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c",
                                   os.path.join(folder, "mosquitto.conf")], stdout=log, stderr=log)
        wait_for("the broker's socket", lambda: os.path.exists(os.path.join(folder, "mqtt.sock")))
        daemon = subprocess.Popen(AISLED + ["--config", os.path.join(folder, "aisled.conf")], stdout=log, stderr=log)

        def status():
            done = run(*AISLECTL, "--config", os.path.join(folder, "aisled.conf"), "status", "--json")
            return json.loads(done.stdout) if done.returncode == 0 else None
        wait_for("aisled on the unix socket", lambda: (status() or {}).get("mqtt", {}).get("connected"), 20)
        root = "aisle/v1/0042"
        seven = Person(port, "till-7", [f"{root}/pos/7/receipt", f"{root}/pos/8/receipt", f"{root}/pos/8/event",
                                        f"{root}/guidance/7"])
        eight = Person(port, "till-8", [f"{root}/pos/8/receipt"])
        people = [seven, eight]
        # 7 in the name of 8, of a reader, of care, of a tablet, of aisled: nothing of it arrives
        opened = "aisle.basket.opened"
        forged = [(f"{root}/pos/8/event", event(opened, 1, {"basket": "b8", "terminal": "8"}, "/forged")),
                  (f"{root}/loyalty/r7/event", event("aisle.customer.identified", 2, {"card": "1", "station": "7"}, "/f")),
                  (f"{root}/care/event", event("aisle.care.case-opened", 3,
                                               {"card": "1", "case": "c", "topic": "t", "severity": 3}, "/forged")),
                  (f"{root}/tablet/t1/event", event("aisle.guidance.decided", 4, {}, "/forged")),
                  (f"{root}/guidance/7", '{"withdraw":"x"}')]
        for topic, text in forged:
            try_to_say(port, "till-7", topic, text)
        try_to_say(port, "till-7", f"{root}/status", '{"state":"offline"}', "-r")
        # its own topic works, and the broker sees it after all of that
        seven.say(f"{root}/pos/7/event", opened, 5, {"basket": "b7", "terminal": "7"}, "/store/0042/pos/7")
        receipt = wait_for("7's receipt", lambda: seven.on("pos/7/receipt"))[0]
        assert receipt["ids"] == [["/store/0042/pos/7", "/store/0042/pos/7-5"]], receipt
        eight.say(f"{root}/pos/8/event", opened, 1, {"basket": "b9", "terminal": "8"}, "/store/0042/pos/8")
        receipts = wait_for("8's receipt", lambda: eight.on("pos/8/receipt"))
        assert [r["ids"] for r in receipts] == [[["/store/0042/pos/8", "/store/0042/pos/8-1"]]], receipts
        # and it hears nothing that is not its own
        assert {t for t, _ in seven.heard} == {f"{root}/pos/7/receipt"}, seven.heard
        assert status()["visits"] == 2, status()
        letters = run(*AISLECTL, "--config", os.path.join(folder, "aisled.conf"), "deadletter", "--json")
        assert json.loads(letters.stdout)["dead_letters"] == [], letters.stdout
        watch = Person(port, "operator", [f"{root}/status"])
        people.append(watch)
        assert wait_for("the status", lambda: watch.on("status"))[0]["state"] == "online"
    finally:
        for person in people:
            person.close()
        for process in (daemon, broker):
            if process is not None:
                process.terminate()
                process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
