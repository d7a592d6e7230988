"""The made-up dataset, as files."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made_up import METHODS, consistency_rows, mined_rows, recordings, save_embedding, save_swaps, score_rows


@pytest.fixture
def scores(tmp_path):
    """Every score, as a file."""
    path = tmp_path / "scores.csv"
    score_rows().to_csv(path, index=False)
    return path


@pytest.fixture
def dataset(tmp_path, scores):
    """A function that makes every input of the figures stage for one shape of behaviour."""

    def make(behavior_shape=(38, 2)):
        opened = recordings(behavior_shape)
        source = SimpleNamespace(opened=opened, open=lambda settings, neural: opened)
        save_swaps(tmp_path / "swaps.npz", len(opened.labels))
        consistency_rows().to_csv(tmp_path / "consistency.csv", index=False)
        embeddings, logs, mined = [], [], []
        for method in METHODS:
            for name in ("fold-0", "fold-1"):
                run = tmp_path / "models" / method / name / "seed-0"
                save_embedding(run / "embedding.npz", method, name)
                embeddings.append(run / "embedding.npz")
                if "objective" in METHODS[method]:
                    steps = np.arange(0, 400, 20)
                    noise = np.random.default_rng(len(logs)).random(len(steps))
                    log = {"step": steps, "loss": 4 * np.exp(-steps / 150) + 0.2 * noise}
                    log |= {"learning_rate": 1e-3, "windows_per_second": 900 + 200 * noise}
                    pd.DataFrame(log).to_csv(run / "log.csv", index=False)
                    logs.append(run / "log.csv")
                if method == "swap_calcium":
                    mined_rows(len(mined)).to_csv(run / "mined.csv", index=False)
                    mined.append(run / "mined.csv")
        return SimpleNamespace(
            source=source,
            scores=scores,
            embeddings=embeddings,
            logs=logs,
            mined=mined,
            swaps=tmp_path / "swaps.npz",
            consistency=tmp_path / "consistency.csv",
        )

    return make
