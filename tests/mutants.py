# SPDX-License-Identifier: Apache-2.0
"""Small wrong changes to the source, one at a time, and whether a test notices: make mutants.

    SEED=1      which changes
    COUNT=40    how many of each room
    ROOMS=...   of which rooms: the keys of TESTS
    ONLY=...    of which functions: with a name, all changes of it unless COUNT says how many
    JOBS=2      at once
    NICE=10     how much we give way to others

A change is made by rule to one place of one function, in a copy: a condition turned, `<` for `<=`, `&&` for `||`, one
more or less, the neighbour in an enum, a statement dropped, another value returned. The file is compiled with the
sanitizers of make check-ci, the room's tests are linked with it and run until one fails. What does not compile, or
gives the same machine code, is not counted. One that no test can see because nothing changes is listed in
tests/mutants.equivalent, with the reason, by function and text: files may be cut anew. --stale names the entries whose
function or text is there no more, and make lint asks.

Which changes a seed makes depends on the functions alone, not on the files that they stand in. Results are kept in
build/mutants; a run that was stopped goes on where it was, and what a test saw once is not tried again while its
function is the same. FRESH=1 forgets them.
"""
import concurrent.futures
import glob
import hashlib
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
BUILD = os.environ.get("BUILD") or "build"  # as it is: what a changed file is linked with
OWN = f"{BUILD}/mutants"
EQUIVALENT = "tests/mutants.equivalent"

# What holds a room, the likeliest first. A name with a slash is a program in Python, with what it is to be told: it runs a
# mutated program, without a clock of its own. A test that has the name of the mutated file comes before all others.
SEQUENCES = "model/sequences --count 300 --most 1"
PROGRAMS = {"scenario/test_deciding": ["aislectl"], SEQUENCES: ["box"]}
TESTS = {
    "spine": ["test_card", "test_answer", "test_event", "test_effects", "test_till", "test_outcome", "test_order", "test_intake",
              "test_receipt",
              "test_customer", "test_identity", "test_due", "test_hold", "test_query", "test_report", "test_contributions", "test_staff",
              "test_instead", "test_engine", "test_strays", "test_outlet", "test_watchdog", "test_library", "test_tally", "test_door",
              "test_spine", "test_taking", "test_follow", "test_aside", "test_sale", "test_returns", "test_places", "test_waiting",
              "test_levers", "test_promise", "test_whynot", "test_former",
              "test_choose", "test_store_room", "test_record_size", "test_marks", "test_restart", SEQUENCES, "scenario/test_deciding",
              "test_money"],
    "decide": ["test_decide", "test_gate", "test_gate_edges", "test_named", "test_whynot", "test_contact_policy",
               "test_explore", "test_offer", "test_offer_goods", "test_words", "test_prompt",
               "test_record", "test_record_piece", "test_reasons", "test_score_lot", "test_margin", "test_guidance", "test_contributions", "test_article", "test_match",
               "test_hold", "test_door", "test_follow", "test_record_size", "test_places", "test_taking", "test_choose", "test_marks",
               "test_money", "scenario/test_deciding"],
    "session": ["test_basket", "test_recall", "test_identify", "test_whose", "test_lines", "test_visit_codec", "test_contacts",
                "test_sequences", "test_identity", "test_former",
                "test_event", "test_effects", "test_customer", "test_engine", "test_spine", "test_taking", "test_sale", "test_returns",
                "test_store_room", "test_choose", "test_restart", SEQUENCES, "scenario/test_deciding"],
    "deliver": ["test_guidance", "test_access", "test_http_answer", "test_http_request", "test_http_client", "test_http_listen", "test_http",
                "test_sse", "test_http_tls", "test_http_manager", "test_card", "test_answer"],
    "profile": ["test_subject", "test_subject_rows", "test_consent", "test_purchases", "test_merge_rules", "test_subject_json", "test_subject_merge", "test_subject_profile",
                "test_keys", "test_vault", "test_profiles", "test_profiles_build", "test_profiles_line", "test_profiles_sealed", "test_told", "test_profile_disk", "test_features", "test_customer",
                "test_returns", "test_spine", "test_engine", "test_order", "test_staff", "test_store_doom", "test_restart",
                "scenario/test_deciding"],
    "trust": ["test_signed", "test_root", "test_release", "test_trust_order", "test_trust_sequences", "test_minisign"],
}
# A test hangs that takes so many times as long as without a change, in processor time, for a machine may be busy; or that
# takes next to none for so long.
FACTOR, LEAST_S, IDLE_S, IDLE_USES_S = 8, 5, 30, 0.05
MEMORY_MIB = 2048
# The changed file alone is compiled with them: what it writes or reads past an end, and what C leaves undefined.
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


