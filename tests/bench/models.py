# SPDX-License-Identifier: Apache-2.0
"""models.py [--update FILE] [--plot FILE] [--quick]: models scored here and by the library that trained them.

XGBoost trains a model of 2,000 trees of depth 6 over 48 inputs in the run; its first trees are the smaller
models. bench_model and xgboost_peer time the same rows, from C, on one thread each, in turn; the fastest of
each one's rounds counts, because whoever else is at work on the machine only adds; of XGBoost's batches it is
their processor time. Every margin of both is compared, to the bit. What is printed is Markdown; --update puts
it between the markers of docs/benchmarks.md and --plot draws it (plain SVG).
"""
import argparse
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import xgboost as xgb
except ImportError:
    print("skipped: python3-xgboost or python3-numpy is not installed")
    sys.exit(0)

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("BUILD", os.path.join(HERE, "..", "..", "build"))
BEGIN, END = "<!-- models measured: begin -->", "<!-- models measured: end -->"
INPUTS, VARYING, DEPTH = 48, 8, 6
SHARES = (1, 4, 8, 16, 24, 48)  # how many vary, for the last table
TREES = (10, 50, 100, 500, 1000, 2000)
COUNTS = (1, 3, 10, 30, 100, 300, 1000, 2000, 10000)
MAIN = 2000
CURVES = (100, 500)  # trees of the table over candidates
ROUNDS = 3


# ---- model and rows ----

def make_rows(rng, count):
    x = rng.normal(size=(count, INPUTS)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x


def train(trees):
    """All inputs matter alike, and most is noise: so no tree runs out of something to split, and those that vary hold
    their share of the splits, a sixth."""
    rng = np.random.default_rng(20261122)
    x = make_rows(rng, 3000)
    y = (np.nan_to_num(x).sum(axis=1) + rng.normal(scale=8, size=len(x)) > 0).astype(float)
    params = {"objective": "binary:logistic", "max_depth": DEPTH, "eta": 0.02, "min_child_weight": 0,
              "reg_lambda": 0, "tree_method": "hist", "max_bin": 64, "subsample": 0.5, "nthread": 1, "verbosity": 0, "seed": 1}
    return xgb.train(params, xgb.DMatrix(x, label=y), trees)


def write_inputs(folder):
    rng = np.random.default_rng(7)
    rows = make_rows(rng, max(COUNTS))
    rows[:400].tofile(os.path.join(folder, "rows.f32"))
    for varying in SHARES:
        candidates = rows.copy()
        candidates[:, varying:] = rows[0, varying:]
        candidates.tofile(os.path.join(folder, f"candidates{varying}.f32"))
    # bench_model takes the varying inputs of all rows, and the context from the first.
    rows.astype("<f8").tofile(os.path.join(folder, "rows.f64"))


# ---- running ----

def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 77:
        print("skipped: " + done.stderr.strip())
        sys.exit(0)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {done.stderr.strip()}")
    figures, margins = {}, {"row": [], "candidate": []}
    for line in done.stdout.splitlines():
        word, *numbers = line.split()
        if word in margins:
            margins[word].append(np.float32(numbers[0]))
        elif word == "one":
            figures["one"] = float(numbers[0])
        else:
            figures[int(numbers[0])] = float(numbers[1])
    return figures, margins


def same_bits(trees, ours, theirs):
    count = 0
    for what in ("row", "candidate"):
        pairs = list(zip(ours[what], theirs[what]))
        different = [i for i, (a, b) in enumerate(pairs) if a.tobytes() != b.tobytes()]
        if different or not pairs:
            sys.exit(f"{trees} trees: {len(different)} of {len(pairs)} margins ({what}) differ")
        count += len(pairs)
    return count


def measure(folder, trees, counts, rounds, varying=VARYING):
    model = os.path.join(folder, f"m{trees}.json")
    words = [str(count) for count in counts]
    best, compared = ({}, {}), 0
    for _ in range(rounds):
        ours = run([os.path.join(BUILD, "bench", "bench_model"), model, os.path.join(folder, "rows.f64"), str(varying), *words])
        theirs = run([os.path.join(BUILD, "bench", "xgboost_peer"), model, str(INPUTS), os.path.join(folder, "rows.f32"),
                      os.path.join(folder, f"candidates{varying}.f32"), *words])
        compared = same_bits(trees, ours[1], theirs[1])
        for mine, figures in zip(best, (ours[0], theirs[0])):
            for key, ns in figures.items():
                mine[key] = min(ns, mine.get(key, math.inf))
    return best, compared


# ---- what is printed ----

def number(ns):
    return f"{ns:,.0f}" if ns >= 10 else f"{ns:.1f}"


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} × {model}, {platform.system()} {platform.release()}; "
            f"XGBoost {xgb.__version__}, one thread each; load average before the run {os.getloadavg()[0]:.1f}.")


