"""Checkpoints as people have them, around an MLP of 4 hidden features: make_checkpoints.py OUT (Python with torch 2.11).

Number i of the averaged weights, counted through all tensors, is i/100; of the raw weights it is half of that."""
import argparse
import sys
import torch

out = sys.argv[1]
h, i, ema = 4, 0, {}
for layer, (rows, columns) in {0: (h, 3), 2: (h, h), 4: (h, h), 6: (2, h)}.items():
    for name, shape in (("weight", (rows, columns)), ("bias", (rows,))):
        n = torch.Size(shape).numel()
        ema[f"layers.{layer}.{name}"] = (torch.arange(i, i + n) / 100).float().reshape(shape)
        i += n
raw = {k: v / 2 for k, v in ema.items()}
net = {"net." + k: v for k, v in raw.items()}
optimiser = {"state": {0: {"step": torch.tensor(5.0), "exp_avg": torch.ones(h, 3)}}, "param_groups": [{"lr": 1e-3, "params": [0]}]}
lightning = {"epoch": 1, "global_step": 5, "pytorch-lightning_version": "2.5.0", "loops": {"fit_loop": {"state_dict": {}}},
             "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": None, "best_k_models": {}}},
             "optimizer_states": [optimiser], "lr_schedulers": []}
for name, content in {
    "nested.pt": {"net_model": raw, "ema_model": ema, "optim": optimiser, "step": 100},
    "named_moments.pt": {"model": raw, "exp_avg": ema},
    "lightning.ckpt": lightning | {"state_dict": net, "hyper_parameters": {"lr": 1e-3}},
    "lightning_objects.ckpt": lightning | {"state_dict": net, "hyper_parameters": argparse.Namespace(lr=1e-3)},
    "averaged_model.pth": {"n_averaged": torch.tensor(7)} | {"module." + k: v for k, v in ema.items()},
    "several.pt": {"generator": raw, "encoder": ema},
    "other_network.pt": {"model": {"conv.weight": torch.ones(2, 2)}, "ema": {"conv.weight": torch.ones(2, 2)}, "epoch": 1},
}.items():
    torch.save(content, f"{out}/{name}")