# ---- what may be changed ----

def masked(text):
    """Comments, strings and preprocessor lines as blanks: the places stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)


def close_of(text, at):
    """Where the bracket that opens at `at` is closed."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth == 0:
            return i
    return len(text)


def functions(code):
    """(name, what it returns, start, end) of each: clang-format has both braces in the first column."""
    for match in re.finditer(r"^\{\n.*?^\}", code, flags=re.M | re.S):
        head = code[:match.start()].rstrip()
        head = head[max(head.rfind("\n\n"), head.rfind(";"), head.rfind("}\n"), -1) + 1:]
        named = re.search(r"^(\w+)\(", head, flags=re.M)
        if named:
            yield named.group(1), " ".join(head[:named.start()].split()), match.start(), match.end()


def enums():
    """Each enumerator's neighbour."""
    next_of = {}
    for path in glob.glob("src/*/*.[ch]") + glob.glob("include/aisle/*.h"):
        with open(path) as f:
            code = masked(f.read())
        for match in re.finditer(r"\benum\b\s*\w*\s*\{([^{}]*)\}", code):
            names = re.findall(r"(?:^|,)\s*([A-Z]\w+)\b(?!\s*\()", match.group(1))
            for a, b in zip(names, names[1:] + names[-2:-1]):
                next_of[a] = b
    return next_of


NEIGHBOUR = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "true": "false",
             "false": "true", " + ": " - ", " - ": " + ", " += ": " -= ", " -= ": " += "}
TOKENS = re.compile(r"(?<![<>=!+\-])(?:<=|>=|==|!=|<|>)(?![<>=])|&&|\|\||\b(?:true|false)\b| [-+]=? |!(?!=)")
WORDS = r"if|else|for|while|switch|return|case|default|goto|do|sizeof|CHECK|ARRAY_LEN|_Static_assert"
STATEMENT = re.compile(rf"(?<=[;{{}}):e])\s*\n\s*((?:(?!(?:{WORDS})\b)[*(]*\w+(?:\(|->|\.|\[|\+\+|--| (?:[-+*/|&^%]|<<|>>)?= )|\+\+|--|"
                       r"(?:break|continue|return);|goto \w+;))")


