"""Part 2: every operation, the networks with their gradients and AdamW, in every precision, against float64.

Ours by the tests of the bundle; the networks also by PyTorch on the same device, since how much rounding
costs is the device's affair: ours may be off twice as much, not more."""

import json
import math
import os

from part import main

PRECISIONS = {"float32": 1e-5, "tf32": 1e-3, "bf16": 1e-2}  # below this, nobody asks who is better


def run(p):
    for row in p.run_tests("tests of operations and AdamW", "gotorch.test", "^TestDevice", "gotorch", limit=60):
        row = dict(row)
        p.check("%s, %s" % (row["name"], row["precision"]), row["error"], row["allowed"], where=row["where"], tensors=row["tensors"])
    if p.cuda:
        p.run_tests("the binding's tests for GPUs", "gotorch.test", "^TestGPU", "gotorch", limit=40)
    else:
        p.skip("the binding's tests for GPUs", "need a GPU")
    ours = p.run_tests("tests of the networks", "models.test", "^TestDevice", "models", limit=60)
    compare_networks(p, ours)
    # Of the processor's: last, and without CUDA, which each of the processes that they start would open.
    p.run_tests("own kernels", "gotorch.test", "^TestKernel", "gotorch", limit=30, cuda=False)


def compare_networks(p, ours):
    for row in ours:
        path = os.path.join(p.bundle, "tests", "models", "testdata", row["name"] + ".json")
        try:
            with open(path) as f:
                theirs = errors(json.load(f), p.device, row["precision"])
        except Exception as error:  # noqa: BLE001 - PyTorch's; the other networks are to be told all the same
            p.result("%s, %s" % (row["name"], row["precision"]), "failed", why="PyTorch: %r" % error)
            continue
        for what in ("output", "x_grad", "gradients"):
            allowed = max(2 * theirs[what], PRECISIONS[row["precision"]])
            p.check("%s, %s, %s" % (row["name"], row["precision"], what), row[what], allowed, pytorch=theirs[what])


def errors(fixture, device, precision):
    """What TestDeviceNetworks measures, of PyTorch."""
    import compute
    import networks
    import torch

    compute.set_precision(precision)
    model = networks.built(fixture["config"])
    named = list(model.named_parameters())
    with torch.no_grad():
        for k, (spec, (name, tensor)) in enumerate(zip(fixture["parameters"], named)):
            assert spec["name"] == name, (spec["name"], name)
            tensor.copy_(networks.fill(spec["shape"], k, spec["scale"], spec["offset"]))
    model.to(device)
    made = lambda s: networks.fill(s["shape"], s["k"], s["scale"], s["offset"]).to(device)  # noqa: E731
    inputs = fixture["inputs"]
    x = made(inputs["x"]).requires_grad_()
    y = None if inputs["y"] is None else torch.tensor(inputs["y"], device=device)
    with compute.autocast(device, precision):
        out = model(made(inputs["t"]), x, y)
    (out.float() * made(inputs["w"])).sum().backward()
    grads = [(p.grad, s["grad"]) for s, (_, p) in zip(fixture["parameters"], named) if not s.get("zero_grad")]
    return {
        "output": relative([(out, fixture["output"])]),
        "x_grad": relative([(x.grad, fixture["x_grad"])]),
        "gradients": relative(grads),
    }


def relative(pairs):
    off = norm = 0.0
    for got, want in pairs:
        flat = got.detach().double().cpu().flatten()
        if want.get("at") is not None:
            flat = flat[want["at"]]
        for g, w in zip(flat.tolist(), want["values"]):
            off += (g - w) ** 2
            norm += w * w
    return math.sqrt(off / norm)


if __name__ == "__main__":
    main(run)
