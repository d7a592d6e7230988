"""The layout: what is laid out is what was stored, damage is noticed, and what does not fit is one clear line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from neural_action.datasets.layout import ARRAYS, FILES, lay_out, open_layout
from neural_action.errors import InputError
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import write_store


def recording(animal: str, trial: str, shape: tuple[int, ...], seed: int) -> Recording:
    """Twenty frames of ``shape`` at 10 /s, forty samples of two keypoints at 20 /s."""
    rng = np.random.default_rng(seed)
    return Recording(
        animal=animal,
        trial=trial,
        neural=rng.random((20, *shape)).astype(np.float32),
        neural_time=np.arange(20) / 10.0,
        behavior=rng.random((40, 2, 3)).astype(np.float32),
        behavior_time=np.arange(40) / 20.0,
        labels=(np.arange(40) % 2 - 1).astype(np.int8),
        neural_index=(np.arange(40) // 2).astype(np.int32),
        class_names=("walk", "rest"),
        behavior_names=("head", "tail"),
        neural_rate=10.0,
        behavior_rate=20.0,
    )


@pytest.fixture
def stored(tmp_path):
    """A function that stores recordings and returns their manifests."""

    def store(*recordings: Recording):
        paths = []
        for at, one in enumerate(recordings):
            path = tmp_path / str(at)
            write_store(one, path / "r.zarr", path / "m.json", dataset="d", steps={}, chunk_mb=1.0)
            paths.append(path / "m.json")
        return paths

    return store


@pytest.fixture
def three(stored):
    """Two animals with other numbers of units, given in another order than by name."""
    made = [recording("B", "1", (3,), 0), recording("A", "2", (5,), 1), recording("A", "1", (5,), 2)]
    return made, stored(*made)


@pytest.mark.parametrize("on_disk", [False, True])
def test_what_is_laid_out_is_what_was_stored(three, tmp_path, on_disk):
    made, paths = three
    layout = lay_out(paths, tmp_path / "dataset" if on_disk else None)
    assert [(entry.animal, entry.trial) for entry in layout.entries] == [("A", "1"), ("A", "2"), ("B", "1")]
    assert layout.units == {"A": (5,), "B": (3,)}
    by_name = {(one.animal, one.trial): one for one in made}
    for entry in layout.entries:
        own = by_name[entry.animal, entry.trial]
        np.testing.assert_array_equal(layout.neural(entry), own.neural)
        behavior = layout.arrays["behavior"][entry.samples].reshape(-1, *layout.behavior_shape)
        np.testing.assert_array_equal(behavior, own.behavior)
        for name in ("behavior_time", "labels", "neural_index"):
            np.testing.assert_array_equal(layout.arrays[name][entry.samples], getattr(own, name))
        np.testing.assert_array_equal(layout.arrays["neural_time"][entry.frames], own.neural_time)
    if on_disk:
        assert {path.name for path in (tmp_path / "dataset").iterdir()} == set(FILES)
        again = open_layout(tmp_path / "dataset")
        assert again.entries == layout.entries
        assert again.digest == layout.digest
        without = open_layout(tmp_path / "dataset", neural=False)
        assert without.arrays["neural"].size == 0
        np.testing.assert_array_equal(without.arrays["labels"], layout.arrays["labels"])


@pytest.mark.parametrize("name", ARRAYS)
def test_damage_is_noticed_where_it_is_read(three, tmp_path, name):
    folder = tmp_path / "dataset"
    lay_out(three[1], folder)
    path = folder / f"{name}.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match=f"{name}.npy: changed or damaged"):
        open_layout(folder)
    path.unlink()
    with pytest.raises(InputError, match=f"{name}.npy: missing"):
        open_layout(folder)
    if name == "neural":
        open_layout(folder, neural=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update(schema=0), "schema 0, expected 1; rerun rule dataset"),
        (lambda content: content.pop("entries"), "cannot be read as a dataset"),
        (lambda content: content["entries"][0].pop("frames"), "cannot be read as a dataset"),
        (lambda content: content["sha256"].pop("labels"), "cannot be read as a dataset"),
    ],
)
def test_a_description_that_is_none_is_one_clear_line(three, tmp_path, change, message):
    lay_out(three[1], tmp_path / "dataset")
    path = tmp_path / "dataset" / "dataset.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        open_layout(tmp_path / "dataset")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": ("walk", "groom")}, "class_names .* differs"),
        ({"behavior_names": ("head", "leg")}, "behaviour .* differs"),
        ({"neural_rate": 12.0}, r"neural rate 12 /s differs from 10 /s .* expected one rate"),
        ({"behavior_rate": 25.0}, r"behavior rate 25 /s differs from 20 /s"),
        (
            {"neural": np.zeros((20, 4), np.float32)},
            r"neural frame \(4,\) differs from \(5,\) of the same animal",
        ),
        ({"trial": "1"}, "has the same name as"),
    ],
)
def test_recordings_that_do_not_fit_are_one_clear_line(stored, changes, message):
    one, other = recording("A", "1", (5,), 0), replace(recording("A", "2", (5,), 1), **changes)
    with pytest.raises(InputError, match=message):
        lay_out(stored(one, other))


def test_one_recording_under_two_names_is_one_clear_line(stored):
    one = recording("A", "1", (5,), 0)
    with pytest.raises(InputError, match="has the same neural data as"):
        lay_out(stored(one, replace(one, trial="2")))


def test_nothing_to_lay_out_is_one_clear_line():
    with pytest.raises(InputError, match="no recording was given"):
        lay_out([])
