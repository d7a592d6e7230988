"""What would make a number wrong without an error, planted in raw files, in results or in code: each is noticed.

By a guard, which stops the stage with a line, or by a diagnostic of the report. docs/development/faults.md lists which.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neural_action.config.evaluation_settings import EvaluationSettings, ProbeConfig
from neural_action.config.output_settings import DiagnosticsSettings
from neural_action.config.settings import (
    ConvertSettings,
    MethodSettings,
    NeighborSettings,
    SimulationSettings,
    WindowSettings,
)
from neural_action.datasets import dataset as datasets
from neural_action.datasets.layout import Layout, lay_out
from neural_action.datasets.split_table import Piece
from neural_action.datasets.windows import window_table
from neural_action.diagnostics.duplicates import check_overlap
from neural_action.diagnostics.labels import check_labels
from neural_action.diagnostics.leaks import check_normalisation, check_swaps, check_windows
from neural_action.diagnostics.names import check_names
from neural_action.diagnostics.synchrony import check_synchrony
from neural_action.errors import InputError
from neural_action.evaluation import evaluate as evaluation
from neural_action.evaluation import tasks
from neural_action.neighbors.table import build_swap_table
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.samples import SampleRow, scan
from neural_action.recordings.simulate.release import simulate_animal

CONVERT = ConvertSettings(reader="mc2p", root_relative=True)
WINDOWS, DIAGNOSTICS = WindowSettings(stride=4), DiagnosticsSettings()
TRIAL = ("Fly2", "002")


class Recordings:
    """Raw files, their stores and a split: what is called 001 is tested, and hidden."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.rows = scan("mc2p", folder / "raw", {})

    def raw(self, animal: str, trial: str) -> Path:
        """Folder of a trial."""
        return self.folder / "raw" / next(r.path for r in self.rows if (r.animal, r.trial) == (animal, trial))

    def convert(self, animal: str, trial: str, **changes) -> None:
        """Raw files to the store."""
        path, root = self.raw(animal, trial), self.folder / "raw"
        store = self.folder / "recordings" / animal / f"{trial}.zarr"
        settings = CONVERT.model_copy(update=changes)
        row = SampleRow(animal, trial, str(path.relative_to(root)))
        convert_trial(settings, "tiny", root, row, store, store.with_name(f"{trial}.manifest.json"))

    def layout(self) -> Layout:
        """All stores, laid out."""
        return lay_out(sorted((self.folder / "recordings").rglob("*.manifest.json")))

    def dataset(self):
        """As every stage reads it."""
        layout = self.layout()
        return datasets.dataset_of(layout, pieces_of(layout), WINDOWS)


def pieces_of(layout: Layout, *trained: tuple[str, str]):
    """The split, with trials that are trained on though they should be tested."""
    pieces = {}
    for entry in layout.entries:
        count = entry.frames.stop - entry.frames.start
        seen = entry.trial != "001" or (entry.animal, entry.trial) in trained
        pieces[entry.animal, entry.trial] = [Piece(0, count, "train" if seen else "test", seen, seen)]
    return pieces


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
    assert warned(check_normalisation(dataset, "fold-0")) == set()


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
    with pytest.raises(InputError, match=r"neural_index assigns sample .* are the sampling rates right"):
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
    with pytest.raises(InputError, match="neural_index assigns sample"):
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
    with pytest.raises(InputError, match=r"Fly3/003.* has the same neural data as .*Fly1/003"):
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


def test_a_test_trial_leaked_into_training(sound):
    layout = sound.layout()
    leaky = datasets.dataset_of(layout, pieces_of(layout, ("Fly2", "001")), WINDOWS)
    windows = window_table(leaky, WINDOWS, stride=4)
    found = check_windows(layout, pieces_of(layout), leaky, windows, WINDOWS.behavior_stride, "fold-0")
    assert warned(found) == {"fold-0", "Fly2/001"}
    trained = [finding.message for finding in found if finding.subject == "fold-0"]
    assert all("Fly2/001" in message for message in trained)
    assert ["visible in pretraining" in message for message in trained] == [True, False]
    sound_windows = window_table(sound.dataset(), WINDOWS, stride=4)
    stride = WINDOWS.behavior_stride
    assert not warned(
        check_windows(layout, pieces_of(layout), sound.dataset(), sound_windows, stride, "fold-0")
    )


