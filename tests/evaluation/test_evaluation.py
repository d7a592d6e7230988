"""Representations and intervals against known answers."""

import numpy as np
import pandas as pd
import pytest
import torch

from neural_action.config.settings import (
    ClipSettings,
    EncoderSettings,
    EvaluationSettings,
    MethodSettings,
    Named,
    NeighborSettings,
)
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.evaluation.representation import external_frames, raw_clips, represent
from neural_action.evaluation.statistics import hierarchical_bootstrap, paired_difference, recovered_share
from neural_action.neighbors.table import build_swap_table
from neural_action.recordings.clips import clip_table
from neural_action.tables.document import interval
from neural_action.training.model import create, load_model, save_model

PROBE = EvaluationSettings()


@pytest.fixture
def clips(cohort):
    return clip_table(cohort, ClipSettings(frames=16, poses=4), stride=2)


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"representation": "none"}, 0),
        ({"representation": "labels"}, 4),
        ({"representation": "behavior"}, 4 * 6),
    ],
)
def test_rows_without_a_model_show_what_they_say(cohort, clips, row, shape):
    ((_, values),) = represent(MethodSettings(label="x", **row), cohort, clips, PROBE).items()
    assert values.shape == (len(clips), shape)
    if row["representation"] == "labels":
        assert (values.argmax(1) == np.where(clips.label < 0, 3, clips.label)).all()
    if row["representation"] == "behavior":
        assert np.array_equal(values[5].reshape(4, 6), cohort.pose[clips.pose[5]])


def test_an_encoder_of_behaviour_sees_swapped_poses(cohort, clips, tmp_path):
    encoders = EncoderSettings(
        neural=Named(name="image_cnn", width=4, layers=1), behavior=Named(name="pose_cnn", width=8)
    )
    part, shapes = Named(name="infonce"), Shapes(16, (4, 4), 4, 6)
    save_model(create(part, encoders, shapes, 0), part, encoders, shapes, tmp_path / "m.safetensors", {})
    table = build_swap_table(
        cohort.pose,
        cohort.pose_animal,
        np.ones(len(cohort.pose), bool),
        NeighborSettings(neighbors=8, draws=4),
        names=cohort.animals,
    )
    table.save(tmp_path / "swaps.npz")
    files = {"weights": tmp_path / "m.safetensors", "swaps": tmp_path / "swaps.npz"}

    def shown(probability):
        views = {"behavior": [{"name": "swap", "probability": probability}]}
        row = MethodSettings(label="x", representation="behavior_encoder", model="ours", views=views)
        return represent(row, cohort, clips, PROBE, **files)["behavior_encoder"]

    model = load_model(files["weights"])
    with torch.inference_mode():
        plain = model.embed_behavior(torch.from_numpy(cohort.pose[clips.pose])).numpy()
    assert np.allclose(shown(0.0), plain, atol=1e-5)
    assert not np.allclose(shown(1.0), plain, atol=1e-2)


def test_what_another_package_made_is_averaged_like_the_raw_clip(cohort, clips, tmp_path):
    row = MethodSettings(
        label="x", representation="external", external={"name": "cebra", "conditional": "time"}
    )
    frames = np.random.default_rng(0).standard_normal((len(cohort.neural), 3))
    np.savez(tmp_path / "frames.npz", whole=frames, **{"split-3": frames[::-1]})
    values = represent(row, cohort, clips, PROBE, external=tmp_path / "frames.npz")["external"]
    first, time = clips.start[7], PROBE.raw_pool_time
    parts = [frames[at : at + time].mean(0) for at in range(first, first + clips.frames, time)]
    assert np.allclose(values[7], np.concatenate(parts), atol=1e-6)
    split = represent(row, cohort, clips, PROBE, external=tmp_path / "frames.npz", part="split-3")["external"]
    assert np.allclose(split, raw_clips(frames[::-1], clips, PROBE), atol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"whole": np.zeros((5, 3))}, "expected \\(1440, dimension\\)"),
        ({"whole": np.full((1440, 3), np.nan)}, "not finite"),
        ({"other": np.zeros(3)}, "cannot be read"),
        ({"whole": np.array([{}])}, "cannot be read"),
    ],
)
def test_frames_of_another_package_that_do_not_fit_are_a_line(tmp_path, content, message):
    np.savez(tmp_path / "frames.npz", **content)
    with pytest.raises(InputError, match=message):
        external_frames(tmp_path / "frames.npz", 1440, "whole")


def test_raw_clips_are_block_means(cohort, clips):
    raw = raw_clips(cohort.neural, clips, EvaluationSettings(raw_pool_time=4, raw_pool_space=2))
    k = 11
    clip = cohort.neural[clips.start[k] : clips.start[k] + 16]
    slow = [
        clip[4 * t : 4 * t + 4, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean()
        for t in range(4)
        for y in range(2)
        for x in range(2)
    ]
    assert raw[k] == pytest.approx(slow, rel=1e-5)


def table(values):
    index = pd.MultiIndex.from_product([["A", "B"], [0, 1], [0, 1, 2]], names=["animal", "fold", "seed"])
    return pd.DataFrame({"value": values}, index=index).reset_index()


def test_interval_is_of_the_mean_over_animals():
    values = np.concatenate([np.full(6, 0.4), np.full(6, 0.8)])
    mean, low, high = hierarchical_bootstrap(table(values), 2000, 0)
    assert (mean, low, high) == pytest.approx((0.6, 0.4, 0.8))


def test_a_single_score_has_no_interval():
    single = pd.DataFrame({"animal": ["a"], "fold": [0], "seed": [0], "value": [0.4]})
    mean, low, high = hierarchical_bootstrap(single, 100, 0)
    assert mean == pytest.approx(0.4)
    assert np.isnan([low, high]).all()
    assert interval(mean, low, high) == "40.0"
    assert np.isnan(paired_difference(single, single, 100, 0)[1:]).all()


def test_paired_difference_ignores_what_is_common():
    rng = np.random.default_rng(0)
    common = rng.random(12)
    mean, low, high = paired_difference(table(common + 0.1), table(common), 500, 0)
    assert (mean, low, high) == pytest.approx((0.1, 0.1, 0.1))


def test_the_recovered_share_is_of_the_means():
    rng = np.random.default_rng(0)
    unseen = rng.random(12)
    loss = np.concatenate([np.full(6, 0.2), np.full(6, 0.4)])
    mean, low, high = recovered_share(table(unseen + loss), table(unseen), table(unseen + loss / 2), 500, 0)
    assert (mean, low, high) == pytest.approx((0.5, 0.5, 0.5))
    mean, low, high = recovered_share(table(unseen + loss), table(unseen), table(unseen + 0.1), 500, 0)
    assert mean == pytest.approx(1 / 3)
    assert (low, high) == pytest.approx((0.25, 0.5))
