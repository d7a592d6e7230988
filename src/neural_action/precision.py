"""Full precision within autocast, for augmentations and mining, which run together with the encoders."""

from __future__ import annotations

import torch


def full_precision(device: torch.device) -> torch.autocast:
    """A context without autocast, for sums over many similarities or distances, which need more than bfloat16."""
    return torch.autocast(device.type, enabled=False)
