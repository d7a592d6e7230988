"""Embeddings as files, read back with what other programs read them with."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
import xarray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neural_action
from neural_action.errors import InputError
from neural_action.inference.embedding import Embedding


@pytest.fixture(scope="module")
def embedding(made):
    model = neural_action.load_model(made.model)
    return model.transform([*made.manifests["C"], *made.manifests["A"]], stride=5)


def test_an_embedding_is_an_array(embedding):
    assert np.array_equal(np.asarray(embedding), embedding.values)
    assert np.array_equal(np.asarray(embedding, np.float64), embedding.values)
    assert np.asarray(embedding, copy=False) is embedding.values
    assert embedding.shape == embedding.values.shape
    assert (embedding.ndim, embedding.dtype) == (2, np.float32)
    tensor = torch.as_tensor(embedding)
    assert tensor.dtype == torch.float32
    assert np.array_equal(tensor.numpy(), embedding.values)
    assert np.array_equal(pd.DataFrame(embedding).to_numpy(), embedding.values)
    assert np.array_equal(np.stack(list(embedding)), embedding.values)
    second = embedding.of_trial(1)
    assert (second.trials, second.animals) == (("2",), ("C",))
    assert np.array_equal(second.values, embedding.values[embedding.trial == 1])


def test_rows_of_an_embedding_are_an_embedding(embedding):
    labelled = embedding[embedding.label >= 0]
    assert (labelled.label >= 0).all()
    assert labelled.trials == embedding.trials
    assert np.array_equal(labelled.animal, embedding.animal[embedding.label >= 0])
    assert embedding[2:6].shape == (4, embedding.shape[1])
    assert np.array_equal(embedding[[3, 1]].time, embedding.time[[3, 1]])
    assert np.array_equal(embedding[0], embedding.values[0])
    assert np.array_equal(embedding[:, :2], embedding.values[:, :2])


@pytest.mark.parametrize("given", [lambda e: e, lambda e: e.values])
def test_scikit_learn_takes_it(embedding, given):
    known = embedding[embedding.label >= 0]
    plain = LogisticRegression().fit(given(known), known.label)
    assert plain.predict(known).shape == (len(known),)
    scaled = make_pipeline(StandardScaler(), LogisticRegression()).fit(given(known), known.action)
    assert scaled.score(known, known.action) > 0.5


def test_nwb_has_a_subject_and_times_where_windows_are_irregular(embedding, tmp_path):
    from pynwb import NWBHDF5IO

    one = embedding.of_trial(0)
    uneven = one[np.array([0, 1, 3])]
    uneven.save(tmp_path / "a.nwb")
    with NWBHDF5IO(tmp_path / "a.nwb", "r") as io:
        file = io.read()
        assert file.subject.subject_id == "C"
        series = file.processing["neural_action"]["embedding_C_1"]
        assert np.array_equal(series.timestamps[:], uneven.time)


def test_a_frame_and_parquet(embedding, tmp_path):
    frame = embedding.to_frame()
    assert list(frame.columns[:4]) == ["animal", "trial", "time", "action"]
    assert set(frame["action"]) <= {"rest", "walk", ""}
    embedding.save(tmp_path / "e.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "e.parquet"), frame, check_dtype=False)


def test_netcdf(embedding, tmp_path):
    embedding.save(tmp_path / "e.nc")
    with xarray.open_dataset(tmp_path / "e.nc", engine="h5netcdf") as data:
        assert np.array_equal(data["embedding"], embedding.values)
        assert np.array_equal(data["time"], embedding.time)
        assert list(data["animal"].values) == list(embedding.animal)
        assert data.attrs["method"] == "swap_calcium"


def test_nwb_alone_and_beside_what_a_file_holds(embedding, tmp_path):
    from pynwb import NWBHDF5IO

    with pytest.raises(InputError, match=r"2 animals \(C, A\).*embedding\[embedding\.animal == 'C'\]"):
        embedding.save(tmp_path / "both.nwb")
    assert not (tmp_path / "both.nwb").exists()
    embedding = embedding[embedding.animal == "C"]
    embedding.save(tmp_path / "own.nwb")
    with NWBHDF5IO(tmp_path / "own.nwb", "r") as io:
        module = io.read().processing["neural_action"]
        first = embedding.of_trial(0)
        series = module["embedding_C_1"]
        assert np.array_equal(series.data[:], first.values)
        assert series.timestamps is None
        times = series.starting_time + np.arange(len(first)) / series.rate
        np.testing.assert_allclose(times, first.time, atol=1e-6)
        assert np.array_equal(module["label_C_1"].data[:], first.label)
        assert '"class_names": ["rest", "walk"]' in module.description
    before = (tmp_path / "own.nwb").read_bytes()
    with pytest.raises(InputError, match="has a processing module"):
        embedding.save(tmp_path / "twice.nwb", source=tmp_path / "own.nwb")
    assert (tmp_path / "own.nwb").read_bytes() == before
    assert not (tmp_path / "twice.nwb").exists()


def test_what_cebra_takes(embedding, tmp_path):
    values, labels = embedding.to_cebra()
    assert [len(part) for part in values] == [len(part) for part in labels]
    assert len(values) == 2
    assert np.array_equal(values[1], embedding.values[(embedding.animal == "C") & (embedding.label >= 0)])
    assert len(embedding.to_cebra(by="trial")[0]) == 4
    for by, count in (("animal", 2), ("trial", 4)):
        spread, places = embedding.to_cebra(by=by, spread=True)
        assert len(spread) == count
        for part, place in zip(spread, places, strict=True):
            assert len(part) == len(place)
            assert np.isin(part, embedding.values).all()
            # Nowhere are two bins of a hundred empty, beyond what CEBRA fills from their neighbours.
            assert 0 < place.min() < place.max() < 1
    embedding.save(tmp_path / "e.npz")
    embedding.save(tmp_path / "e.h5")
    with np.load(tmp_path / "e.npz", allow_pickle=False) as npz, h5py.File(tmp_path / "e.h5") as hdf5:
        for key in ("embedding", "time", "trial", "animal", "label"):
            assert npz[key].dtype.kind in "fi"
            assert np.array_equal(npz[key], hdf5[key][:])
        assert json.loads(hdf5.attrs["about"])["names"]["label"] == ["rest", "walk"]


def test_an_unknown_suffix_is_a_line(embedding, tmp_path):
    with pytest.raises(InputError, match=r"suffix '.csv', expected one of"):
        embedding.save(tmp_path / "e.csv")
    with pytest.raises(InputError, match=r"a source file needs output with suffix"):
        embedding.save(tmp_path / "e.parquet", source=tmp_path / "x.nwb")


def by_class(labels, dimension=4):
    """One trial for each animal, whose windows lie around a direction of their class, in axes of their own."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((10, dimension))
    values = [
        (centres[one] @ np.linalg.qr(rng.standard_normal((dimension,) * 2))[0])
        + 0.1 * rng.random((len(one), 1))
        for one in labels
    ]
    trial = np.repeat(np.arange(len(labels)), list(map(len, labels)))
    count, animals = len(trial), tuple(f"m{at}" for at in range(len(labels)))
    return Embedding(
        np.concatenate(values).astype(np.float32), np.arange(count) / 10, trial, np.concatenate(labels),
        ("1",) * len(labels), animals, tuple(f"c{at}" for at in range(10)), {},
    )  # fmt: skip


