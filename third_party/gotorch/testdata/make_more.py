"""Writes more.json: operations, optimisers and schedules that ops.json and
optim.json do not have, by PyTorch 2.11 in float64. The formula for the inputs
is models/testdata/README.md's.   python make_more.py
"""
import json
import math
import os
import warnings

import torch
import torch.nn.functional as F

warnings.filterwarnings("ignore")
M = 0xFFFFFFFF


def mix(h):
    h ^= h >> 16
    h = h * 0x85EBCA6B & M
    h ^= h >> 13
    h = h * 0xC2B2AE35 & M
    return h ^ h >> 16


def fill(shape, k, scale, offset):
    v = [offset + scale * ((mix(mix(i) ^ mix((k + 0x9E3779B9) & M)) >> 8) / (1 << 24) - 0.5)
         for i in range(math.prod(shape))]
    return torch.tensor(v, dtype=torch.float32).to(torch.float64).reshape(shape)


number = 3000


def f(*shape, scale=2.0, offset=0.0):
    global number
    number += 1
    return {"shape": list(shape), "k": number, "scale": scale, "offset": offset}


def ints(values, shape=None, dtype="int64"):
    return {"ints": values, "shape": shape or [len(values)], "dtype": dtype}


def tensor(s):
    if "ints" in s:
        return torch.tensor(s["ints"], dtype=getattr(torch, s["dtype"])).reshape(s["shape"])
    return fill(s["shape"], s["k"], s["scale"], s["offset"])


def result(t):
    return {"shape": list(t.shape), "values": [float("%.10g" % v) for v in t.detach().double().reshape(-1).tolist()]}


cases = []


def case(op, run, *inputs, name=None, **args):
    ts = [tensor(s) for s in inputs]
    for t in ts:
        if t.is_floating_point():
            t.requires_grad_(True)
    out = run(*ts)
    out = list(out) if isinstance(out, (tuple, list)) else [out]
    loss, w = 0, []
    for o in out:
        w.append(f(*o.shape))
        loss = loss + (o * tensor(w[-1])).sum()
    grads = [None] * len(ts)
    if loss.requires_grad:
        loss.backward()
        grads = [result(t.grad) if t.grad is not None else None for t in ts]
    cases.append({"name": name or op, "op": op, "inputs": list(inputs), "args": args,
                  "outputs": [result(o) for o in out], "w": w, "grads": grads})


case("conv_transpose2d", lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1, 1, 1, 1), f(2, 4, 3, 3), f(4, 3, 3, 3), f(3),
     stride=2, padding=1, output_padding=1, groups=1, dilation=1)
case("conv_transpose2d", lambda x, w: F.conv_transpose2d(x, w, None, 1, 0, 0, 2, 2), f(1, 4, 3, 4), f(4, 2, 2, 2),
     name="conv_transpose2d groups, dilation", stride=1, padding=0, output_padding=0, groups=2, dilation=2)
case("conv2d", lambda x, w: F.conv2d(x, w, None, 1, 2, 2, 2), f(1, 4, 6, 6), f(2, 2, 3, 3), name="conv2d groups, dilation",
     stride=1, padding=2, groups=2, dilation=2)
case("conv1d", lambda x, w, b: F.conv1d(x, w, b, 2, 1), f(2, 3, 8), f(4, 3, 3), f(4), stride=2, padding=1)
case("batch_norm train", lambda x, w, b: F.batch_norm(x, None, None, w, b, True, 0.1, 1e-5), f(3, 4, 2, 2),
     f(4, offset=1, scale=0.5), f(4))
case("batch_norm eval", lambda x, m, v, w, b: F.batch_norm(x, m.detach(), v.detach(), w, b, False, 0.1, 1e-5), f(3, 4, 2, 2),
     ints([0, 1, 2, 1], dtype="float64"), ints([1, 2, 3, 4], dtype="float64"), f(4, offset=1, scale=0.5), f(4))
case("nll_loss", lambda x, t: F.nll_loss(x, t, reduction="mean"), f(4, 3), ints([0, 2, 1, 2]), reduction="mean")
case("nll_loss", lambda x, t, w: F.nll_loss(x, t, w.detach(), ignore_index=1, reduction="sum"), f(4, 3), ints([0, 2, 1, 2]),
     f(3, offset=1.5, scale=1), name="nll_loss weighted, ignoring", reduction="sum", ignore=1)
case("cross_entropy", lambda x, t: F.cross_entropy(x, t, ignore_index=0), f(4, 3), ints([0, 2, 1, 2]),
     name="cross_entropy ignoring", reduction="mean", ignore=0)
