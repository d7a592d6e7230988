"""What would make a number wrong without an error, planted in raw files, in results or in code: each is noticed.

By a guard, which stops the stage with a line, or by a diagnostic of the report. docs/faults.md lists which.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from neural_action.recordings.splits import Holdout

from neural_action.config.settings import (
    ClipSettings,
    ConvertSettings,
    DiagnosticsSettings,
    NeighborSettings,
    ProbeSettings,
    SimulationSettings,
)
from neural_action.datasets.windows import window_table
from neural_action.diagnostics.duplicates import check_overlap
from neural_action.diagnostics.labels import check_labels
from neural_action.diagnostics.leaks import check_leak, check_normalisation, check_swaps
from neural_action.diagnostics.names import check_names
from neural_action.diagnostics.synchrony import check_synchrony
from neural_action.errors import InputError
from neural_action.evaluation import tasks
from neural_action.neighbors.table import build_swap_table
from neural_action.recordings import dataset as cohorts
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.sheet import SheetRow, scan
from neural_action.recordings.simulate import simulate_animal

CONVERT = ConvertSettings(reader="mc2p", root_relative=True)
CLIPS, DIAGNOSTICS = ClipSettings(stride=4), DiagnosticsSettings()
TRIAL = ("Fly2", "002")


class Recordings:
    """Raw files, their stores and folds; a fold a trial number."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.rows = scan("mc2p", folder / "raw", {})
        self.folds = {(row.animal, row.trial): int(row.trial) - 1 for row in self.rows}

    def raw(self, animal: str, trial: str) -> Path:
        """Folder of a trial."""
        return self.folder / "raw" / next(r.path for r in self.rows if (r.animal, r.trial) == (animal, trial))

    def convert(self, animal: str, trial: str, **changes) -> None:
        """Raw files to the store."""
        path, root = self.raw(animal, trial), self.folder / "raw"
        store = self.folder / "recordings" / animal / f"{trial}.zarr"
        settings = CONVERT.model_copy(update=changes)
        row = SheetRow(animal, trial, str(path.relative_to(root)))
        convert_trial(settings, "tiny", root, row, store, store.with_name(f"{trial}.manifest.json"))

    def dataset(self, holdout: str = "fold-0"):
        """As every stage reads it."""
        manifests = sorted((self.folder / "recordings").rglob("*.manifest.json"))
        return cohorts.load_cohort(manifests, self.folds, Holdout.parse(holdout), CLIPS)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The tiny data set, as it is."""
    folder = tmp_path_factory.mktemp("sound")
    for animal in range(3):
        simulate_animal(SimulationSettings(preset="tiny"), animal, folder / "raw")
    recordings = Recordings(folder)
    for row in recordings.rows:
        recordings.convert(row.animal, row.trial)
    return recordings


@pytest.fixture
def planted(sound, tmp_path):
    """A copy to plant a fault in."""
    shutil.copytree(sound.folder, tmp_path / "planted")
    return Recordings(tmp_path / "planted")


def warned(findings) -> set[str]:
    """Subjects of what a check complains of."""
    return {finding.subject for finding in findings if finding.severity in ("warning", "error")}


def test_sound_recordings_raise_nothing(sound):
    dataset = sound.dataset()
    assert warned(check_labels(dataset, DIAGNOSTICS)[0]) == set()
    assert warned(check_synchrony(dataset, DIAGNOSTICS)[0]) == set()
    assert warned([*check_names(dataset, DIAGNOSTICS), *check_overlap(dataset)]) == set()
    assert warned(check_normalisation(dataset, sound.folds, "fold-0")) == set()


def shift_labels(recordings: Recordings, animal: str, trial: str) -> None:
    path = recordings.raw(animal, trial) / "labels.npy"
    np.save(path, np.roll(np.load(path), 100))
    recordings.convert(animal, trial)


def test_labels_a_second_late_in_one_trial(planted):
    shift_labels(planted, *TRIAL)
    assert warned(check_labels(planted.dataset(), DIAGNOSTICS)[0]) == {"Fly2/002"}


def test_labels_a_second_late_in_all_trials(planted):
    for row in planted.rows:
        shift_labels(planted, row.animal, row.trial)
    assert "all" in warned(check_labels(planted.dataset(), DIAGNOSTICS)[0])


def test_the_rates_of_the_two_clocks_swapped(planted):
    swapped = {"neural_rate": 100.0, "behavior_rate": 16.0}
    with pytest.raises(InputError, match=r"neural_index puts sample .* are the sampling rates right"):
        planted.convert(*TRIAL, reader_options=swapped)


def stretched(movie: np.ndarray, factor: float) -> np.ndarray:
    """The movie as a clock that runs ``factor`` too fast would have it, of the same length."""
    return movie[np.minimum((np.arange(len(movie)) * factor).astype(int), len(movie) - 1)]


def test_a_neural_clock_that_drifts(planted):
    path = planted.raw(*TRIAL) / "2p_dff.mm"
    movie = np.fromfile(path, np.float32).reshape(-1, 16, 16)
    stretched(movie, 0.9).tofile(path)
    planted.convert(*TRIAL)
    assert warned(check_synchrony(planted.dataset(), DIAGNOSTICS)[0]) == {"Fly2/002"}


def test_a_neural_clock_that_drifts_from_its_own_index(planted):
    path = planted.raw(*TRIAL) / "indices.npy"
    np.save(path, (np.load(path) * 0.95).astype(int))
    with pytest.raises(InputError, match="neural_index puts sample"):
        planted.convert(*TRIAL)


def test_neural_data_two_seconds_late(planted):
    path = planted.raw(*TRIAL) / "2p_dff.mm"
    movie = np.fromfile(path, np.float32).reshape(-1, 16, 16)
    np.roll(movie, 32, axis=0).tofile(path)
    planted.convert(*TRIAL)
    assert warned(check_synchrony(planted.dataset(), DIAGNOSTICS)[0]) == {"Fly2/002"}


def test_two_trials_under_each_others_animals(planted):
    one, two = planted.raw("Fly1", "003"), planted.raw("Fly3", "003")
    one.rename(planted.folder / "aside")
    two.rename(one)
    (planted.folder / "aside").rename(two)
    for animal in ("Fly1", "Fly3"):
        planted.convert(animal, "003")
    assert warned(check_names(planted.dataset(), DIAGNOSTICS)) == {"Fly1/003", "Fly3/003"}


def test_one_recording_under_two_names(planted):
    one, two = planted.raw("Fly1", "003"), planted.raw("Fly3", "003")
    shutil.rmtree(two)
    shutil.copytree(one, two)
    planted.convert("Fly3", "003")
    with pytest.raises(InputError, match=r"Fly3/003.* has the neural data of .*Fly1/003"):
        planted.dataset()


def test_trials_that_overlap_in_time(planted):
    """The last trial is cut from the recording that the one before is from, a few seconds of which it repeats."""
    one, two = planted.raw("Fly1", "003"), planted.raw("Fly1", "004")
    for name, width, repeated in (("2p_dff.mm", 256, 64), ("pose_result.mm", 76, 400)):
        ends = np.fromfile(one / name, np.float32).reshape(-1, width)[-repeated:]
        kept = np.fromfile(two / name, np.float32).reshape(-1, width)[:-repeated]
        np.concatenate([ends, kept]).tofile(two / name)
    planted.convert("Fly1", "004")
    assert warned(check_overlap(planted.dataset())) == {"Fly1/004"}


def seen(dataset, *trials):
    """The dataset with trials that are hidden taken for visible."""
    spans = tuple(replace(s, visible=s.visible or (s.animal, s.trial) in trials) for s in dataset.trials)
    return replace(dataset, trials=spans)


def test_a_test_trial_leaked_into_training(sound):
    leaky = seen(sound.dataset(), ("Fly2", "001"))
    found = check_leak(leaky, window_table(leaky, CLIPS, stride=4), sound.folds, "fold-0")
    assert warned(found) == {"fold-0"}
    assert "Fly2/001" in found[0].message


def test_a_test_trial_leaked_into_the_swap_table(sound, tmp_path):
    dataset, settings = sound.dataset(), NeighborSettings(neighbors=8, draws=4)
    visible = seen(dataset, ("Fly2", "001")).pose_visible
    table = build_swap_table(dataset.pose, dataset.pose_animal, visible, settings, names=dataset.animals)
    assert warned(check_swaps(dataset, table, sound.folds, "fold-0")) == {"fold-0"}
    with pytest.raises(InputError, match="swaps are with poses that are hidden here"):
        table.fits(tmp_path / "swaps.npz", dataset, trained_on=True)


def test_pose_normalisation_fitted_on_test_trials(sound, monkeypatch):
    fit = cohorts.normalise_pose
    monkeypatch.setattr(
        cohorts, "normalise_pose", lambda pose, spans: fit(pose, [replace(s, visible=True) for s in spans])
    )
    assert warned(check_normalisation(sound.dataset(), sound.folds, "fold-0")) == {"fold-0"}


def test_a_probe_whose_trials_train_and_test_it(sound):
    clips = window_table(sound.dataset(), CLIPS, stride=4)
    probe = next(tasks.action_probes(clips, ("Fly1", "Fly2", "Fly3"), Holdout("none"), ProbeSettings(), 0))
    leaky = replace(probe, train=np.append(probe.train, probe.test[0]))
    reading = tasks.Reading(8, 3, ProbeSettings(steps=1), 0)
    features = np.zeros((len(clips), 2), np.float32)
    with pytest.raises(InputError, match="1 trials train and test the probe"):
        tasks.run_action_probe(leaky, features, clips, reading)


def reads_tested_clips(clips, features, reading, probe) -> bool:
    """Whether what a probe says of one half of the tested clips depends on the other half."""
    half = len(probe.test) // 2
    other = features.copy()
    other[probe.test[half:]] = 100 * other[probe.test[half:]] + 50
    one, two = (tasks.run_action_probe(probe, values, clips, reading)[1] for values in (features, other))
    return not np.array_equal(one[:half], two[:half])


def test_probe_normalisation_fitted_on_test_clips(sound, monkeypatch):
    clips = window_table(sound.dataset(), CLIPS, stride=4)
    probe = next(tasks.action_probes(clips, ("Fly1", "Fly2", "Fly3"), Holdout("none"), ProbeSettings(), 0))
    features = np.random.default_rng(0).standard_normal((len(clips), 8)).astype(np.float32)
    reading = tasks.Reading(8, 3, ProbeSettings(steps=50), 0)
    assert not reads_tested_clips(clips, features, reading, probe)
    scale = tasks.scale

    def leaky(train, test, *, by_feature):
        both, _ = scale(np.concatenate([train, test]), test, by_feature=by_feature)
        return both[: len(train)], both[len(train) :]

    monkeypatch.setattr(tasks, "scale", leaky)
    assert reads_tested_clips(clips, features, reading, probe)
