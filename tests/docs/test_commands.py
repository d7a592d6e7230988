"""Every command that a page shows: run in a copy of the repository, tried there, or checked against what runs it.

A page is followed word by word: the files it names are written, its commands run in their order. The copy's default data
set is a tiny one under the same name, so that this takes seconds.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from running import OWN_PATH, ROOT, copy_repository
from shown import Block, blocks, pages

# The whole workflow runs on the first page; the others find its files there, as a reader's would.
PAGES = sorted(pages(), key=lambda page: page != "docs/tutorials/tables.md")
SMALL = {
    "dataset": "simulated",
    "rows": ["neural_linear", "simclr"],
    "simulation": {"preset": "tiny", "seed": 0, "overrides": {"animals": 2, "trials": 2, "seconds": 20.0}},
    "split": {"folds": 2, "test_folds": [0]},
}
pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The repository as a reader has it after `make setup`, with a tiny default data set."""
    folder = tmp_path_factory.mktemp("copy") / "repository"
    folder.mkdir()
    copy_repository(folder)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    tiny = yaml.safe_load((ROOT / "config/test/tiny.yaml").read_text())
    tiny["tables"]["figure_method"] = "simclr"
    (folder / "config/config.yaml").write_text(yaml.safe_dump({**tiny, **SMALL}, sort_keys=False))
    (folder / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        (folder / ".venv" / path.name).symlink_to(path)
    (folder / ".venv/.installed").unlink(missing_ok=True)
    (folder / ".venv/.installed").touch()
    # Where a page asks for recordings of one's own, names are enough to see what would run.
    for fly, trial in ((1, 1), (1, 2), (2, 1), (2, 2)):
        for condition in ("1x", "Dark"):
            name = f"Fly{fly}_8day_6fx37F06_jRGC1ax60D05_{condition}_0{trial}.mat"
            path = folder / "flies/PEN1-EB/20160425" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


def follow(block: Block, folder: Path) -> None:
    """Write the file that a block holds, or run its commands as they stand."""
    if block.file is not None:
        (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
        (folder / block.file).write_text(block.code)
    elif block.language == "sh" and block.against is None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", re.sub(r"<(\w+)>", r"\1", block.commands)],
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
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{block.name}\n{block.commands}\n{done.stdout[-3000:]}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed(copy, page):
    if page == "README.md":
        pytest.skip("its commands are those of the other pages, see below")
    for block in blocks(page):
        follow(block, copy)
    if page == "docs/tutorials/new_method.md":
        table = pd.read_csv(copy / "results/simulated/tables/action_recognition.csv")
        row = table[table["method"] == "barlow_twins"]
        assert set(row["task"]) == {"single_animal", "multi_animal"}
        assert row["mean"].notna().any()
        assert "| Barlow Twins |" in (copy / "results/simulated/tables/action_recognition.md").read_text()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_does_not_run_is_run_elsewhere(page):
    for block in blocks(page):
        if block.against is not None:
            text = (ROOT / block.against).read_text()
            assert block.telling, f"{block.name}: nothing to look for in {block.against}"
            missing = sorted(word for word in block.telling if word not in text)
            assert not missing, f"{block.name}: {missing} are not in {block.against}"


def test_the_readme_shows_no_command_of_its_own():
    shown = {
        line
        for page in PAGES
        if page != "README.md"
        for block in blocks(page)
        for line in plain(block)
    }
    own = [line for block in blocks("README.md") for line in plain(block) if line not in shown]
    assert not own


def plain(block: Block) -> list[str]:
    """The command lines of a block of shell, without comments and what a reader fills in."""
    lines = [line.split(" #")[0].strip() for line in block.code.splitlines()]
    return [re.sub(r"=(<[^>]*>|flies)", "=", line) for line in lines if line and block.language == "sh"]
