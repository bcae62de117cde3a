"""Commands that end, with all that they have started, when the program that runs them is
stopped."""

import os
import signal
import subprocess

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 10  # seconds from being asked to end until there is no choice


class Stopped(BaseException):
    """A signal, once: those that come while things are put in order are as well as not there."""

    def __init__(self, number):
        super().__init__(number)
        self.status = 128 + number


_starting = False
_stop = None  # the signal


def _on_signal(number, _frame):
    global _stop
    first, _stop = _stop is None, _stop or number
    if first and not _starting:
        raise Stopped(number)


def heed_signals():
    """From now on the first of STOPS raises Stopped, but those that are ignored, as under nohup."""
    for number in STOPS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _on_signal)


def run(command, timeout=None, **how):
    """subprocess.run with a process group for the command, which is ended if anything is raised meanwhile."""
    global _starting
    _starting = True  # a signal while the process begins would leave it to itself
    try:
        process = subprocess.Popen(command, start_new_session=True, **how)
    finally:
        _starting = False
    try:
        if _stop is not None:
            raise Stopped(_stop)
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        _end(process)
        raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _end(process):
    try:
        _tell(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=PATIENCE)  # and not wait, for it may have much to say
        except subprocess.TimeoutExpired:
            pass
    finally:
        _tell(process.pid, signal.SIGKILL)  # also to those whom their parent left
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def _tell(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass  # it has ended
