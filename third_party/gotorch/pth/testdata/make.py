"""Makes the .pth files beside it with PyTorch 2.11: python make.py

Values follow formulas that the tests repeat. Run it only to change the fixtures: a new run
gives other bytes (serialization ids), not other values.
"""

import collections
import os
import warnings
import zipfile

import torch

warnings.simplefilter("ignore")
os.chdir(os.path.dirname(os.path.abspath(__file__)))


def fill(module):
    """Element i of every parameter is i / 8 - 1."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_((torch.arange(p.numel()) / 8 - 1).reshape(p.shape))
    return module


net = fill(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.SELU(), torch.nn.Linear(2, 1)))

# An OrderedDict with _metadata, as most checkpoints are.
torch.save(net.state_dict(), "state_dict.pth")

# Each type, an empty tensor, a single number; a plain dict.
kinds = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
         torch.int8, torch.uint8, torch.bool]
types = {str(k).removeprefix("torch."): torch.arange(6).reshape(2, 3).to(k) for k in kinds}
types["empty"] = torch.zeros(3, 0)
types["scalar"] = torch.tensor(7.5)
torch.save(types, "types.pth")

# Views: they share one storage, most are not contiguous.
base = torch.arange(24.0)
torch.save({
    "base": base,
    "transposed": base.view(4, 6).t(),
    "columns": base.view(4, 6)[:, 1:3],
    "offset": base[5:9],
    "step": base[::5],
    "expanded": base[3:4].expand(2, 3),
    "channels_last": base.view(1, 2, 3, 4).to(memory_format=torch.channels_last),
}, "views.pth")

torch.save({"p": torch.nn.Parameter(torch.arange(4.0)), "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False)},
           "parameter.pth")

# What a training script keeps. Large integers, None, nested containers, an optimiser's integer keys.
optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
net(torch.ones(1, 3)).sum().backward()
optimiser.step()
fill(net)
torch.save({
    "model": net.state_dict(), "optimizer": optimiser.state_dict(), "step": 5, "big": 2**40, "negative": -(2**40),
    "loss": [0.5, 0.25], "name": "mlp", "none": None, "nested": {"pair": (1, True), "empty": [(), {}]},
}, "training.pth")

torch.save(torch.arange(3.0), "tensor.pth")

# Refused: other pickle protocols, types without a class of their own, other formats.
torch.save(types, "protocol4.pth", pickle_protocol=4)
torch.save({"x": torch.zeros(2, dtype=torch.complex64)}, "complex.pth")
torch.save({"x": torch.zeros(2, dtype=torch.uint16)}, "uint16.pth")
torch.save({"x": torch.zeros(2), "f": torch.float32}, "dtype.pth")
torch.save(net, "module.pth")
torch.save({"x": torch.ones(2)}, "legacy.pth", _use_new_zipfile_serialization=False)
torch.jit.save(torch.jit.script(torch.nn.Identity()), "script.pt")
torch.export.save(torch.export.export(torch.nn.ReLU(), (torch.ones(1),)), "exported.pt2")
for name in ("script.pt", "exported.pt2"):  # only the records' names matter; some contents name folders of this machine
    with zipfile.ZipFile(name) as old:
        names = old.namelist()
    with zipfile.ZipFile(name, "w") as new:
        for record in names:
            new.writestr(zipfile.ZipInfo(record), b"")

# The same as state_dict.pth, saved on a GPU: only the location differs. There is no GPU here, so the pickle is edited;
# Python's zipfile also writes other headers than torch does.
with zipfile.ZipFile("state_dict.pth") as old, zipfile.ZipFile("cuda.pth", "w") as new:
    for info in old.infolist():
        data = old.read(info)
        if info.filename.endswith("data.pkl"):
            data = data.replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0")
        new.writestr(zipfile.ZipInfo(info.filename), data)
