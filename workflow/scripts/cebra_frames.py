"""Embed every frame with CEBRA (Schneider, Lee and Mathis, Nature 2023), in CEBRA's own environment.

``conditional: behavior`` trains one model for all animals (multi-session), with positives chosen by behaviour.
``conditional: time`` trains one model for each animal, because CEBRA needs behaviour to train on several sessions; the
embeddings of different animals are then not aligned. Animals may have their own units: CEBRA gives each session an
encoder of its own. Models are trained on visible frames only, and trials are embedded
one by one. If the arrays have several parts (splits of an animal's trials), each part has its own model.

Needs only cebra, torch and numpy. ``neural-action arrays`` writes its input.
"""

import argparse
import json
import os
import random
import sys
from pathlib import Path

import numpy as np
import torch

try:
    import cebra
except ImportError:
    sys.exit("cebra_frames.py: CEBRA is not installed; run with --use-conda, or pip install cebra==0.6.1")


def main() -> None:
    """Read the arrays, train, and write (frame, dimension) float32 for each part, under its name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--options", required=True, help="settings of the row, JSON")
    parser.add_argument("--arrays", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = json.loads(options.options)
    conditional, _ = settings.pop("conditional"), settings.pop("name")
    parts: dict[str, dict[str, np.ndarray]] = {}
    with np.load(options.arrays, allow_pickle=False) as content:
        for key, values in content.items():
            part, _, name = key.partition("/")
            parts.setdefault(part, {})[name] = values
    frames = {part: embedded(data, conditional, settings, options.seed) for part, data in parts.items()}
    partial = options.output.with_suffix(f".{os.getpid()}.part")
    with partial.open("wb") as file:
        np.savez(file, **frames)
    os.replace(partial, options.output)


def embedded(data: dict[str, np.ndarray], conditional: str, settings: dict, seed: int) -> np.ndarray:
    """(frame, dimension) float32: the embedding; NaN for animals without a visible frame, which have no encoder."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (CEBRA draws from the global generator)
    torch.manual_seed(seed)
    seen = data["visible"] & (data["covered"] | (conditional == "time"))
    animals = np.unique(data["animal"][seen])
    rows = [np.flatnonzero(seen & (data["animal"] == animal)) for animal in animals]
    behavior = data["behavior"]
    frames = np.full((len(behavior), settings["output_dimension"]), np.nan, np.float32)

    several = conditional == "behavior" and len(animals) > 1
    if several:
        model = cebra.CEBRA(**settings, conditional="time_delta", device="cuda_if_available")
        model.fit([units(data, own) for own in rows], [behavior[own] for own in rows])
    for session, (animal, own) in enumerate(zip(animals, rows, strict=True)):
        if not several:
            by = "time" if conditional == "time" else "time_delta"
            model = cebra.CEBRA(**settings, conditional=by, device="cuda_if_available")
            model.fit(units(data, own), *([] if conditional == "time" else [behavior[own]]))
        for trial in np.unique(data["trial"][data["animal"] == animal]):
            at = np.flatnonzero(data["trial"] == trial)
            which = {"session_id": session} if several else {}
            frames[at] = model.transform(units(data, at), **which)
    return frames


def units(data: dict[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    """(n, feature): neural activity of frames of one animal, which may have its own units."""
    if "neural" in data:
        return data["neural"][rows]
    animal = data["animal"][rows[0]]
    return data[f"neural-{animal}"][rows - np.flatnonzero(data["animal"] == animal)[0]]


if __name__ == "__main__":
    main()
