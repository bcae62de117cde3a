"""Part 6: what must not happen in a step, and what a user may run into: waiting for the device, memory that is not
there, a device that is not there. Each is one line and its status, and the next run is a good one."""

import os
import resource

from part import main


def run(p):
    if p.cuda:
        p.run_tests("no step waits for the device", "trainer.test", "^TestGPU.*(Sync|Wait)", "trainer", limit=25)
        # 64 GiB for the output of each layer; even in bf16 no card holds six of them.
        out_of_memory(p, "16384")
    else:
        p.skip("no step waits for the device", "a processor is never waited for")
        # 4 GiB for one, in 4 GiB of addresses: it fails at once, and what else the program needs finds room.
        out_of_memory(p, "1024", address_space=4 << 30)
    done = train(p, "after", "--dataset", "digits", "--max-steps", "5")
    if p.started(done, "a run after it"):
        p.result("a run after it", "ok")
    refused(p, "a device that is not there", "cuda:7", (1, 2))
    refused(p, "a device of no kind", "gpu", (2,))


def train(p, folder, *more, before=None, device=None, limit=50):
    return p.run(
        p.program("train"), "--device", device or p.device, "--no-figures", "--output-dir", os.path.join(p.folder, folder), *p.no_graph(), *more,
        before=before, limit=limit,
    )  # fmt: skip


def out_of_memory(p, width, address_space=0):
    """A batch that the device does not hold; a processor gets little enough of address space for that."""

    def confine():
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))

    name = "out of memory, planted"
    done = train(
        p, "oom", "--dataset", "checkerboard", "--recipe", "reference", "--hidden-dim", width, "--batch-size", "1048576", "--iterations", "3",
        "--quiet", before=confine if address_space else None,
    )  # fmt: skip
    lines = done.err.strip().splitlines()
    p.must(name + ": status 4", done.status == 4, "status %s: %s" % (done.status, done.last_line()[:300]))
    p.must(name + ": one line, which names a smaller batch", len(lines) == 1 and "--batch-size" in lines[0], "%d lines: %s" % (len(lines), done.last_line()[:300]))
    p.info("out of memory says", lines[-1][:300] if lines else "nothing")


def refused(p, name, device, allowed):
    done = train(p, "refused", "--dataset", "digits", "--max-steps", "1", device=device, limit=25)
    lines = done.err.strip().splitlines()
    p.must(name, done.status in allowed and len(lines) == 1, "status %s, %d lines: %s" % (done.status, len(lines), done.last_line()[:300]))


main(run)
