"""What a change makes run again: no more and no less. docs/development/reruns.md is the same table for readers."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from running import ROOT, copy_repository, snakemake

ROWS = ("random_guess", "raw", "simclr", "swap_calcium")
TRAINED, RUNS = ("simclr", "swap_calcium"), ("fold-0", "fold-1")
# Every job of the finished run by its wildcards: what a rule's name alone stands for.
JOBS = {
    "convert": set(product(("Fly1", "Fly2", "Fly3"), ("001", "002", "003", "004"))),
    "calcium": {(run,) for run in RUNS},
    "neighbors": {("default", run) for run in RUNS},
    "pretrain": set(product(TRAINED, RUNS, "0")),
    "evaluate": set(product(ROWS, RUNS, "0")),
}
# Jobs that some of the changes add.
NEW = {
    "convert": {("Fly3", "005")},
    "pretrain": set(product(["regression_conv"], RUNS, "0")),
    "evaluate": set(product(["regression_conv"], RUNS, "0")),
}
RAW = "raw/Fly2/210302_SS01_Fly2_002"
STORE = "results/tiny/recordings/Fly2/002.zarr"
RUN = "results/tiny/models/{}/fold-0/seed-0"
SCORES = f"{RUN}/scores.csv".format("raw")
DATASET = "results/tiny/dataset"
PACKAGE = "src/neural_action"
CODE = "\nNEW = 1\n"
pytestmark = pytest.mark.workflow


def edited(path: str, edit: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """A change to the content of a file."""

    def change(folder: Path) -> None:
        old = (folder / path).read_bytes()
        new = edit(old)
        assert new != old
        (folder / path).write_bytes(new)

    return change


def appended(path: str, text: str) -> Callable[[Path], None]:
    return edited(path, lambda content: content + text.encode())


def replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    return edited(path, lambda content: content.replace(old.encode(), new.encode()))


def configured(yaml: str) -> Callable[[Path], None]:
    """A change to the configuration: read after the data set's."""
    return lambda folder: (folder / "changed.yaml").write_text(yaml)


def touched(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).touch()


def deleted(path: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        target = folder / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return change


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda folder: [change(folder) for change in changes]


def add_trial(folder: Path) -> None:
    shutil.copytree(folder / "raw/Fly3/210303_SS01_Fly3_004", folder / "raw/Fly3/210303_SS01_Fly3_005")


def upgrade_numpy(folder: Path) -> None:
    """Its metadata alone, which is where a version is looked up."""
    metadata = folder / "installed/numpy-99.0.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 99.0.0\n")


def flipped_byte(path: str) -> Callable[[Path], None]:
    return edited(path, lambda content: content[:-5] + bytes([content[-5] ^ 1]) + content[-4:])


