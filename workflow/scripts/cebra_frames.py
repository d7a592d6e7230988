"""CEBRA's embedding of every frame (Schneider, Lee and Mathis, Nature 2023), in CEBRA's own environment.

``conditional: behavior`` trains one model over all animals at once (multi-session), positives by behaviour;
``conditional: time`` one model an animal, since CEBRA trains several sessions only with behaviour: its embeddings
of different animals are not aligned. Trained on visible frames alone; trials are embedded one by one.

Needs cebra, torch and numpy alone; what it reads is written by ``neural-action arrays``.
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
    sys.exit("cebra_frames.py: there is no CEBRA here; run with --use-conda, or pip install cebra==0.6.1")


def main() -> None:
    """Read arrays, train, write ``frames`` (frame, dimension) float32; 0 where an animal was not seen at all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--options", required=True, help="settings of the row, JSON")
    parser.add_argument("--arrays", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    random.seed(options.seed)
    np.random.seed(options.seed)  # noqa: NPY002 (CEBRA draws from the global generator)
    torch.manual_seed(options.seed)
    settings = json.loads(options.options)
    conditional, _ = settings.pop("conditional"), settings.pop("name")
    with np.load(options.arrays, allow_pickle=False) as content:
        data = dict(content)
    seen = data["visible"] & (data["covered"] | (conditional == "time"))
    animals = np.unique(data["animal"][seen])
    rows = [np.flatnonzero(seen & (data["animal"] == animal)) for animal in animals]
    neural, behavior = data["neural"], data["behavior"]
    frames = np.zeros((len(neural), settings["output_dimension"]), np.float32)

    if conditional == "behavior":
        model = cebra.CEBRA(**settings, conditional="time_delta", device="cuda_if_available")
        model.fit([neural[own] for own in rows], [behavior[own] for own in rows])
    for session, (animal, own) in enumerate(zip(animals, rows, strict=True)):
        if conditional == "time":
            model = cebra.CEBRA(**settings, conditional="time", device="cuda_if_available").fit(neural[own])
        for trial in np.unique(data["trial"][data["animal"] == animal]):
            at = data["trial"] == trial
            which = {"session_id": session} if conditional == "behavior" else {}
            frames[at] = model.transform(neural[at], **which)
    partial = options.output.with_suffix(f".{os.getpid()}.part")
    with partial.open("wb") as file:
        np.savez(file, frames=frames)
    os.replace(partial, options.output)


if __name__ == "__main__":
    main()
