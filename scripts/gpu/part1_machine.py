"""Part 1: the card, the driver, what doctor says, the libraries that are really loaded, and cuDNN's complaints."""

import glob
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from part import log, main, share, shared, torch_folder

SLOW = 20  # seconds for each program to begin with, which would leave the other parts no time


def run(p):
    if p.cuda:
        card(p)
        facts()
        read_ahead(p)
    doctor(p)
    ours = trained(p)
    if p.cuda:
        theirs = torch_libraries(p)
        if theirs:
            p.info("libraries that PyTorch loads and ours do not", ", ".join(sorted(theirs - ours)) or "none")
        p.must("run-time compilers loaded", any("nvrtc" in n for n in ours), "no libnvrtc: cuDNN's run-time compiled engines fail")
    else:
        p.skip("card, driver, cuDNN", "needs a GPU")


def read_ahead(p):
    """Reads the libraries once, several at a time. A fresh machine may have them on a slow disk, and a program that maps them
    waits for one page after the other."""
    folder = torch_folder()
    patterns = (os.path.join(glob.escape(folder), "lib", "*.so*"), os.path.join(glob.escape(os.path.dirname(folder)), "nvidia", "*", "lib", "*.so*"))
    files = {os.path.realpath(name) for pattern in patterns for name in glob.glob(pattern)}
    start = time.monotonic()
    most = start + min(45, p.left() / 2)

    def read(name):
        done = 0
        with open(name, "rb", buffering=0) as f:
            while time.monotonic() < most:
                block = f.read(8 << 20)
                done += len(block)
                if not block:
                    break
        return done

    with ThreadPoolExecutor(8) as pool:
        read_bytes = sum(pool.map(read, files))
    p.info("libraries read ahead", "%.1f of %.1f GB in %.1f s" % (read_bytes / 1e9, sum(map(os.path.getsize, files)) / 1e9, time.monotonic() - start))


