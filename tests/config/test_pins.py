"""Versions stand in several files: they agree."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(name: str) -> dict[str, str]:
    """Version by package."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def declared(*extras: str) -> list[str]:
    """Names of the packages that pyproject.toml asks for, and those of some extras."""
    about = project()["project"]
    optional = [entry for extra in extras for entry in about["optional-dependencies"][extra]]
    return [re.match(r"[A-Za-z0-9-]+", entry)[0].lower() for entry in [*about["dependencies"], *optional]]


def from_pip(name: str) -> list[str]:
    """The pip section of an environment."""
    parts = yaml.safe_load((ROOT / "envs" / name).read_text())["dependencies"]
    return next(part["pip"] for part in parts if isinstance(part, dict))


def test_environments_have_the_versions_of_the_lock_file():
    (torch,) = project()["tool"]["uv"]["constraint-dependencies"]
    versions = locked("requirements.lock")
    # What a rule may need: every format of recordings is one.
    names = declared("hdf5", "nwb", "tiff", "parquet")
    pins = [f"{name}=={versions[name]}" for name in names if name != "torch"]
    assert from_pip("neural-action.yaml") == [torch, *pins]
    assert from_pip("neural-action-cpu.yaml") == pins


def test_setup_installs_the_torch_that_the_lock_files_are_made_for():
    (torch,) = project()["tool"]["uv"]["constraint-dependencies"]
    assert f"TORCH := {torch}\n" in (ROOT / "Makefile").read_text()


def test_running_needs_a_part_of_what_developing_needs():
    run, dev = (locked(name) for name in LOCKS)
    assert run.items() < dev.items()
    assert len(run) < 120
    assert not {"mypy", "playwright", "pytest", "ruff", "sphinx"} & run.keys()
    wanted = {
        *declared("hdf5", "nwb", "tiff", "parquet", "export", "workflow"),
        "snakemake-executor-plugin-slurm",
    }
    assert wanted - {"torch"} <= run.keys()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_file_has_hashes(name):
    blocks = re.split(r"\n(?=[a-z])", (ROOT / name).read_text())[1:]
    assert len(blocks) > 100
    for block in blocks:
        assert re.fullmatch(
            r"[a-z0-9-]+==\S+(?: ; [^\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n?", block
        ), block
    # Which build of torch is installed depends on the machine; CUDA comes with it.
    assert not {"torch", "torchvision", "triton"} & locked(name).keys()
    assert not [package for package in locked(name) if package.startswith(("nvidia-", "cuda-"))]


def test_setup_checks_hashes():
    installs = re.findall(r"pip install .*-r (\S+)", (ROOT / "Makefile").read_text())
    checked = re.findall(
        r"pip install --quiet --no-deps --require-hashes -r (\S+)", (ROOT / "Makefile").read_text()
    )
    assert installs == checked == LOCKS


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_another_python_is_a_line(tmp_path, version):
    stand_in = tmp_path / "python"
    code = f"import sys; sys.version_info = (*{version}, 0); exec(sys.argv[1])"
    stand_in.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{code}" "$2"\n')
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={stand_in}", f"VENV={tmp_path}/venv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    found = (
        f"{stand_in} is Python {version[0]}.{version[1]}, expected 3.11 to 3.13: make PYTHON=python3.11 setup"
    )
    assert done.stderr.splitlines()[0] == found
    assert not (tmp_path / "venv").exists()


def test_torchvision_is_the_one_that_goes_with_torch():
    (vision,) = project()["project"]["optional-dependencies"]["images"]
    assert f"TORCHVISION := {vision}\n" in (ROOT / "Makefile").read_text()
    (torch,) = project()["tool"]["uv"]["constraint-dependencies"]
    # 0.28.0 requires torch 2.13.0.
    assert (torch, vision) == ("torch==2.13.0", "torchvision==0.28.0")
