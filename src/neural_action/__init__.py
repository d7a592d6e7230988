"""Self-supervised neural action representations, from raw recordings to tables."""

__version__ = "0.1.0"
