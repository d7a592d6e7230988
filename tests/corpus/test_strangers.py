"""Names, titles, configurations and models by strangers: nothing of theirs runs, hangs or passes for a number."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

import broken_configuration
import broken_results
from broken import command
from neural_action.config.load import as_json, read_yaml
from neural_action.errors import InputError
from neural_action.preflight.proposal import Proposal
from neural_action.preflight.written import configuration
from neural_action.recordings.formats import arrays
from neural_action.recordings.samples import read_samples
from neural_action.training.model import load_model
from running import ROOT, snakemake

#: Ends a comment, turns YTE on and leaves a mark.
EVIL = "a\n__use_yte__: true\n?__import__('os').mkdir('made'): 1\n#"
AWKWARD = "a: b # [c] {d} 'e' \"f\" *g &h !i %j @k ?l |m >n, -o ..."


def trials(folder: Path, name: str = "arrays", columns: tuple[str, ...] = ("x", "y")) -> None:
    """Two trials of arrays with a description, at 10 /s."""
    for trial in ("1", "2"):
        place = folder / "m" / trial
        place.mkdir(parents=True)
        rng = np.random.default_rng(int(trial))
        np.save(place / "n.npy", rng.random((1000, 3)))
        np.save(place / "b.npy", np.cumsum(rng.standard_normal((1000, 2)), 0))
        described = {
            "neural": {"file": "n.npy", "rate": 10.0},
            "behavior": {"file": "b.npy", "rate": 10.0, "names": list(columns)},
        }
        (place / f"{name}.yaml").write_text(yaml.safe_dump(described))


def refused(arguments, monkeypatch, capsys) -> str:
    status, lines = command(arguments, monkeypatch, capsys)
    assert status == 2, lines
    said = [line for line in lines if line.startswith("neural-action: ")]
    assert len(said) == 1, lines
    assert said[0].isprintable()
    return said[0]


def plain_values(path: Path) -> dict:
    """A configuration as Snakemake has it too: no program, and nothing found by name in a comment."""
    import yte

    text = path.read_text()
    content = read_yaml(path)
    assert yte.process_yaml(text, require_use_yte=True) == content
    return content


@pytest.mark.parametrize("kind", ["folder", "file", "column"])
def test_init_refuses_names_that_end_a_comment(tmp_path, monkeypatch, capsys, kind):
    monkeypatch.chdir(tmp_path)
    raw = tmp_path / ("raw" if kind != "folder" else EVIL.replace("/", "_"))
    name, columns = ("arrays", (EVIL, "y")) if kind == "column" else ("arrays", ("x", "y"))
    trials(raw, EVIL.replace("/", "_") if kind == "file" else name, columns)
    line = refused(["init", str(raw), "--name", "mine"], monkeypatch, capsys)
    assert "control characters" in line
    assert not list(tmp_path.glob("mine*"))
    assert not (tmp_path / "made").exists()


def test_init_writes_awkward_names_as_values(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    raw = tmp_path / AWKWARD
    trials(raw, AWKWARD, (AWKWARD, "y"))
    status, lines = command(["init", str(raw), "--name", "mine"], monkeypatch, capsys)
    assert status == 0, lines
    content = plain_values(tmp_path / "mine.yaml")
    assert content["raw"] == str(raw)
    comments = [line.partition(" # ")[2] for line in (tmp_path / "mine.yaml").read_text().splitlines()]
    assert not [comment for comment in comments if "{d}" in comment and "b #" in comment]


@pytest.mark.parametrize("text", [EVIL, "a\u2028b", "a\x85__use_yte__: true", "a\rb"])
def test_notes_never_leave_their_scalar(tmp_path, text):
    rng = np.random.default_rng(0)
    sample = type("Sample", (), {"neural_rate": 10.0, "behavior_rate": 10.0, "units": {"neural": "dF/F"}})
    sample.neural, sample.behavior = rng.random((9, 3)), rng.random((9, 2))
    proposal = Proposal({"neural": {"format": "nwb"}}, {"neural.format": f"[given] {AWKWARD}"}, 4)
    proposal.sample, proposal.calcium, proposal.notes = sample, {"decay": 1.0}, [AWKWARD]
    where = {"dataset": "mine", "raw": tmp_path, "samples": tmp_path / "s.csv"}
    (tmp_path / "a.yaml").write_text(configuration(proposal, **where), encoding="utf-8")
    assert plain_values(tmp_path / "a.yaml")["notes"] == [AWKWARD]
    for place in ("notes", "option"):
        if place == "notes":
            proposal.notes = [text]
        else:
            proposal.notes, proposal.options["neural"]["series"] = [], [text]
        with pytest.raises(InputError, match="has control characters"):
            configuration(proposal, **where)


def test_no_configuration_of_ours_is_a_program():
    # A profile may be one: no name of a stranger is written into it.
    for path in (ROOT / "config").rglob("*.yaml"):
        assert "__use_yte__" not in path.read_text(), path


CONFIGURATIONS = [
    ({"results": "../.."}, "configuration results: '../..', expected: a folder without .. in its path"),
    ({"results": "a/../../b"}, "configuration results"),
    ({"results": ""}, "configuration results"),
    ({"results": "a{b}"}, "expected: a path without braces"),
    ({"recordings": "{x}.csv"}, "expected: a path without braces"),
    ({"results": "a\n\n.. raw:: html"}, "configuration results"),
    ({"title": "a\n\n.. raw:: html\n   :file: /etc/passwd"}, "configuration title"),
    ({"title": "a\u202eb"}, "configuration title"),
    ({"title": "a" * 10**6}, "configuration title"),
    ({"dataset": "a" * 300}, "configuration dataset"),
    ({"methods": {"swap_calcium": {"label": "a\nb"}}}, "configuration methods.swap_calcium.label"),
    ({"seeds": list(range(90_000))}, "configuration seeds"),
    ({"simulation": {"overrides": {"animals": 10**9}}}, "animals: 1e+09, expected at most 1000"),
    ({"simulation": {"overrides": {"animals": 900, "trials": 900}}}, "expected at most 50000 trials in all"),
    ({"simulation": {"overrides": {"seconds": 1e12}}}, "seconds: 1e+12, expected at most"),
    ({"split": {"folds": 10**9}}, "configuration split.folds"),
    ({"split": {"splits": 10**9}}, "configuration split.splits"),
    ({"convert": {"class_names": [f"c{at}" for at in range(1001)]}}, "configuration convert.class_names"),
]


@pytest.mark.parametrize(("changes", "says"), CONFIGURATIONS)
def test_configurations_that_write_elsewhere_or_never_end(tmp_path, changes, says):
    from snakemake.utils import update_config

    from neural_action.config.plan import Plan

    broken_configuration.make(tmp_path)
    config = read_yaml(tmp_path / "config.yaml")
    update_config(config, changes)
    begin = time.monotonic()
    with pytest.raises(InputError) as error:
        Plan(config)
    assert says in str(error.value)
    assert len(str(error.value)) < 600
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("text", ["{title}", "{ animal }", "a{x,b}c", "\\{x}", "{}", "{{x}}", '{"a": 1}'])
def test_braces_are_no_wildcards(text):
    from snakemake.io import apply_wildcards, contains_wildcard

    for content in ({text: [text]}, [text, {"a": {}}]):
        written = as_json(content)
        assert json.loads(written) == content
        assert not contains_wildcard(written)
        assert apply_wildcards(written, {}) == written


@pytest.mark.workflow
def test_a_title_with_braces_is_planned(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "title: 'a {x} {animal} b'\nmethods: {swap_calcium: {label: 'Swap + calcium {y}'}}\n"
    )
    done = snakemake(
        *("-n", "--cores", "1", "--configfile", "config/test/tiny.yaml", str(tmp_path / "a.yaml")),
        *("--config", f"results={tmp_path}/results"),
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.workflow
def test_a_program_is_refused_once_snakemake_has_run_it(tmp_path):
    """docs/development/faults.md warns of it: Snakemake reads the files first, before any code of ours."""
    mark = tmp_path / "made"
    path = tmp_path / "a.yaml"
    path.write_text(f"__use_yte__: true\ntitle: ?str(__import__('os').mkdir({str(mark)!r}))\n")
    done = snakemake("-n", "--cores", "1", "--configfile", "config/test/tiny.yaml", str(path))
    assert done.returncode != 0
    assert "a.yaml: key __use_yte__ makes it a program, expected plain values" in done.stdout
    assert mark.exists()
    mark.rmdir()
    with pytest.raises(InputError, match="makes it a program"):
        read_yaml(path)
    assert not mark.exists()


@pytest.mark.parametrize("key", ["file", "time"])
@pytest.mark.parametrize("named", ["../secret.npy", "/etc/secret.npy", "a/../../secret.npy"])
def test_descriptions_of_arrays_name_nothing_elsewhere(tmp_path, key, named):
    (tmp_path / "raw").mkdir()
    np.save(tmp_path / "secret.npy", np.arange(10.0))
    np.save(tmp_path / "raw/x.npy", np.zeros((10, 2)))
    role = {"file": "x.npy", "rate": 10.0, key: named}
    path = tmp_path / "raw/a.yaml"
    path.write_text(yaml.safe_dump({"neural": role}))
    for read in (lambda: arrays.neural(path, arrays.Options()), lambda: arrays.files(path)):
        with pytest.raises(InputError, match=rf"a\.yaml: neural\.{key} .*expected a file in the folder"):
            read()


def test_an_npz_that_unpacks_a_thousandfold(tmp_path, monkeypatch):
    monkeypatch.setattr("neural_action.files._UNPACKED", 1 << 20)
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((1 << 21, 2)))
    with pytest.raises(InputError, match=r"a\.npz: .*unpacks to"):
        arrays.neural(tmp_path / "a.npz", arrays.Options(rate=1.0))


def test_labels_beyond_what_is_counted(tmp_path):
    names = tuple(f"c{at}" for at in range(300))
    np.save(tmp_path / "a.npy", np.array([0, 1, 300 - 1]))
    with pytest.raises(InputError, match="label 299 at entry 2, expected below 128"):
        arrays.labels(tmp_path / "a.npy", arrays.Options(), names)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Weights of a small model."""
    folder = tmp_path_factory.mktemp("results")
    broken_results.make(folder)
    return folder / "model.safetensors"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda value: torch.full_like(value, torch.nan), "holds NaN or infinity"),
        (lambda value: torch.full_like(value, -torch.inf), "holds NaN or infinity"),
        (lambda value: value.to(torch.int32), "is torch.int32, expected torch.float32"),
        (lambda value: value.double(), "is torch.float64, expected torch.float32"),
    ],
)
def test_models_that_hold_no_weights(model, tmp_path, spoil, says):
    values = load_file(model)
    name = next(name for name, value in values.items() if value.dtype == torch.float32)
    save_file({**values, name: spoil(values[name])}, tmp_path / "a.safetensors")
    (tmp_path / "a.json").write_bytes(model.with_suffix(".json").read_bytes())
    with pytest.raises(InputError, match=rf"a\.safetensors: cannot be loaded as a model \({name} {says}"):
        load_model(tmp_path / "a.safetensors")


