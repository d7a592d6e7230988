"""Full precision within autocast, for views and mining: batches are drawn where encoders run."""

from __future__ import annotations

import torch


def full_precision(device: torch.device) -> torch.autocast:
    """A context without autocast: sums over many similarities or distances need more than bfloat16's three digits."""
    return torch.autocast(device.type, enabled=False)