def test_spread_labels_keep_the_order_of_classes_and_those_that_all_have():
    one = by_class([np.array([0, 2, 2, 5, 5, 5]), np.array([5, 2, 0, 0, 7])])
    values, labels = one.to_cebra(spread=True)
    assert list(map(len, values)) == [6, 4]
    np.testing.assert_array_equal((3 * labels[0]).astype(int), [0, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal((3 * labels[1]).astype(int), [2, 1, 0, 0])
    np.testing.assert_allclose(np.sort(6 * labels[0])[1:3], [2.5, 3.5])
    with pytest.raises(InputError, match="no class occurs in every animal"):
        by_class([np.array([0, 1]), np.array([2, 3])]).to_cebra(spread=True)


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_cebra_compares_animals(classes):
    metrics = pytest.importorskip("cebra.integrations.sklearn.metrics", reason="needs cebra")
    rng = np.random.default_rng(1)
    labels = [rng.integers(0, classes, 400) for _ in range(3)]
    values, places = by_class(labels).to_cebra(spread=True)
    scores, pairs, names = metrics.consistency_score(
        values, labels=places, dataset_ids=["m0", "m1", "m2"], between="datasets"
    )
    assert (len(scores), len(pairs), len(names)) == (6, 6, 3)
    assert scores.min() > 0.9
    shuffled = [rng.permutation(place) for place in places]
    others, _, _ = metrics.consistency_score(
        values, labels=shuffled, dataset_ids=["m0", "m1", "m2"], between="datasets"
    )
    assert others.max() < 0.3