def facts():
    """What is to be known of a machine where libraries are not found."""
    names = re.compile("^(PATH|LD_.*|HOME|TMPDIR|PYTHON.*|CUDA.*|CUDNN.*|CUBLAS.*|NVIDIA.*|(PY)?TORCH.*|LIBTORCH.*|OMP_.*|MKL_.*|GO.*)$")
    log("\n".join("%s=%s" % v for v in sorted(os.environ.items()) if names.match(v[0])))
    script = (
        "id; uname -a; ulimit -a; df -h /tmp /dev/shm; ls -ld $1/lib $1/../nvidia $1/../nvidia/*/lib /dev/nvidia* /tmp; "
        "ls -l $1/lib/*.so* $1/../nvidia/*/lib/*.so*; cat /proc/driver/nvidia/version; ldconfig -p | grep -E 'libcuda|libnv|libcudnn|libcublas'; "
        "command -v nvcc gcc compute-sanitizer"
    )
    done = subprocess.run(["sh", "-c", script, "facts", torch_folder()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    log(done.stdout.decode(errors="replace"))


def doctor(p):
    done = ask_doctor(p)
    untrusted = re.search(r".* is not opened, for .*", done.out + done.err)
    if untrusted:
        p.result("libtorch of the installed PyTorch", "failed", why=untrusted.group(0).strip())
        share(p, "libtorch.json", torch_folder())  # from now on it is named, for everything
        done = ask_doctor(p)
    if done.status == 0:
        p.result("doctor", "ok")
    else:
        done = without_kernels(p, done)
    for line in done.out.splitlines():
        found = re.match(r"(?:ok|--) +(processor|libtorch|arithmetic|GPU|kernels) +(.*)", line)
        if found:
            p.info(found.group(1), found.group(2))
    if p.cuda:
        kernels(p)


def ask_doctor(p, *more, limit=45, **environment):
    done = p.run(
        p.program("doctor"), "--data-dir", os.path.join(p.bundle, "data"), "--device", p.device, "--output-dir", p.folder, *more,
        limit=limit, env=p.environment(**environment),
    )  # fmt: skip
    log(done.out.rstrip())
    return done


def without_kernels(p, failed):
    """Where doctor fails: whether our own kernels are to blame, which the other parts then go without."""
    if p.cuda:
        off = ask_doctor(p, limit=30, GOTORCH_CUDA_KERNELS="0")
        if off.status == 0:
            p.started(failed, "doctor, with kernels of our own")
            share(p, "kernels.json", False)
            p.result("doctor", "ok")
            return off
    p.started(failed, "doctor")
    if p.cuda:
        # What the loader looked for in vain, and where.
        debug = os.path.join(p.folder, "ld")
        ask_doctor(p, limit=min(45, p.left() / 2), GOTORCH_TRACE="1", LD_DEBUG="libs", LD_DEBUG_OUTPUT=debug)
        for name in glob.glob(glob.escape(debug) + "*"):
            with open(name, errors="replace") as f:
                log("\n".join([line.strip() for line in f if re.search(r"error|fatal|find library|trying file.*(nvidia|cuda)", line)][-300:]))
    return failed


def kernels(p):
    """Whether the card runs our own, and what the compiler said, which goes to the log in full."""
    if shared(p, "kernels.json") is False:
        return  # told already
    done = ask_doctor(p, "--json", limit=30)
    try:
        found = next(f for f in json.loads(done.out) if f["name"] == "kernels")
    except (ValueError, StopIteration):
        p.result("own kernels", "failed", why="doctor says nothing of them")
        return
    p.must("own kernels", found["ok"], found["what"])
    if done.seconds > SLOW:
        p.result("time until they are ready", "failed", why="doctor took %.0f s: the other parts go without them" % done.seconds)
        share(p, "kernels.json", False)


def card(p):
    query = "name,driver_version,memory.total,power.limit,clocks.max.sm,pcie.link.gen.current"
    try:
        done = p.run("nvidia-smi", "--query-gpu=" + query, "--format=csv,noheader", limit=20)
        for line in done.out.splitlines():
            p.info("card", line.strip())
    except OSError as error:
        p.info("card", "nvidia-smi cannot be run: %s" % error)


def trained(p):
    """Trains a little; where that fails on a GPU, in ways of which the other parts then take the first that does not."""
    ours, good = libraries(p, "own")
    ways = (("without kernels of our own", "kernels.json", []), ("without graphs", "graphs.json", ["--no-graph"]))
    for how, file, flags in ways if p.cuda else ():
        if good or p.left() < 20 or shared(p, file) is False:
            continue
        share(p, file, False)
        ours, good = libraries(p, how, *flags)
        if not good:  # they are not to blame
            share(p, file, True)
    return ours


def libraries(p, how, *flags):
    """Trains a little, and gives the libraries that lie in the process's memory meanwhile, and whether all went well."""
    seen, folder, name = set(), os.path.join(p.folder, how.replace(" ", "-")), "" if how == "own" else ", " + how
    os.makedirs(folder, exist_ok=True)
    complaints = os.path.join(folder, "stderr")
    command = [p.program("train"), "--dataset", "digits", "--device", p.device, "--iterations", "100000", "--no-figures", "--output-dir", folder, *flags]
    log("$ " + " ".join(command))
    # To standard error, which nothing is left of in a buffer when the program is ended.
    env = p.environment(CUDNN_LOGLEVEL_DBG="2", CUDNN_LOGDEST_DBG="stderr")
    with open(complaints, "wb") as err:
        train = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=err)
    # Long enough for a first forward and backward pass, whose engines are loaded late.
    began, most = None, time.monotonic() + (min(40, p.left() - 25) if how == "own" else min(25, p.left() - 5))
    while train.poll() is None and time.monotonic() < most:
        time.sleep(0.25)
        seen |= mapped(train.pid)
        if began is None and holds_steps(os.path.join(folder, "cfm/digits/metrics.jsonl")):
            began = time.monotonic()
        if began and time.monotonic() > began + (6 if p.cuda else 2):
            break
    status = train.poll()
    train.send_signal(signal.SIGTERM if began else signal.SIGABRT)  # upon which it says where each thread is
    try:
        train.wait(10)
    except subprocess.TimeoutExpired:
        train.kill()
    with open(complaints, errors="replace") as f:
        text = f.read()
    log("\n".join(text.splitlines()[-200:]))
    good = status is None and began is not None
    p.must("digits train" + name, good, "no step was done" if status is None else "exit status %s: %s" % (status, (text.strip().splitlines() or [""])[-1]))
    p.info("libraries loaded" + name, ", ".join(sorted(seen)))
    p.must("one libtorch" + name, sum(n.startswith("libtorch_cpu.so") for n in seen) == 1, "libtorch_cpu.so is loaded %d times" % sum(n.startswith("libtorch_cpu.so") for n in seen))
    if p.cuda:
        report_complaints(p, text)
    return seen, good


def holds_steps(metrics):
    try:
        return os.path.getsize(metrics) > 0
    except OSError:
        return False


def mapped(pid):
    """Names of the shared libraries of a process, those of CUDA and PyTorch."""
    try:
        with open("/proc/%d/maps" % pid) as f:
            paths = {line.split(None, 5)[5].strip() for line in f if ".so" in line and len(line.split(None, 5)) > 5}
    except OSError:
        return set()
    names = {os.path.basename(path) for path in paths}
    return {n for n in names if re.match(r"lib(torch|c10|cu|nv|nccl|cgotorch|gomp)", n)}


def report_complaints(p, text):
    """cuDNN's log has a line for each engine that it could not use."""
    bad = [line.strip() for line in text.splitlines() if re.match(r"\s*[EW]!|.*CUDNN_STATUS_(?!SUCCESS)", line)]
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


if __name__ == "__main__":
    main(run)