def table(figures, nodes):
    lines = ["| trees | splits a tree | one row: aisle | XGBoost in place | ratio | "
             f"{MAIN:,} candidates, a row: aisle | XGBoost batch | ratio |", "|---|---|---|---|---|---|---|---|"]
    for trees, (ours, theirs) in figures.items():
        lines.append(f"| {trees:,} | {nodes[trees]:.0f} | {number(ours['one'])} ns | {number(theirs['one'])} ns | "
                     f"{theirs['one'] / ours['one']:.1f} × | {number(ours[MAIN])} ns | {number(theirs[MAIN])} ns | "
                     f"{theirs[MAIN] / ours[MAIN]:.1f} × |")
    return "\n".join(lines) + "\n"


def candidates_table(figures):
    columns = [trees for trees in CURVES if trees in figures]
    lines = ["| candidates | " + " | ".join(f"{t} trees: aisle | XGBoost | ratio" for t in columns) + " |",
             "|---|" + "---|---|---|" * len(columns)]
    for count in COUNTS:
        cells = []
        for trees in columns:
            ours, theirs = (side[count] for side in figures[trees])
            cells.append(f"{number(ours)} ns | {number(theirs)} ns | {theirs / ours:.1f} ×")
        lines.append(f"| {count:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def shares_table(figures, trees):
    lines = [f"| inputs that vary, of {INPUTS} | " + " | ".join(str(varying) for varying in figures) + " |",
             "|---|" + "---|" * len(figures),
             f"| {MAIN:,} candidates, {trees} trees, a row: aisle | " +
             " | ".join(f"{number(ours[MAIN])} ns" for ours, _ in figures.values()) + " |"]
    return "\n".join(lines) + "\n"


def verdicts(figures):
    """The goals, in words; a machine slower than the one they were set on still has the ratios."""
    goals = [(100, "one", 600), (500, "one", 3000), (100, MAIN, 70), (500, MAIN, 360)]
    lines = []
    for trees, key, goal in goals:
        if trees not in figures:
            continue
        ours, theirs = (side[key] for side in figures[trees])
        least = 12 if key == "one" else 16
        what = "one row" if key == "one" else f"{MAIN:,} candidates, a row"
        reached = [ours <= goal, theirs / ours >= least]
        lines.append(f"- {trees} trees, {what}: {number(ours)} ns, goal ≤ {goal:,} ns "
                     f"{'reached' if reached[0] else '**not reached**'}; {theirs / ours:.1f} × XGBoost, goal ≥ {least} × "
                     f"{'reached' if reached[1] else '**not reached**'}")
    return "\n".join(lines) + "\n"


# ---- the plot ----

WIDTH, HEIGHT, TOP, BOTTOM = 400, 330, 46, 46
COLOURS = {"aisle": ("#0a7d5a", ""), "XGBoost": ("#b3541e", "6 4")}


def panel(left, title, below, points):
    """points: name -> [(x, y)]; both axes in decades."""
    xs = [x for line in points.values() for x, _ in line]
    ys = [y for line in points.values() for _, y in line]
    x0, x1 = math.log10(min(xs)), math.log10(max(xs))
    y0, y1 = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    inner_left, inner_right = left + 62, left + WIDTH - 24

    def place(x, y):
        return (inner_left + (math.log10(x) - x0) / (x1 - x0) * (inner_right - inner_left),
                HEIGHT - BOTTOM - (math.log10(y) - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM))

    out = [f'<text x="{inner_left}" y="24" class="title">{title}</text>',
           f'<text x="{(inner_left + inner_right) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{below}</text>']
    for decade in range(math.ceil(x0), math.floor(x1) + 1):
        x, y = place(10 ** decade, 10 ** y0)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{y:.1f}" class="grid"/>'
                   f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{10 ** decade:,}</text>')
    for decade in range(y0, y1 + 1):
        x, y = place(10 ** x0, 10 ** decade)
        label = f"{10 ** decade:,} ns" if decade < 3 else f"{10 ** (decade - 3):,} µs"
        out.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{inner_right}" y2="{y:.1f}" class="grid"/>'
                   f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for name, line in points.items():
        colour, dashes = COLOURS[name.split()[0]]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line))
        x, y = place(*line[len(line) // 3])
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
                   f'<text x="{x:.1f}" y="{y - 9:.1f}" style="fill:{colour}">{name}</text>')
    return "\n".join(out)


def plot(figures):
    ours, theirs = figures[max(CURVES)]
    one = {"aisle": [(t, f[0]["one"]) for t, f in figures.items()],
           "XGBoost in place": [(t, f[1]["one"]) for t, f in figures.items()]}
    many = {"aisle": [(c, ours[c]) for c in COUNTS], "XGBoost batch": [(c, theirs[c]) for c in COUNTS]}
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">\n'
            "<title>Time to score a row, aisle beside XGBoost</title>\n"
            "<style>text{fill:#333}.title{font-weight:bold;font-size:13px}.grid{stroke:#ddd}</style>\n"
            f'<rect width="{2 * WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
            + panel(0, "One row", "trees", one) + "\n"
            + panel(WIDTH, f"Candidates of one context, a row, {max(CURVES)} trees", "candidates", many) + "\n</svg>\n")


