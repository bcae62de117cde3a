"""The parts of gpu-check, in the order in which they run: of what they tell."""

from collections import namedtuple

# gpu, cpu: seconds that it may take there. kept: seconds that the parts before it leave to it on a GPU, however long they
# take. Parts of one group run at the same time on a GPU: what they tell does not depend on how busy it is.
Part = namedtuple("Part", "number program title gpu cpu kept group")

PARTS = [
    Part(1, "part1_machine.py", "the machine and its libraries", 150, 60, 0, None),
    Part(2, "part2_numbers.py", "operations and networks", 110, 90, 60, "numbers"),
    Part(3, "part3_losses.py", "losses beside PyTorch's", 110, 60, 60, "numbers"),
    Part(5, "part5_graph.py", "graphs", 110, 30, 60, "numbers"),
    Part(7, "part7_sampling.py", "sampling and likelihood", 110, 90, 60, "numbers"),
    Part(10, "part10_compiler.py", "PyTorch's compiler, beforehand", 110, 30, 60, "numbers"),
    Part(4, "part4_speed.py", "speed", 200, 130, 120, None),
    Part(6, "part6_faults.py", "faults", 60, 60, 25, None),
    Part(8, "part8_soak.py", "soak, stop and resume", 60, 70, 30, None),
    Part(9, "part9_mnist.py", "MNIST", 540, 150, 60, None),
]


def groups(parts):
    """The parts, those together that run at the same time."""
    out = []
    for part in parts:
        if part.group and out and out[-1][0].group == part.group:
            out[-1].append(part)
        else:
            out.append([part])
    return out


def most(group, later, left):
    """The seconds that each part of a group may take on a GPU: so that what is kept for later groups is left of `left`."""
    kept = sum(max(p.kept for p in g) for g in later)
    return [min(p.gpu, max(left - kept, min(left, p.kept))) for p in group]
