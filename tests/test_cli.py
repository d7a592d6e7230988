"""The command line: every stage has help, and bad input is one line with exit status 2."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neural_action.cli.main import commands
from neural_action.config.settings import SimulationSettings
from neural_action.recordings.simulate.release import simulate_animal
from running import ROOT

CONFIG = json.dumps({"dataset": "t", "convert": {"reader": "mc2p"}})


def run(*arguments):
    """The finished process."""
    command = [sys.executable, "-m", "neural_action", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("stage", commands.list_commands(None))
def test_every_stage_has_help(stage):
    done = run(stage, "--help")
    assert done.returncode == 0
    assert "Usage: neural-action" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_there_for_every_shell_that_is_documented(shell):
    page = (Path(__file__).parents[1] / "docs/reference/cli.md").read_text()
    assert f"_NEURAL_ACTION_COMPLETE={shell}_source neural-action" in page
    script = complete(f"{shell}_source")
    assert "_NEURAL_ACTION_COMPLETE" in script
    assert f"{shell}_complete" in script


def test_a_command_is_completed():
    assert complete("bash_complete", COMP_WORDS="neural-action pre", COMP_CWORD="1") == "plain,pretrain\n"


def complete(instruction, **variables):
    """What a shell is told."""
    done = subprocess.run(
        [sys.executable, "-m", "neural_action"],
        env={**os.environ, "_NEURAL_ACTION_COMPLETE": instruction, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
    "unknown label": ("labels.npy", lambda p: np.save(p, np.load(p) + 8), ("labels.npy", "label 8 at entry")),
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


def check(tmp_path, samples):
    """What is said of a dataset whose samples is the user's own."""
    (tmp_path / "samples.csv").write_text(samples)
    changes = {"simulation": None, "raw": str(tmp_path), "recordings": str(tmp_path / "samples.csv")}
    (tmp_path / "own.yaml").write_text(json.dumps(changes))
    return run("check", ROOT / "config/config.yaml", tmp_path / "own.yaml")


def test_two_recordings_with_one_name(tmp_path):
    refused(check(tmp_path, "animal,trial,path\nFly1,001,a\nFly1,001,b\n"), "samples.csv", "001", "Fly1")


def test_a_sheet_without_a_column(tmp_path):
    refused(check(tmp_path, "animal,path\nFly1,x\n"), "samples.csv", "trial")


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
    refused(run("samples", "--config", config, "--raw", tmp_path, "--output", tmp_path / "o.csv"), *words)


@pytest.fixture
def session(tmp_path):
    """A folder with arrays that are described, 100 s of them."""
    folder, rng = tmp_path / "raw", np.random.default_rng(0)
    folder.mkdir()
    np.savez(folder / "s.npz", x=rng.random((1000, 4)), v=np.cumsum(rng.standard_normal((1000, 2)), 0))
    parts = [
        f"{role}: {{file: s.npz, key: {key}, rate: 10.0}}"
        for role, key in (("neural", "x"), ("behavior", "v"))
    ]
    (folder / "s.yaml").write_text("\n".join(parts) + "\n")
    return folder


def test_init_writes_what_check_reads(session, tmp_path):
    written = tmp_path / "mine.yaml"
    asked = ("--output", written, "--name", "mine", "--option", "cut={seconds: 10, gap: 1}")
    done = run("init", session, *asked)
    assert done.returncode == 0, done.stderr
    assert re.search(r"cut: {seconds: 10, gap: 1} +# \[given\]", written.read_text())
    refused(run("init", session, "--output", written), "mine.yaml", "exists", "--force")
    root = Path(__file__).resolve().parents[1]
    done = run("check", written, "--methods", root / "config/methods.yaml")
    assert done.returncode == 0, done.stderr
    assert "expected on 2 cores" in done.stdout
    changed = tmp_path / "changed.yaml"
    changed.write_text("windows: {frames: 200}\n")
    done = run("check", written, changed, "--methods", root / "config/methods.yaml")
    assert done.returncode == 1, done.stderr
    assert "PROBLEM: s 1_part00 has 100 frames, expected at least 200 (windows.frames)" in done.stdout
    refused(run("check", written, "--methods", tmp_path / "none.yaml"), "none.yaml", "--methods")


@pytest.mark.parametrize("name", ["my worm!", "a.b", "", "../x", "café"])
def test_init_takes_names_that_a_configuration_takes(session, tmp_path, name):
    refused(run("init", session, "--name", name), f"--name: {name!r}", "expected letters, digits")


def test_init_names_a_dataset_after_its_folder(session, tmp_path):
    session.rename(tmp_path / "my wörm 2.0")
    done = run("init", tmp_path / "my wörm 2.0", "--output", tmp_path / "c.yaml")
    assert done.returncode == 0, done.stderr
    assert any(
        line.startswith("dataset: my_w_rm_2_0 ") for line in (tmp_path / "c.yaml").read_text().splitlines()
    )


@pytest.mark.parametrize("option", ["offset", "align.offset", "=2", "Align.offset=2", "cut={"])
def test_init_takes_options_by_key_and_value(session, tmp_path, option):
    refused(run("init", session, "--output", tmp_path / "c.yaml", "--option", option), f"--option {option!r}")
    assert not (tmp_path / "c.yaml").exists()


def test_init_of_the_layout_of_a_reader_names_its_configuration(trial, tmp_path):
    done = run("init", tmp_path / "raw", "--output", tmp_path / "c.yaml")
    refused(done, "reader mc2p", "config/mc2p.yaml", "nothing was written")
    assert not (tmp_path / "c.yaml").exists()


def test_init_of_a_folder_without_recordings(tmp_path):
    (tmp_path / "notes").mkdir()
    done = run("init", tmp_path / "notes", "--output", tmp_path / "c.yaml")
    refused(done, "no neural activity and behaviour recognised", "expected files of both")
    assert not (tmp_path / "c.yaml").exists()


def test_an_empty_folder_has_no_recordings(tmp_path):
    refused(
        run("samples", "--config", CONFIG, "--raw", tmp_path, "--output", tmp_path / "o.csv"), "no recording"
    )


def test_debug_shows_the_traceback(tmp_path):
    done = run("--debug", "samples", "--config", CONFIG, "--raw", tmp_path, "--output", tmp_path / "o.csv")
    assert "Traceback" in done.stderr
