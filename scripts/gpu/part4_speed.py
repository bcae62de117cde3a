"""Part 4: milliseconds a step, ours and PyTorch's, over windows after the same warm-up, with the most memory held; on a
GPU sampling, too. What matters most comes first: ours as it is, PyTorch's, sampling, then ours in other ways.

Points: the reference's recipe, 4096 points and an MLP of 512. Images: the reference's recipe with its network, batch 128;
CIFAR-10's pictures are random pixels, which cost as much. On a processor digits, by the default recipe, stand in for them."""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pace
from part import log, main, said, share, shared

REFERENCE = ["--recipe", "reference"]
# (name, what train is asked for, PyTorch's job, steps of warm-up on a GPU, seconds after the first look, fixed steps on a
# processor or None)
JOBS = [
    ("points, auto", ["--dataset", "checkerboard", *REFERENCE], "points-tf32", 300, 3, None),
    ("mnist, auto", ["--dataset", "mnist", *REFERENCE], "mnist-bf16", 30, 5, None),
    ("cifar10 (random pixels), auto", ["--dataset", "cifar10", *REFERENCE], "cifar10-bf16", 30, 5, None),
    ("points, float32", ["--dataset", "checkerboard", *REFERENCE, "--precision", "fp32"], "points-float32", 300, 3, 60),
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
    jobs, found = possible(p), {}
    if p.cuda:
        on_gpu(p, jobs, found)
    else:
        on_processor(p, jobs, found)


def on_processor(p, jobs, found):
    """A processor is not always as fast: what is compared must lie close together."""
    for job in jobs:
        take(p, found, job[0], "ours", ours(p, job), WARM_ON_CPU)
        for row in theirs(p, [job]):
            take(p, found, job[0], "PyTorch", row, WARM_ON_CPU)


def on_gpu(p, jobs, found):
    hung = set()  # ways of ours: each such costs most of a minute, and what comes after is to come

    def measure(who, job, *more, **environment):
        if who in hung or p.left() < 15:
            p.result(job[0], "skipped", why="it hung before" if who in hung else "no time", kind="speed", who=who)
            return
        row = ours(p, job, *more, **environment)
        if row.get("error") in (NO_STOP, NO_STEP):
            hung.add(who)
        take(p, found, job[0], who, row, job[3])
        share(p, "speed.json", best(found))

    graphs, kernels = not p.no_graph(), shared(p, "kernels.json") is not False
    if graphs:
        for job in jobs:
            measure("ours, graph", job)
    else:
        for job in jobs:
            measure("ours", job, "--no-graph")
    # PyTorch takes seconds to start: once for all jobs.
    for job, row in zip(jobs, theirs(p, jobs, limit=max(20, p.left() - 40))):
        take(p, found, job[0], "PyTorch", row, job[3])
        if job[0] in best(found) and (job[0], "PyTorch") in found:
            ratio = best(found)[job[0]] / found[job[0], "PyTorch"]
            p.check("%s: our time over eager PyTorch's" % job[0], ratio, FLOORS[job[2].partition("-")[0]])
    if p.left() > 40:
        many_digits(p)
    else:
        p.skip("sampling digits", "no time: %.0f s are left" % p.left())
    if graphs:
        for job in jobs:
            measure("ours", job, "--no-graph")
    if graphs:
        for job in jobs if kernels else []:
            measure("ours, graph, libtorch's kernels", job, GOTORCH_CUDA_KERNELS="0")
        for job in jobs:
            if job[2].startswith("points"):
                continue  # they have no convolutions
            measure("ours, graph, cuDNN's best ways", job, GOTORCH_CUDNN_BENCHMARK="1")


def best(found):
    """Our least milliseconds of each job, in the ways that need no switch but --no-graph."""
    out = {}
    for (name, who), ms in found.items():
        if who in ("ours", "ours, graph"):
            out[name] = min(ms, out.get(name, ms))
    return out


def many_digits(p):
    """10,000 digits after as many others, ours and PyTorch's in the same precision: what each needs to begin is left out."""
    try:
        import solving

        if not solving.trained(p, "digits", "60", "--precision", "fp32"):
            return
        for precision in ("fp32", "bf16"):
            solving.many(p, precision)
    except Exception as error:  # noqa: BLE001 - PyTorch's; what comes after is to be told all the same
        p.result("sampling digits", "failed", why=repr(error)[:300])


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


def compared(p):
    """The jobs that PyTorch's other ways are tried on, too."""
    return [job for job in JOBS if job[0].endswith("auto") and job[4] is not None and (p.mnist() or not job[2].startswith("mnist"))]


def random_cifar(folder):
    """CIFAR-10's six binary files with random pixels: 3073 bytes a picture, the class first. 12,000 pictures are enough."""
    os.makedirs(folder, exist_ok=True)
    draw = random.Random(1)
    for name in ["data_batch_%d.bin" % i for i in range(1, 6)] + ["test_batch.bin"]:
        with open(os.path.join(folder, name), "wb") as f:
            for i in range(2000):
                f.write(bytes([i % 10]) + draw.getrandbits(8 * 3072).to_bytes(3072, "little"))


NO_STOP = "train did not stop"
NO_STEP = "train did no step"


def take(p, found, name, who, row, warm_up):
    """Reports a measurement, and puts its milliseconds into found."""
    base = {"kind": "speed", "who": who, "warm_up": warm_up}
    if "error" in row:
        p.result(name, row.get("status", "failed"), why=row["error"], **base)
        return
    s = pace.summary(row["pace"], warm_up)
    if s is None:
        p.result(name, "failed", why="only %d steps in its time" % row["pace"][-1][0], pace=row["pace"], **base)
        return
    found[name, who] = s["ms"]
    more = {k: row[k] for k in ("precision", "peak_bytes", "peak_gpu_bytes") if k in row}
    if row.get("waited_seconds") is not None:
        more["waiting_for_data"] = round(row["waited_seconds"] / max(row["seconds"], 1e-9), 4)
    for k in ("graph_nodes", "graph_kernels"):
        if k in row:
            p.info("%s, %s, %s" % (name, who, k.replace("_", " ")), row[k])
    p.result(name, "ok", pace=row["pace"], **base, **s, **more)


def ours(p, job, *more, **environment):
    """Trains for so many steps on a processor, for so many seconds on a GPU: until it is told to stop."""
    arguments, seconds, steps = job[1], job[4], job[5]
    folder = os.path.join(p.folder, "run" + "".join(more) + "".join(environment))
    command = [
        p.program("train"), *arguments, *more, "--device", p.device, "--data-dir", os.path.join(p.work, "data"), "--output-dir", folder,
        "--fresh", "--no-figures", "--json",
    ]  # fmt: skip
    if not p.cuda:
        return read(p.run(*command, "--max-steps", str(steps), limit=90), 0)
    shutil.rmtree(folder, ignore_errors=True)
    log("$ " + " ".join(command))
    with open(os.path.join(p.folder, "stderr"), "w+") as err:
        train = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, env=p.environment(**environment))
        why = None
        # What comes before the first look is libraries, kernels and algorithms.
        if not wait(train, min(40, p.left()), lambda: looked(folder)):
            why = NO_STEP
        else:
            wait(train, seconds, lambda: False)
        train.send_signal(signal.SIGABRT if why and train.poll() is None else signal.SIGINT)  # which says where each thread is
        out, _, ended = said(train, 25)
        if not ended:
            train.send_signal(signal.SIGABRT)
            out, _, _ = said(train, 5)
            train.kill()
            why = NO_STOP
        err.seek(0)
        text = err.read()
    log(text)
    if why and train.returncode in (None, -signal.SIGABRT, 2, -signal.SIGKILL):
        return {"error": why}
    return read(Ended(train.returncode, out.decode(errors="replace"), text), 130)


