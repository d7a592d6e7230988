"""The pins stand in several files: they say the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def declared():
    """What the package asks for, and what reading every format of recordings does: rules may need it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    formats = [project["optional-dependencies"][extra] for extra in ("hdf5", "nwb", "tiff", "parquet")]
    return [*project["dependencies"], *(pin for pins in formats for pin in pins)]


def from_pip(name: str) -> list[str]:
    """The pip section of an environment."""
    parts = yaml.safe_load((ROOT / "envs" / name).read_text())["dependencies"]
    return next(part["pip"] for part in parts if isinstance(part, dict))


def test_environments_pin_what_the_package_asks_for(declared):
    assert from_pip("neural-action.yaml") == declared
    assert from_pip("neural-action-cpu.yaml") == [pin for pin in declared if not pin.startswith("torch==")]


def test_the_lock_file_holds_what_the_package_asks_for(declared):
    lock = (ROOT / "requirements.lock").read_text().lower()
    for pin in declared:
        name, version = re.fullmatch(r"([a-z0-9-]+)[=~]=([0-9.]+)", pin).groups()
        # torch is installed first and by itself: see the Makefile.
        assert name == "torch" or re.search(rf"^{name}=={re.escape(version)}\b", lock, re.MULTILINE), pin


def test_every_package_of_the_lock_file_has_hashes():
    lock = (ROOT / "requirements.lock").read_text()
    blocks = re.split(r"\n(?=[a-z])", lock)[1:]
    assert len(blocks) > 100
    for block in blocks:
        assert re.fullmatch(
            r"[a-z0-9-]+==\S+(?: ; [^\\]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n?", block
        ), block
    # Which build of torch is installed depends on the machine; CUDA comes with it.
    assert not re.search(r"^(torch|triton|nvidia-|cuda-)", lock, re.MULTILINE)


def test_setup_checks_hashes():
    makefile = (ROOT / "Makefile").read_text()
    assert "pip install --quiet --require-hashes -r requirements.lock" in makefile
