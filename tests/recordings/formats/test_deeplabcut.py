"""DeepLabCut as its releases write it: CSV and HDF5, 2D and 3D, frames that begin late, hand labels."""

from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.preflight.folder import recognise
from neural_action.recordings.formats import deeplabcut, files_of

SAMPLES = 5


def give(path, **options):
    return deeplabcut.behavior(path, deeplabcut.Options.parse(options, "test"))


def columns(axes=("x", "y", "likelihood"), individuals=(None,)):
    """Header of two keypoints: scorer, individual, body part, coordinate."""
    return [("DLC", who, part, axis) for who in individuals for part in ("nose", "tail") for axis in axes]


def values(count):
    """Column k holds 10 k + row; likelihoods are not low."""
    return 10.0 * np.arange(count) + np.arange(SAMPLES)[:, None]


def write_csv(path, head, index=None, table=None):
    rows = {
        name: [entry[at] for entry in head]
        for at, name in enumerate(("scorer", "individuals", "bodyparts", "coords"))
    }
    table = values(len(head)) if table is None else table
    index = range(SAMPLES) if index is None else index
    lines = [",".join([name, *entries]) for name, entries in rows.items() if None not in entries]
    lines += [",".join(map(str, [first, *row])) for first, row in zip(index, table, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_table(path, head, index=None):
    """As pandas does with format "table": columns pickled (protocol 0) into attributes, rows of one compound type."""
    names = [tuple(entry for entry in column if entry is not None) for column in head]
    index = np.arange(SAMPLES) if index is None else np.array(index)
    rows = np.zeros(SAMPLES, [("index", index.dtype), ("values_block_0", "<f8", (len(names),))])
    rows["index"], rows["values_block_0"] = index, values(len(names))
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.bytes_(b"frame_table")
        group.attrs["non_index_axes"] = np.bytes_(pickle.dumps([(1, names)], 0))
        group["table"] = rows
        group["table"].attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(names, 0))
    return path


def write_fixed(path, head):
    """As pandas does by default: levels, their numbers, blocks of values."""
    names = [tuple(entry for entry in column if entry is not None) for column in head]
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"], group.attrs["nblocks"] = np.bytes_(b"frame"), 1
        for axis in ("axis0", "block0_items"):
            group.attrs[f"{axis}_nlevels"] = len(names[0])
            for level, entries in enumerate(zip(*names, strict=True)):
                found = sorted(set(entries))
                group[f"{axis}_level{level}"] = np.array([name.encode() for name in found])
                group[f"{axis}_label{level}"] = np.array([found.index(name) for name in entries], np.int8)
        group["axis1"], group["block0_values"] = np.arange(SAMPLES), values(len(names))
    return path


@pytest.mark.parametrize("write", [write_csv, write_table, write_fixed])
def test_the_same_poses_in_every_form(tmp_path, write):
    path = write(tmp_path / f"video.{'csv' if write is write_csv else 'h5'}", columns())
    assert recognise(path).phrase == "DeepLabCut poses"
    found = give(path)
    assert (found.names, found.unit) == (("nose", "tail"), "pixel")
    np.testing.assert_array_equal(found.data[:, 1], np.stack([30.0 + np.arange(5), 40.0 + np.arange(5)], 1))
    np.testing.assert_array_equal(found.frames, np.arange(SAMPLES))
    # Column 2, the likelihood of nose, is 20 and more.
    assert np.isnan(give(path, min_likelihood=1.0).data).sum() == 0
    assert deeplabcut.scored(path)


@pytest.mark.parametrize("write", [write_csv, write_table, write_fixed])
def test_poses_in_3d_keep_z(tmp_path, write):
    path = write(tmp_path / f"video_DLC_3D.{'csv' if write is write_csv else 'h5'}", columns(("x", "y", "z")))
    assert recognise(path).phrase == "DeepLabCut poses in 3D"
    found = give(path)
    assert found.data.shape == (SAMPLES, 2, 3)
    np.testing.assert_array_equal(found.data[:, 1, 2], 50.0 + np.arange(SAMPLES))
    assert found.unit == "as calibrated"
    assert not deeplabcut.scored(path)
    with pytest.raises(InputError, match=r"has no likelihood, expected min_likelihood: 0 instead of 0\.6"):
        give(path, min_likelihood=0.6)


@pytest.mark.parametrize("write", [write_csv, write_table])
def test_the_first_column_says_which_frame(tmp_path, write):
    path = write(
        tmp_path / f"v.{'csv' if write is write_csv else 'h5'}", columns(), index=[60, 61, 62, 70, 71]
    )
    assert give(path).frames.tolist() == [60, 61, 62, 70, 71]
    path = write(tmp_path / f"w.{'csv' if write is write_csv else 'h5'}", columns(), index=[0, 1, 1, 2, 3])
    with pytest.raises(InputError, match=r"says frame 1, then 1 \(row 2\), expected increasing frames"):
        give(path)


@pytest.mark.parametrize("head", [columns(("x", "y")), columns(("x", "y"), ("m1", "m2"))])
def test_hand_labels_are_no_poses(tmp_path, head):
    images = [f"labeled-data/video/img{at}.png" for at in range(SAMPLES)]
    write_csv(tmp_path / "CollectedData_AB.csv", head, images)
    write_table(tmp_path / "CollectedData_AB.h5", head, [name.encode() for name in images])
    # DeepLabCut 2.2 and later: the folders of an image in columns of their own.
    lines = (tmp_path / "CollectedData_AB.csv").read_text().splitlines()
    wide = [
        line.replace(",", ",,,", 1) if not line.startswith("labeled") else line.replace("/", ",")
        for line in lines
    ]
    (tmp_path / "wide.csv").write_text("\n".join(wide) + "\n")
    for path in sorted(tmp_path.iterdir()):
        found = recognise(path)
        assert found.roles == ()
        assert found.phrase.startswith("hand labels of DeepLabCut")
        with pytest.raises(InputError, match=r"these are hand labels of images"):
            give(path)


def test_one_of_several_animals_is_asked_for(tmp_path):
    several = write_table(tmp_path / "v.h5", columns(individuals=("m1", "m2")))
    with pytest.raises(
        InputError,
        match=r"individual None, expected one of m1, m2 \(--option behavior\.options\.individual=m1",
    ):
        give(several)
    np.testing.assert_array_equal(give(several, individual="m2").data[:, 0, 0], 60.0 + np.arange(SAMPLES))
    alone = write_csv(tmp_path / "v.csv", columns(individuals=("m1",)))
    assert give(alone).data.shape == (SAMPLES, 2, 2)
    with pytest.raises(InputError, match="the file names no individuals"):
        give(write_csv(tmp_path / "w.csv", columns()), individual="m1")


class Bomb:
    def __reduce__(self):
        return open, ("/nowhere/made", "w")


def test_names_in_an_hdf5_are_never_executed(tmp_path):
    path = write_table(tmp_path / "v.h5", columns())
    with h5py.File(path, "a") as file:
        file["df_with_missing"].attrs["non_index_axes"] = np.bytes_(pickle.dumps(Bomb(), 0))
    with pytest.raises(InputError, match=r"names _?io\.open, .*not executed"):
        give(path)


def test_files_of_another_form_are_a_line(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["other"] = 1
    assert recognise(tmp_path / "a.h5") is None
    with pytest.raises(InputError, match="holds other, expected a table df_with_missing of pandas"):
        give(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_group("df_with_missing").attrs["pandas_type"] = b"frame_table"
    with pytest.raises(InputError, match="not laid out as pandas does"):
        give(tmp_path / "b.h5")
    assert files_of("deeplabcut", tmp_path / "a.h5") == [tmp_path / "a.h5"]
