"""Datasets: the layout of recordings, splits, and the windows that models and probes read."""
