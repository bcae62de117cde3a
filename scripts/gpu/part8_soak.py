"""Part 8: a longer run, whose memory must not grow; SIGTERM, which must save; --resume, which must go on from there."""

import json
import os
import signal
import statistics
import subprocess
import time

from part import log, main

GROWTH = 24 << 20  # bytes between the second quarter and the last: what a run keeps of each step is 30 bytes


def run(p):
    seconds = min(30 if p.cuda else 20, p.left() / 2)
    command = [
        p.program("train"), "--dataset", "digits", "--device", p.device, "--iterations", "1000000", "--output-dir", p.folder, "--no-figures", *p.no_graph(),
    ]  # fmt: skip
    log("$ " + " ".join(command))
    with open(os.path.join(p.folder, "stderr"), "w+") as err:
        train = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err, env=p.environment())
        resident, gpu = watch(p, train, seconds)
        alive = train.poll() is None
        train.send_signal(signal.SIGTERM)
        try:
            status = train.wait(20)
        except subprocess.TimeoutExpired:
            train.kill()
            status = None
        err.seek(0)
        text = err.read()
    log(text)
    p.must("the run goes on until it is stopped", alive, "it ended with status %s: %s" % (status, text.strip().splitlines()[-1:] or ""))
    p.must("SIGTERM: status 143", status == 143, "status %s" % status)
    slope(p, "memory of the process", resident)
    if gpu:
        slope(p, "memory of the GPU", gpu)
    elif p.cuda:
        p.skip("memory of the GPU", "nvidia-smi does not tell")
    resume(p)


def watch(p, train, seconds):
    """Memory of the process, and of the GPU in all, twice a second."""
    resident, gpu, end = [], [], time.monotonic() + seconds
    while train.poll() is None and time.monotonic() < end:
        time.sleep(0.5)
        size = status_bytes(train.pid, "VmRSS:")
        if size:
            resident.append(size)
        if p.cuda and len(resident) % 4 == 0:
            size = used(p)
            if size is not None:
                gpu.append(size)
    return resident, gpu


def status_bytes(pid, name):
    try:
        with open("/proc/%d/status" % pid) as f:
            return next((int(line.split()[1]) << 10 for line in f if line.startswith(name)), 0)
    except OSError:
        return 0


def used(p):
    index = p.device.partition(":")[2] or "0"
    try:
        out = subprocess.run(
            ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", index], stdout=subprocess.PIPE, timeout=5
        ).stdout
        return int(out.split()[0]) << 20
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return None


def slope(p, name, sizes):
    if len(sizes) < 4:  # nvidia-smi may take seconds to answer
        p.result(name, "failed", why="only %d looks at it" % len(sizes))
        return
    n = len(sizes)
    early, late = statistics.median(sizes[n // 4 : n // 2]), statistics.median(sizes[3 * n // 4 :])
    p.check(name + ", growth in MiB", (late - early) / (1 << 20), GROWTH / (1 << 20), ours=late / (1 << 20))


def resume(p):
    path = os.path.join(p.folder, "cfm/digits/metrics.jsonl")
    stopped = steps(path)
    if stopped < 1:
        p.result("--resume", "failed", why="the stopped run left no steps")
        return
    p.info("steps before the stop", stopped)
    done = p.run(
        p.program("train"), "--dataset", "digits", "--device", p.device, "--iterations", "1000000", "--output-dir", p.folder, "--no-figures",
        "--resume", "--max-steps", str(stopped + 20), *p.no_graph(), limit=40,
    )  # fmt: skip
    if not p.started(done, "--resume"):
        return
    p.must("--resume goes on after the step of the stop", "going on after step %d" % stopped in done.err, done.last_line())
    p.must("--resume does every step once", steps(path) == stopped + 20, "%d steps are in the metrics, not %d" % (steps(path), stopped + 20))


def steps(path):
    """The number of steps in metrics.jsonl if they are 1, 2, 3, ..., else -1."""
    try:
        with open(path) as f:
            numbers = [json.loads(line)["step"] for line in f]
    except (OSError, ValueError, KeyError):
        return -1
    return len(numbers) if numbers == list(range(1, len(numbers) + 1)) else -1


main(run)
