"""Embeddings of any scale are stored, drawn and laid out; those that are not finite are one line."""

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.explore.layout import neighbour_map, principal
from neural_action.inference.windows import in_chunks
from neural_action.stages.evaluate import stored
from neural_action.tables.pictures.runs import Run


def embeddings(scale=1.0, count=120):
    """Three groups of points."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(3), count // 3)
    return group, ((8 * np.eye(3)[group] + 0.3 * rng.standard_normal((count, 3))) * scale).astype(np.float32)


def saved(folder, values):
    count = len(values)
    path = folder / "embedding.npz"
    zeros = np.zeros(count, int)
    np.savez(
        path, encoder=values, method="byol", run="published", seed=0, task="decoding",
        label=zeros, animal=zeros, predicted=zeros, class_names=np.array(["a", "b"]), animals=np.array(["set"]),
    )  # fmt: skip
    return Run.load(path)


@pytest.mark.parametrize(
    ("scale", "kind"),
    [(1.0, np.float16), (1e3, np.float16), (1e4, np.float32), (1e30, np.float32), (1e-5, np.float32)],
)
def test_any_scale_is_kept_and_laid_out(tmp_path, scale, kind):
    group, values = embeddings(scale)
    kept = stored(values)
    assert kept.dtype == kind
    assert np.allclose(kept.astype(np.float64), values, rtol=0, atol=np.abs(values).max() / 1000)
    features = saved(tmp_path, kept).features()
    with np.errstate(all="raise"):
        flat = principal(features)
    for places in (flat, neighbour_map(features, 1000), neighbour_map(features, 60)):
        assert np.isfinite(places).all()
        centre = np.stack([places[group == k].mean(0) for k in range(3)])
        assert np.array_equal(np.linalg.norm(places[:, None] - centre, axis=2).argmin(1), group)


def test_windows_that_a_model_cannot_represent_stay_nan(tmp_path):
    _, values = embeddings()
    values[:40] = np.nan
    assert np.isnan(stored(values)[:40]).all()
    assert (saved(tmp_path, stored(values)).features()[:40] == 0).all()


def test_infinity_in_a_file_is_one_line(tmp_path):
    _, values = embeddings(1e4)
    run = saved(tmp_path, values.astype(np.float16))
    with pytest.raises(InputError, match=r"embedding\.npz: encoder holds infinity, .* rerun rule evaluate"):
        run.features()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_network_whose_output_is_not_finite_is_one_line(tmp_path, bad):
    import torch

    def embed(rows):
        values = torch.ones(len(rows), 4)
        values[rows == 300, 2] = bad
        return {"encoder": values}

    with pytest.raises(
        InputError, match=r"m\.safetensors: encoder is NaN or infinite for 1 of 600 windows, .*diverged"
    ):
        in_chunks(np.arange(600), embed, tmp_path / "m.safetensors")