def test_pipes_and_devices_are_no_files(model, tmp_path):
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "a.safetensors").write_bytes(model.read_bytes())
    with pytest.raises(InputError, match=r"is no(t a)? file"):
        load_model(tmp_path / "a.safetensors")
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "a.csv")
    for read in (
        lambda: read_yaml(tmp_path / "a.yaml"),
        lambda: read_yaml(tmp_path / "b.yaml"),
        lambda: read_samples(tmp_path / "a.csv"),
    ):
        with pytest.raises(InputError, match=r"is no(t a)? file"):
            read()
    (tmp_path / "c.yaml").write_text("a: [" + "1, " * 10**6 + "]")
    with pytest.raises(InputError, match="more than 1048576 bytes"):
        read_yaml(tmp_path / "c.yaml")
    (tmp_path / "b.npy").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"b\.npy: no such file"):
        arrays.neural(tmp_path / "b.npy", arrays.Options(rate=1.0))


def test_hdf5_of_a_format_is_one_file(tmp_path, monkeypatch, capsys):
    """Sources name every file that was read: nothing comes from another."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.ones((1, 2, 1, 500))
    raw = tmp_path / "raw/m/1"
    raw.mkdir(parents=True)
    with h5py.File(raw / "poses.h5", "w") as file:
        file["node_names"] = [b"a"]
        file["tracks"] = h5py.ExternalLink("../../../secret.h5", "/x")
    np.save(raw / "n.npy", np.zeros((10, 2)))
    import broken_paired

    options = broken_paired.options(
        recordings="*/*",
        neural={"path": "{path}/n.npy"},
        behavior={"format": "sleap", "path": "{path}/*.h5"},
        labels=None,
    )
    line = refused(broken_paired.convert(tmp_path, "m/1", "paired", options), monkeypatch, capsys)
    assert "poses.h5: tracks is a link to /x in ../../../secret.h5" in line
