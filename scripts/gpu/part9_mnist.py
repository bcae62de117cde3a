"""Part 9: what all this is for. As many epochs of MNIST by the reference network as fit, up to ten, digits sampled by
class and judged by evaluate; on a processor the same with a short training of digits. Then, with what time is left,
PyTorch's compiler and a CUDA graph by hand as peers, and compute-sanitizer over two steps."""

import json
import os
import shutil

import part4_speed as speed
from part import main, shared

EPOCH = 60000 // 128  # steps
TEN = 10 * EPOCH


def run(p):
    if p.cuda and not p.mnist():
        p.skip("MNIST", p.NO_MNIST)
    else:
        train(p)
    if not p.cuda:
        p.skip("torch.compile, CUDA graph by hand, compute-sanitizer", "need a GPU")
        return
    peers(p)
    sanitize(p)


def train(p):
    dataset, steps, kept = ("mnist", planned(p), 45) if p.cuda else ("digits", 60, 20)
    if steps < 100 and p.cuda:
        p.skip("MNIST", "no time: %.0f s are left" % p.left())
        return
    more = ["--num-samples", "1000"]
    done = p.run(
        p.program("train"), "--dataset", dataset, "--data-dir", os.path.join(p.bundle, "data"), "--device", p.device, "--iterations", str(steps),
        "--output-dir", p.folder, "--json", *p.no_graph(), limit=p.left() - kept,
    )  # fmt: skip
    if not p.started(done, dataset):
        return
    result = done.json()
    p.info("trained", "%s: %d steps (%.1f epochs) in %.0f s, in %s, loss %s" % (
        dataset, result["steps"], result["steps"] / (EPOCH if p.cuda else 28), result["seconds"], result["precision"], result["loss"],
    ))  # fmt: skip
    p.must("steps without an update", result["skipped"] == 0, "%d" % result["skipped"])
    done = p.run(
        p.program("sample"), "--dataset", dataset, "--device", p.device, "--output-dir", p.folder, "--samples-per-class", "10", limit=min(60, p.left() - 5)
    )
    if p.started(done, "samples by class"):
        p.result("samples by class", "ok")
    pictures(p, os.path.join(p.folder, "cfm", dataset), dataset)
    done = p.run(
        p.program("evaluate"), "--dataset", dataset, "--data-dir", os.path.join(p.bundle, "data"), "--device", p.device, "--output-dir", p.folder,
        "--measures", "as_asked", "--solvers", "midpoint:20", "--json", *more, limit=min(60 if p.cuda else 150, p.left() - 5),  # PyTorch's other ways are to come
    )  # fmt: skip
    if p.started(done, "as asked"):
        judge(p, json.loads(done.out.strip().splitlines()[-1]), dataset, result["steps"])


def planned(p):
    """Steps that fit beside what comes after them, at most ten epochs."""
    ms = (shared(p, "speed.json") or {}).get("mnist, auto", 40)
    # Sampling, the classifier, and its thousand samples; then PyTorch's other ways, if there is time for an epoch all the same.
    seconds = 0.95 * p.left() - 75
    if seconds > 60 + 1.1e-3 * EPOCH * ms:
        seconds -= 60
    return int(max(0, min(TEN, 1e3 * seconds / (1.1 * ms))))


def judge(p, out, dataset, steps):
    """On a processor the model is hardly trained: that it is judged at all is what counts there."""
    share = out["results"][0]["as_asked"]
    if dataset != "mnist" or steps < EPOCH:
        p.info("part of 1,000 samples taken for the class asked for", share, classifier=out.get("classifier_accuracy"))
        return
    least = 0.75 if steps < 3 * EPOCH else 0.85
    p.check("part of 1,000 samples NOT taken for the class asked for, after %d steps" % steps, 1 - share, 1 - least)


def pictures(p, folder, dataset):
    for name in ("final_samples.png", "trajectory.gif", "losses.png"):
        path = os.path.join(folder, name)
        if os.path.exists(path) and os.path.getsize(path) < 15 << 20:
            shutil.copy(path, os.path.join(p.out, "%s-%s" % (dataset, name)))
        else:
            p.result("picture " + name, "failed", why="it was not written, or is over 15 MiB")


def peers(p):
    """PyTorch's other ways, beside what part 4 measured: a CUDA graph by hand, and its compiler, which makes graphs, too.
    Ours is to be slower than none. What they need at most is bounded; what is not in time is a row that says so."""
    ours = shared(p, "speed.json") or {}
    jobs = speed.compared(p)
    for how, who, most in (("graph", "PyTorch, graph", 60), ("compile", "PyTorch, compiled", 90)):
        if p.left() < 25:
            for job in jobs:
                p.result(job[0], "skipped", kind="speed", who=who, why="no time: %.0f s are left" % p.left())
            continue
        found = {}
        for job, row in zip(jobs, speed.theirs(p, jobs, how, limit=most)):
            speed.take(p, found, job[0], who, dict({"status": "info"}, **row), job[3])
            if found and job[0] in ours and (job[0], who) in found:
                p.check("%s: our time over that of %s" % (job[0], who), ours[job[0]] / found[job[0], who], 1)


def sanitize(p):
    tool = shutil.which("compute-sanitizer")
    if tool is None:
        p.skip("compute-sanitizer", "it is not on PATH")
    elif p.left() < 45:
        p.skip("compute-sanitizer", "no time: %.0f s are left" % p.left())
    else:
        done = p.run(
            tool, "--tool", "memcheck", "--error-exitcode", "9", p.program("train"), "--dataset", "digits", "--device", p.device, "--max-steps", "2",
            "--no-figures", "--output-dir", os.path.join(p.folder, "sanitizer"), limit=p.left() - 5,
        )  # fmt: skip
        last = [line for line in (done.out + done.err).splitlines() if "ERROR SUMMARY" in line]
        if done.status is None:
            p.skip("compute-sanitizer", "not done after %.0f s" % done.seconds)
        elif "not supported" in done.out + done.err:
            p.skip("compute-sanitizer", "it does not work on this machine")
        else:
            p.must("compute-sanitizer", done.status == 0, "status %s: %s" % (done.status, (last or [done.last_line()])[0]))


main(run)
