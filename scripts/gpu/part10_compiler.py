"""Part 10: PyTorch's compiler on what part 9 measures of it. It takes minutes, of the processor, and keeps what it made: so it
is let loose while other parts run that do not measure time."""

import os
import sys

import part4_speed as speed
from part import main


def run(p):
    if not p.cuda:
        p.skip("PyTorch's compiler", "its measurements need a GPU")
        return
    os.nice(10)  # it takes all cores
    for job in speed.compared(p):
        done = p.run(sys.executable, p.peer("steps"), "--device", p.device, "--only", job[2], "--how", "compile", "--json", "--steps", "5")
        if done.status is None:
            p.info("compiling " + job[0], "not done after %.0f s" % done.seconds)
            return
        said = done.out.strip() if done.status == 0 and '"error"' in done.out else done.last_line() if done.status else ""
        p.info("compiling " + job[0], "%.0f s%s" % (done.seconds, ": " + said[:300] if said else ""))


main(run)
