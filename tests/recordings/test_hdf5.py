"""HDF5 that reads elsewhere, or claims more than it can hold, is refused before anything of it is read."""

import h5py
import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.recordings.formats import caiman, sleap, thorsync
from neural_action.recordings.hdf5 import opened


def linked(file):
    file["group/y"] = h5py.ExternalLink("other.h5", "/x")


def through_a_soft_link(file):
    file["group/e"] = h5py.SoftLink("/far/x")
    file["far"] = h5py.ExternalLink("other.h5", "/")


def stored_outside(file):
    file.create_dataset("group/y", (10,), "f8", external=[("other.bin", 0, 80)])


def virtual(file):
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", (10,))
    file.create_virtual_dataset("group/y", layout)


def large(file, name="group/y", count=192 << 27):
    file.create_dataset(name, (count,), "f8", chunks=(1024,))


def many(file):
    for at in range(20):
        large(file, f"d{at}", 100 << 17)


def one_by_many_names(file):
    large(file, "d", 100 << 17)
    for at in range(10):
        file[f"soft{at}"] = h5py.SoftLink("/d")
        file[f"hard{at}"] = file["d"]


def large_chunk(file):
    file.create_dataset("group/y", (4,), "f8", chunks=(400 << 20,), maxshape=(None,))


CASES = [
    (linked, r"group/y is a link to /x in other\.h5"),
    (through_a_soft_link, r"far is a link to / in other\.h5"),
    (stored_outside, r"group/y is stored in other\.bin"),
    (virtual, "group/y is a virtual dataset"),
    (large, r"group/y claims 192\.0 GiB"),
    (many, r"d18 claims 0\.1 GiB .*all datasets up to it 1\.1 GiB"),
    (one_by_many_names, r"\w+ claims 0\.1 GiB .*all datasets up to it 1\.1 GiB"),
    (large_chunk, r"group/y claims 3\.1 GiB"),
]


@pytest.mark.parametrize(("make", "says"), CASES)
def test_refused(tmp_path, make, says):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.arange(10.0)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file)
    with pytest.raises(InputError, match=rf"a\.h5: {says}"), opened(tmp_path / "a.h5"):
        pass


def test_links_within_the_file_are_followed(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(10.0)
        file["y"] = h5py.SoftLink("/x")
        file["nowhere"] = h5py.SoftLink("/none")
        file["up/again"] = h5py.SoftLink("/up")
        file["empty"] = h5py.Empty("f4")
    with opened(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["y"], np.arange(10.0))


@pytest.mark.parametrize("name", ["estimates/F_dff", "tracks", "CI/Frames", "acquisition/s/data"])
def test_no_format_reads_another_file(tmp_path, name):
    pytest.importorskip("pynwb")
    from neural_action.recordings.formats import nwb

    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.ones((3, 4))
    path = tmp_path / "a.nwb"
    with h5py.File(path, "w") as file:
        file["node_names"] = [b"a"]
        file["estimates/C"] = np.zeros((3, 4))
        file[name] = h5py.ExternalLink("secret.h5", "/x")
    readings = [
        lambda: caiman.neural(path, caiman.Options()),
        lambda: sleap.behavior(path, sleap.Options()),
        lambda: thorsync.edge_times(path, "Frames", 10.0),
        lambda: nwb.neural(path, nwb.Options()),
        lambda: nwb.behavior(path, nwb.Options()),
    ]
    for read in readings:
        with pytest.raises(InputError, match=r"is a link to /x in secret\.h5"):
            read()
