"""The reader of the authors' release layout."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.recordings.readers import load_reader, mc2p
from neural_action.recordings.samples import SampleRow

# What the fixture `make_trial` writes.
FRAMES, SIDE, SAMPLES = 40, 16, 250


def read(trial: Path, class_names=None, **options):
    row = SampleRow("Fly1", "001", trial.name)
    return mc2p.read(trial.parent, row, mc2p.Options.parse(options), class_names).check(trial.name)


def test_a_trial_is_read_as_written(trial):
    recording = read(trial)
    movie = np.fromfile(trial / "2p_dff_raw.mm", np.float32).reshape(FRAMES, SIDE, SIDE)
    pose = np.fromfile(trial / "pose_result__x.mm", np.float32).reshape(SAMPLES, 38, 2)
    np.testing.assert_array_equal(np.asarray(recording.neural), movie)
    np.testing.assert_array_equal(np.asarray(recording.neural[3:30:4]), movie[3:30:4])
    np.testing.assert_array_equal(recording.behavior, pose)
    np.testing.assert_array_equal(recording.labels, np.arange(SAMPLES) % 8)
    np.testing.assert_array_equal(recording.neural_index, np.arange(SAMPLES) * FRAMES // SAMPLES)
    np.testing.assert_allclose(recording.neural_time[:3], [0, 1 / 16, 2 / 16])
    np.testing.assert_allclose(recording.behavior_time[:3], [0, 0.01, 0.02])
    assert (recording.neural.dtype, recording.behavior.dtype) == (np.float32, np.float32)
    assert (recording.labels.dtype, recording.neural_index.dtype) == (np.int16, np.int32)
    assert len(recording.behavior_names) == 38
    assert {
        path.name for path in mc2p.files(trial.parent, SampleRow("Fly1", "001", trial.name), mc2p.Options())
    } == {path.name for path in trial.iterdir()}


def test_angles_and_rates(trial):
    recording = read(trial, behavior="angles", neural_rate=8, behavior_rate=50.0)
    assert recording.behavior.shape == (SAMPLES, 42)
    assert recording.behavior_names[41] == "angle_41"
    assert (recording.neural_time[8], recording.behavior_time[50]) == (1, 1)


def test_labels_may_be_missing_and_rest_dropped(trial):
    assert (read(trial, drop_rest=True).labels[:12] == [-1] * 10 + [2, 3]).all()
    (trial / "labels.npy").unlink()
    assert (read(trial).labels == -1).all()
    (trial / "rest.npy").unlink()
    with pytest.raises(InputError, match=r"0 files match rest\*\.npy, expected one"):
        read(trial, drop_rest=True)


def test_whole_numbers_stored_as_floats_are_read(trial):
    np.save(trial / "indices.npy", np.load(trial / "indices.npy").astype(np.float64))
    assert read(trial).neural_index[-1] == FRAMES - 1
    np.save(trial / "indices.npy", np.where(np.arange(SAMPLES) == 7, np.nan, 0.0))
    with pytest.raises(InputError, match=r"indices\.npy: nan at entry 7, expected whole numbers"):
        read(trial)


@pytest.mark.parametrize("side", [16, 32, 64, 128])
def test_the_side_is_found_from_the_file(tmp_path, make_trial, side):
    assert read(make_trial(tmp_path / "d_g_Fly1_1", side=side, frames=20)).neural.shape == (20, side, side)


def test_a_movie_that_is_longer_than_the_behaviour(trial):
    np.save(trial / "indices.npy", np.arange(SAMPLES) // 8)
    assert len(read(trial).neural) == FRAMES
    np.save(trial / "indices.npy", np.zeros(SAMPLES, int))
    with pytest.raises(
        InputError, match=r"10 frames of side 32, expected about 1 .*set convert\.reader_options\.side"
    ):
        read(trial)
    assert len(read(trial, side=16).neural) == FRAMES


def _save(name, array):
    return lambda trial: np.save(trial / name, array)


def _cut(name, size):
    def cut(trial):
        (trial / name).write_bytes((trial / name).read_bytes()[:size])

    return cut


def _poke(name, place):
    def poke(trial):
        np.memmap(trial / name, np.float32, "r+")[place] = np.nan

    return poke


LABELS, INDICES = np.zeros(SAMPLES, int), np.arange(SAMPLES) * FRAMES // SAMPLES
BAD = [
    (lambda trial: (trial / "2p_dff_raw.mm").unlink(), r"0 files match 2p_dff\*\.mm, expected one"),
    (lambda trial: (trial / "pose_result__x.mm").unlink(), r"0 files match pose_result\*\.mm, expected one"),
    (lambda trial: (trial / "indices.npy").unlink(), r"0 files match indices\*\.npy, expected one"),
    (
        _save("labels_2.npy", LABELS),
        r"2 files match labels\*\.npy \(labels\.npy, labels_2\.npy\), expected one",
    ),
    (_cut("2p_dff_raw.mm", 5000), r"2p_dff_raw\.mm: 5000 bytes, expected whole float32 frames"),
    (_cut("2p_dff_raw.mm", 0), r"2p_dff_raw\.mm: 0 bytes"),
    (
        _cut("2p_dff_raw.mm", 4 * 256 * 30),
        r"indices\.npy: frame 39 lies outside the 30 frames of 2p_dff_raw\.mm",
    ),
    (
        _cut("pose_result__x.mm", 1000),
        r"pose_result__x\.mm: 1000 bytes, expected whole samples of 76 float32",
    ),
    (_cut("pose_result__x.mm", 4 * 76 * 100), r"indices\.npy: 250 entries, expected 100"),
    (_cut("indices.npy", 150), r"indices\.npy: cannot be read as \.npy"),
    (_poke("pose_result__x.mm", 76 * 33 + 5), r"pose_result__x\.mm: NaN or infinity in sample 33"),
    (_poke("2p_dff_raw.mm", 256 * 21 + 5), r"2p_dff_raw\.mm: NaN or infinity in frame 21,"),
    (
        _save("indices.npy", INDICES - 1),
        r"indices\.npy: frame -1 at entry 0, expected non-decreasing frames from 0",
    ),
    (_save("indices.npy", INDICES[::-1]), r"indices\.npy: frame 38 at entry 6, expected non-decreasing"),
    (_save("indices.npy", INDICES[:, None]), r"indices\.npy: int64 of shape \(250, 1\), expected a vector"),
    (_save("indices.npy", np.array(["a"] * SAMPLES)), r"indices\.npy: <U1 of shape"),
    (_save("labels.npy", LABELS + 8), r"labels\.npy: label 8 at entry 0, expected -1"),
    (_save("labels.npy", LABELS - 2), r"labels\.npy: label -2 at entry 0"),
    (_save("labels.npy", LABELS[:-1]), r"labels\.npy: 249 entries, expected 250"),
]


@pytest.mark.parametrize(("spoil", "says"), BAD)
def test_bad_input_is_one_line_that_names_the_file(trial, spoil, says):
    spoil(trial)
    with pytest.raises(InputError, match=says) as error:
        np.asarray(read(trial).neural)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "stored", [np.zeros((SAMPLES, 41), np.float32), np.zeros((0, 42)), np.zeros(SAMPLES)]
)
def test_bad_angles(trial, stored):
    (trial / "angles__x.pkl").write_bytes(pickle.dumps(stored))
    with pytest.raises(InputError, match=r"angles__x\.pkl: shape .*expected \(samples, 42\)"):
        read(trial, behavior="angles")


def test_a_missing_folder(tmp_path):
    with pytest.raises(InputError, match="gone: no such folder"):
        read(tmp_path / "gone")


def test_configured_classes_bound_the_labels(trial):
    with pytest.raises(InputError, match=r"label 3 at entry 3, .* or 0 to 2"):
        read(trial, class_names=("a", "b", "c"))


def test_animals_are_named_by_fly_or_in_full_where_flies_share_a_number(tmp_path, make_trial):
    for name in (
        "210722_aDN1_Fly1_001",
        "210722_aDN1_Fly1_002",
        "210801_a_DN2_Fly2_001",
        "210802_aDN1_Fly2_001",
    ):
        make_trial(tmp_path / "deep" / name)
    make_trial(tmp_path / ".Fly9.part" / "210722_aDN1_Fly9_001")
    rows = mc2p.scan(tmp_path, mc2p.Options())
    assert [(row.animal, row.trial) for row in rows] == [
        ("Fly1", "001"),
        ("Fly1", "002"),
        ("210801_a_DN2_Fly2", "001"),
        ("210802_aDN1_Fly2", "001"),
    ]
    assert rows[0].path == "deep/210722_aDN1_Fly1_001"


def test_a_recording_in_a_folder_of_another_name_is_not_passed_over(tmp_path, make_trial):
    make_trial(tmp_path / "trial3")
    with pytest.raises(InputError, match=r"trial3: the folder of a recording, expected the name <date>_"):
        mc2p.scan(tmp_path, mc2p.Options())


def test_readers_import_neither_torch_nor_what_is_slow():
    code = (
        "import sys; from neural_action.recordings.readers import load_reader\n"
        "load_reader('mc2p'); load_reader('fly_walking')\n"
        "sys.exit(' '.join({'torch', 'dask', 'scipy', 'pandas'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_reader_has_the_whole_interface():
    for name in ("mc2p", "fly_walking"):
        module = load_reader(name)
        assert all(hasattr(module, part) for part in ("EXPECTED", "Options", "scan", "files", "read"))
