"""Recordings laid out once, who may see what of them, and the windows that models and probes read."""
