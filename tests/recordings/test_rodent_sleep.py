"""Arousal states: made-up files, and the real ones where they are."""

import os
from pathlib import Path

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.recordings.readers import rodent_sleep
from neural_action.recordings.readers.rodent_sleep import Options
from neural_action.recordings.samples import SampleRow


def write(folder: Path, counts=None, states=None, prefix: str = "") -> SampleRow:
    counts = np.arange(12, dtype=np.int32).reshape(2, 6) if counts is None else counts
    states = np.array([0.0, 1, 1, 2, -1, 0]) if states is None else states
    np.save(folder / f"{prefix}fr_bins_a.npy", counts)
    np.save(folder / f"{prefix}behav_states_a.npy", states)
    return SampleRow("mouse", "a", f"{prefix}fr_bins_a.npy")


def test_counts_and_states_become_a_recording(tmp_path):
    row = write(tmp_path)
    found = rodent_sleep.read(tmp_path, row, Options(), None).check("x")
    assert found.neural.tolist() == [[0, 6], [1, 7], [2, 8], [3, 9], [4, 10], [5, 11]]
    assert found.labels.tolist() == [0, 1, 1, 2, -1, 0]
    assert found.neural_time.tolist() == [2, 6, 10, 14, 18, 22]
    assert (found.neural_rate, found.class_names, found.segment) == (0.25, ("wake", "nrem", "rem"), None)


def test_animals_are_named_by_prefix(tmp_path):
    row = write(tmp_path)
    write(tmp_path, prefix="KDR14_")
    rows = rodent_sleep.scan(tmp_path, Options())
    assert {(row.animal, row.trial) for row in rows} == {("mouse", "a"), ("KDR14", "a")}
    assert [row.animal for row in rodent_sleep.scan(tmp_path, Options(animals=["KDR14"]))] == ["KDR14"]
    assert len(rodent_sleep.files(tmp_path, row, Options())) == 2


def test_states_without_counts_are_one_clear_error(tmp_path):
    write(tmp_path)
    np.save(tmp_path / "XYF06_1217_b5_neurons_qualitybehav_states_a.npy", np.zeros(6))
    with pytest.raises(
        InputError, match=r"qualityfr_bins_a\.npy: no such file, expected the spike counts of rat"
    ) as raised:
        rodent_sleep.scan(tmp_path, Options())
    assert "\n" not in str(raised.value)
    assert len(rodent_sleep.scan(tmp_path, Options(animals=["mouse"]))) == 1
    with pytest.raises(InputError, match="no recording of 'cat'"):
        rodent_sleep.scan(tmp_path, Options(animals=["cat"]))


@pytest.mark.parametrize(
    ("counts", "states", "message"),
    [
        (np.zeros(6), None, "expected counts"),
        (np.full((2, 6), -1), None, "unit 0 has -1 spikes in bin 0"),
        (np.full((2, 6), np.nan), None, "unit 0 has nan spikes"),
        (None, np.zeros(5), "expected 6 states"),
        (None, np.array([0, 1, 3, 0, 0, 0.0]), "state 3 in bin 2, expected 0 to 2"),
        (None, np.array([0, 1, 0.5, 0, 0, 0.0]), r"state 0\.5 in bin 2"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, counts, states, message):
    row = write(tmp_path, counts, states)
    with pytest.raises(InputError, match=message):
        rodent_sleep.read(tmp_path, row, Options(), None)


@pytest.mark.real_data
def test_the_real_mouse_is_read_and_the_rat_is_missing():
    if not (folder := os.environ.get("NEURAL_ACTION_DATA")):
        pytest.skip("NEURAL_ACTION_DATA names no folder of real recordings")
    folder = Path(folder) / "rodent_sleep"
    (row,) = rodent_sleep.scan(folder, Options(animals=["mouse"]))
    found = rodent_sleep.read(folder, row, Options(), None).check("x")
    assert found.neural.shape == (10800, 42)
    assert np.bincount(found.labels).tolist() == [3832, 6206, 762]
    with pytest.raises(InputError, match="spike counts of rat beside its states"):
        rodent_sleep.scan(folder, Options(animals=["rat"]))