def wait(program, seconds, until):
    """Waits so many seconds, or until that holds or the program has ended; whether it holds."""
    end = time.monotonic() + seconds
    while program.poll() is None and time.monotonic() < end:
        if until():
            return True
        time.sleep(0.05)
    return until()


def looked(folder):
    """Whether train has looked at the losses of its first steps."""
    return any(os.path.getsize(f) > 0 for f in glob.glob(os.path.join(glob.escape(folder), "cfm", "*", "metrics.jsonl")))


class Ended:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


def read(done, expected):
    if done.status not in (0, expected):
        lines = done.err.strip().splitlines() or [""]
        return {"error": "exit status %s: %s" % (done.status, lines[-1])}
    try:
        return json.loads(done.out.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return {"error": "train printed no JSON"}


def theirs(p, jobs, how="eager", limit=None):
    """PyTorch's measurements of these jobs, in their order, as many as come in time."""
    names = ",".join(job[2] for job in jobs)
    command = [sys.executable, p.peer("steps"), "--device", p.device, "--only", names, "--how", how, "--json"]
    if p.cuda:
        command += ["--seconds", str(max(job[4] for job in jobs) + 3)]
    else:
        command += ["--steps", str(jobs[0][5])]
    done = p.run(*command, limit=min(limit or p.left(), p.left() - 5))
    rows = {}
    for line in done.out.splitlines():
        try:
            row = json.loads(line)
            rows["%s-%s" % (row["job"], row["precision"])] = row
        except (ValueError, KeyError, TypeError):
            pass  # the last line may not be whole
    late = {"error": "not in time: stopped after %.0f s" % done.seconds, "status": "skipped"}
    failed = {"error": "peer/steps: " + (done.last_line() if done.status else "it printed nothing")}
    return [rows.get(job[2], late if done.status is None else failed) for job in jobs]


if __name__ == "__main__":
    main(run)
