"""Part 7: sampling and likelihood. The same noise gives the same samples on the device, on the processor and in PyTorch,
and the same points the same likelihood."""

import json
import os

import npz
import torch
from part import main
from solving import SOLVE, by_pytorch, trained


def run(p):
    if not trained(p, "digits", "60", "--precision", "fp32") or not trained(p, "checkerboard", "300", "--precision", "fp32"):
        return
    sampling(p)
    likelihood(p)
    if p.cuda:
        p.run_tests("all of the trainer's tests for GPUs", "trainer.test", "^TestGPU", "trainer", limit=50)


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


if __name__ == "__main__":
    main(run)
