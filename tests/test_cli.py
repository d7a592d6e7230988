"""The command line: every stage has help, and bad input is one line with exit status 2."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neural_action.cli import commands
from neural_action.config.settings import SimulationSettings
from neural_action.recordings.simulate import simulate_animal

CONFIG = json.dumps({"dataset": "t", "convert": {"reader": "mc2p"}})


def run(*arguments):
    """The finished process."""
    command = [sys.executable, "-m", "neural_action", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("stage", sorted(commands.commands))
def test_every_stage_has_help(stage):
    done = run(stage, "--help")
    assert done.returncode == 0
    assert "Usage: neural-action" in done.stdout


@pytest.fixture
def trial(tmp_path):
    """A simulated trial."""
    simulate_animal(SimulationSettings(preset="tiny", overrides={"trials": 1}), 0, tmp_path / "raw")
    return next((tmp_path / "raw").iterdir())


def convert(tmp_path, *extra):
    arguments = [
        "--raw",
        tmp_path / "raw",
        "--path",
        next((tmp_path / "raw").iterdir()).name,
        "--animal",
        "Fly1",
        "--trial",
        "001",
    ]
    outputs = ["--store", tmp_path / "out/s.zarr", "--manifest", tmp_path / "out/s.json"]
    return run("convert", "--config", CONFIG, *arguments, *outputs, *extra)


def refused(done, *words):
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert all(word in lines[0] for word in words), lines[0]


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def poison(path):
    values = np.fromfile(path, np.float32)
    values[1000] = np.nan
    values.tofile(path)


DAMAGE = {
    "truncated movie": ("2p_dff.mm", cut, ("2p_dff.mm", "bytes", "expected")),
    "missing movie": ("2p_dff.mm", lambda path: path.unlink(), ("2p_dff", "expected")),
    "nan in movie": ("2p_dff.mm", poison, ("NaN",)),
    "nan in pose": ("pose_result.mm", poison, ("pose_result.mm", "NaN")),
    "truncated pose": ("pose_result.mm", cut, ("pose_result.mm", "bytes")),
    "index outside": ("indices.npy", lambda p: np.save(p, np.load(p) + 50), ("indices.npy", "outside")),
    "clock backwards": (
        "indices.npy",
        lambda p: np.save(p, np.load(p)[::-1]),
        ("indices.npy", "non-decreasing"),
    ),
    "unknown label": ("labels.npy", lambda p: np.save(p, np.load(p) + 8), ("labels.npy", "no class")),
    "wrong length": ("labels.npy", lambda p: np.save(p, np.load(p)[:-1]), ("labels.npy",)),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_recordings_are_one_line_and_leave_nothing(trial, tmp_path, name):
    file, damage, words = DAMAGE[name]
    damage(trial / file)
    refused(convert(tmp_path), *words)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_sound_recording_is_converted(trial, tmp_path):
    assert convert(tmp_path).returncode == 0
    assert (tmp_path / "out/s.json").exists()


def folds(tmp_path, sheet):
    (tmp_path / "sheet.csv").write_text(sheet)
    arguments = ["--sheet", tmp_path / "sheet.csv", "--output", tmp_path / "folds.csv"]
    return run("folds", "--config", CONFIG, *arguments)


def test_two_recordings_with_one_name(tmp_path):
    refused(folds(tmp_path, "animal,trial,path\nFly1,001,a\nFly1,001,b\n"), "sheet.csv", "001", "Fly1")


def test_a_sheet_without_a_column(tmp_path):
    refused(folds(tmp_path, "animal,path\nFly1,x\n"), "sheet.csv", "trial")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("missing.yaml", ("missing.yaml", "YAML")),
        ('{"convert": {"reader": "mc2p", "dif": 1}}', ("convert.dif", "unknown key")),
        ('{"convert": {"reader": "tiff"}}', ("tiff", "mc2p")),
        ("{", ("JSON",)),
    ],
)
def test_bad_configurations(tmp_path, config, words):
    refused(run("sheet", "--config", config, "--raw", tmp_path, "--output", tmp_path / "o.csv"), *words)


def test_init_writes_what_check_reads(trial, tmp_path):
    written = tmp_path / "mine.yaml"
    assert run("init", tmp_path / "raw", "--output", written, "--name", "mine").returncode == 0
    refused(run("init", tmp_path / "raw", "--output", written), "mine.yaml", "exists", "--force")
    methods = Path(__file__).resolve().parents[1] / "config/methods.yaml"
    # One trial of one fly: too few for four folds, which is said before anything is read.
    refused(run("check", written, "--methods", methods), "animal Fly1 has 1 trials", "split.folds")
    refused(run("check", written, "--methods", tmp_path / "none.yaml"), "none.yaml", "--methods")


def test_init_of_a_folder_without_recordings(tmp_path):
    (tmp_path / "notes").mkdir()
    done = run("init", tmp_path / "notes", "--output", tmp_path / "c.yaml")
    refused(done, "no neural activity and behaviour recognised", "expected files of both")
    assert not (tmp_path / "c.yaml").exists()


def test_an_empty_folder_has_no_recordings(tmp_path):
    refused(
        run("sheet", "--config", CONFIG, "--raw", tmp_path, "--output", tmp_path / "o.csv"), "no recording"
    )


def test_debug_shows_the_traceback(tmp_path):
    done = run("--debug", "sheet", "--config", CONFIG, "--raw", tmp_path, "--output", tmp_path / "o.csv")
    assert "Traceback" in done.stderr