def update(path, text):
    with open(path) as f:
        page = f.read()
    head, rest = page.split(BEGIN, 1)
    with open(path, "w") as f:
        f.write(head + BEGIN + "\n" + text + END + rest.split(END, 1)[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--update")
    parser.add_argument("--plot")
    parser.add_argument("--quick", action="store_true", help="100 and 500 trees, one round")
    args = parser.parse_args()
    sizes = (100, 500) if args.quick else TREES
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    except PermissionError:
        pass
    header = machine()
    folder = tempfile.mkdtemp(prefix="aisle-models-")
    try:
        booster = train(max(sizes))
        write_inputs(folder)
        figures, nodes, compared = {}, {}, 0
        for trees in sizes:
            part = booster[:trees]
            part.save_model(os.path.join(folder, f"m{trees}.json"))
            nodes[trees] = sum(text.count("yes=") for text in part.get_dump()) / trees
            counts = COUNTS if trees in CURVES else (MAIN,)
            figures[trees], count = measure(folder, trees, counts, 1 if args.quick else ROUNDS)
            compared += count
            print(f"{trees} trees: {count:,} margins equal to the bit", flush=True)
        shares = {}
        for varying in SHARES:
            shares[varying], count = measure(folder, min(CURVES), (MAIN,), 1 if args.quick else ROUNDS, varying)
            compared += count
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = (f"{header}\n\n{table(figures, nodes)}\n{candidates_table(figures)}\n{shares_table(shares, min(CURVES))}\n{verdicts(figures)}\n"
            f"{compared:,} margins of both were compared: equal to the bit.\n")
    print("\n" + text)
    if args.plot:
        with open(args.plot, "w") as f:
            f.write(plot(figures))
    if args.update:
        update(args.update, text)


if __name__ == "__main__":
    main()
