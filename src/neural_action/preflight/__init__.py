"""Checks before a run: what a folder holds, how to read it, and what a run would cost."""
