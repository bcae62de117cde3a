"""PyTorch's networks: those of bin/train, by torchcfm's UNet, a DiT and a plain MLP."""

import glob
import importlib.machinery
import math
import os
import sys
import types

import torch

HERE = os.path.dirname(os.path.abspath(__file__))


def unet_class():
    """torchcfm's UNetModel, from the wheel that TORCHCFM_WHEEL names, from the one in the bundle, or as installed."""
    wheels = [os.environ["TORCHCFM_WHEEL"]] if os.environ.get("TORCHCFM_WHEEL") else glob.glob(os.path.join(glob.escape(HERE), "..", "torchcfm-*.whl"))
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


def built(config):
    """The network of a configuration as checkpoints record it."""
    if "patch_size" not in config:
        return unet(config)
    from dit import DiT

    return DiT(**config)


def unet_config(channels, size, num_channels, mult, attention):
    return {
        "channels": channels, "size": size, "num_channels": num_channels, "channel_mult": list(mult), "num_res_blocks": 2,
        "attention_resolutions": [attention], "num_heads": 1, "dropout": 0, "num_classes": 10,
    }  # fmt: skip


def dit_config(channels, size):
    """That of train --network dit."""
    return {"channels": channels, "size": size, "patch_size": 2, "depth": 6, "width": 192, "num_heads": 3, "num_classes": 10, "null_class": False}


CONFIGS = {
    "digits": unet_config(1, 8, 32, (1, 2), 4),
    "mnist": unet_config(1, 28, 64, (1, 2, 2), 16),
    "cifar10": unet_config(3, 32, 64, (1, 2, 2, 2), 16),
    "dit": dit_config(1, 8),
    "dit32": dit_config(3, 32),
}
BATCH = {"points": 4096, "digits": 64, "mnist": 128, "cifar10": 128, "dit": 64, "dit32": 64}


def is_dit(name):
    return "patch_size" in CONFIGS.get(name, {})


def of_images(name, products=False):
    """The network of a job. products: a transformer's attention by products and softmax, not PyTorch's own."""
    model = built(CONFIGS[name])
    if is_dit(name):
        for block in model.blocks:
            block.fused = not products
    return model


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
