"""Part 7: sampling and likelihood. The same noise gives the same samples on the device, on the processor and in PyTorch,
and the same points the same likelihood."""

import json
import os
import time

import compute
import networks
import npz
import torch
from part import main

SOLVE = ["--method", "midpoint", "--steps", "20", "--no-figures", "--quiet", "--precision", "fp32"]


def run(p):
    if not trained(p, "digits", "60", "--precision", "fp32") or not trained(p, "checkerboard", "300", "--precision", "fp32"):
        return
    sampling(p)
    likelihood(p)
    if p.cuda:
        for precision in ("fp32", "bf16"):
            many(p, precision)
    else:
        p.skip("10,000 digits, our time over PyTorch's", "takes minutes on a processor")


def trained(p, dataset, steps, *more):
    done = p.run(
        p.program("train"), "--dataset", dataset, "--device", p.device, "--iterations", steps, "--output-dir", p.folder, "--no-figures", *p.no_graph(), *more, limit=40
    )
    return p.started(done, "a model of " + dataset)


def sampling(p):
    path = lambda n: os.path.join(p.folder, n + ".npz")  # noqa: E731
    sample = lambda *more: p.run(p.program("sample"), "--dataset", "digits", "--output-dir", p.folder, *SOLVE, *more, limit=40)  # noqa: E731
    if not p.started(sample("--device", "cpu", "--samples-per-class", "4", "--npz", path("cpu")), "samples on the processor"):
        return
    done = sample("--device", p.device, "--init", path("cpu"), "--npz", path("device"))
    if not p.started(done, "samples on the device"):
        return
    cpu, device = npz.read(path("cpu")), npz.read(path("device"))
    same = torch.equal(cpu["x0"], device["x0"]) and torch.equal(cpu["y"], device["y"])
    p.must("the same noise and classes", same, "the files differ in x0 or y")
    if p.cuda:
        p.check("samples, device against processor", off(device["x"], cpu["x"]), 1e-3)
    else:
        p.skip("samples, device against processor", "the device is the processor")
    p.check("samples, ours against PyTorch on the same device", off(device["x"], by_pytorch(p, device)), 1e-3)


def off(a, b):
    return (a - b).abs().max().item() if a.isfinite().all() else float("nan")


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


def likelihood(p):
    if not p.cuda:
        p.skip("likelihood, device against processor", "the device is the processor")
    found = {}
    for device in dict.fromkeys(["cpu", p.device]):
        done = p.run(
            p.program("evaluate"), "--dataset", "checkerboard", "--measures", "nll", "--output-dir", p.folder,
            "--device", device, "--json", "--quiet", limit=60,
        )  # fmt: skip
        if not p.started(done, "likelihood on " + device):
            return
        found[device] = json.loads(done.out.strip().splitlines()[-1])["nll"]
        p.info("nll on " + device, found[device])
    if p.cuda:
        p.check("likelihood, device against processor", abs(found[p.device] - found["cpu"]), 1e-4)


main(run)
