#!/usr/bin/env python3
"""Solve a few small problems with torchdiffeq, for the Go tests to compare with.

    pip install torch==2.11.0 torchdiffeq==0.2.5
    python flow/testdata/make_torchdiffeq.py     # rewrites flow/testdata/torchdiffeq.json

Everything is float64. flow/torchdiffeq_test.go has the same fields in plain Go.

Adaptive methods are solved twice. `end`, `nfe` and `between` come with the option step_t = [t1], which
makes torchdiffeq step onto the end, as ours does; `free_end` and `free_nfe` without it: there it steps
over the end and interpolates back.
"""

import json
from pathlib import Path

import torch
from torchdiffeq import odeint

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def swing(t, x):
    return x * torch.cos(t)


def spiral(t, x):
    a = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
    return (x**3) @ a


def vanderpol(t, x):
    p, v = x[:, 0], x[:, 1]
    return torch.stack([v, 2 * (1 - p * p) * v - p], 1)


def mixture(t, x):
    """The velocity that carries N(0,I) to two Gaussians of deviation 0.3 at (2,1) and (-2,0.5)."""
    s2 = 0.3**2
    var = t * t * s2 + (1 - t) ** 2
    ms = torch.tensor([[2.0, 1.0], [-2.0, 0.5]])
    d = x[:, None, :] - t * ms  # [B,2,2]
    w = torch.softmax(-(d**2).sum(2) / (2 * var), 1)
    v = ms + (t * s2 - (1 - t)) / var * d
    return (w[:, :, None] * v).sum(1)


PROBLEMS = {
    # name: field, x, t0, t1
    "swing": (swing, [[1.0], [-2.0], [0.25]], 0.0, 2.0),
    "swing backwards": (swing, [[1.0], [-2.0], [0.25]], 1.5, -0.5),
    "spiral": (spiral, [[1.2, 0.0], [0.5, -0.8]], 0.0, 1.5),
    "vanderpol": (vanderpol, [[2.0, 0.0], [-1.0, 1.0]], 0.0, 4.0),
    "mixture": (mixture, [[0.3, -0.7], [-1.2, 0.1], [0.02, 1.5]], 0.0, 1.0),
    "mixture backwards": (mixture, [[2.1, 1.2], [-1.7, 0.4], [1.6, 0.8]], 1.0, 0.0),
}
ADAPTIVE = ["bosh3", "dopri5", "dopri8", "adaptive_heun", "fehlberg2"]
FIXED = ["euler", "midpoint", "heun2", "heun3", "rk4"]
STEPS = 32


class Counted:
    def __init__(self, f):
        self.f, self.n = f, 0

    def __call__(self, t, x):
        self.n += 1
        return self.f(t, x)


def solve(f, x, ts, **kw):
    f = Counted(f)
    y = odeint(f, torch.tensor(x), torch.tensor(ts), **kw)
    return y, f.n


def main():
    out = {"steps": STEPS, "problems": []}
    for name, (f, x, t0, t1) in PROBLEMS.items():
        at = [t0 + p * (t1 - t0) for p in (0.21, 0.5, 0.83)]
        true, _ = solve(f, x, [t0, *at, t1], method="dopri8", rtol=1e-12, atol=1e-12)
        p = {"name": name, "x": x, "t0": t0, "t1": t1, "at": at, "true": true[1:].tolist(), "fixed": [], "adaptive": []}
        for m in FIXED:
            h = (t1 - t0) / STEPS
            grid = [t0 + i * h for i in range(STEPS)] + [t1]
            y, nfe = solve(f, x, grid, method=m)
            p["fixed"].append({"method": m, "nfe": nfe, "grid": [STEPS // 3, STEPS], "x": y[[STEPS // 3, STEPS]].tolist()})
        for m in ADAPTIVE:
            for tol in (1e-3, 1e-6):
                kw = dict(method=m, rtol=tol, atol=tol)
                y, nfe = solve(f, x, [t0, *at, t1], options={"step_t": torch.tensor([t1])}, **kw)
                free, free_nfe = solve(f, x, [t0, t1], **kw)
                p["adaptive"].append({"method": m, "tol": tol, "nfe": nfe, "end": y[-1].tolist(), "between": y[1:-1].tolist(),
                                      "free_nfe": free_nfe, "free_end": free[-1].tolist()})
        out["problems"].append(p)
    text = json.dumps(out, allow_nan=False)
    # One record a line.
    text = text.replace('{"method"', '\n{"method"').replace('{"name"', '\n{"name"')
    Path(__file__).with_name("torchdiffeq.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