def test_a_test_trial_leaked_into_the_swap_table(sound, tmp_path):
    dataset, settings = sound.dataset(), NeighborSettings(neighbors=8, draws=4)
    layout = sound.layout()
    leaky = datasets.dataset_of(layout, pieces_of(layout, ("Fly2", "001")), WINDOWS)
    given = (dataset.pose, dataset.pose_animal, leaky.pose_visible)
    table = build_swap_table(*given, settings, names=dataset.animals)
    assert warned(check_swaps(dataset, table, "fold-0")) == {"fold-0"}
    with pytest.raises(InputError, match="swaps are with poses that this run hides"):
        table.fits(tmp_path / "swaps.npz", dataset, trained_on=True)


def test_pose_normalisation_fitted_on_test_trials(sound, monkeypatch):
    fit = datasets.normalise_pose
    monkeypatch.setattr(
        datasets,
        "normalise_pose",
        lambda pose, trials: fit(pose, [replace(trial, sees_input=True) for trial in trials]),
    )
    assert warned(check_normalisation(sound.dataset(), "fold-0")) == {"fold-0"}


PROBES = {"softmax": ProbeConfig(kind="softmax", solver="sgd", steps=50, tasks=["within", "across"])}
SETTINGS = EvaluationSettings(tasks=["within", "across"], label_budgets=["all"])


def read(features, windows, dataset):
    """The scores and predictions of a row."""
    row = MethodSettings(label="x", representation="behavior")
    data = evaluation.EvaluationData(windows, dataset.animals, dataset.class_names)
    return evaluation.evaluate({"encoder": features}, data, row, PROBES, SETTINGS, "fold-0", 0)


@pytest.mark.parametrize("task", ["within", "across"])
@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_probe_whose_trials_train_or_choose_and_test_it(sound, monkeypatch, task, part):
    dataset = sound.dataset()
    windows = window_table(dataset, WINDOWS, stride=4)
    features = np.zeros((len(windows), 2), np.float32)
    of_animal = tasks._of_animal

    def leaky(asked, *given):
        problem = of_animal(asked, *given)
        rows = np.append(getattr(problem, part), problem.test[0])
        return replace(problem, **{part: rows}) if asked == task else problem

    monkeypatch.setattr(tasks, "_of_animal", leaky)
    with pytest.raises(InputError, match=f"{task}, .*: 1 trials are in both training"):
        read(features, windows, dataset)


def test_labels_of_a_test_that_may_be_trained_with(sound):
    dataset = sound.dataset()
    windows = window_table(dataset, WINDOWS, stride=4)
    leaky = replace(windows, sees_label=np.ones(len(windows), bool))
    with pytest.raises(InputError, match="test windows may be used for training, expected none"):
        read(np.zeros((len(windows), 2), np.float32), leaky, dataset)


def reads_tested_windows(windows, features, dataset) -> bool:
    """Whether what probes say of the first half of the tested windows depends on the other half."""
    test = np.flatnonzero(windows.role == "test")
    early, late = np.array_split(test, 2)
    other = features.copy()
    other[late] = 100 * other[late] + 50
    one, two = (read(values, windows, dataset).predicted[early] for values in (features, other))
    return not np.array_equal(one, two)


def test_probe_normalisation_fitted_on_test_windows(sound, monkeypatch):
    dataset = sound.dataset()
    windows = window_table(dataset, WINDOWS, stride=4)
    features = np.random.default_rng(0).standard_normal((len(windows), 8)).astype(np.float32)
    assert not reads_tested_windows(windows, features, dataset)
    problems = evaluation.problems

    def leaky(*given):
        for problem in problems(*given):
            yield replace(problem, fitted=np.concatenate([problem.fitted, problem.test]))

    monkeypatch.setattr(evaluation, "problems", leaky)
    assert reads_tested_windows(windows, features, dataset)