END = "collect, consistency, tables, figures, diagnose, explore, overview"
# The page shows the rows that are proposed alone.
OTHER = END.replace("explore, ", "")
MODELS = f"calcium, neighbors, pretrain, evaluate, {END}"
TRAINING = f"dataset, splits, {MODELS}"
#: What changes, how, and what runs again: rules, and in brackets which of their jobs if not all of them.
CHANGES = {
    "nothing": (lambda folder: None, "nothing"),
    "the content of a raw file": (flipped_byte(f"{RAW}/2p_dff.mm"), f"convert (Fly2/002), {TRAINING}"),
    "a raw file, touched": (touched(f"{RAW}/2p_dff.mm"), "nothing"),
    "a raw file, touched, that is too large to be compared (above 1 MB)": (
        # The limit is lowered instead: recordings of tests are small.
        both(
            touched(f"{RAW}/2p_dff.mm"), appended("profiles/default/config.yaml", "max-checksum-file-size: 9")
        ),
        f"convert (Fly2/002), {TRAINING}",
    ),
    "a trial added to the raw recordings": (add_trial, f"samples, convert (Fly3/005), {TRAINING}"),
    "`convert`": (configured("convert: {dtype: float16}"), f"resolved_config, convert, {TRAINING}"),
    "`probes`": (configured("probes: {softmax: {steps: 90}}"), f"resolved_config, evaluate, {END}"),
    "`calcium`": (
        configured("calcium: {decay: 1.0}"),
        f"resolved_config, calcium, pretrain (swap_calcium), evaluate (swap_calcium), {END}",
    ),
    "`neighbors`": (
        configured("neighbors: {draws: 4}"),
        f"resolved_config, neighbors, pretrain (swap_calcium), evaluate (swap_calcium), {END}",
    ),
    "`training`": (
        configured("training: {steps: 20}"),
        f"resolved_config, pretrain, evaluate (simclr swap_calcium), {END}",
    ),
    "`training.request_gpu`": (configured("training: {request_gpu: true}"), "resolved_config"),
    "`split.test_folds`, one of two left out": (
        configured("split: {test_folds: [0]}"),
        f"resolved_config, {OTHER}",
    ),
    "`adapt.rows`, of no row": (
        configured("adapt: {steps: 9}"),
        "resolved_config, tables, figures, overview",
    ),
    "`syllables`, which no row shown reads": (configured("syllables: {states: 5}"), "resolved_config"),
    "a row added": (
        configured(f"rows: [{', '.join(ROWS)}, regression_conv]"),
        f"resolved_config, pretrain (regression_conv), evaluate (regression_conv), {OTHER}",
    ),
    "a row's objective": (
        configured("methods: {swap_calcium: {objective: {temperature: 0.2}}}"),
        f"resolved_config, pretrain (swap_calcium), evaluate (swap_calcium), {END}",
    ),
    "a row's label": (
        configured("methods: {swap_calcium: {label: Renamed}}"),
        "resolved_config, tables, figures, explore, overview",
    ),
    "a comment in a stage": (appended(f"{PACKAGE}/stages/pretrain.py", "\n# A comment.\n"), "nothing"),
    "a docstring of a module that stages share": (
        replaced(f"{PACKAGE}/datasets/dataset.py", '"""A dataset as one run', '"""A dataset as a run'),
        "nothing",
    ),
    "the code of a stage (`stages/evaluate.py`)": (
        appended(f"{PACKAGE}/stages/evaluate.py", CODE),
        f"evaluate, {END}",
    ),
    "the code of one rule (`training/loop.py`)": (
        appended(f"{PACKAGE}/training/loop.py", CODE),
        f"pretrain, evaluate (simclr swap_calcium), {END}",
    ),
    "the code of an augmentation that one row names (`augmentations/swap.py`)": (
        appended(f"{PACKAGE}/augmentations/swap.py", CODE),
        f"pretrain (swap_calcium), evaluate (swap_calcium), {END}",
    ),
    "the code that several rules share (`datasets/dataset.py`)": (
        appended(f"{PACKAGE}/datasets/dataset.py", CODE),
        MODELS,
    ),
    "the code of the split table's protocols (`datasets/partitions.py`)": (
        appended(f"{PACKAGE}/datasets/partitions.py", CODE),
        f"splits, {MODELS}",
    ),
    "a metric (`evaluation/metrics.py`)": (
        appended(f"{PACKAGE}/evaluation/metrics.py", CODE),
        f"evaluate, {END}",
    ),
    "the code of the stores (`recordings/store.py`)": (
        appended(f"{PACKAGE}/recordings/store.py", CODE),
        f"convert, {TRAINING}",
    ),
    "the code of the reader (`recordings/readers/mc2p.py`)": (
        appended(f"{PACKAGE}/recordings/readers/mc2p.py", CODE),
        f"convert, {TRAINING}",
    ),
    "the code of the tables (`tables/render.py`)": (appended(f"{PACKAGE}/tables/render.py", CODE), "tables"),
    "the code of the checks (`diagnostics/lags.py`)": (
        appended(f"{PACKAGE}/diagnostics/lags.py", CODE),
        "diagnose, overview",
    ),
    "the script of the page (`explore/page.js`)": (
        appended(f"{PACKAGE}/explore/page.js", "// new"),
        "explore",
    ),
    "the code of the configuration (`config/settings.py`)": (
        appended(f"{PACKAGE}/config/settings.py", CODE),
        f"resolved_config, samples, convert, {TRAINING}",
    ),
    "this package's version": (
        replaced(f"{PACKAGE}/__init__.py", '__version__ = "', '__version__ = "9.'),
        f"resolved_config, convert, {TRAINING}",
    ),
    "an installed package's version": (upgrade_numpy, "nothing"),
    "the environment file, without `--use-conda`": (
        replaced("envs/neural-action.yaml", "numpy==2.4.6", "numpy==2.4.5"),
        "nothing",
    ),
    "a table deleted": (deleted("results/tiny/tables/action_recognition.md"), "tables"),
    "intermediate files deleted (scores, weights, a manifest)": (
        both(
            deleted(f"{RUN}/scores.csv".format("swap_calcium")),
            deleted(f"{RUN}/model.safetensors".format("swap_calcium")),
            deleted("results/tiny/recordings/Fly2/002.manifest.json"),
        ),
        "nothing",
    ),
    "the same, and the code of a stage that reads the dataset (`stages/neighbors.py`)": (
        both(
            deleted(f"{RUN}/model.safetensors".format("swap_calcium")),
            deleted("results/tiny/recordings/Fly2/002.manifest.json"),
            appended(f"{PACKAGE}/stages/neighbors.py", CODE),
        ),
        f"neighbors, pretrain (swap_calcium), evaluate (swap_calcium), {END}",
    ),
}
#: Damage that Snakemake cannot see, since the manifest stands: how, and what the reader says of it. Of a store that is
#: rule dataset, of the dataset every later job.
DAMAGE = {
    "a chunk of a store corrupted": (flipped_byte(f"{STORE}/neural/c/0/0/0"), "chunk 0 of neural"),
    "a chunk of a store deleted": (deleted(f"{STORE}/labels/c/0"), "chunk 0 of labels"),
    "the attributes of a store edited": (
        replaced(f"{STORE}/zarr.json", '"neural_rate": 16.0', '"neural_rate": 61.0'),
        "attribute neural_rate",
    ),
    "a store deleted": (deleted(STORE), "cannot be opened as Zarr"),
}
NOTICED = "nothing; rule dataset stops and says so when it reads the store next"
DATASET_NOTICED = "nothing; the job that reads the dataset next stops and says so"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Snakemake on the tiny data set in a copy of the repository."""
    return snakemake(
        # With the commands come the jobs' reasons and wildcards, which profiles/default leaves out.
        *(*arguments, "--printshellcmds", "--cores", "2"),
        *("--configfile", "config/test/tiny.yaml", "run.yaml", "changed.yaml"),
        folder=folder,
        timeout=600,
        PYTHONPATH=str(folder / "installed"),
    )


def jobs(done: subprocess.CompletedProcess) -> dict[str, set[tuple[str, ...]]]:
    """The jobs that Snakemake named, by rule, each as the values of its wildcards."""
    assert done.returncode == 0, done.stdout[-3000:]
    assert "Nothing to be done" in done.stdout or "Job stats:" in done.stdout
    found: dict[str, set[tuple[str, ...]]] = {}
    # Jobs of a group are indented.
    for block in re.split(r"^ *(?:local)?rule (?=\w+:$)", done.stdout, flags=re.MULTILINE)[1:]:
        wildcards = re.search(r"^ +wildcards: (.*)$", block, re.MULTILINE)
        values = [part.split("=", 1)[1] for part in wildcards[1].split(", ")] if wildcards else []
        found.setdefault(block.split(":")[0], set()).add(tuple(values))
    found.pop("all", None)
    return found


def expected(runs: str) -> dict[str, set[tuple[str, ...]]]:
    """The jobs that an entry of ``CHANGES`` stands for."""
    found = {}
    for rule, chosen in re.findall(r"(\w+)(?: \((.+?)\))?(?:, |$)", "" if runs == "nothing" else runs):
        every = JOBS.get(rule, {()})
        if chosen:
            wanted = [set(name.split("/")) for name in chosen.split()]
            every = {job for job in every | NEW.get(rule, set()) if any(name <= set(job) for name in wanted)}
        assert every
        found[rule] = every
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A copy of the repository with recordings of its own and a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    copy_repository(folder)
    (folder / "run.yaml").write_text(
        f"raw: raw\nresults: results\nrows: [{', '.join(ROWS)}]\nsplit: {{test_folds: [0, 1]}}\n"
    )
    (folder / "changed.yaml").write_text("{}\n")
    for number in range(3):
        command = [sys.executable, "-m", "neural_action", "simulate", "--animal", str(number)]
        command += ["--config", '{"simulation": {"preset": "tiny", "seed": 0}}']
        command += ["--output", str(folder / f"raw/Fly{number + 1}")]
        subprocess.run(command, env={**os.environ, "PYTHONPATH": str(folder / "src")}, check=True)
    every = {
        **JOBS,
        **{name: {()} for name in ("samples", "dataset", "splits", "resolved_config", *END.split(", "))},
    }
    assert jobs(run(folder)) == every
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    """The finished run to change: a copy, times of files included, so that no change outlives its test."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_change_runs_what_depends_on_it_and_no_more(copy, name):
    change, runs = CHANGES[name]
    change(copy)
    assert jobs(run(copy, "--dry-run")) == expected(runs)


