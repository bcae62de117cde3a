"""The transformer of bin/train --network dit in plain PyTorch."""

import math

import torch
import torch.nn.functional as F


class DiT(torch.nn.Module):
    """The transformer of Peebles and Xie (2023) in plain PyTorch, under the names of its own code.
    Times lie in [0, 1], as flow matching has them."""

    def __init__(self, channels, size, patch_size, depth, width, num_heads, num_classes, null_class):
        super().__init__()
        self.patch, self.channels, self.side = patch_size, channels, size // patch_size
        self.pos_embed = torch.nn.Parameter(positions(self.side, width), requires_grad=False)
        self.x_embedder = torch.nn.Module()
        self.x_embedder.proj = torch.nn.Conv2d(channels, width, patch_size, patch_size)
        self.t_embedder = torch.nn.Module()
        self.t_embedder.mlp = mlp = torch.nn.Sequential(
            torch.nn.Linear(256, width), torch.nn.SiLU(), torch.nn.Linear(width, width)
        )
        if num_classes:
            self.y_embedder = torch.nn.Module()
            self.y_embedder.embedding_table = torch.nn.Embedding(num_classes + null_class, width)
            torch.nn.init.normal_(self.y_embedder.embedding_table.weight, std=0.02)
        self.blocks = torch.nn.ModuleList(DiTBlock(width, num_heads) for _ in range(depth))
        self.final_layer = torch.nn.Module()
        self.final_layer.linear = torch.nn.Linear(width, patch_size**2 * channels)
        self.final_layer.adaLN_modulation = modulation(width, 2)
        for module in self.modules():
            if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
                torch.nn.init.xavier_uniform_(module.weight.view(module.weight.shape[0], -1))
                torch.nn.init.zeros_(module.bias)
        torch.nn.init.normal_(mlp[0].weight, std=0.02)
        torch.nn.init.normal_(mlp[2].weight, std=0.02)
        zero = [b.adaLN_modulation[1] for b in self.blocks]
        for module in [*zero, self.final_layer.adaLN_modulation[1], self.final_layer.linear]:
            torch.nn.init.zeros_(module.weight)

    def forward(self, t, x, y=None):
        h = self.x_embedder.proj(x).flatten(2).transpose(1, 2) + self.pos_embed
        # The frequencies are float32 numbers in every precision.
        freqs = torch.exp(torch.arange(128, dtype=torch.float32) * (-math.log(10000) / 128))
        args = t[:, None] * freqs.to(t)[None]
        c = self.t_embedder.mlp(torch.cat([args.cos(), args.sin()], 1))
        if y is not None:
            c = c + self.y_embedder.embedding_table(y)
        for block in self.blocks:
            h = block(h, c)
        shift, scale = self.final_layer.adaLN_modulation(c)[:, None].chunk(2, -1)
        h = self.final_layer.linear(F.layer_norm(h, h.shape[2:], eps=1e-6) * (1 + scale) + shift)
        h = h.view(-1, self.side, self.side, self.patch, self.patch, self.channels)
        h = torch.einsum("nhwpqc->nchpwq", h)
        return h.reshape(len(x), self.channels, self.side * self.patch, self.side * self.patch)


class DiTBlock(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.fused = False  # attention as people write it since PyTorch has one of its own
        self.attn = torch.nn.Module()
        self.attn.qkv = torch.nn.Linear(width, 3 * width)
        self.attn.proj = torch.nn.Linear(width, width)
        self.mlp = torch.nn.Module()
        self.mlp.fc1 = torch.nn.Linear(width, 4 * width)
        self.mlp.fc2 = torch.nn.Linear(4 * width, width)
        self.adaLN_modulation = modulation(width, 6)

    def forward(self, h, c):
        shift1, scale1, gate1, shift2, scale2, gate2 = self.adaLN_modulation(c)[:, None].chunk(6, -1)
        n = F.layer_norm(h, h.shape[2:], eps=1e-6) * (1 + scale1) + shift1
        q, k, v = (
            a.unflatten(2, (self.heads, -1)).transpose(1, 2) for a in self.attn.qkv(n).chunk(3, -1)
        )
        if self.fused:
            mixed = F.scaled_dot_product_attention(q, k, v)
        else:
            mixed = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).softmax(-1) @ v
        h = h + gate1 * self.attn.proj(mixed.transpose(1, 2).flatten(2))
        n = F.layer_norm(h, h.shape[2:], eps=1e-6) * (1 + scale2) + shift2
        return h + gate2 * self.mlp.fc2(F.gelu(self.mlp.fc1(n), approximate="tanh"))


def modulation(width, n):
    return torch.nn.Sequential(torch.nn.SiLU(), torch.nn.Linear(width, n * width))


def positions(side, width):
    """Column, then row, of each patch; of each sines, then cosines."""
    omega = 10000.0 ** -(torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    args = [place.reshape(-1, 1) * omega for place in (column, row)]
    table = torch.cat([f(a) for a in args for f in (torch.sin, torch.cos)], 1)
    return table[None].float()