case("bce", lambda p, t: F.binary_cross_entropy(p, t.detach()), f(3, 4, scale=0.9, offset=0.5), f(3, 4, scale=1, offset=0.5), reduction="mean")
case("bce", lambda p, t, w: F.binary_cross_entropy(p, t.detach(), w.detach(), reduction="none"), f(3, 4, scale=0.9, offset=0.5),
     f(3, 4, scale=1, offset=0.5), f(3, 4, scale=1, offset=1.5), name="bce weighted", reduction="none")
wild = lambda p, t: -(t * p.log().clamp(min=-100) + (1 - t) * (1 - p).log().clamp(min=-100))
case("bce", lambda p, t: wild(p, t.detach()).mean(), f(3, 4, scale=0.9, offset=0.5), f(3, 4, scale=8), name="bce of wild targets", reduction="mean")
case("bce", lambda p, t, w: (wild(p, t.detach()) * w.detach()).sum(), f(3, 4, scale=0.9, offset=0.5), f(3, 4, scale=8),
     f(3, 4, scale=1, offset=1.5), name="bce of wild targets, weighted", reduction="sum")
case("bce_with_logits", lambda x, t: F.binary_cross_entropy_with_logits(x, t.detach()), f(3, 4, scale=6), f(3, 4, scale=1, offset=0.5), reduction="mean")
case("l1_loss", lambda a, b: F.l1_loss(a, b), f(3, 4), f(3, 4), reduction="mean")
case("smooth_l1_loss", lambda a, b: F.smooth_l1_loss(a, b, beta=0.5), f(3, 4), f(3, 4), reduction="mean", beta=0.5)
case("leaky_relu", lambda x: F.leaky_relu(x, 0.2), f(3, 4), slope=0.2)
case("elu", lambda x: F.elu(x, 1.5), f(3, 4), alpha=1.5)
for op in ("softplus", "logsigmoid"):
    case(op, getattr(F, op), f(3, 4, scale=8))
for op in ("reciprocal", "log1p", "expm1", "erf", "ceil", "floor", "round", "sign", "prod"):
    case(op, getattr(torch, op), f(3, 4, scale=1.5, offset=1.25))
case("pow", torch.pow, f(3, 4, scale=1, offset=1.5), f(4, scale=4), name="pow by tensor")
case("remainder", lambda a, b: torch.remainder(a, b), f(3, 4, scale=9), f(4, scale=1, offset=1.5))
for op in ("maximum", "minimum"):
    case(op, getattr(torch, op), f(3, 4), f(3, 4))
case("addcmul", lambda a, b, c: torch.addcmul(a, b, c, value=0.5), f(3, 4), f(3, 4), f(4), value=0.5)
case("norm", lambda x: torch.linalg.vector_norm(x), f(3, 4))
case("norm", lambda x: torch.linalg.vector_norm(x, 1, (1,), True), f(3, 4), name="norm 1 by dim", p=1, dim=[1], keepdim=True)
case("norm", lambda x: torch.linalg.vector_norm(x, 3, None, False), f(3, 4), name="norm 3 of all", p=3, dim=[], keepdim=False)
case("var", lambda x: torch.var(x, (0, 2), correction=1), f(2, 3, 4), dim=[0, 2], correction=1, keepdim=False)
case("std", lambda x: torch.std(x, (1,), correction=0, keepdim=True), f(2, 3, 4), dim=[1], correction=0, keepdim=True)
case("max", lambda x: torch.max(x, 1)[0], f(3, 4), dim=1)
case("min", lambda x: torch.min(x, 0, keepdim=True)[0], f(3, 4), dim=0)
case("max all", torch.max, f(3, 4))
case("min all", torch.min, f(3, 4))
case("logsumexp", lambda x: torch.logsumexp(x, (1,)), f(3, 4, scale=8), dim=[1])
case("cumsum", lambda x: torch.cumsum(x, 1), f(3, 4), dim=1)
case("sort", lambda x: torch.sort(x, 1, descending=True)[0], f(3, 4), dim=1)
case("topk", lambda x: torch.topk(x, 2, 1)[0], f(3, 4), k=2, dim=1)
case("einsum", lambda a, b: torch.einsum("bij,bjk->bik", a, b), f(2, 3, 4), f(2, 4, 2), equation="bij,bjk->bik")
case("attention", lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), f(2, 2, 4, 4), f(2, 2, 4, 4), f(2, 2, 4, 4),
     name="attention causal", causal=True)
case("attention", lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m), f(2, 2, 3, 4), f(2, 2, 4, 4), f(2, 2, 4, 4),
     ints([1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1], [3, 4], "bool"), name="attention masked", causal=False)
