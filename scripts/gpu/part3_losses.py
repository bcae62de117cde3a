"""Part 3: steps of training from one state with one stored noise, ours and PyTorch's on the same device: points in
float32, digits in float32 and bf16, and on a GPU MNIST in bf16. The very same formulas give losses that differ by rounding only, which
grows from step to step; another formula gives others at once. PyTorch with and without oneDNN, which round
differently, is 3e-6 apart in float32 over 100 steps of digits, and its bf16 6e-3 from its float32."""

import json
import math
import os

import compute
import networks
import torch
from part import main


def run(p):
    steps = 100 if p.cuda else 10
    compare(p, "points", "float32", steps, 4096, first=2e-6, late=2e-4)
    compare(p, "digits", "float32", steps, 64, first=2e-6, late=2e-4)
    compare(p, "digits", "bf16", steps, 64, first=1e-3, late=2e-2)
    if not p.cuda:
        p.skip("mnist", "too slow on a processor; digits tell as much")
    elif not p.mnist():
        p.skip("mnist", p.NO_MNIST)
    else:
        compare(p, "mnist", "bf16", 40, 128, first=1e-3, late=2e-2)


def compare(p, name, precision, steps, batch, first, late):
    folder = os.path.join(p.folder, "%s-%s" % (name, precision))
    os.makedirs(folder)
    state, draws = make(name, steps, batch)
    training = {
        "recipe": "default", "iterations": 1000, "batch_size": batch, "learning_rate": 1e-3, "warmup": 5, "schedule": "cosine",
        "weight_decay": 0.01, "ema_decay": 0.99, "grad_clip": 0 if name == "points" else 1, "accumulate": 1, "precision": {"float32": "fp32"}.get(precision, precision),
        "seed": 1,
    }  # fmt: skip
    with open(os.path.join(folder, "stored.json"), "w") as f:
        network = {"Points": {"hidden_dim": 512}} if name == "points" else {"Network": networks.CONFIGS[name]}
        json.dump(dict(network, Config=training), f)
    torch.save(dict({"model." + k: v for k, v in state.items()}, **draws), os.path.join(folder, "stored.pth"))
    done, _, failures, _ = p.go_test("trainer.test", "^TestStoredNoise$", "trainer", env={"FLOWMATCH_STORED": folder})
    label = "%s, %s" % (name, precision)
    if done.status != 0 or failures:
        p.result(label, "failed", why=done.last_line() or "exit status %s" % done.status)
        return
    with open(os.path.join(folder, "losses.json")) as f:
        ours = json.load(f)
    losses, norms = reference(name, precision, p.device, state, draws, training)
    for what, got, want in (("loss", ours["losses"], losses), ("gradient norm", ours["norms"], norms)):
        off = [abs(a - b) / abs(b) for a, b in zip(got, want)]
        assert len(got) == len(want) == steps
        scale = 1 if what == "loss" else 5
        p.check("%s, %s of the first step" % (label, what), off[0], first * scale, ours=got[0], pytorch=want[0])
        p.check("%s, %s of %d steps" % (label, what, steps), max(off), late * scale, ours=got[-1], pytorch=want[-1])


def make(name, steps, batch):
    """A state whose output is not 0, as that of a fresh network is, and all that the steps draw."""
    torch.manual_seed(7)
    model = network_of(name)
    with torch.no_grad():
        for q in model.parameters():
            if not q.any():
                q.normal_(0, 0.02)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    if name == "points":
        angle = 2 * math.pi * torch.rand(steps, batch)
        ring = torch.stack([angle.cos(), angle.sin()], 2)
        return state, {"x0": torch.randn(steps, batch, 2), "x1": ring, "t": torch.rand(steps, batch)}
    c = networks.CONFIGS[name]
    shape = (steps, batch, c["channels"], c["size"], c["size"])
    # Soft blobs: something that a network can learn, without a data set.
    grid = torch.linspace(-1, 1, c["size"])
    centre = torch.rand(steps, batch, 2, 1, 1) * 1.2 - 0.6
    blob = torch.exp(-6 * ((grid[:, None] - centre[:, :, 0]) ** 2 + (grid[None, :] - centre[:, :, 1]) ** 2))
    draws = {
        "x0": torch.randn(shape),
        "x1": (2 * blob - 1).unsqueeze(2).expand(shape).contiguous(),
        "t": torch.rand(steps, batch),
        "y": torch.randint(0, 10, (steps, batch)),
    }
    return state, draws


def network_of(name):
    return networks.MLP() if name == "points" else networks.unet(networks.CONFIGS[name])


def reference(name, precision, device, state, draws, training):
    """PyTorch's losses and gradient norms."""
    compute.set_precision(precision)
    if precision == "bf16" and compute.on_gpu(device):
        compute.set_precision("float32")  # the test switches TF32 off, too: only autocast is compared
    model = network_of(name)
    model.load_state_dict(state)
    model.to(device)
    adamw = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=training["weight_decay"], fused=True)
    losses, norms = [], []
    for k in range(len(draws["t"])):
        x0, x1, t, y = (draws[n][k].to(device) if n in draws else None for n in ("x0", "x1", "t", "y"))
        for group in adamw.param_groups:
            group["lr"] = rate(training, k)
        adamw.zero_grad()
        xt = torch.lerp(x0, x1, t.view(-1, *[1] * (x1.dim() - 1)))
        with compute.autocast(device, precision):
            v = model(t, xt, y)
        loss = torch.nn.functional.mse_loss(v.float(), x1 - x0)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), training["grad_clip"] or math.inf).item())
        adamw.step()
        losses.append(loss.item())
    return losses, norms


def rate(training, k):
    """The learning rate of step k: linear warm-up, then half a cosine."""
    warm, top = training["warmup"], training["learning_rate"]
    if k < warm:
        return top * (k + 1) / warm
    return top * 0.5 * (1 + math.cos(math.pi * (k - warm) / (training["iterations"] - warm)))


main(run)
