"""What the parts of gpu-check share. A part is a program of its own: it prints each result as a line of
JSON on standard output as it comes, everything else goes to standard error, which becomes the log.

A result is {"name", "status", ...}; status is ok, failed, skipped, "not built" or info. Exit status: 0,
or 5 if a comparison failed; anything else is a part that broke off.
"""

import importlib.util
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Done:
    """A program that has ended, or was stopped after its time: then status is None."""

    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    def last_line(self):
        lines = self.err.strip().splitlines() or [""]
        return lines[-1]

    def json(self):
        return json.loads(self.out.strip().splitlines()[-1])


class Part:
    PATIENCE = 4  # seconds that a program may take to end when it is told to

    def __init__(self, number, bundle, work, out, device, seconds):
        self.number, self.bundle, self.work, self.out, self.device = number, bundle, work, out, device
        self.end = time.monotonic() + seconds
        self.cuda = device.startswith("cuda")
        self.failed = False
        self.folder = os.path.join(work, "part%d" % number)
        os.makedirs(self.folder, exist_ok=True)

    def left(self):
        return self.end - time.monotonic()

    # ---- Results

    def result(self, name, status, **more):
        self.failed = self.failed or status == "failed"
        row = {"name": name, "status": status}
        row.update(more)
        print(json.dumps(row), flush=True)

    def check(self, name, value, allowed, **more):
        """value must be at most what is allowed; NaN is more than anything."""
        good = value is not None and value <= allowed
        self.result(name, "ok" if good else "failed", value=finite(value), allowed=allowed, **more)

    def must(self, name, good, why, **more):
        self.result(name, "ok" if good else "failed", **({} if good else {"why": why}), **more)

    def info(self, name, value, **more):
        self.result(name, "info", value=value, **more)

    def skip(self, name, why):
        self.result(name, "skipped", why=why)

    def not_built(self, name, why):
        self.result(name, "not built", why=why)

    # ---- Programs of the bundle

    def program(self, name):
        return os.path.join(self.work, "bin", name)  # gpu-check has unpacked them

    def peer(self, name):
        """A program of PyTorch's side."""
        return os.path.join(self.bundle, "peer", name)

    def mnist(self):
        """Whether MNIST is there; the reason to give where it is not."""
        return os.path.isdir(os.path.join(self.bundle, "data", "mnist"))

    NO_MNIST = "no MNIST: the bundle has no data/mnist (gpu-bundle --data-dir DIR packs it)"

    def environment(self, **more):
        env = dict(
            os.environ, LIBTORCH_USE_PYTORCH="1", PYTHONFAULTHANDLER="1", XDG_CACHE_HOME=os.path.join(self.work, "cache"),
            TORCHINDUCTOR_CACHE_DIR=os.path.join(self.work, "inductor"), TRITON_CACHE_DIR=os.path.join(self.work, "triton"),
        )  # fmt: skip
        env.pop("LIBTORCH", None)
        if shared(self, "kernels.json") is False:  # part 1 found that they do harm: the rest is to be told all the same
            env["GOTORCH_CUDA_KERNELS"] = "0"
        if shared(self, "libtorch.json"):  # part 1 had to name it
            env["LIBTORCH"] = shared(self, "libtorch.json")
        env.update(more)
        return env

    def no_graph(self):
        """The flag for train where part 5 found that steps cannot be recorded: then the rest is to be told all the same."""
        return ["--no-graph"] if shared(self, "graphs.json") is False else []

    def run(self, *command, limit=None, env=None, cwd=None, before=None):
        """Runs a command to its end, at most `limit` seconds; its standard error goes to the log too."""
        limit = max(1.0, min(self.left(), limit or self.left()))
        log("$ " + " ".join(command))
        start = time.monotonic()
        p = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd or self.folder,
            env=env or self.environment(), preexec_fn=before,
        )  # fmt: skip
        out, err, ended = said(p, limit)
        status = p.returncode if ended else None
        if not ended:
            # Go and Python (PYTHONFAULTHANDLER) then tell where each thread is.
            for number, patience in ((signal.SIGABRT, self.PATIENCE), (signal.SIGKILL, self.PATIENCE)):
                p.send_signal(number)
                out, err, ended = said(p, patience)
                if ended:
                    break
            if not ended:  # what waits for a GPU that has failed cannot be, and what it has started may hold the pipes
                p.poll()
                p.stdout.close()
                p.stderr.close()
        done = Done(status, out.decode(errors="replace"), err.decode(errors="replace"), time.monotonic() - start)
        log(done.err.rstrip())
        if status != 0:
            log("exit status %s after %.1f s" % ("none: stopped" if status is None else status, done.seconds))
        return done

    def started(self, done, name):
        """Tells whether a program ended well, and reports it as a failure if not."""
        if done.status == 0:
            return True
        how = "took more than %.0f s" % done.seconds if done.status is None else "exit status %s" % done.status
        self.result(name, "failed", why="%s: %s" % (how, done.last_line()))
        return False

    def go_test(self, binary, pattern, folder, limit=None, env=None, cuda=True):
        """Runs some tests of a test program; gives how it ended, what they measured, those that failed, and how many
        did not."""
        where = os.path.join(self.bundle, "tests", folder)
        variables = {"GOTORCH_TEST_CUDA": "1"} if self.cuda and cuda else {}
        variables.update(env or {})
        done = self.run(
            self.program(binary), "-test.short", "-test.v", "-test.run", pattern, cwd=where, limit=limit,
            env=self.environment(**variables),
        )  # fmt: skip
        log(done.out.rstrip())
        measured, failures, passed, skipped = [], [], 0, 0
        for line in done.out.splitlines():
            at = line.find("result: {")
            if at >= 0:
                measured.append(json.loads(line[at + 8 :]))
            word = line.strip()
            if word.startswith("--- FAIL: "):
                failures.append(word.split()[2])
            passed += word.startswith("--- PASS: ")
            skipped += word.startswith("--- SKIP: ")
        if done.status == 0 and passed == 0:
            failures.append("all %d were skipped" % skipped)
        return done, measured, failures, passed

    def tests(self, binary, pattern, folder):
        """The names of a test program's tests that match."""
        done = self.run(self.program(binary), "-test.list", pattern, cwd=os.path.join(self.bundle, "tests", folder))
        return [line for line in done.out.splitlines() if line.startswith("Test")]

    def run_tests(self, name, binary, pattern, folder, limit=None, cuda=True):
        """Runs tests and reports them as one result; not built if there are none."""
        if not self.tests(binary, pattern, folder):
            self.not_built(name, "%s has no test %s" % (binary, pattern))
            return []
        done, measured, failures, passed = self.go_test(binary, pattern, folder, limit, cuda=cuda)
        if done.status is None:
            self.result(name, "failed", why="took more than %.0f s" % done.seconds)
        elif failures:
            self.result(name, "failed", why=", ".join(failures), passed=passed)
        elif done.status != 0:
            self.result(name, "failed", why="exit status %s: %s" % (done.status, done.last_line()))
        else:
            self.result(name, "ok", passed=passed)
        return measured

    def has_flag(self, program, flag):
        return flag in self.run(self.program(program), "--help", limit=30).out


