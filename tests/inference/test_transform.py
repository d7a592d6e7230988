"""A model in use: the same embeddings whatever data came as, and a line where they do not fit."""

import json
import subprocess
import sys
from dataclasses import replace

import dask.array
import numpy as np
import pytest
import torch
import xarray
from safetensors.torch import load_file, save_file

import neural_action
from neural_action.config.settings import WindowSettings
from neural_action.datasets.dataset import dataset_of
from neural_action.datasets.layout import lay_out
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.training.model import load_model as load_objective


@pytest.fixture(scope="module")
def model(made):
    return neural_action.load_model(made.model)


def test_importing_the_package_is_light():
    code = "import sys, neural_action; assert not {'torch', 'pandas', 'zarr'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_embeddings_against_a_slow_loop(made, model):
    recording = made.recording("C", "1")
    found = model.transform(recording, stride=7)
    objective = load_objective(made.model)
    starts = range(0, len(recording.neural) - 16 + 1, 7)
    assert len(found) == len(starts)
    for row, start in enumerate(starts):
        window = torch.from_numpy(recording.neural[start : start + 16])[None]
        with torch.no_grad():
            expected = objective.embed(window)["encoder"][0].numpy()
        assert found.values[row] == pytest.approx(expected, abs=1e-5)
        assert found.time[row] == pytest.approx((start + 7.5) / 10)
        nearest = np.argmin(np.abs(recording.behavior_time - found.time[row]))
        assert found.label[row] == recording.labels[nearest]


def test_every_kind_of_input_gives_the_same(made, model):
    recording, manifest = made.recording("C", "1"), made.manifests["C"][0]
    stored = model.transform(manifest)
    for other in (
        model.transform(str(manifest)),
        model.transform(manifest.with_name("C-1.zarr")),
        model.transform([recording]),
        model.transform(recording.neural, rate=10),
        model.transform(recording.neural, time=recording.neural_time),
        model.transform(torch.from_numpy(recording.neural), rate=10),
        model.transform(dask.array.from_array(recording.neural, chunks=7), rate=10),
        model.transform([dask.array.from_array(recording.neural)], rate=10),
        model.transform(xarray.open_zarr(manifest.with_name("C-1.zarr")).neural),
        model.transform(xarray.DataArray(recording.neural), rate=10),
    ):
        assert np.array_equal(other.values, stored.values)
        assert np.array_equal(other.time, stored.time)
    assert (stored.trials, stored.animals, stored.class_names) == (("1",), ("C",), ("rest", "walk"))


def test_a_folder_is_its_recordings(made, model, tmp_path):
    folder = tmp_path / "recordings/C"
    folder.mkdir(parents=True)
    for trial in ("1", "2"):
        made.store(made.recording("C", trial), folder)
    found = model.transform(tmp_path / "recordings")
    assert found.trials == ("1", "2")
    assert np.array_equal(found.values, model.transform(made.manifests["C"]).values)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no \*\.manifest\.json"):
        model.transform(tmp_path / "empty")