def changes(code, start, end, returns, next_of):
    """(rule, from, to, with) of each place in a function."""
    body = code[start:end]
    for match in TOKENS.finditer(body):
        token, at = match.group(), start + match.start()
        if code[code.rfind("\n", 0, at) + 1:at].lstrip().startswith("CHECK("):
            continue  # what is claimed there holds
        before = code[:at].rstrip()[-1:]
        if token == "<" and re.match(r"<[\w./]+>", code[at:]) or token == "->":
            continue
        if token == "!":
            yield "condition", at, at + 1, ""
        elif token in (" + ", " - ") and before and (before.isalnum() or before in "_)]"):
            yield "sum", at, at + 3, NEIGHBOUR[token]
        elif token.strip() in NEIGHBOUR or token in NEIGHBOUR:
            rule = "compare" if token in "<=>==!=" else "and-or" if token in "&&||" else "value"
            yield rule, at, at + len(token), NEIGHBOUR.get(token) or NEIGHBOUR[token.strip()]
    for match in re.finditer(r"\bif (\()", body):
        first = start + match.start(1)
        last = close_of(code, first)
        yield "condition", first, last + 1, ("(!", first, last + 1, ")")
    for match in re.finditer(r"(?<![\w.])(\d+)(?![\w.])", body):
        at = start + match.start()
        if code[at - 2:at + 3] == "{ 0 }":
            continue
        line = code[code.rfind("\n", 0, at) + 1:at]
        if re.match(r"\s*(?:static |const |struct \w+ |char |u?int\w* |size_t |bool )[^=]*\[[^\]]*$", line):
            continue  # how large an array is
        number = int(match.group())
        yield "one-more", at, start + match.end(), str(number + 1)
        if number > 0:
            yield "one-less", at, start + match.end(), str(number - 1)
    for match in re.finditer(r"\b[A-Z]\w+\b", body):
        if match.group() in next_of:
            yield "enum", start + match.start(), start + match.end(), next_of[match.group()]
    for match in STATEMENT.finditer(body):
        at = first = start + match.start(1)
        while at < end and code[at] != ";":
            at = close_of(code, at) + 1 if code[at] in "([{" else at + 1
        if "{" not in code[first:first + 1]:
            yield "dropped", first, at + 1, ";"
    for match in re.finditer(r"\breturn ([^;]+);", body):
        first, last, value = start + match.start(1), start + match.end(1), match.group(1)
        if value in ("true", "false"):
            continue
        if returns.endswith("*"):
            if value != "NULL":
                yield "returned", first, last, "NULL"
        elif re.search(r"\bbool$", returns):
            yield "returned", first, last, ("!(", first, last, ")")
        elif not re.search(r"\bstruct \w+$|\bvoid$", returns):
            if value not in ("0", "1"):
                yield "returned", first, last, "0"


def mutants(room, seed, next_of):
    """All of a room, in the seed's order."""
    found = []
    for path in sorted(glob.glob(f"src/{room}/*.c")):
        with open(path) as f:
            text = f.read()
        code = masked(text)
        for name, returns, start, end in functions(code):
            seen = {}
            for rule, first, last, to in changes(code, start, end, returns, next_of):
                if isinstance(to, tuple):
                    to = to[0] + text[to[1]:to[2]] + to[3]
                # Line numbers stay: CHECK has them.
                to += "\n" * (text[first:last].count("\n") - to.count("\n"))
                changed = text[:first] + to + text[last:]
                left = text.rfind("\n", 0, first) + 1
                if re.match(r"(break|continue|return|goto \w+);", code[first:last]):
                    left = text.rfind("\n", 0, left - 1) + 1  # alone they say nothing
                right, shift = text.find("\n", last), len(to) - (last - first)
                was, now = " ".join(text[left:right].split()), " ".join(changed[left:right + shift].split())
                if was == now:
                    continue
                nth = seen[was, now] = seen.get((was, now), 0) + 1
                key = "|".join((name, was, now, str(nth)))
                order = hashlib.blake2b(f"{seed}|{key}".encode(), digest_size=8).hexdigest()
                found.append({"room": room, "function": name, "rule": rule, "was": was, "now": now, "nth": nth, "key": key,
                              "path": path, "line": text.count("\n", 0, first) + 1, "whole": text, "text": changed, "order": order,
                              "body": hashlib.blake2b(text[start:end].encode(), digest_size=8).hexdigest()})
    return sorted(found, key=lambda m: m["order"])


def equivalents():
    """(function, was, now) → why. An entry: the function's name, `- was`, `+ now`, then the reason, up to an empty line."""
    why = {}
    if os.path.exists(EQUIVALENT):
        with open(EQUIVALENT) as f:
            entries = re.sub(r"^#.*\n", "", f.read(), flags=re.M).strip().split("\n\n")
        for entry in filter(None, entries):
            name, was, now, *reason = entry.split("\n")
            if was[:2] != "- " or now[:2] != "+ " or not reason:
                sys.exit(f"{EQUIVALENT}: not an entry:\n{entry}")
            why[name, was[2:], now[2:]] = " ".join(r.strip() for r in reason)
    return why


def stale():
    """How many entries are of what is there no more; each is named."""
    bodies, count = {}, 0
    for path in glob.glob("src/*/*.c"):
        with open(path) as f:
            text = f.read()
        for name, _, start, end in functions(masked(text)):
            bodies[name] = bodies.get(name, "") + " ".join(text[start:end].split()) + "\n"
    for name, was, now in equivalents():
        if was not in bodies.get(name, ""):
            count += 1
            print(f"{EQUIVALENT}: {name}() has no: {was}")
    return count