@pytest.mark.parametrize("name", ["a table deleted", "`probes`"])
def test_what_runs_is_what_the_dry_run_said(copy, name):
    change, runs = CHANGES[name]
    change(copy)
    assert jobs(run(copy)) == expected(runs)
    assert jobs(run(copy)) == {}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_store_stops_its_reader_until_it_is_converted_again(copy, name):
    change, said = DAMAGE[name]
    target = f"{DATASET}/labels.npy"
    labels = (copy / target).read_bytes()
    change(copy)
    assert jobs(run(copy, "--dry-run")) == {}
    (copy / target).unlink()
    stopped = run(copy, target)
    assert stopped.returncode != 0
    log = (copy / "results/tiny/logs/dataset.log").read_text().splitlines()
    assert len(log) == 1
    for part in (STORE, said, "rule convert", "delete its manifest"):
        assert part in log[0]
    # Whoever started the workflow reads that line without looking for the log.
    assert log[0] in stopped.stdout
    # What the line says to do is enough.
    (copy / STORE).with_name("002.manifest.json").unlink()
    assert jobs(run(copy, target)) == expected("convert (Fly2/002), dataset")
    assert (copy / target).read_bytes() == labels


def test_a_damaged_dataset_stops_its_reader_until_it_is_laid_out_again(copy):
    scores = (copy / SCORES).read_bytes()
    flipped_byte(f"{DATASET}/neural.npy")(copy)
    # Larger than what Snakemake compares, a file counts by its time.
    os.utime(copy / f"{DATASET}/neural.npy", (0, 0))
    (copy / SCORES).unlink()
    stopped = run(copy, SCORES)
    assert stopped.returncode != 0
    log = (copy / "results/tiny/logs/evaluate/raw/fold-0/seed-0.log").read_text().splitlines()
    for part in (f"{DATASET}/neural.npy", "changed or damaged", "rule dataset", "delete dataset.json"):
        assert part in log[-1]
    assert not (copy / SCORES).exists()
    (copy / f"{DATASET}/dataset.json").unlink()
    repaired = jobs(run(copy, SCORES))
    assert repaired == expected("dataset, evaluate (raw/fold-0)")
    assert (copy / SCORES).read_bytes() == scores


def test_the_document_is_this_table():
    lines = (ROOT / "docs/development/reruns.md").read_text().splitlines()
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line[:1] == "|"]
    table = [(name, runs) for name, (_, runs) in CHANGES.items()] + [(name, NOTICED) for name in DAMAGE]
    assert rows[2:] == [*table, ("an array of the dataset corrupted", DATASET_NOTICED)]
