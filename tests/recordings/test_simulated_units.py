"""The preset of the simulator that records units: other ones in every animal, the behaviour of the default."""

from __future__ import annotations

import numpy as np
import pytest

from neural_action.config.settings import SimulationSettings
from neural_action.errors import InputError
from neural_action.recordings.readers import mc2p
from neural_action.recordings.simulate import neural
from neural_action.recordings.simulate.presets import FILES_OF_UNITS, resolve, trial_folders
from neural_action.recordings.simulate.release import simulate_animal
from neural_action.recordings.simulate.trial import make_animal, make_trial

SHORT = {"animals": 3, "seconds": 20.0, "trials": 2}
UNITS = SimulationSettings(preset="units", overrides=SHORT)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Three animals, written."""
    folder = tmp_path_factory.mktemp("raw")
    for animal in range(3):
        simulate_animal(UNITS, animal, folder)
    return folder


def read(folder, row):
    return mc2p.read(folder, row, mc2p.Options(), None).check("simulated")


def test_the_reader_reads_traces(raw):
    rows = mc2p.scan(raw, mc2p.Options())
    assert [(row.animal, row.trial, row.path) for row in rows] == trial_folders(resolve(UNITS))
    counts = set()
    for row in rows[::2]:
        assert sorted(path.name for path in (raw / row.path).iterdir()) == sorted(FILES_OF_UNITS)
        recording = read(raw, row)
        with np.load(raw / row.path / "ground_truth.npz") as truth:
            assert len(truth["footprints"]) == 0
            assert recording.neural.shape == truth["calcium"].shape == (320, len(truth["functional_type"]))
        assert (recording.neural.dtype, recording.behavior.shape) == (np.float32, (2000, 38, 2))
        assert recording.neural.min() >= 0
        assert read(raw, rows[rows.index(row) + 1]).neural.shape == recording.neural.shape
        counts.add(recording.neural.shape[1])
        assert raw / row.path / "traces.npy" in mc2p.files(raw, row, mc2p.Options())
    assert len(counts) > 1


def test_behaviour_is_that_of_the_default():
    default, units = (
        resolve(SimulationSettings(preset=name, overrides=SHORT)) for name in ("default", "units")
    )
    one, other = (make_trial(preset, make_animal(preset, 1), 1) for preset in (default, units))
    for name in ("keypoints", "angles", "action", "modulators", "frame_of_sample"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_animals_share_some_units_in_no_order():
    preset = resolve(UNITS)
    cells = []
    for number in range(3):
        axons = make_animal(preset, number).axons
        assert (axons.kind == neural.PRIVATE).sum() == preset.private
        order = [cell for cell in zip(axons.kind.tolist(), axons.side.tolist(), strict=True) if cell[0] >= 0]
        assert order != sorted(order)
        cells.append(order)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        shared = set(cells[one]) & set(cells[other])
        assert 0.3 < len(shared) / len(cells[one]) < 0.9
        places = [[cells[who].index(cell) for cell in sorted(shared)] for who in (one, other)]
        assert abs(np.corrcoef(places)[0, 1]) < 0.5


def test_the_order_changes_nothing_else():
    """A unit's truth goes with it: the tuning of its type, but for what an animal scatters."""
    preset = resolve(SimulationSettings(preset="units", overrides={**SHORT, "neural_gap": 0.0}))
    shared = neural.draw_tuning(preset, preset.types, np.random.default_rng([preset.seed, 0, 0, 0]))
    axons = make_animal(preset, 2).axons
    assert len(axons.kind) == 2 * preset.types
    np.testing.assert_array_equal(axons.tuning.rate, shared.rate[axons.kind])
    np.testing.assert_array_equal(axons.tuning.independent, shared.independent[axons.kind])


def test_without_noise_traces_are_calcium():
    clean = {**SHORT, "photons": 1e8, "bleaching": 0.0, "neuropil": 0.0}
    preset = resolve(SimulationSettings(preset="units", overrides=clean))
    who = make_animal(preset, 0)
    trial = make_trial(preset, who, 0)
    expected = 1 + preset.response * trial.calcium * who.axons.gain
    assert trial.fluorescence == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((320, 3, 2)), r"traces\.npy: float64 of shape \(320, 3, 2\), expected traces"),
        (np.full((320, 3), np.nan), "NaN or infinity in frame 0"),
        (np.ones((9, 3)), r"lies outside the 9 frames of traces\.npy"),
    ],
)
def test_traces_that_cannot_be(raw, tmp_path, array, says):
    row = mc2p.scan(raw, mc2p.Options())[0]
    copy = tmp_path / row.path
    copy.mkdir(parents=True)
    for path in (raw / row.path).iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    np.save(copy / "traces.npy", array)
    with pytest.raises(InputError, match=says):
        read(tmp_path, row)
    (copy / "2p_dff.mm").write_bytes(bytes(4 * 256))
    with pytest.raises(InputError, match=r"holds traces\.npy and 2p_dff\.mm, expected one of them"):
        read(tmp_path, row)
