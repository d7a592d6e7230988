"""Device and threads of torch."""

from __future__ import annotations

import sys

import torch

from neural_action.errors import InputError


def prepare(device: str, threads: int) -> torch.device:
    """Set torch's threads and return the device, which is also logged; ``auto`` is CUDA if available.

    Raises InputError for ``cuda`` without a CUDA device.
    """
    torch.set_num_threads(threads)
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("training.device: 'cuda', but torch finds no CUDA device; expected cpu or auto")
    chosen = torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
    print(f"device {chosen}, {threads} threads", file=sys.stderr)
    return chosen
