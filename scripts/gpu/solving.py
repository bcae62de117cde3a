"""Sampling digits, ours and PyTorch's: midpoint, 20 steps."""

import os
import time

import compute
import networks
import torch

SOLVE = ["--method", "midpoint", "--steps", "20", "--no-figures", "--quiet", "--precision", "fp32"]


def trained(p, dataset, steps, *more):
    """Trains so many steps: one by one, for part 5, which tells whether they can be recorded, may run meanwhile."""
    no_graph = ["--no-graph"] if p.cuda else []
    done = p.run(
        p.program("train"), "--dataset", dataset, "--device", p.device, "--iterations", steps, "--output-dir", p.folder, "--no-figures", *no_graph, *more, limit=40
    )
    return p.started(done, "a model of " + dataset)


def by_pytorch(p, arrays, precision="float32"):
    """Midpoint, 20 steps, of the weights in ckpt.pth, in torchcfm's network."""
    compute.set_precision(precision)
    state = torch.load(os.path.join(p.folder, "cfm/digits/ckpt.pth"), map_location="cpu", weights_only=True)
    model = networks.unet(networks.CONFIGS["digits"])
    model.load_state_dict(state, strict=True)
    model.to(p.device).eval()
    x, y, n = arrays["x0"].to(p.device), arrays["y"].to(p.device), 20
    v = lambda x, t: model(torch.full((len(x),), t, device=p.device), x, y)  # noqa: E731
    with torch.no_grad(), compute.autocast(p.device, precision):
        for i in range(n):
            t, h = i / n, 1 / n
            x = x + h * v(x + h / 2 * v(x, t), t + h / 2)
    return x.cpu()


def many(p, precision, digits=10000):
    """So many digits after as many others, ours and PyTorch's in the same precision: what each needs to begin is left out."""
    seconds = []
    for times in (1, 2):
        done = p.run(
            p.program("sample"), "--dataset", "digits", "--output-dir", p.folder, *SOLVE[:-1], precision, "--device", p.device,
            "--samples-per-class", str(times * digits // 10), "--json", limit=40,
        )  # fmt: skip
        if not p.started(done, "%d digits, %s" % (times * digits, precision)):
            return
        seconds.append(done.json()["seconds"])
    arrays = {"x0": torch.randn(digits, 1, 8, 8), "y": torch.arange(digits) % 10}
    for _ in range(2):
        start = time.perf_counter()
        by_pytorch(p, arrays, {"fp32": "float32"}.get(precision, precision))
        theirs = time.perf_counter() - start
    name = "%d digits, %s: our time over PyTorch's" % (digits, precision)
    p.check(name, (seconds[1] - seconds[0]) / theirs, 0.5, ours=seconds[1] - seconds[0], pytorch=theirs)
