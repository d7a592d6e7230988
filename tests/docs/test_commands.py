"""Every command that a page shows: run in a copy of the repository, planned there, or checked against what runs it.

A page is followed word by word: the files it names are written, its commands run in their order. The copy's default
dataset is a tiny one under the same name, so that this takes seconds.
"""

import glob
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pandas as pd
import pytest
import yaml
from shown import Block, blocks, pages
from snakemake.utils import update_config

from neural_action.cli.main import commands
from neural_action.config.load import merged, read_yaml, rows_file
from neural_action.config.plan import Plan
from running import OWN_PATH, ROOT, copy_repository

#: Pages that a test of their own follows.
ELSEWHERE = {
    "docs/tutorials/own_recordings.md": "tests/test_tutorials.py",
    "docs/tutorials/model.md": "tests/inference/test_model_document.py",
}
# The whole workflow runs on the first page; the others find its results, as a reader does.
PAGES = sorted(set(pages()) - set(ELSEWHERE), key=lambda page: (page != "docs/how_to/tables.md", page))
SMALL = {
    "dataset": "simulated",
    "rows": ["raw", "simclr"],
    "simulation": {"preset": "tiny", "seed": 0, "overrides": {"animals": 2, "trials": 2, "seconds": 20.0}},
    "split": {"folds": 2, "test_folds": [0]},
}
NOTEBOOK = runpy.run_path(str(ROOT / "docs/notebook.py"))
COMMANDS = {name: commands.get_command(None, name) for name in commands.list_commands(None)}
EXAMPLES = [name for name, command in COMMANDS.items() if "Example:\n" in (command.help or "")]
#: What all rows and folds of the default dataset make, and the small one does not.
NOT_SMALL = (
    "models/simclr/without-Fly1/seed-0/model.safetensors",
    "models/simclr/fold-1/seed-0/embedding.npz",
    "models/swap_calcium/fold-0/seed-0/embedding.npz",
    "neighbors/default/fold-0.npz",
)
pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The repository as a reader has it after `make setup`, its default dataset tiny; and files named like flies."""
    folder = tmp_path_factory.mktemp("copy") / "repository"
    folder.mkdir()
    copy_repository(folder)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, folder)
    tiny = read_yaml(ROOT / "config/test/tiny.yaml")
    tiny["tables"]["figure_method"] = "simclr"
    (folder / "config/config.yaml").write_text(yaml.safe_dump({**tiny, **SMALL}, sort_keys=False))
    # Two seeds show that there are several.
    (folder / "config/paper.yaml").write_text("seeds: [0, 1]\n")
    (folder / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if not path.name.startswith(".installed"):
            (folder / ".venv" / path.name).symlink_to(path)
    for name in (".installed", ".installed-dev"):
        (folder / ".venv" / name).touch()
    for fly in ("Fly1", "Fly2", "Fly3"):
        for trial in range(1, 5):
            path = folder / f"flies/PEN1-EB/20160425/{fly}_8day_6fx37F06_jRGC1ax60D05_Dark_0{trial}.mat"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


def run(line: str, folder: Path) -> subprocess.CompletedProcess:
    """A command line in ``folder``, with the environment activated."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{folder / '.venv/bin'}{os.pathsep}{OWN_PATH}",
            "PYTHONPATH": str(folder / "src"),
            "SLURM_CONF": os.devnull,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )


def plan(line: str) -> Plan:
    """What Snakemake would make of its command line in this folder; InputError as it would say."""
    values: dict[str, list[str]] = {}
    for word in shlex.split(line)[1:]:
        if word.startswith("--"):
            values[word] = taken = []
        else:
            taken.append(word)
    if "--workflow-profile" in values:
        assert Path(*values["--workflow-profile"], "config.yaml").exists()
    # The datasets as they are, not the copy's tiny one.
    paths = values.get("--configfile", ["config/config.yaml"])
    given = merged([ROOT / path if path.startswith("config/") else Path(path) for path in paths])
    config = read_yaml(ROOT / rows_file(given))
    update_config(config, given)
    update_config(config, dict(word.split("=", 1) for word in values.get("--config", [])))
    return Plan(config)


