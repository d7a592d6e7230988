"""The workflow from another folder, as a module, from a tag and through snakedeploy; a line where it cannot be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from neural_action.config.load import read_yaml
from running import ROOT, job_table, snakemake

LITTLE = {
    "simulation": {"preset": "tiny", "overrides": {"animals": 2, "trials": 2}},
    "split": {"folds": 2, "test_folds": [0]},
}
MODULE = """
module recordings:
    snakefile: {snakefile}
    config: config
{more}
use rule * from recordings as recordings_*

rule mine:
    default_target: True
    input: rules.recordings_splits.output
    output: "mine.csv"
    shell: "cp {{input}} {{output}}"
"""
#: Python finds the package here, as it does where it is installed.
INSTALLED = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
pytestmark = pytest.mark.workflow


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a configuration and nothing else."""
    changed = {**read_yaml(ROOT / "config/test/tiny.yaml"), **LITTLE}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    """Run git there, as somebody."""
    who = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def tagged(tmp_path_factory) -> Path:
    """A clone of this working tree with the tag v1, without src/: remote modules bring only what Snakemake knows of."""
    clone = tmp_path_factory.mktemp("tagged") / "repository"
    clone.mkdir()
    for name in ("workflow", "config", "envs"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", ".snakemake-workflow-catalog.yml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    for command in (
        ("init", "--quiet"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "all"),
        ("tag", "v1"),
    ):
        git(clone, *command)
    return clone


@pytest.mark.parametrize("how", ["--snakefile", "--directory"])
def test_another_folder(folder, how):
    asked = ("--cores", "2", "--configfile", str(folder / "mine.yaml"), "--", "results/tiny/splits.csv")
    if how == "--snakefile":
        done = snakemake("--snakefile", str(ROOT / "Snakefile"), *asked, folder=folder)
    else:
        done = snakemake("--directory", str(folder), *asked)
    assert done.returncode == 0, done.stdout
    assert (folder / "results/tiny/splits.csv").exists()


def test_another_folder_without_a_configuration_plans_the_default_dataset(folder):
    there = snakemake("--snakefile", str(ROOT / "workflow/Snakefile"), "--dry-run", folder=folder)
    assert there.returncode == 0, there.stdout
    here = snakemake("--dry-run", "--config", f"results={folder}/results")
    assert job_table(there.stdout) == job_table(here.stdout)


def as_module(folder: Path, snakefile: str, more: str = "", *arguments: str) -> subprocess.CompletedProcess:
    """A workflow of somebody else, that takes this one as a module."""
    (folder / "Snakefile").write_text(MODULE.format(snakefile=snakefile, more=more))
    asked = ("--cores", "2", "--configfile", "mine.yaml", *arguments)
    return snakemake(*asked, folder=folder, PYTHONPATH=INSTALLED)


def test_a_module_of_a_checkout(folder):
    done = as_module(folder, repr(str(ROOT / "workflow/Snakefile")))
    assert done.returncode == 0, done.stdout
    assert (folder / "mine.csv").read_text() == (folder / "results/tiny/splits.csv").read_text()


def test_a_module_from_a_tag(folder, tagged):
    source = f'gitfile({str(tagged)!r}, path="workflow/Snakefile", tag="v1")'
    done = as_module(folder, source)
    assert done.returncode == 0, done.stdout
    assert (folder / "mine.csv").exists()


def test_a_module_from_a_tag_without_the_package_says_what_to_install(folder, tagged):
    source = f'gitfile({str(tagged)!r}, path="workflow/Snakefile", tag="v1")'
    hidden = folder / "hidden/neural_action"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'neural_action'\")\n")
    (folder / "Snakefile").write_text(MODULE.format(snakefile=source, more=""))
    done = snakemake("--dry-run", "--configfile", "mine.yaml", folder=folder, PYTHONPATH=str(hidden.parent))
    assert done.returncode != 0
    assert (
        "No module named 'neural_action'; expected the package neural_action of this version" in done.stdout
    )
    assert "pip install 'neural-action[recordings,workflow] @ git+" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("changed", ['prefix: "sub"', 'replace_prefix: {"results/": "sub/"}'])
def test_a_module_with_a_prefix_is_a_line(folder, changed):
    done = as_module(folder, repr(str(ROOT / "workflow/Snakefile")), f"    {changed}", "--dry-run")
    assert done.returncode != 0
    assert "module: prefix or replace_prefix moves results/tiny/, expected neither" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_working_folder_that_cannot_be_written_to_is_a_line(folder):
    (folder / ".snakemake").write_text("a file where Snakemake's folder should be")
    done = snakemake("--snakefile", str(ROOT / "Snakefile"), "--dry-run", folder=folder)
    assert done.returncode != 0
    assert "cannot be written to" in done.stdout or "Not a directory" in done.stdout


def test_snakedeploy(folder, tagged):
    deploy = shutil.which("snakedeploy") or shutil.which("uvx", path=str(Path(sys.executable).parent))
    if deploy is None:
        pytest.skip("needs snakedeploy, or uv to fetch it")
    command = [deploy, *(["snakedeploy@0.17.1"] if deploy.endswith("uvx") else [])]
    done = subprocess.run(
        [*command, "deploy-workflow", str(tagged), str(folder / "deployed"), "--tag", "v1"],
        capture_output=True,
        text=True,
        env={**os.environ, "UV_PYTHON": sys.executable},
    )
    assert done.returncode == 0, done.stderr
    shutil.copy(folder / "mine.yaml", folder / "deployed/config/config.yaml")
    # snakedeploy names the hosting service; of a repository on this machine it gives the path inside it.
    snakefile = folder / "deployed/workflow/Snakefile"
    assert '"workflow/Snakefile"' in snakefile.read_text()
    source = f'gitfile({str(tagged)!r}, path="workflow/Snakefile", tag="v1")'
    snakefile.write_text(snakefile.read_text().replace('"workflow/Snakefile"', source))
    planned = snakemake("--dry-run", folder=folder / "deployed", PYTHONPATH=INSTALLED)
    assert planned.returncode == 0, planned.stdout
    assert "splits" in planned.stdout