# ---- one of them ----

class Bench:
    """A folder with a compiler and the tests, for one at a time. The unit tests of a room are one program, for a link takes
    longer than most of them."""

    compiler = [w for w in shlex.split(os.environ.get("MUTANTS_CC", "")) if w not in ("ccache", "-g", "-Werror")]
    libs = shlex.split(os.environ.get("MUTANTS_LIBS", ""))
    baseline = {}  # of each test: its seconds

    def __init__(self, n):
        self.folder, self.objects = os.path.abspath(f"{OWN}/bench{n}"), {}  # objects: of the files as they are
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        with open("src/core/arena.c") as f:  # with guards between its pieces
            self.arena = self.compile("src/core/arena.c", f.read(), "arena.o", SANITIZE)

    def compile(self, path, text, name, flags=()):
        out = os.path.join(self.folder, name)
        done = subprocess.run(self.compiler + [*flags, "-w", "-x", "c", "-c", "-o", out, "-"], input=f'# 1 "{path}"\n{text}', text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return out if done.returncode == 0 else None

    def link(self, out, objects, libs=()):
        line = self.compiler + SANITIZE + ["-pie", "-fuse-ld=gold", "-Wl,-s", "-o", out, *objects, self.arena, f"{BUILD}/libaisle.a", *self.libs, *libs]
        done = subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        return done.returncode == 0 or sys.exit(f"cannot link {out}:\n{done.stderr[-2000:]}")

    def part(self, test):
        """A unit test with a main() that has its name, and nothing else that another one sees."""
        made = os.path.join(self.folder, f"{test}.part.o")
        if not os.path.exists(made):
            subprocess.run(["objcopy", "--redefine-sym", f"main=main_{test}", f"{BUILD}/tests/unit/{test}.o", made], check=True)
            subprocess.run(["objcopy", f"--keep-global-symbol=main_{test}", made], check=True)
        return made

    def link_units(self, tests, objects=()):
        tests = [t for t in tests if "/" not in t]
        main = "#include <string.h>\n" + "".join(f"int main_{t}(int, char **);\n" for t in tests)
        main += "int main(int argc, char **argv) {\n" + "".join(f'if (!strcmp(argv[1], "{t}")) return main_{t}(argc - 1, argv + 1);\n' for t in tests)
        parts = [self.compile("units.c", main + "return 99; }\n", "units.o")] + [self.part(t) for t in tests]
        self.link(os.path.join(self.folder, "units"), parts + list(objects), ["-lcmocka", "-lm"])

    def link_program(self, name, objects):
        own = [f"{BUILD}/tests/model/box.o"] if name == "box" else [f"{BUILD}/{s[:-2]}.o" for s in glob.glob(f"src/{name[5:]}/*.c")]
        self.link(os.path.join(self.folder, name), list(objects) + own)

    def run(self, test, objects=()):
        """'' passed, else how it failed; objects stand in for those of the library. Unit tests are linked before."""
        environ = dict(os.environ, BUILD=self.folder, SEEDS="12", ASAN_OPTIONS=f"hard_rss_limit_mb={MEMORY_MIB}")
        command = [os.path.join(self.folder, "units"), test]
        if "/" in test:
            file, *told = test.split()
            for program in {"aislectl", *PROGRAMS[test]}:
                self.link_program(program, objects if program in PROGRAMS[test] else ())
            command = ["/usr/bin/python3", f"tests/{file}.py", *told]
        limit = max(LEAST_S, FACTOR * self.baseline.get(test, 75))
        process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   start_new_session=True, text=True, errors="replace", 
                                   preexec_fn=lambda: limits(int(limit) + 1))
        used = -1.0
        while True:
            try:
                out, _ = process.communicate(timeout=IDLE_S)
                break
            except subprocess.TimeoutExpired:
                before, used = used, session_s(process.pid)
                if used - before < IDLE_USES_S:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.communicate()
                    return "hangs"
        if process.returncode == 0:
            return ""
        failed = re.findall(r"\[  FAILED  \] (\w+)$|^FAILED\s+(\w+)", out, flags=re.M)
        return next((a or b for a, b in failed), f"exit {process.returncode}")


