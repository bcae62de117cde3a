"""PyTorch's side of gpu-check: the same networks, and the same training steps as the reference runs
them: fused AdamW, bf16 autocast where the name says so."""

import glob
import importlib.machinery
import math
import os
import resource
import sys
import time
import types

import torch

HERE = os.path.dirname(os.path.abspath(__file__))

# ---------------------------------------------------------------------------------------------
# Networks


def unet_class():
    """torchcfm's UNetModel, from the wheel in the bundle or as installed."""
    wheels = glob.glob(os.path.join(HERE, "..", "torchcfm-*.whl"))
    if wheels and "torchcfm" not in sys.modules:
        # The package's own __init__ wants libraries that only its samplers need.
        package = types.ModuleType("torchcfm")
        package.__path__ = [os.path.join(wheels[0], "torchcfm")]
        package.__spec__ = importlib.machinery.ModuleSpec("torchcfm", None, is_package=True)
        sys.modules["torchcfm"] = package
    from torchcfm.models.unet.unet import UNetModel

    return UNetModel


def unet(config):
    """For a configuration as checkpoints record it; attention_resolutions R is a factor of size // R."""
    return unet_class()(
        image_size=config["size"],
        in_channels=config["channels"],
        model_channels=config["num_channels"],
        out_channels=config["channels"],
        num_res_blocks=config["num_res_blocks"],
        attention_resolutions=tuple(config["size"] // r for r in config["attention_resolutions"] or []),
        dropout=config.get("dropout", 0),
        channel_mult=tuple(config["channel_mult"]),
        num_classes=config["num_classes"] or None,
        num_heads=config["num_heads"],
    )


def unet_config(channels, size, num_channels, mult, attention):
    return {
        "channels": channels, "size": size, "num_channels": num_channels, "channel_mult": list(mult), "num_res_blocks": 2,
        "attention_resolutions": [attention], "num_heads": 1, "dropout": 0, "num_classes": 10,
    }  # fmt: skip


CONFIGS = {
    "digits": unet_config(1, 8, 32, (1, 2), 4),
    "mnist": unet_config(1, 28, 64, (1, 2, 2), 16),
    "cifar10": unet_config(3, 32, 64, (1, 2, 2, 2), 16),
}
BATCH = {"points": 4096, "digits": 64, "mnist": 128, "cifar10": 128}


class MLP(torch.nn.Module):
    def __init__(self, h=512):
        super().__init__()
        linear, silu = torch.nn.Linear, torch.nn.SiLU
        self.layers = torch.nn.Sequential(linear(3, h), silu(), linear(h, h), silu(), linear(h, h), silu(), linear(h, 2))

    def forward(self, t, x, y=None):
        return self.layers(torch.cat([x, t[:, None]], 1))


# The formula of models/testdata/README.md, in int64: what is lost at the top is masked anyway.
MASK = 0xFFFFFFFF


def mix(h):
    h = h ^ (h >> 16)
    h = (h * 0x85EBCA6B) & MASK
    h = h ^ (h >> 13)
    h = (h * 0xC2B2AE35) & MASK
    return h ^ (h >> 16)


def fill(shape, k, scale, offset=0.0):
    i = torch.arange(math.prod(shape), dtype=torch.int64)
    seed = mix(torch.tensor([(k + 0x9E3779B9) & MASK], dtype=torch.int64))
    v = (mix(mix(i) ^ seed) >> 8).double() / (1 << 24) - 0.5
    return (offset + scale * v).float().reshape(shape)


# ---------------------------------------------------------------------------------------------
# Devices


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


# ---------------------------------------------------------------------------------------------
# Training steps


class Job:
    """A network and its training steps: points, digits, mnist or cifar10."""

    def __init__(self, name, precision, device, how="eager"):
        self.name, self.precision, self.device, self.how = name, precision, device, how
        set_precision(precision)
        torch.manual_seed(0)
        points = name == "points"
        self.model = (MLP() if points else unet(CONFIGS[name])).to(device)
        self.params = list(self.model.parameters())
        self.run_model = torch.compile(self.model) if how == "compile" else self.model
        self.clip = 0.0 if points else 1.0
        # The default recipe of digits averages the weights; the reference's recipe does not.
        self.ema = [p.detach().clone() for p in self.params] if name == "digits" else None
        self.adamw = torch.optim.AdamW(self.params, lr=1e-3, fused=True, capturable=how == "graph")
        self.batch, self.k = BATCH[name], 0
        if not points:
            c = CONFIGS[name]
            n = 8 * self.batch
            self.data = torch.rand(n, c["channels"], c["size"], c["size"]) * 2 - 1
            self.label = torch.randint(0, 10, (n,))
            if on_gpu(device):
                self.data, self.label = self.data.pin_memory(), self.label.pin_memory()
        self.graph = None
        if how == "graph":
            self.capture()

    def draw(self):
        """The batch of this step, on the device: points are drawn there, images come from memory."""
        if self.name == "points":
            u = torch.rand(self.batch, 3, device=self.device)
            a = 4 * u[:, 0] - 2
            b = u[:, 1] - 2 * (u[:, 2] < 0.5) + torch.floor(a) % 2
            return torch.stack([a, b], 1) / 0.45, None
        at = (self.k % 8) * self.batch
        to = lambda x: x[at : at + self.batch].to(self.device, non_blocking=True)  # noqa: E731
        return to(self.data), to(self.label)

    def update(self, x1, y):
        x0 = torch.randn_like(x1)
        t = torch.rand(self.batch, device=self.device)
        xt = torch.lerp(x0, x1, t.view(-1, *[1] * (x1.dim() - 1)))
        self.adamw.zero_grad()
        with autocast(self.device, self.precision):
            v = self.run_model(t, xt, y)
        loss = torch.nn.functional.mse_loss(v.float(), x1 - x0)
        loss.backward()
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.params, self.clip)
        self.adamw.step()
        if self.ema is not None:
            with torch.no_grad():
                torch._foreach_lerp_(self.ema, self.params, 0.002)
        return loss.detach()

    def capture(self):
        """One CUDA graph of the whole step, with the batch copied into its place beforehand."""
        self.x1, self.y = self.draw()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.update(self.x1, self.y)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.update(self.x1, self.y)

    def step(self):
        x1, y = self.draw()
        self.k += 1
        if self.graph is None:
            self.update(x1, y)
            return
        self.x1.copy_(x1, non_blocking=True)
        if y is not None:
            self.y.copy_(y, non_blocking=True)
        self.graph.replay()


def measure(job, seconds, most):
    """The pace of a job's steps, as train --json gives it: [steps done, seconds since the first began], once a
    second or after 64 steps on a processor, each time with nothing left to do on the device."""
    device = job.device
    if on_gpu(device):
        torch.cuda.reset_peak_memory_stats(device)
    synchronize(device)
    start = last = time.perf_counter()
    pace, done, since = [[0, 0.0]], 0, 0
    while done < most and last - start < seconds:
        job.step()
        done += 1
        since += 1
        now = time.perf_counter()
        if done == most or now - last >= 1 or (since == 64 and not on_gpu(device)):
            synchronize(device)
            last, since = time.perf_counter(), 0
            pace.append([done, last - start])
    gpu = torch.cuda.max_memory_allocated(device) if on_gpu(device) else 0
    return {"pace": pace, "peak_bytes": status_bytes("VmHWM:"), "peak_gpu_bytes": gpu}


def run_job(name, precision, device, how, seconds, most):
    job = Job(name, precision, device, how)
    out = {"job": name, "precision": precision, "how": how}
    out.update(measure(job, seconds, most))
    return out


def free():
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
