"""MATLAB files: what SciPy reads of sound ones, and a line for those that would lead it astray."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.sparse import csc_array

from neural_action.errors import InputError
from neural_action.recordings.matlab import load_mat

VALUES = {
    "row": np.arange(3.0),
    "whole": np.arange(6, dtype=np.int16).reshape(2, 3),
    "single": np.float32(2.5),
    "complex": np.array([1 + 2j, 3]),
    "yes": np.array([True, False]),
    "empty": np.zeros((0, 4)),
    "text": "walk",
    "texts": np.array(["walk", "rest"]),
    "cells": np.array([1.0, "a", np.zeros((2, 2))], dtype=object),
    "nested": {"a": {"b": np.arange(4.0), "c": ["x", 1.0]}, "long_name_of_a_field": 2.0},
    "units": np.array([{"ts": np.arange(3.0)}, {"ts": np.zeros(0)}], dtype=object),
    "sparse": csc_array(np.eye(3)),
}


def same(one: object, other: object) -> bool:
    if hasattr(one, "_fieldnames"):
        return one._fieldnames == other._fieldnames and all(
            same(getattr(one, name), getattr(other, name)) for name in one._fieldnames
        )
    if hasattr(one, "toarray"):
        return np.array_equal(one.toarray(), other.toarray())
    if isinstance(one, np.ndarray) and one.dtype == object:
        return one.shape == other.shape and all(map(same, one.ravel(), other.ravel()))
    return np.array_equal(one, other)


@pytest.mark.parametrize("compressed", [False, True])
def test_sound_files_are_read_as_scipy_reads_them(tmp_path, compressed):
    savemat(tmp_path / "a.mat", VALUES, do_compression=compressed)
    expected = loadmat(tmp_path / "a.mat", squeeze_me=True, struct_as_record=False)
    found = load_mat(tmp_path / "a.mat", *VALUES)
    assert set(VALUES) <= set(found)
    for name in VALUES:
        assert same(found[name], expected[name]), name
    assert "whole" not in load_mat(tmp_path / "a.mat", "row", "not there")


def changed(path: Path, old: bytes, new: bytes) -> None:
    """One place of a file that is not compressed, counted to be the only one."""
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize("kind", [0, 8, 10, 11, 14, 15, 19, 20, 5000])
def test_an_element_of_a_type_that_is_none(tmp_path, kind):
    """SciPy 1.17 looks such a type up beside its table, which ends the process."""
    path = tmp_path / "a.mat"
    savemat(path, {"x": np.arange(3.0)})
    changed(path, struct.pack("<II", 9, 24), struct.pack("<II", kind, 24))
    with pytest.raises(InputError, match=r"a\.mat: cannot be read as a MATLAB file"):
        load_mat(path, "x")


def test_more_cells_than_there_are(tmp_path):
    path = tmp_path / "a.mat"
    savemat(path, {"x": np.array([1.0, "a", "b"], dtype=object)})
    changed(path, struct.pack("<IIii", 5, 8, 1, 3), struct.pack("<IIii", 5, 8, 1 << 30, 1 << 30))
    with pytest.raises(InputError, match=r"sides \[1073741824, 1073741824\] holds 3 elements"):
        load_mat(path, "x")


def test_too_many_levels(tmp_path):
    path, value = tmp_path / "a.mat", 1.0
    for _ in range(40):
        value = {"x": value}
    savemat(path, value)
    with pytest.raises(InputError, match="deeper than 32"):
        load_mat(path, "x")


def test_what_is_not_asked_for_is_not_looked_at(tmp_path):
    """A session's file may hold functions and objects beside its recordings."""
    path = tmp_path / "a.mat"
    savemat(path, {"x": np.arange(3.0), "other": np.arange(5.0)})
    changed(path, struct.pack("<II", 9, 40), struct.pack("<II", 8, 40))
    np.testing.assert_array_equal(load_mat(path, "x")["x"], np.arange(3.0))
    with pytest.raises(InputError, match="cannot be read"):
        load_mat(path, "x", "other")


def test_an_older_version(tmp_path):
    savemat(tmp_path / "a.mat", {"x": np.arange(3.0)}, format="4")
    with pytest.raises(InputError, match="no header of version 5"):
        load_mat(tmp_path / "a.mat", "x")


@pytest.mark.real_data
def test_every_real_file_passes(real_recordings):
    files = sorted(real_recordings("calcium_ground_truth").rglob("*.mat"))
    assert files
    for path in files:
        names = [name for name in loadmat(path) if name[:2] != "__"]
        assert set(names) <= set(load_mat(path, *names))