def session_s(session):
    """Processor time of all that a test started and that still runs."""
    ticks = 0
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue  # it has ended
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def limits(seconds):
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))


def add_own_tests():
    """A test that has the name of a room's file is one of the room's."""
    for room, tests in TESTS.items():
        named = ("test_" + os.path.basename(path)[:-2] for path in sorted(glob.glob(f"src/{room}/*.c")))
        tests[:0] = [t for t in named if t not in tests and os.path.exists(f"tests/unit/{t}.c")]


def tests_for(mutant):
    tests = TESTS[mutant["room"]]
    own = "test_" + os.path.basename(mutant["path"])[:-2]
    return sorted(tests, key=lambda t: (t != own, tests.index(t)))


def unchanged(bench, mutant):
    """What the file compiles to as it is."""
    path = mutant["path"]
    if path not in bench.objects:
        bench.objects[path] = read(bench.compile(path, mutant["whole"], "was.o"))
    return bench.objects[path]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def try_one(bench, mutant):
    """What became of it: killed, survived, same, broken; and by what."""
    checked = bench.compile(mutant["path"], mutant["text"], "checked.o", SANITIZE)
    if checked is None:
        return "broken", ""
    tests = tests_for(mutant)
    bench.link_units(tests, [checked])
    for test in tests:
        how = bench.run(test, [checked])
        if how:
            return "killed", f"{test}: {how}"
    made = bench.compile(mutant["path"], mutant["text"], "now.o")
    return "same" if read(made) == unchanged(bench, mutant) else "survived", ""


# ---- all of them ----

class Results:
    """One line for each; of several the last counts."""

    def __init__(self, path, tests):
        self.path, self.tests, self.known, self.lock = path, tests, {}, threading.Lock()
        if os.environ.get("FRESH") and os.path.exists(path):
            os.remove(path)
        if os.path.exists(path):
            with open(path) as f:
                for line in f:
                    row = json.loads(line)
                    self.known[row["key"]] = row

    def of(self, mutant):
        row = self.known.get(mutant["key"])
        if row is None or row["body"] != mutant["body"] or row["fate"] == "survived" and row["tests"] != self.tests[mutant["room"]]:
            return None
        return row

    def add(self, mutant, seconds, fate, by):
        row = {k: mutant[k] for k in ("key", "room", "function", "rule", "was", "now", "body")}
        row.update(fate=fate, by=by, seconds=round(seconds, 1), tests=self.tests[mutant["room"]])
        with self.lock:
            self.known[mutant["key"]] = row
            with open(self.path, "a") as f:
                f.write(json.dumps(row) + "\n")
        return row


def run_room(room, todo, count, results, why, benches):
    """The first `count` of a room that count, in the seed's order; those that nobody can see are not among them."""
    taken, lock, todo = [], threading.Lock(), iter(todo)
    start, counted = time.time(), 0

    def work(bench):
        nonlocal counted
        while True:
            with lock:
                if counted >= count:
                    return
                mutant = next(todo, None)
                if mutant is None:
                    return
                counted += 1
            row = results.of(mutant)
            if row is None:
                began = time.time()
                became = try_one(bench, mutant)
                row = results.add(mutant, time.time() - began, *became)
            row = dict(row, path=mutant["path"], line=mutant["line"], order=mutant["order"],
                       why=why.get((mutant["function"], mutant["was"], mutant["now"])))
            with lock:
                if row["fate"] in ("broken", "same"):
                    counted -= 1
                    continue
                taken.append(row)
                if sys.stderr.isatty() or row["fate"] == "survived" or len(taken) % 10 == 0:
                    spent = time.time() - start
                    print(f"  {room} {len(taken)}/{count}, {sum(r['fate'] == 'killed' for r in taken)} killed, about "
                          f"{spent / len(taken) * (count - len(taken)) / 60:.0f} min left"
                          + (f"; survived: {mutant['path']}:{mutant['line']} {mutant['now']}" if row["fate"] == "survived" else ""),
                          flush=True)

    with concurrent.futures.ThreadPoolExecutor(len(benches)) as pool:
        for done in [pool.submit(work, b) for b in benches]:
            done.result()
    return sorted(taken, key=lambda r: r["order"])


