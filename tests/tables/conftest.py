"""The made-up dataset, as files."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_up import ANIMALS, METHODS, save_embedding, save_recording, save_swaps, score_rows

from neural_action.recordings.splits import write_folds


@pytest.fixture
def scores(tmp_path):
    """Every score, as a file."""
    path = tmp_path / "scores_all.csv"
    score_rows().to_csv(path, index=False)
    return path


@pytest.fixture
def dataset(tmp_path, scores):
    """A function that writes every input of the figures stage for one shape of behaviour."""

    def make(behavior_shape=(38, 2)):
        trials = [(animal, trial) for animal in ANIMALS for trial in (0, 1)]
        manifests = [save_recording(tmp_path, *trial, behavior_shape) for trial in trials]
        folds = tmp_path / "folds.csv"
        write_folds({(animal, f"{trial:03d}"): trial for animal, trial in trials}, folds)
        swaps = tmp_path / "swaps.npz"
        save_swaps(swaps, len(trials) * 500)
        embeddings, logs = [], []
        for method in METHODS:
            for holdout in ("fold-0", "fold-1"):
                run = tmp_path / "models" / method / holdout / "seed-0"
                save_embedding(run / "embedding.npz", method, holdout)
                embeddings.append(run / "embedding.npz")
                if "objective" in METHODS[method]:
                    steps = np.arange(0, 400, 20)
                    noise = np.random.default_rng(len(logs)).random(len(steps))
                    log = {"step": steps, "loss": 4 * np.exp(-steps / 150) + 0.2 * noise}
                    log |= {"learning_rate": 1e-3, "clips_per_second": 900 + 200 * noise}
                    pd.DataFrame(log).to_csv(run / "log.csv", index=False)
                    logs.append(run / "log.csv")
        return SimpleNamespace(
            folds=folds, scores=scores, embeddings=embeddings, logs=logs, swaps=swaps, manifests=manifests
        )

    return make