def test_dates_of_a_data_array_are_its_clock(made, model):
    recording = made.recording("C", "1")
    dates = np.datetime64("2026-01-01", "ns") + (recording.neural_time * 1e9).astype("timedelta64[ns]")
    rest = [f"dim_{at}" for at in range(1, recording.neural.ndim)]
    array = xarray.DataArray(recording.neural, dims=["time", *rest], coords={"time": dates})
    found = model.transform(array.transpose(*rest, "time"))
    np.testing.assert_allclose(found.time, model.transform(made.manifests["C"][0]).time, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda about: about["recordings"].update(neural_rate="10 Hz"), "recordings.neural_rate: '10 Hz'"),
        (lambda about: about["recordings"].update(neural_shape="x"), "recordings.neural_shape: 'x'"),
        (lambda about: about.update(animals=[1]), r"animals.0: 1"),
        (lambda about: about.update(method=None), "method: None"),
        (lambda about: about["windows"].update(frames="many"), "windows.frames: 'many'"),
        (lambda about: about["recordings"].update(neural_rate=float("nan")), "recordings.neural_rate: nan"),
    ],
)
def test_a_description_with_other_kinds_of_values_is_a_line(made, tmp_path, change, says):
    (tmp_path / "model.safetensors").write_bytes(made.model.read_bytes())
    about = json.loads(made.model.with_suffix(".json").read_text())
    change(about)
    (tmp_path / "model.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=rf"model\.json: {says}, expected"):
        neural_action.load_model(tmp_path)


def test_weights_that_overflow_are_a_line(made, tmp_path):
    values = load_file(made.model)
    save_file(
        {name: v * 1e30 if v.dtype == torch.float32 else v for name, v in values.items()},
        tmp_path / "model.safetensors",
    )
    (tmp_path / "model.json").write_bytes(made.model.with_suffix(".json").read_bytes())
    with pytest.raises(InputError, match="have NaN or infinity"):
        neural_action.load_model(tmp_path).transform(made.manifests["C"])


def test_windows_are_those_that_the_workflow_probes(made, model):
    settings = WindowSettings.model_validate(model.description["windows"])
    dataset = dataset_of(lay_out(made.manifests["C"]), None, settings)
    windows = window_table(dataset, settings, stride=4)
    found = model.transform(made.manifests["C"], stride=4)
    at = {(int(t), round(c, 6)): row for row, (t, c) in enumerate(zip(found.trial, found.time, strict=True))}
    rows = [at[int(t), round(c, 6)] for t, c in zip(windows.trial, windows.time, strict=True)]
    assert np.array_equal(found.label[rows], windows.label)


def test_the_projection_is_another_layer(made, model):
    assert model.transform(made.manifests["C"], layer="projection").values.shape[1] == 128
    with pytest.raises(InputError, match="'head' is not one of encoder, projection"):
        model.transform(made.manifests["C"], layer="head")


def test_no_window_bridges_a_gap(made, model):
    recording = made.recording("C", "1")
    time = recording.neural_time + 3.0 * (np.arange(200) >= 100)
    found = model.transform(recording.neural, time=time)
    assert len(found) == 2 * (100 - 16 + 1)


def test_no_window_bridges_two_trials_of_a_recording(made, model, tmp_path):
    whole = made.recording("C", "1")
    # The last is shorter than a window.
    lengths, names = (60, 130, 10), ("000", "001", "002")
    recording = replace(whole, segment=np.repeat(np.arange(3, dtype=np.int32), lengths), segment_names=names)
    for given in (recording, made.store(recording, tmp_path)):
        found = model.transform(given)
        assert found.trials == ("1/000", "1/001", "1/002")
        assert np.bincount(found.trial, minlength=3).tolist() == [60 - 15, 130 - 15, 0]
        pieces = [model.transform(whole.neural[a:b], rate=10).values for a, b in ((0, 60), (60, 190))]
        np.testing.assert_allclose(found.values, np.concatenate(pieces), atol=1e-6)
        at = np.argmin(np.abs(whole.behavior_time - found.time[50]))
        assert found.label[50] == whole.labels[at]


def test_raw_arrays_go_through_the_steps_of_the_model(made, model):
    recording = made.recording("C", "1")
    raw = 300 + 50 * recording.neural
    with pytest.raises(InputError, match=r"array 0: values from 3.*convert=True"):
        model.transform(raw, rate=10)
    low, high = np.percentile(recording.neural, [0.5, 99.5])
    expected = model.transform(np.clip((recording.neural - low) / (high - low), 0, 1), rate=10)
    found = model.transform(raw, rate=10, convert=True)
    assert np.allclose(found.values, expected.values, atol=1e-4)
    in_memory = model.transform(replace(recording, neural=raw), convert=True)
    assert np.array_equal(in_memory.values, found.values)


def changed(recording, **changes):
    return replace(recording, **changes)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda r: changed(r, neural=r.neural[:, :4]), ("shape (4,)", "trained on (6,)")),
        (lambda r: changed(r, neural_time=r.neural_time / 2), ("20 neural frames", "trained on 10")),
        (lambda r: changed(r, neural=np.where(r.neural == r.neural[3], np.nan, r.neural)), ("NaN",)),
        (lambda r: changed(r, neural=r.neural * 20), ("scaled to 0 to 1",)),
        (lambda r: r.neural[0], ("array 0", "expected numbers (frame, ...)")),
        (lambda r: r.neural, ("rate or the times of its frames",)),
        (lambda r: [], ("none given",)),
        (lambda r: [3], ("int at index 0",)),
        (lambda r: changed(r, neural=r.neural[:9], neural_time=r.neural_time[:9], neural_index=0 * r.neural_index),
         ("none has 16 consecutive neural frames",)),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_a_line(made, model, make, words):
    with pytest.raises(InputError) as error:
        model.transform(make(made.recording("C", "1")))
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_a_store_that_was_converted_otherwise_is_a_line(made, model, tmp_path):
    manifest = made.store(made.recording("C", "1"), tmp_path, scale=None)
    with pytest.raises(InputError, match=r"convert.scale None, the model was trained with"):
        model.transform(manifest)


@pytest.mark.parametrize("key", ["windows", "recordings", "augmentations"])
def test_a_description_without_what_is_needed_is_a_line(made, tmp_path, key):
    (tmp_path / "model.safetensors").write_bytes(made.model.read_bytes())
    description = json.loads(made.model.with_suffix(".json").read_text())
    for spoilt in ({k: v for k, v in description.items() if k != key}, {**description, key: {"x": 1}}):
        (tmp_path / "model.json").write_text(json.dumps(spoilt))
        with pytest.raises(InputError):
            neural_action.load_model(tmp_path)


def test_a_model_that_is_none_is_a_line(made, tmp_path):
    with pytest.raises(InputError, match="no such file, expected the weights of a trained row"):
        neural_action.load_model(tmp_path / "missing.safetensors")
    with pytest.raises(InputError, match="device"):
        neural_action.load_model(made.model, device="tpu")


def test_scores_read_what_is_there_to_read(made, model):
    everything = [path for paths in made.manifests.values() for path in paths]
    assert model.score(everything) > 0.8
    across = model.score(made.manifests["C"], train=made.manifests["A"] + made.manifests["B"])
    assert across > 0.8
    embedding = model.transform(made.manifests["C"], stride=4)
    known = model.transform(made.manifests["A"] + made.manifests["B"], stride=4)
    assert model.score(embedding, train=known) == across
    shuffled = replace(known, label=np.random.default_rng(0).permutation(known.label))
    assert model.score(embedding, train=shuffled) < 0.75


def test_scores_without_labels_are_a_line(made, model):
    recording = made.recording("C", "1")
    with pytest.raises(InputError, match="one trial without `train`"):
        model.score(recording)
    bare = replace(recording, labels=np.full_like(recording.labels, -1))
    with pytest.raises(InputError, match="fewer than two labelled classes"):
        model.score([bare, bare])
    with pytest.raises(InputError, match="metric: 'auc'"):
        model.score(made.manifests["C"], metric="auc")
