"""Part 4: milliseconds a step, ours and PyTorch's in turn, over windows after the same warm-up, with the most memory held.

Points: the reference's recipe, 4096 points and an MLP of 512. Images: the reference's recipe with its network, batch 128;
CIFAR-10's pictures are random pixels, which cost as much. On a processor digits, by the default recipe, stand in for them."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pace
from part import log, main, share

REFERENCE = ["--recipe", "reference"]
# (name, what train is asked for, PyTorch's job, steps of warm-up on a GPU, seconds, fixed steps on a processor or None)
JOBS = [
    ("points, auto", ["--dataset", "checkerboard", *REFERENCE], "points-tf32", 300, 4, None),
    ("points, float32", ["--dataset", "checkerboard", *REFERENCE, "--precision", "fp32"], "points-float32", 300, 4, 60),
    ("mnist, auto", ["--dataset", "mnist", *REFERENCE], "mnist-bf16", 30, 8, None),
    ("cifar10 (random pixels), auto", ["--dataset", "cifar10", *REFERENCE], "cifar10-bf16", 30, 8, None),
    ("digits, auto", ["--dataset", "digits"], "digits-bf16", None, None, 60),
    ("digits, float32", ["--dataset", "digits", "--precision", "fp32"], "digits-float32", None, None, 60),
]
WARM_ON_CPU = 10
FLOORS = {"points": 0.2, "mnist": 0.5, "cifar10": 0.5}  # on a GPU, where points are bound by what is told to it


def run(p):
    graph = p.has_flag("train", "--no-graph")
    if not graph:
        p.not_built("steps in a CUDA graph", "train has no --no-graph")
        p.not_built("kernels in the graph", "train has no --no-graph")
    jobs = possible(p)
    found = {}
    rounds, took = (2 if p.cuda else 1), 0
    for n in range(rounds):
        if p.left() < 1.2 * took:
            p.info("rounds", "%d of %d: no time for more" % (n, rounds))
            break
        began = time.monotonic()
        measure_all(p, jobs, graph, found, n)
        took = time.monotonic() - began
    best = {}
    for (name, who), (_, s) in summaries(found).items():
        if who.startswith("ours"):
            best[name] = min(s["ms"], best.get(name, s["ms"]))
    share(p, "speed.json", best)
    if p.cuda:
        for job in jobs:
            theirs_ms = summaries(found).get((job[0], "PyTorch"), (None, {}))[1].get("ms")
            if job[0] in best and theirs_ms:
                p.check("%s: our time over eager PyTorch's" % job[0], best[job[0]] / theirs_ms, FLOORS[job[2].partition("-")[0]])


def possible(p):
    """The jobs that can be run here; the others are reported."""
    data = os.path.join(p.work, "data")
    os.makedirs(data, exist_ok=True)
    jobs = []
    for job in JOBS:
        name, peer = job[0], job[2]
        if p.cuda and job[4] is None:
            continue
        if not p.cuda and job[5] is None:
            p.skip(name, "on a processor that is the row in float32" if peer.startswith("points") else "too slow on a processor")
        elif peer.startswith("mnist") and not p.mnist():
            p.skip(name, p.NO_MNIST)
        else:
            jobs.append(job)
    if p.mnist() and not os.path.exists(os.path.join(data, "mnist")):
        os.symlink(os.path.join(p.bundle, "data", "mnist"), os.path.join(data, "mnist"))
    if any(job[2].startswith("cifar10") for job in jobs):
        random_cifar(os.path.join(data, "cifar-10-batches-bin"))
    return jobs


def random_cifar(folder):
    """CIFAR-10's six binary files with random pixels: 3073 bytes a picture, the class first. 12,000 pictures are enough."""
    os.makedirs(folder, exist_ok=True)
    draw = random.Random(1)
    for name in ["data_batch_%d.bin" % i for i in range(1, 6)] + ["test_batch.bin"]:
        with open(os.path.join(folder, name), "wb") as f:
            for i in range(2000):
                f.write(bytes([i % 10]) + draw.getrandbits(8 * 3072).to_bytes(3072, "little"))


NO_STOP = "train did not stop"