def follow(block: Block, folder: Path) -> None:
    """Write the file that a block holds, or do with its commands what is to be done with them."""
    if block.file is not None:
        (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
        (folder / block.file).write_text(block.code)
    for line in block.commands:
        if block.mark == "planned":
            assert plan(line).rows, block.name
        elif block.mark is None:
            done = run(line, folder)
            assert done.returncode == 0, f"{block.name}: {line}\n{done.stdout[-3000:]}"
    if block.against is not None:
        text = (ROOT / block.against).read_text()
        assert block.telling, f"{block.name}: nothing to look for in {block.against}"
        missing = sorted(word for word in block.telling if word not in text)
        assert not missing, f"{block.name}: {missing} not in {block.against}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed(copy, page, monkeypatch):
    monkeypatch.chdir(copy)
    for block in blocks(page):
        follow(block, copy)
    if page == "docs/how_to/new_method.md":
        table = pd.read_csv(copy / "results/simulated/tables/action_recognition.csv")
        row = table[table["method"] == "vicreg"]
        assert set(row["task"]) == {"within", "across"}
        assert row.loc[row["n_scores"] > 0, "mean"].between(-1, 1).all()
        assert "| VICReg |" in (copy / "results/simulated/tables/action_recognition.md").read_text()


def test_the_notebook_and_the_example_of_the_readme_run(copy, monkeypatch):
    """On the results of `make quick` of the first page of the site; alone, on those of the tables."""
    if not (copy / "results/quick").exists():
        (copy / "results/quick").symlink_to("simulated")
        (copy / "results/simulated/models/swap_calcium").symlink_to("simclr")
    monkeypatch.chdir(copy)
    printed = NOTEBOOK["execute"](NOTEBOOK["cells"](NOTEBOOK["SCRIPT"].read_text()))
    assert "Model" in printed[1]
    assert re.findall(r"^Fly\d", printed[-2], re.MULTILINE)[:2] == ["Fly1", "Fly2"]
    assert (copy / NOTEBOOK["PICTURE"].name).stat().st_size > 10_000
    (example,) = (block.code for block in blocks("README.md") if block.language == "python")
    exec(compile(example, "README.md", "exec"), {})


def test_the_page_of_the_notebook_is_current():
    cells = NOTEBOOK["cells"](NOTEBOOK["SCRIPT"].read_text())
    expected = NOTEBOOK["page"](cells, [""] * len(cells))
    found = re.sub(r"```text\n.*?```\n\n", "", NOTEBOOK["PAGE"].read_text(), flags=re.DOTALL)
    assert found == expected, "out of date: python docs/notebook.py"


@pytest.mark.parametrize("page", sorted(set(pages()) & set(ELSEWHERE)))
def test_a_page_of_its_own_test_is_followed_there(page):
    assert page in (ROOT / ELSEWHERE[page]).read_text()


def test_the_readme_shows_no_command_of_its_own():
    shown = {filled(line) for page in pages() for block in blocks(page) for line in block.commands}
    own = {filled(line) for block in blocks("README.md") for line in block.commands}
    assert own - shown == set()


def filled(line: str) -> str:
    """A command line without what its reader fills in."""
    return re.sub(r"=(<[^>]*>|flies\b)", "=", line)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_in_the_help_of_a_command_is_one(copy, name, monkeypatch):
    """Every option exists, and so does every file that it is to read, after the first tutorial."""
    assert (copy / "results/simulated/scores.csv").exists(), "the first page was not followed"
    command = COMMANDS[name]
    example = command.help.split("Example:\n")[1].replace("\\\n", " ")
    words = shlex.split(example)
    assert words[:2] == ["neural-action", name]
    for path in NOT_SMALL:
        (copy / "results/simulated" / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / "results/simulated" / path).touch()
    monkeypatch.chdir(copy / "results/simulated")
    arguments = [path for word in words[2:] for path in (sorted(glob.glob(word)) if "*" in word else [word])]
    command.make_context(name, arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_help_text(name):
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts}"
