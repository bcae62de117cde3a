"""Part 1: the card, the driver, what doctor says, the libraries that are really loaded, and cuDNN's complaints."""

import os
import re
import subprocess
import sys
import time

from part import log, main


def run(p):
    doctor(p)
    if p.cuda:
        card(p)
    ours = libraries(p)
    if p.cuda:
        theirs = torch_libraries(p)
        if theirs:
            p.info("libraries that PyTorch loads and ours do not", ", ".join(sorted(theirs - ours)) or "none")
        p.must("run-time compilers loaded", any("nvrtc" in n for n in ours), "no libnvrtc: cuDNN's run-time compiled engines fail")
    else:
        p.skip("card, driver, cuDNN", "needs a GPU")


def doctor(p):
    done = p.run(p.program("doctor"), "--data-dir", os.path.join(p.bundle, "data"), "--device", p.device, "--output-dir", p.folder, limit=30)
    log(done.out.rstrip())
    if p.started(done, "doctor"):
        p.result("doctor", "ok")
    for line in done.out.splitlines():
        found = re.match(r"(?:ok|--) +(processor|libtorch|arithmetic|GPU) +(.*)", line)
        if found:
            p.info(found.group(1), found.group(2))


def card(p):
    query = "name,driver_version,memory.total,power.limit,clocks.max.sm,pcie.link.gen.current"
    try:
        done = p.run("nvidia-smi", "--query-gpu=" + query, "--format=csv,noheader", limit=20)
        for line in done.out.splitlines():
            p.info("card", line.strip())
    except OSError as error:
        p.info("card", "nvidia-smi cannot be run: %s" % error)


def libraries(p):
    """Trains a little, and gives the libraries that lie in the process's memory meanwhile."""
    seen, complaints = set(), os.path.join(p.folder, "cudnn.log")
    command = [p.program("train"), "--dataset", "digits", "--device", p.device, "--iterations", "100000", "--no-figures", "--output-dir", p.folder]
    log("$ " + " ".join(command))
    env = p.environment(CUDNN_LOGLEVEL_DBG="2", CUDNN_LOGDEST_DBG=complaints)
    train = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    # Long enough for a first forward and backward pass, whose engines are loaded late.
    began, most = None, time.monotonic() + min(25, p.left() - 10)
    while train.poll() is None and time.monotonic() < most:
        time.sleep(0.25)
        seen |= mapped(train.pid)
        if began is None and os.path.exists(os.path.join(p.folder, "cfm/digits/metrics.jsonl")):
            began = time.monotonic()
        if began and time.monotonic() > began + (6 if p.cuda else 2):
            break
    status = train.poll()
    train.terminate()
    try:
        train.wait(10)
    except subprocess.TimeoutExpired:
        train.kill()
    p.must("digits train", status is None, "exit status %s" % status)
    p.info("libraries loaded", ", ".join(sorted(seen)))
    p.must("one libtorch", sum(n.startswith("libtorch_cpu.so") for n in seen) == 1, "libtorch_cpu.so is loaded %d times" % sum(n.startswith("libtorch_cpu.so") for n in seen))
    if p.cuda:
        report_complaints(p, complaints)
    return seen


def mapped(pid):
    """Names of the shared libraries of a process, those of CUDA and PyTorch."""
    try:
        with open("/proc/%d/maps" % pid) as f:
            paths = {line.split(None, 5)[5].strip() for line in f if ".so" in line and len(line.split(None, 5)) > 5}
    except OSError:
        return set()
    names = {os.path.basename(path) for path in paths}
    return {n for n in names if re.match(r"lib(torch|c10|cu|nv|nccl|cgotorch|gomp)", n)}


def report_complaints(p, path):
    """cuDNN's log has a line for each engine that it could not use."""
    try:
        with open(path, errors="replace") as f:
            lines = f.read().splitlines()
    except OSError:
        p.info("cuDNN's complaints", "none: it wrote no log")
        return
    bad = [line.strip() for line in lines if re.search(r"CUDNN_STATUS_(?!SUCCESS)|[Ee]rror|[Ww]arning|failed", line)]
    log("\n".join(bad[:200]))
    counts = {}
    for line in bad:
        counts[line[:160]] = counts.get(line[:160], 0) + 1
    most = sorted(counts, key=lambda k: -counts[k])[:4]
    p.info("cuDNN's complaints", "%d lines%s" % (len(bad), "".join("; %d x %s" % (counts[k], k) for k in most)))


def torch_libraries(p):
    """The same names of PyTorch after a convolution forth and back."""
    script = (
        "import torch, sys\n"
        "d = sys.argv[1]\n"
        "c = torch.nn.Conv2d(32, 32, 3).to(d)\n"
        "c(torch.randn(8, 32, 16, 16, device=d)).sum().backward()\n"
        "torch.cuda.synchronize()\n"
        "print(torch.__version__, torch.version.cuda, torch.backends.cudnn.version(), torch.cuda.get_device_name(), sep='|')\n"
        "print(open('/proc/self/maps').read())\n"
    )
    done = p.run(sys.executable, "-c", script, p.device, limit=40)
    if not p.started(done, "PyTorch"):
        return set()
    first, _, rest = done.out.partition("\n")
    version, cuda, cudnn, name = first.split("|")
    p.info("PyTorch", "%s, CUDA %s, cuDNN %s, on %s" % (version, cuda, cudnn, name))
    paths = {line.split(None, 5)[5].strip() for line in rest.splitlines() if ".so" in line and len(line.split(None, 5)) > 5}
    return {n for n in map(os.path.basename, paths) if re.match(r"lib(torch|c10|cu|nv|nccl)", n) and "python" not in n}


main(run)
