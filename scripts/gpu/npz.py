"""Reads .npz files into tensors without NumPy, which not every PyTorch has beside it."""

import ast
import zipfile

import torch

TYPES = {"<f4": torch.float32, "<f8": torch.float64, "<i8": torch.int64}


def read(path):
    with zipfile.ZipFile(path) as z:
        return {name[: -len(".npy")]: parse(z.read(name)) for name in z.namelist()}


def parse(data):
    """One .npy, version 1: magic, version, the header's length in two bytes, the header, the elements in C's order."""
    if data[:8] != b"\x93NUMPY\x01\x00":
        raise ValueError("no .npy of version 1")
    end = 10 + int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10:end].decode("latin1"))
    if header["fortran_order"]:
        raise ValueError("not in C's order")
    return torch.frombuffer(bytearray(data[end:]), dtype=TYPES[header["descr"]]).reshape(header["shape"])