case("scatter", lambda x, i, s: torch.scatter(x, 1, i, s), f(2, 4), ints([0, 2, 3, 1], [2, 2]), f(2, 2), dim=1)
case("scatter_add", lambda x, i, s: torch.scatter_add(x, 1, i, s), f(2, 4), ints([0, 0, 3, 1], [2, 2]), f(2, 2), dim=1)
case("masked_select", torch.masked_select, f(2, 3), ints([1, 0, 1, 1, 0, 0], [2, 3], "bool"))
case("masked_fill", lambda x, m: torch.masked_fill(x, m, -2.5), f(2, 3), ints([1, 0, 1, 1, 0, 0], [2, 3], "bool"), value=-2.5)
case("split", lambda x: torch.split(x, 2, 1), f(2, 5), size=2, dim=1)
case("unbind", lambda x: torch.unbind(x, 1), f(2, 3), dim=1)
case("select", lambda x: torch.select(x, 1, 2), f(2, 3, 2), dim=1, index=2)
case("repeat", lambda x: x.repeat(2, 1, 3), f(2, 3), counts=[2, 1, 3])
case("repeat_interleave", lambda x: torch.repeat_interleave(x, 3, 0), f(2, 3), count=3, dim=0)
case("roll", lambda x: torch.roll(x, (1, -2), (0, 1)), f(3, 4), shifts=[1, -2], dims=[0, 1])
case("flip", lambda x: torch.flip(x, (0, 1)), f(3, 4), dims=[0, 1])
case("tril", lambda x: torch.tril(x, -1), f(3, 4), diagonal=-1)
case("triu", lambda x: torch.triu(x, 1), f(3, 4), diagonal=1)
case("pad", lambda x: F.pad(x, (1, 2, 0, 1), value=1.5), f(2, 3), pad=[1, 2, 0, 1], value=1.5)
case("flatten", lambda x: torch.flatten(x, 1, 2), f(2, 3, 2), start=1, end=2)
case("squeeze", lambda x: torch.squeeze(x, 1), f(2, 1, 3), dim=1)
case("unsqueeze", lambda x: torch.unsqueeze(x, -1), f(2, 3), dim=-1)
case("expand_as", lambda x, y: x.expand_as(y), f(2, 1), f(2, 3))
case("bilinear", lambda x: F.interpolate(x, (5, 7), mode="bilinear", align_corners=False), f(1, 2, 3, 4), size=[5, 7], align=False)
case("bilinear", lambda x: F.interpolate(x, (5, 7), mode="bilinear", align_corners=True), f(1, 2, 3, 4), name="bilinear, corners",
     size=[5, 7], align=True)

optimisers = []
for kind, make in {
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "sgd momentum": lambda p: torch.optim.SGD(p, 0.1, 0.9, 0.1, 0.01),
    "sgd nesterov": lambda p: torch.optim.SGD(p, 0.1, 0.9, 0, 0.01, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.1, (0.8, 0.99), weight_decay=0.01),
}.items():
    starts = [f(2, 3), f(4)]
    params = [tensor(s).requires_grad_(True) for s in starts]
    opt, steps = make(params), []
    for i in range(4):
        grads = [f(2, 3), f(4)]
        if i == 0:
            grads[1] = None  # this parameter's first gradient comes later
        for p, g in zip(params, grads):
            p.grad = None if g is None else tensor(g)
        if i == 3:
            opt.param_groups[0]["lr"] = 0.05
        opt.step()
        steps.append({"grads": grads, "params": [result(p) for p in params]})
    optimisers.append({"kind": kind, "params": starts, "steps": steps})

S = torch.optim.lr_scheduler
schedules = {}
for name, make in {
    "step": lambda o: S.StepLR(o, 4, 0.5),
    "multi step": lambda o: S.MultiStepLR(o, [3, 7], 0.1),
    "exponential": lambda o: S.ExponentialLR(o, 0.9),
    "cosine": lambda o: S.CosineAnnealingLR(o, 10, 0.01),
    "linear": lambda o: S.LinearLR(o, 0.25, 1.0, 5),
    "polynomial": lambda o: S.PolynomialLR(o, 8, 2.0),
    "one cycle": lambda o: S.OneCycleLR(o, 1.0, total_steps=20),
    "restarts": lambda o: S.CosineAnnealingWarmRestarts(o, 4, 2, 0.01),
    "warm-up, cosine": lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.25, 1.0, 5), S.CosineAnnealingLR(o, 10, 0.01)], [5]),
}.items():
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.5)
    s, rates = make(o), []
    for _ in range(15):
        rates.append(float("%.10g" % o.param_groups[0]["lr"]))
        o.step()
        s.step()
    schedules[name] = rates

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "more.json")
with open(path, "w") as out:
    lines = ",\n".join(json.dumps(c) for c in cases)
    opts = ",\n".join(json.dumps(c) for c in optimisers)
    out.write('{"made_by": "testdata/make_more.py, torch %s",\n"cases": [\n%s\n],\n"optimisers": [\n%s\n],\n"schedules": %s\n}\n'
              % (torch.__version__.split("+")[0], lines, opts, json.dumps(schedules)))
