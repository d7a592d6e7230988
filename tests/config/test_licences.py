"""The page of licences is what the lock file installs, and every licence is permissive."""

import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import licences  # noqa: E402


def test_the_page_is_current():
    assert licences.PAGE.read_text() == licences.page(), "out of date: make lock"


def test_every_licence_is_permissive():
    names = ["torch", *licences.locked()]
    assert len(names) > 100
    kinds = {name: licences.judge(licences.licence(name)) for name in names}
    assert {name for name, kind in kinds.items() if kind == "other"} == set()


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("MIT", "permissive"),
        ("MPL-2.0 AND MIT", "file by file"),
        ("GPL-3.0-only", "other"),
        ("MIT AND GPL-2.0-only", "other"),
        ("Apache-2.0 OR GPL-2.0-only", "permissive"),
        ("Apache-2.0 WITH LLVM-exception AND BSD-2-Clause", "permissive"),
        ("My own", "other"),
    ],
)
def test_a_licence_is_judged_by_its_strictest_part(expression, kind):
    assert licences.judge(expression) == kind


def test_a_package_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setattr(licences, "locked", lambda: {"no-such-package": ["1.0"]})
    with pytest.raises(ValueError, match="no-such-package: not installed here"):
        licences.page()
    with pytest.raises(PackageNotFoundError):
        licences.licence("no-such-package")
