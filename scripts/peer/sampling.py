"""PyTorch's sampling: the midpoint rule as torchdiffeq steps it, of points and of digits by class, with their pictures."""

import math
import time

import torch
from compute import autocast
from networks import CONFIGS, MLP, unet

STEPS = 20


def midpoint(v, x, steps=STEPS):
    """The states at all step ends, noise first. v(t, x) with t a number."""
    h, states = 1 / steps, [x]
    for k in range(steps):
        t = k * h
        half = x + h / 2 * v(t, x)
        x = x + h * v(t + h / 2, half)
        states.append(x)
    return states


def points(count, precision, block):
    """Seconds of solving count points of an MLP, blocks of so many rows at a time."""
    torch.manual_seed(0)
    model = MLP().eval()
    x0 = torch.randn(count, 2)

    def v(t, x):
        with autocast("cpu", precision):
            return model(torch.full((len(x),), t), x).float()

    start = time.perf_counter()
    with torch.inference_mode():
        for part in x0.split(block or count):
            midpoint(v, part)
    return time.perf_counter() - start


def images(name, per_class, precision, layout, png, gif, frames=101):
    """Samples of every class by a fresh network, as cheap as a trained one, and the reference's two pictures: the last
    state in a grid of one column a class, and all states, interpolated to so many frames."""
    torch.manual_seed(0)
    c = CONFIGS[name]
    model = unet(c).eval().to(memory_format=layout)
    y = torch.arange(c["num_classes"]).repeat(per_class)
    x0 = torch.randn(len(y), c["channels"], c["size"], c["size"]).contiguous(memory_format=layout)

    def v(t, x):
        with autocast("cpu", precision):
            return model(torch.full((len(x),), t), x, y).float()

    start = time.perf_counter()
    with torch.inference_mode():
        states = midpoint(v, x0)
    seconds = time.perf_counter() - start
    if png:
        grid(states[-1], per_class).save(png)
    if gif:
        film = []
        for k in range(frames):
            at = k * STEPS / (frames - 1)
            i = min(int(at), STEPS - 1)
            film.append(grid(torch.lerp(states[i], states[i + 1], at - i), per_class))
        film[0].save(gif, save_all=True, append_images=film[1:], duration=50, loop=0)
    return seconds


def grid(x, rows, pad=2, scale=4):
    """Samples [rows * columns, C, H, W], row by row, as one picture."""
    from PIL import Image

    n, c, h, w = x.shape
    columns = math.ceil(n / rows)
    out = torch.zeros(c, rows * (h + pad) + pad, columns * (w + pad) + pad, dtype=torch.uint8)
    pixels = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    for k in range(n):
        i, j = pad + k // columns * (h + pad), pad + k % columns * (w + pad)
        out[:, i : i + h, j : j + w] = pixels[k]
    array = out[0].numpy() if c == 1 else out.permute(1, 2, 0).contiguous().numpy()
    image = Image.fromarray(array)
    return image.resize((image.width * scale, image.height * scale), Image.NEAREST)
