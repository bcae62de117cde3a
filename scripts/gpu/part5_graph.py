"""Part 5: CUDA graphs: replayed work against eager work, a capture made to fail and an eager step after it."""

from part import main


def run(p):
    if not p.cuda:
        p.skip("graphs", "a processor has none")
        return
    p.run_tests("the binding's graphs, and a capture that fails", "gotorch.test", "^TestGPU.*(Graph|Capture)", "gotorch", limit=25)
    # These names begin to exist with the step in a graph.
    p.run_tests("a step in a graph is bitwise the eager one", "trainer.test", "^TestGPU.*Graph", "trainer", limit=25)


main(run)