def said(p, seconds):
    """What a program has said until it ended, or so many seconds, and whether it has ended."""
    try:
        return (*p.communicate(timeout=seconds), True)
    except subprocess.TimeoutExpired as e:
        return e.stdout or b"", e.stderr or b"", False


def finite(v):
    """v as JSON can say it."""
    if isinstance(v, float) and not math.isfinite(v):
        return str(v)
    return v


def log(text):
    if text:
        print(text, file=sys.stderr, flush=True)


def torch_folder():
    """The folder of this Python's torch, without importing it."""
    return importlib.util.find_spec("torch").submodule_search_locations[0]


def share(part, name, value):
    """Leaves something for later parts."""
    with open(os.path.join(part.work, name), "w") as f:
        json.dump(value, f)


def shared(part, name):
    try:
        with open(os.path.join(part.work, name)) as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def fault(number):
    """GPU_CHECK_FAULT=3:crash,5:hang,7:kill breaks parts on purpose, to see that nothing else is lost."""
    for word in filter(None, os.environ.get("GPU_CHECK_FAULT", "").split(",")):
        n, _, what = word.partition(":")
        if n != str(number):
            continue
        if what == "crash":
            os.abort()
        if what == "hang":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(1)
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        sys.exit("GPU_CHECK_FAULT: %s: crash, hang or kill" % word)


def main(run):
    options = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # of what is aborted the log tells enough
    p = Part(**options)
    fault(p.number)
    run(p)
    sys.exit(5 if p.failed else 0)
