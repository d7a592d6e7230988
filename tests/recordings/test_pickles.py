"""Pickles are read through an allow-list and never executed."""

from __future__ import annotations

import io
import os
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neural_action.errors import InputError
from neural_action.recordings import pickles
from neural_action.recordings.pickles import load_array_pickle, load_npy, load_object_pickle


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pickles")


class Attack:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@settings(max_examples=50, deadline=None)
@given(
    array=hnp.arrays(
        st.sampled_from(["f4", "f8", "f2", "i8", "u1", "?", ">f4", ">i2"]),
        hnp.array_shapes(max_dims=3, min_side=0),
    ),
    protocol=st.integers(0, 5),
    fortran=st.booleans(),
)
def test_plain_arrays_roundtrip(folder, array, protocol, fortran):
    path = folder / "array.pkl"
    array = np.asfortranarray(array) if fortran else array
    path.write_bytes(pickle.dumps(array, protocol))
    loaded = load_array_pickle(path)
    assert loaded.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(loaded, array)


def test_an_array_pickled_by_python_2_is_read(tmp_path):
    path = tmp_path / "array.pkl"
    path.write_bytes(
        b"cnumpy.core.multiarray\n_reconstruct\np0\n(cnumpy\nndarray\np1\n(I0\ntp2\nS'b'\np3\ntp4\nRp5\n(I1\n(I2\ntp6\n"
        b"cnumpy\ndtype\np7\n(S'f4'\np8\nI0\nI1\ntp9\nRp10\n(I3\nS'<'\np11\nNNNI-1\nI-1\nI0\ntp12\nbI00\n"
        b"S'\\x00\\x00\\x80?\\x00\\x00\\x00@'\np13\ntp14\nb."
    )
    np.testing.assert_array_equal(load_array_pickle(path), np.float32([1, 2]))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("function", "argument", "named"),
    [
        (os.system, "touch", "system"),
        (eval, "1", "eval"),
        (os.mkdir, "made", "mkdir"),
        (np.load, "x", "load"),
    ],
)
def test_a_pickle_that_calls_is_refused_by_name(tmp_path, monkeypatch, function, argument, named, protocol):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "attack.pkl"
    path.write_bytes(pickle.dumps([np.zeros(3), Attack(function, argument)], protocol))
    with pytest.raises(
        InputError, match=rf"attack\.pkl: names .*{named}, expected a plain NumPy array; it was not"
    ):
        load_array_pickle(path)
    assert os.listdir(tmp_path) == ["attack.pkl"]


@settings(max_examples=100, deadline=None)
@given(
    module=st.sampled_from(["os", "builtins", "numpy", "subprocess", "sys", "importlib"]),
    name=st.text(min_size=1),
)
def test_nothing_outside_the_allow_list_is_found(module, name):
    if (module, name) in pickles.ALLOWED:
        return
    with pytest.raises(InputError, match="not executed"):
        pickles.Unpickler(io.BytesIO(), pickles.ALLOWED, "arrays").find_class(module, name)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_an_array_or_one_line(folder, data):
    path = folder / "any.pkl"
    path.write_bytes(data)
    for load in (load_array_pickle, load_npy):
        with pytest.raises(InputError) as error:
            load(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"angles": np.zeros(3)}, "holds dict"),
        (np.array([{}, 1], object), "plain numbers"),
        (np.array(["a"]), "plain numbers"),
        (np.zeros(2, complex), "plain numbers"),
        (3, "holds int"),
    ],
)
def test_what_is_not_an_array_of_numbers_is_refused(tmp_path, content, says):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match=rf"x\.pkl: .*{says}"):
        load_array_pickle(path)


def test_truncated_and_missing_files(tmp_path):
    path = tmp_path / "x.pkl"
    with pytest.raises(InputError, match="cannot be read"):
        load_array_pickle(path)
    path.write_bytes(pickle.dumps(np.zeros(1000))[:900])
    with pytest.raises(InputError, match="cannot be read"):
        load_array_pickle(path)


def test_sizes_are_bounded(tmp_path, monkeypatch):
    path = tmp_path / "x.pkl"
    # A shape of 2**40 numbers and a memo index of 2**31: neither allocates.
    shape = b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(L1099511627776L\ntS'b'\ntR."
    for data in (shape, b"\x80\x02]r" + struct.pack("<I", 2**31 - 1) + b"."):
        path.write_bytes(data)
        with pytest.raises(InputError):
            load_array_pickle(path)
    monkeypatch.setattr(pickles, "MAX_BYTES", 100)
    path.write_bytes(pickle.dumps(np.zeros(1000)))
    np.save(tmp_path / "x.npy", np.zeros(1000))
    with pytest.raises(InputError, match="expected at most 100"):
        load_array_pickle(path)
    with pytest.raises(InputError, match="expected at most 100"):
        load_npy(tmp_path / "x.npy")


def test_npy_with_objects_is_refused(tmp_path):
    np.save(
        tmp_path / "x.npy", np.array([Attack(os.mkdir, str(tmp_path / "made"))], object), allow_pickle=True
    )
    with pytest.raises(InputError, match=r"x\.npy: cannot be read as \.npy"):
        load_npy(tmp_path / "x.npy")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kind", ["lists", "arrays", "itself"])
def test_parts_that_stand_many_times_in_parts_that_do(tmp_path, kind):
    content = np.zeros(1 << 16) if kind == "arrays" else [1]
    for _ in range(60 if kind == "lists" else 12):
        content = [content, content]
    if kind == "itself":
        content[0] = content
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"x": content}))
    with pytest.raises(InputError, match=r"a\.pkl: (unpacks to more than|cannot be read)"):
        load_object_pickle(tmp_path / "a.pkl")


def test_a_part_that_stands_twice_is_read(tmp_path):
    array = np.arange(3.0)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"x": [array, array], "y": (array,)}))
    found = load_object_pickle(tmp_path / "a.pkl")
    np.testing.assert_array_equal(found["x"], [array, array])
    np.testing.assert_array_equal(found["y"][0], array)


@pytest.mark.parametrize("load", [load_array_pickle, load_object_pickle, load_npy])
def test_pipes_are_no_files(tmp_path, load):
    os.mkfifo(tmp_path / "a.npy")
    with pytest.raises(InputError, match=r"a\.npy: is not a file"):
        load(tmp_path / "a.npy")