def print_table(rows, seed, minutes):
    print(f"\nseed {seed}, {minutes:.0f} min\n\n| room | changes | seen by a test | change nothing | survive | of those that change something |")
    print("|---|---|---|---|---|---|")
    for room in dict.fromkeys(r["room"] for r in rows):
        of = [r for r in rows if r["room"] == room]
        killed, equal = sum(r["fate"] == "killed" for r in of), sum(r["fate"] == "survived" and bool(r["why"]) for r in of)
        print(f"| {room} | {len(of)} | {killed} | {equal} | {len(of) - killed - equal} | {100 * killed / max(1, len(of) - equal):.1f} % |")
    for row in rows:
        if row["fate"] == "survived" and not row["why"]:
            print(f"\n{row['path']}:{row['line']} {row['function']}  ({row['rule']})\n- {row['was']}\n+ {row['now']}")


def processor_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(bench, tests):
    """That each passes without a change, and how long it takes; once, as long as test and library are the same."""
    path = f"{OWN}/times.json"
    known = json.loads(read(path)) if os.path.exists(path) else {}
    library = hashlib.blake2b(read(f"{BUILD}/libaisle.a"), digest_size=8).hexdigest()
    linked = False
    for test in tests:
        name = f"{test} {digest_of([test])} {library}"
        if name not in known:
            if not linked and "/" not in test:
                bench.link_units(tests)
                linked = True
            began = processor_s()
            how = bench.run(test)
            if how:
                sys.exit(f"{test} fails without any change: {how}")
            known[name] = processor_s() - began
            with open(path, "w") as f:
                json.dump(known, f)
        Bench.baseline[test] = known[name]


def digest_of(tests):
    sha = hashlib.blake2b(digest_size=8)
    for test in tests:
        with open(f"tests/{test.split()[0]}.py" if "/" in test else f"{BUILD}/tests/unit/{test}.o", "rb") as f:
            sha.update(f.read())
    return sha.hexdigest()


def main():
    os.chdir(TOP)
    os.nice(int(os.environ.get("NICE") or 10))
    add_own_tests()
    only = (os.environ.get("ONLY") or "").split()
    seed, count = os.environ.get("SEED") or "1", int(os.environ.get("COUNT") or (10000 if only else 40))
    rooms = (os.environ.get("ROOMS") or " ".join(TESTS)).split()
    tests = list(dict.fromkeys(t for room in rooms for t in TESTS[room]))
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "SEED"):  # ours: ROOMS is another word in there
        os.environ.pop(name, None)
    benches = [Bench(n) for n in range(int(os.environ.get("JOBS") or 2))]
    made = ["aislectl", "tests/model/box.o"] + [f"tests/unit/{t}.o" for t in tests if "/" not in t]
    subprocess.run([os.environ["MAKE"], "--no-print-directory", f"-j{len(benches)}", f"BUILD={BUILD}", f"CC={os.environ['CC']}"]
                   + [f"{BUILD}/{m}" for m in made], check=True)
    measure(benches[0], tests)
    print("tests, processor time: " + ", ".join(f"{t} {s:.1f} s" for t, s in Bench.baseline.items()), flush=True)
    results = Results(f"{OWN}/results-{seed}.jsonl", {room: digest_of(TESTS[room]) for room in rooms})
    why, next_of, rows = equivalents(), enums(), []
    for room in rooms:
        todo = [m for m in mutants(room, seed, next_of) if not only or m["function"] in only]
        rows += run_room(room, todo, count, results, why, benches)
    print_table(rows, seed, sum(r["seconds"] for r in rows) / len(benches) / 60)


if __name__ == "__main__":
    if sys.argv[1:] == ["--stale"]:
        os.chdir(TOP)
        sys.exit(stale() > 0)
    main()
