"""What check prints, and with which status it ends; the rests it counts are those that the fit finds."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from neural_action.calcium.fit import fit_kernel
from neural_action.config.load import merged, rows_file
from neural_action.config.plan import Plan
from neural_action.config.settings import CalciumSettings, SplitSettings
from neural_action.errors import InputError
from neural_action.preflight.alike import Form, unlike
from neural_action.preflight.problems import notes
from neural_action.preflight.rests import Motion, count_rests
from neural_action.recordings.readers import paired
from neural_action.recordings.recording import Recording
from neural_action.recordings.samples import SampleRow
from neural_action.stages.check import _short, run
from running import ROOT

SETTINGS = CalciumSettings(bootstrap=2)


def test_trials_that_differ_are_named_with_what_differs():
    usual = Form("m1 d1", (20,), (3, 2), ("nose", "paw", "tail"))
    lacking = Form("m1 d2", (20,), (2, 2), ("nose", "paw"))
    (said,) = unlike([usual, lacking, usual])
    assert said.startswith("behaviour of m1 d2 has no tail; expected the same keypoints")
    assert "exclude" in said
    more = Form("m1 d3", (21,), (3, 2), ("nose", "tail", "paw"))
    first, second = unlike([usual, usual, more])
    assert first.startswith(
        "neural frames of m1 d3 are 21, in most trials they are 20; expected the same units in every trial of an animal"
    )
    assert second.startswith("behaviour of m1 d3 has them in another order (nose, tail, paw)")
    (axes,) = unlike([usual, usual, Form("m3 d1", (20,), (3, 3), usual.names)])
    assert "behaviour of m3 d1 is 3 x 3, in most trials it is 3 x 2" in axes
    assert list(unlike([usual, usual])) == []
    # Animals may have units of their own, but not images.
    assert list(unlike([usual, usual, Form("m2 d1", (21,), (3, 2), usual.names)])) == []
    image, other = (Form(f"m{side} d1", (side, side), (3, 2), usual.names) for side in (8, 9))
    (sizes,) = unlike([image, image, other])
    assert (
        "neural frames of m9 d1 are 9 x 9, in most trials they are 8 x 8; expected images of one size"
        in sizes
    )


def rested(seed, rate=100.0, neural_rate=16.0, seconds=60):
    """Neural activity, its clock, a pose that moves 3 s and rests 3 s in turn, and its clock."""
    rng = np.random.default_rng(seed)
    time, frames = np.arange(seconds * rate) / rate, np.arange(seconds * neural_rate) / neural_rate
    moving = (time % 6 < 3)[:, None] * np.sin(2 * np.pi * 3 * time)[:, None] * np.ones(4)
    pose = (moving + 0.001 * rng.standard_normal(moving.shape)).astype(np.float32)
    phase = frames % 6
    neural = np.where(phase < 3, 1.0, np.exp(-(phase - 3) / 0.8))[:, None] + 0.01 * rng.standard_normal(
        (len(frames), 5)
    )
    return neural.astype(np.float32), frames, pose, time


@pytest.mark.parametrize("behavior", ["positions", "velocities"])
def test_rests_are_those_that_the_kernel_is_fitted_to(behavior):
    settings = SETTINGS.model_copy(update={"behavior": behavior})
    trials = [rested(seed) for seed in range(3)]
    own = {("a", str(at)): motion(*trial, behavior) for at, trial in enumerate(trials)}
    every = [("a", str(at)) for at in range(8)]
    rests = count_rests(own, every, SplitSettings(folds=8), settings)
    assert rests.found == fit_kernel(trials, settings).n_bouts > 20
    # Of 8 trials alike a run sees 7.
    assert rests.fewest == rests.found / 3 * 7
    assert rests.enough
    never = count_rests(own, every, SplitSettings(), settings.model_copy(update={"rest_seconds": 5.0}))
    assert (never.found, never.enough) == (0, False)


def motion(neural, time, pose, pose_time, behavior="positions"):
    """What rests are found from, of such a trial."""
    recording = Recording(
        "a", "1", neural, time, pose, pose_time, np.zeros(len(pose), np.int8), np.zeros(len(pose), np.int32),
        ("x",), ("p",), 16.0, 100.0,
    )  # fmt: skip
    return Motion.of(recording, False, behavior)


def test_rests_of_one_trial_are_none_for_the_run_that_does_not_see_it():
    neural, time, pose, pose_time = rested(0)
    own = {("a", "0"): motion(neural, time, pose, pose_time)}
    always = np.full(len(pose), own["a", "0"].values.max())
    own["a", "1"] = replace(own["a", "0"], values=always)
    rests = count_rests(own, list(own), SplitSettings(folds=2), SETTINGS)
    assert rests.found > 5
    assert (rests.fewest, rests.enough) == (0, False)


def test_a_part_has_the_rests_that_lie_in_it():
    whole = motion(*rested(0))
    settings, split = SETTINGS, SplitSettings(folds=2)
    parts = {("a", str(at)): whole.between(30.0 * at, 30.0 * at + 30) for at in range(2)}
    halves = count_rests(parts, list(parts), split, settings).found
    both = {("a", "0"): whole, ("a", "1"): whole}
    # The rest at the seam follows no movement in its part, or is cut.
    assert 0 <= count_rests(both, list(both), split, settings).found / 2 - halves <= 1


def test_frames_that_are_too_few_are_no_rest():
    neural, _, pose, pose_time = rested(0)
    slow = motion(neural[:60], np.arange(60) / 1.0, pose, pose_time)
    own = {("a", "0"): slow, ("a", "1"): slow}
    assert count_rests(own, list(own), SplitSettings(folds=2), SETTINGS).found == 0


def test_long_names_keep_their_column():
    assert _short("Fly1") == "Fly1" + 16 * " "
    assert _short("ScholzEtAl2018.AML175_moving.BrainScanner20180223_141721") == "ScholzEtA…23_141721 "


def test_a_row_that_keeps_a_value_of_its_own_is_said():
    plan = Plan(merged([ROOT / "config/methods.yaml", ROOT / "config/test/tiny.yaml"]))
    assert plan.methods["matched_alignment"].settings["training"]["steps"] == 30
    assert list(notes([], plan, {"training": {"steps": 60}})) == [
        "training.steps (60) does not apply to matched_alignment (30): these rows set their own values in "
        "methods.<row>.settings"
    ]
    assert list(notes([], plan, {"training": {"steps": 30}})) == []
    # Who sets both knows.
    own = {
        "training": {"steps": 60},
        "methods": {"matched_alignment": {"settings": {"training": {"steps": 30}}}},
    }
    assert list(notes([], plan, own)) == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("^...", "animals are sessions: a-1 of a-1, a-2 of a-2"),
        ("^a", "animals are sessions: a-1 of a, a-2 of a; no animal can be left out"),
    ],
)
def test_of_which_animal_a_session_is_is_said(tmp_path, expression, said):
    content = merged([ROOT / "config/methods.yaml", ROOT / "config/test/tiny.yaml"])
    samples = tmp_path / "recordings.csv"
    trials = [f"{animal},{at},{animal}/{at}" for animal in ("a-1", "a-2") for at in range(4)]
    samples.write_text("\n".join(["animal,trial,path", *trials]))
    content |= {"recordings": str(samples), "split": {**content["split"], "animal_of_session": expression}}
    assert said in list(notes([], Plan(content), {}))


@pytest.mark.parametrize(
    ("counts", "units", "said"),
    [
        ((30, 40), None, "animals have their own units (a 30, b 40)"),
        ((30, 30), "own", "animals have their own units (a 30, b 30)"),
        ((30, 30), None, "all animals have 30 units, which are taken to be the same in all"),
        ((30, 30), "shared", ""),
    ],
)
def test_whether_animals_share_their_units_is_said(counts, units, said):
    content = merged([ROOT / "config/methods.yaml", ROOT / "config/test/tiny.yaml"])
    content["windows"]["units"] = units
    plan = Plan(content)
    looks = [
        SimpleNamespace(
            row=SampleRow(animal, "1", animal),
            form=SimpleNamespace(neural=(count,), where=animal),
            notes=[],
            covered=1.0,
            source="",
            recorded_rates=(0, 0),
            neural_rate=10,
            behavior_rate=10,
            doubtful={},
        )
        for animal, count in zip("ab", counts, strict=True)
    ]
    found = [note for note in notes(looks, plan, {}) if "units" in note]
    assert len(found) == bool(said)
    assert all(note.startswith(said) for note in found)


@pytest.fixture
def mice(tmp_path):
    """A configuration of two trials of arrays, and the folder; a change of ``d2`` is to be written by the test."""
    arrays = {"neural": {"file": "x.npy", "rate": 10.0}, "behavior": {"file": "pose.npy", "rate": 50.0}}
    for at, trial in enumerate(("d1", "d2")):
        folder = tmp_path / "raw/m1" / trial
        folder.mkdir(parents=True)
        rng = np.random.default_rng(at)
        np.save(folder / "x.npy", rng.random((1000, 4), dtype=np.float32))
        np.save(folder / "pose.npy", np.cumsum(rng.standard_normal((5000, 3)), 0))
        np.save(folder / "labels.npy", (np.arange(5000) // 500) % 2)
        content = {**arrays, "labels": {"file": "labels.npy"}}
        (folder / "session.yaml").write_text(yaml.safe_dump(content))
    source = {"format": "arrays", "path": "{path}/session.yaml"}
    options = {"recordings": "*/*", "neural": source, "behavior": source, "labels": source}
    config = {
        "dataset": "mice",
        "title": "mice",
        "real": True,
        "raw": str(tmp_path / "raw"),
        "seeds": [0],
        "rows": ["raw", "swap_calcium"],
        "convert": {"reader": "paired", "reader_options": options},
        "split": {"folds": 2},
        "calcium": {"decay": 1.0},
        "training": {"batch": 8},
        "encoders": {
            "neural": {"name": "trace_cnn", "width": 4, "layers": 1, "kernel": 3},
            "behavior": {"name": "pose_cnn", "width": 4, "layers": 1, "kernel": 3},
        },
    }
    path = tmp_path / "mice.yaml"
    path.write_text(yaml.safe_dump(config))
    return SimpleNamespace(path=path, config=config, second=tmp_path / "raw/m1/d2")


def checked(path, capsys):
    """Status and output of check in a checkout."""
    try:
        run((path,), None, 2, None, 2)
        status = 0
    except SystemExit as ended:
        status = ended.code
    return status, capsys.readouterr().out


def test_what_can_run_ends_with_0_and_what_cannot_with_1(mice, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    status, said = checked(mice.path, capsys)
    assert (status, "PROBLEM" in said) == (0, False)
    assert f"Next: snakemake --cores 2 --configfile {mice.path}" in said
    del mice.config["calcium"]
    mice.path.write_text(yaml.safe_dump(mice.config))
    status, said = checked(mice.path, capsys)
    assert status == 1
    assert "PROBLEM: 2 trials have 0 rests of at least 2.5 s after movement" in said
    assert "calcium: {decay: 1.0}" in said
    assert "snakemake" not in said
    # No shown row trains with a kernel.
    mice.path.write_text(
        yaml.safe_dump({**mice.config, "rows": ["raw", "simclr"], "tables": {"figure_method": "simclr"}})
    )
    assert checked(mice.path, capsys)[0] == 0
    pooled = {**mice.config, "calcium": {"decay": 1.0}, "evaluation": {"raw_pool_time": 5}}
    mice.path.write_text(yaml.safe_dump(pooled))
    status, said = checked(mice.path, capsys)
    assert status == 1
    assert "PROBLEM: evaluation.raw_pool_time 5 does not divide the 32 frames of a window" in said
    mice.path.write_text(yaml.safe_dump({**mice.config, "calcium": {"decay": 1.0}}))
    np.save(mice.second / "pose.npy", np.load(mice.second / "pose.npy")[:, :2])
    status, said = checked(mice.path, capsys)
    assert status == 1
    assert "PROBLEM: behaviour of m1 d2 has no feature_2" in said


def test_the_source_of_every_number_is_said(mice, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    said = checked(mice.path, capsys)[1]
    assert said.startswith("mice\n")
    assert "no gap; m1/d1/session.yaml, x.npy, unit not stated; 10 /s of the file\n" in said
    assert "no gap; m1/d1/session.yaml, pose.npy, unit not stated; 50 /s of the file; aligned by time" in said
    assert "no gap; m1/d1/session.yaml, labels.npy; one for each behaviour sample\n" in said
    assert "  m1: m1/d1, m1/d2 (reader paired, and in the path)\n" in said
    del mice.config["convert"]["reader_options"]["labels"]
    mice.config["convert"]["reader_options"]["thresholds"] = {"of": "feature_1", "cuts": [0.5, 2]}
    mice.path.write_text(yaml.safe_dump(mice.config))
    assert "; thresholds 0.5, 2 on feature_1, smoothed over 0.5 s\n" in checked(mice.path, capsys)[1]
    read = paired.read
    monkeypatch.setattr(paired, "read", lambda *args: replace(read(*args), streams=()))
    said = checked(mice.path, capsys)[1]
    assert said.count("the reader does not name its file, signal and clock") == 4
    mice.path.write_text(yaml.safe_dump({**mice.config, "raw": None}))
    with pytest.raises(InputError, match="raw: null, expected a folder of recordings: add --raw"):
        run((mice.path,), None, 2, None, 2)


def test_the_rows_of_a_dataset_are_those_of_its_kind(tmp_path, capsys, monkeypatch):
    assert rows_file({}) == rows_file({"split": {"protocol": "published"}}) == "config/methods.yaml"
    assert rows_file({"methods_file": "methods_spikes"}) == "config/methods_spikes.yaml"
    for wrong in ("../methods", "methods.yaml", 3):
        with pytest.raises(InputError, match="configuration methods_file"):
            rows_file({"methods_file": wrong})
    monkeypatch.chdir(ROOT)
    rng = np.random.default_rng(0)
    np.save(tmp_path / "fr_bins_one.npy", rng.poisson(2, (5, 3000)))
    np.save(tmp_path / "behav_states_one.npy", np.arange(3000) // 50 % 3)
    run((ROOT / "config/rodent_sleep.yaml",), None, 2, tmp_path, 2)
    said = capsys.readouterr().out
    assert "mouse                  none    3000    3.33  5 at 0.25 /s" in said
    assert "20 random splits of blocks of 600 s: 70% training" in said
    assert "synchrony" not in said
    assert "PROBLEM" not in said
    stages = [line.split()[0] for line in said.splitlines() if " jobs " in line]
    assert stages == ["convert", "pretrain", "evaluate", "tables"]
    assert f"--config raw={tmp_path}" in said
