"""Part 5: CUDA graphs: replayed work against eager work, a capture made to fail and an eager step after it."""

from part import main, share


def run(p):
    if not p.cuda:
        p.skip("graphs", "a processor has none")
        return
    recorded(p)
    p.run_tests("the binding's graphs, and a capture that fails", "gotorch.test", "^TestGPU.*(Graph|Capture)", "gotorch", limit=25)
    # These names begin to exist with the step in a graph.
    p.run_tests("a step in a graph is bitwise the eager one", "trainer.test", "^TestGPU.*Graph", "trainer", limit=25)


def recorded(p):
    """Trains a little as users do. Where that fails, the parts to come go without graphs: their results are to come."""
    done = p.run(
        p.program("train"), "--dataset", "digits", "--device", p.device, "--max-steps", "50", "--no-figures", "--json", "--output-dir", p.folder,
        limit=30,
    )  # fmt: skip
    if not p.started(done, "train in a graph"):
        share(p, "graphs.json", False)
        return
    kernels = done.json().get("graph_kernels", 0)
    p.must("train in a graph", kernels > 0, "its steps were not recorded: %s" % done.err.strip()[-300:], kernels=kernels)


main(run)
