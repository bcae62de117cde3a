"""Makes the .safetensors files beside it with Hugging Face's own library: python make.py

The header's order is the library's: by element size, then by name.
"""

import os

import torch
from safetensors.torch import save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))

kinds = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
         torch.int8, torch.uint8, torch.bool]
types = {str(k).removeprefix("torch."): torch.arange(6).reshape(2, 3).to(k) for k in kinds}
types["empty"] = torch.zeros(3, 0)
types["scalar"] = torch.tensor(7.5)
save_file(types, "types.safetensors", metadata={"format": "pt", "note": "ünïcode \"quoted\""})
save_file({"x": torch.ones(2).to(torch.float8_e4m3fn)}, "float8.safetensors")