def measure_all(p, jobs, graph, found, n):
    hung = False
    for job in jobs:
        name = job[0]
        take(p, found, name, "ours", ours(p, job, ["--no-graph"] if graph else [], n), warm(p, job))
        if graph and p.cuda and not hung:
            row = ours(p, job, [], n)
            hung = row.get("error") == NO_STOP  # each such costs half a minute, and PyTorch's rows are to come
            take(p, found, name, "ours, graph", row, warm(p, job))
            if job[2].startswith(("mnist", "cifar10")):  # points have no GroupNorm
                take(p, found, name, "ours, graph, libtorch's GroupNorm", ours(p, job, [], n, GOTORCH_CUDA_KERNELS="0"), warm(p, job))
        if not p.cuda:  # a processor is not always as fast: what is compared must lie close together
            for row in theirs(p, [job]):
                take(p, found, name, "PyTorch", row, warm(p, job))
    if p.cuda:  # PyTorch takes seconds to start: once for all jobs
        for job, row in zip(jobs, theirs(p, jobs)):
            take(p, found, job[0], "PyTorch", row, warm(p, job))


def warm(p, job):
    return job[3] if p.cuda else WARM_ON_CPU


def take(p, found, name, who, row, warm_up):
    """Reports a measurement, together with the earlier ones of the same, and gives its milliseconds, or None."""
    base = {"kind": "speed", "who": who, "warm_up": warm_up}
    if "error" in row:
        p.result(name, row.get("status", "failed"), why=row["error"], **base)
        return None
    s = pace.summary(row["pace"], warm_up)
    if s is None:
        p.result(name, "failed", why="only %d steps in its time" % row["pace"][-1][0], pace=row["pace"], **base)
        return None
    found.setdefault((name, who), []).append((row, s))
    row, s = summaries({0: found[(name, who)]})[0]
    more = {k: row[k] for k in ("precision", "peak_bytes", "peak_gpu_bytes") if k in row}
    if row.get("waited_seconds") is not None:
        more["waiting_for_data"] = round(row["waited_seconds"] / max(row["seconds"], 1e-9), 4)
    for k in ("graph_nodes", "graph_kernels"):
        if k in row and len(found[(name, who)]) == 1:  # it is the same in every round
            p.info("%s, %s" % (name, k.replace("_", " ")), row[k])
    p.result(name, "ok", pace=row["pace"], **base, **s, **more)
    return s["ms"]


def summaries(found):
    return {key: (rows[-1][0], pace.together([s for _, s in rows])) for key, rows in found.items()}


def ours(p, job, more, n, **environment):
    """Trains for so many steps on a processor, for so many seconds on a GPU: until it is told to stop."""
    arguments, seconds, steps = job[1], job[4], job[5]
    folder = os.path.join(p.folder, "run%d" % n + "".join(more) + "".join(environment))
    command = [
        p.program("train"), *arguments, *more, "--device", p.device, "--data-dir", os.path.join(p.work, "data"), "--output-dir", folder,
        "--fresh", "--no-figures", "--json",
    ]  # fmt: skip
    if not p.cuda:
        return read(p.run(*command, "--max-steps", str(steps), limit=90), 0)
    log("$ " + " ".join(command))
    with open(os.path.join(p.folder, "stderr"), "w+") as err:
        train = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, env=p.environment(**environment))
        try:
            end = time.monotonic() + min(60, p.left())
            while train.poll() is None and time.monotonic() < end and not begun(err.name):
                time.sleep(0.05)
            pause = time.monotonic() + seconds
            while train.poll() is None and time.monotonic() < pause:
                time.sleep(0.05)
            train.send_signal(signal.SIGINT)
            out, _ = train.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            train.kill()
            train.communicate()
            return {"error": NO_STOP}
        err.seek(0)
        text = err.read()
    log(text)
    return read(Ended(train.returncode, out.decode(errors="replace"), text), 130)


class Ended:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


def begun(path):
    """Whether train has said what it trains, which it does before the first step."""
    with open(path) as f:
        return " parameters, on " in f.read()


def read(done, expected):
    if done.status not in (0, expected):
        lines = done.err.strip().splitlines() or [""]
        return {"error": "exit status %s: %s" % (done.status, lines[-1])}
    try:
        return json.loads(done.out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {"error": "train printed no JSON"}


def theirs(p, jobs, how="eager"):
    names = ",".join(job[2] for job in jobs)
    command = [sys.executable, os.path.join(p.bundle, "peer", "steps"), "--device", p.device, "--only", names, "--how", how, "--json"]
    if p.cuda:
        command += ["--seconds", str(max(job[4] for job in jobs))]
    else:
        command += ["--steps", str(jobs[0][5])]
    done = p.run(*command, limit=p.left() - 5)
    rows = {}
    for line in done.out.splitlines():
        row = json.loads(line)
        rows["%s-%s" % (row["job"], row["precision"])] = row
    why = "stopped after %.0f s" % done.seconds if done.status is None else done.last_line() if done.status else "it printed nothing"
    return [rows.get(job[2], {"error": "peer/steps: " + why}) for job in jobs]


if __name__ == "__main__":
    main(run)
