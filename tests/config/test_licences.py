"""The page of licences lists what the lock file installs, and every licence is one that pyproject.toml allows."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pip-licenses"]
#: What pip-licenses takes for its own and leaves out.
OWN = {"pip-licenses", "prettytable", "setuptools", "wcwidth"}


def check(*options: str) -> subprocess.CompletedProcess:
    """Run pip-licenses as ``make licences`` does."""
    return subprocess.run(
        [sys.executable, "-m", "piplicenses", *options], cwd=ROOT, capture_output=True, text=True
    )


def listed(page: str) -> set[str]:
    """Names of the page's table, spelt as in the lock file."""
    return {re.sub(r"[._]", "-", name).lower() for name in re.findall(r"^\| (\S+)", page, re.MULTILINE)}


def locked() -> set[str]:
    """Names in requirements-dev.lock, which holds all of requirements.lock."""
    return set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE))


def test_the_page_lists_what_is_locked():
    page = listed((ROOT / "docs/development/licences.md").read_text()) - {"name"}
    # Packages for another Python than that of make licences are not installed there.
    conditional = {"backports-zstd", "importlib-metadata", "lazy-importer", "zipp"}
    expected = {"torch", *locked()} - OWN - set(SETTINGS["ignore-packages"])
    assert expected - conditional <= page <= expected, "out of date: make licences"


def test_every_licence_is_allowed():
    done = check("--format=markdown", "--packages", "torch", *locked())
    assert done.returncode == 0, done.stderr
    assert len(listed(done.stdout)) > 100


@pytest.mark.parametrize("package", ["sympy", "torch"])
def test_a_licence_that_is_not_listed_is_refused(package):
    done = check("--allow-only", "MIT", "--packages", package)
    assert done.returncode == 1
    assert package in done.stderr
