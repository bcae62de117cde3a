"""Where and in which precision PyTorch computes."""

import resource

import torch


def on_gpu(device):
    return device.startswith("cuda")


def synchronize(device):
    if on_gpu(device):
        torch.cuda.synchronize(device)


def set_precision(precision):
    """float32 is float32, tf32 rounds the operands of products, bf16 is autocast over float32."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"


def autocast(device, precision):
    return torch.autocast(device.split(":")[0], torch.bfloat16, enabled=precision == "bf16")


def status_bytes(name):
    """A size in /proc/self/status."""
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith(name):
                return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
