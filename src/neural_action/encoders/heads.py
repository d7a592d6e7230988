"""Projection and prediction heads."""

from __future__ import annotations

from torch import nn


def projection_head(dimension: int, hidden: int, out: int) -> nn.Sequential:
    """g_n and g_b of the paper: maps (B, dimension) to (B, out) with one hidden layer (sizes: our choice)."""
    return nn.Sequential(nn.Linear(dimension, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, out))


def prediction_head(dimension: int, hidden: int, out: int) -> nn.Sequential:
    """Projector and predictor of BYOL and MYOW: one hidden layer with batch norm (authors' code, MYOW release)."""
    return nn.Sequential(
        nn.Linear(dimension, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(inplace=True),
        nn.Linear(hidden, out),
    )
