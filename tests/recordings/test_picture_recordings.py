"""Sets of pictures as recordings: a part a recording, a picture a trial of one frame, no behaviour."""

import warnings

import numpy as np
import pytest
import xarray as xr

from neural_action.config.settings import ConvertSettings
from neural_action.datasets.layout import lay_out
from neural_action.errors import InputError
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.pictures import digits
from neural_action.recordings.readers.pictures import Options, files, read
from neural_action.recordings.samples import SampleRow, scan
from neural_action.recordings.store import open_neural, read_recording

RNG = np.random.default_rng(0)


@pytest.fixture
def raw(tmp_path):
    """A folder with one .npz: 12 + 6 colour pictures of 4 x 5, three classes in two groups."""
    labels = np.arange(18) % 3
    np.savez(
        tmp_path / "set.npz",
        pictures=RNG.integers(0, 256, (18, 4, 5, 3), dtype=np.uint8),
        labels=labels,
        coarse=labels // 2,
        part=np.repeat(["train", "test"], [12, 6]),
        class_names=np.array(["cat", "dog", "car"]),
        coarse_names=np.array(["animal", "thing"]),
    )
    return tmp_path


def convert(folder, raw, part, dtype="uint8", **options):
    store, manifest = folder / f"{part}.zarr", folder / f"{part}.manifest.json"
    settings = ConvertSettings(reader="pictures", reader_options=options, dtype=dtype)
    convert_trial(settings, "made_up", raw, SampleRow("pictures", part, part), store, manifest)
    return store, manifest


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_store_holds_the_pictures_as_they_were(raw, tmp_path, dtype):
    given = np.load(raw / "set.npz")
    store, manifest = convert(tmp_path, raw, "train", dtype)
    recording = read_recording(manifest)
    pictures = given["pictures"][:12].transpose(0, 3, 1, 2)
    assert recording.neural.dtype == np.float32
    assert np.array_equal(recording.neural, pictures / np.float32(255))
    assert np.array_equal(np.asarray(open_neural(manifest)), recording.neural)
    assert (recording.part, recording.behavior.shape, recording.behavior_names) == ("train", (12, 0), ())
    assert [(start, stop) for _, start, stop in recording.segments] == [(at, at + 1) for at in range(12)]
    assert np.array_equal(recording.labels, given["labels"][:12])
    assert recording.class_names == ("cat", "dog", "car")
    assert len(recording.sources) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened = xr.open_zarr(store)
    assert opened["neural"].dims == ("neural_time", "channel", "y", "x")
    assert np.allclose(opened["neural"], recording.neural, atol=1e-7)


def test_coarse_classes_and_the_first_of_each_class(raw):
    row, options = SampleRow("pictures", "train", "train"), Options(classes="coarse", of_each_class=2)
    found = read(raw, row, options, None)
    assert found.class_names == ("animal", "thing")
    given = np.load(raw / "set.npz")
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert np.array_equal(255 * np.asarray(found.neural)[:, 0], given["pictures"][[0, 1, 2, 5], :, :, 0])


def test_digits_come_with_no_file(tmp_path):
    from pathlib import Path

    rows = scan("pictures", Path("digits"), {"name": "digits"})
    assert [(row.animal, row.trial) for row in rows] == [("digits", "test"), ("digits", "train")]
    assert files(Path("digits"), rows[0], Options()) == []
    found = read(Path("digits"), rows[1], Options(), None)
    own = digits.read()
    assert np.array_equal(
        np.rint(255 * np.asarray(found.neural))[:, 0], own.pictures[: digits.TRAIN, :, :, 0]
    )


@pytest.mark.parametrize(
    ("options", "names", "message"),
    [
        ({"parts": ["all"]}, None, r"reader_options\.parts all, expected train, test \(all differs"),
        ({"parts": ["train"]}, None, r"reader_options\.parts train, expected train, test \(test differs"),
        ({}, ("a", "b"), r"convert\.class_names: 2 names, expected 3"),
    ],
)
def test_parts_and_names_that_are_others_are_one_line(raw, options, names, message):
    with pytest.raises(InputError, match=message):
        read(raw, SampleRow("pictures", "train", "train"), Options(**options), names)


def test_a_row_of_no_part_is_one_line(raw):
    with pytest.raises(InputError, match="no part 'monday', expected one of train, test"):
        read(raw, SampleRow("pictures", "1", "monday"), Options(), None)


def test_a_set_that_is_not_there_and_one_without_groups_are_one_line(raw, tmp_path):
    with pytest.raises(InputError, match=r"gone: no such file or folder, expected .*digits"):
        scan("pictures", raw, {"path": "gone"})
    given = dict(np.load(raw / "set.npz"))
    del given["coarse"], given["coarse_names"]
    np.savez(raw / "set.npz", **given)
    with pytest.raises(InputError, match="has no groups of classes"):
        read(raw, SampleRow("pictures", "train", "train"), Options(classes="coarse"), None)


def test_two_hundred_classes_keep_their_labels(tmp_path):
    labels = np.repeat(np.arange(200), 3)
    pictures = RNG.integers(0, 256, (600, 4, 4, 3), dtype=np.uint8)
    np.savez(
        tmp_path / "set.npz", pictures=pictures, labels=labels, part=np.tile(["train", "train", "test"], 200)
    )
    store, manifest = convert(tmp_path, tmp_path, "train")
    assert np.array_equal(read_recording(manifest).labels, np.repeat(np.arange(200), 2))
    stored = xr.open_zarr(store)["labels"]
    assert (stored.dtype, stored.attrs["flag_values"]) == (np.int16, list(range(-1, 200)))
    # As every later stage reads it.
    layout = lay_out([manifest])
    assert len(layout.class_names) == 200
    assert np.array_equal(layout.arrays["labels"], np.repeat(np.arange(200), 2))
