"""One undisturbed run of the tiny workflow, shared by every test and every test process."""

from __future__ import annotations

import shutil

import pytest

from neural_action.processes import alone
from running import ROOT, copy_repository
from started import Workflow

ROWS = ("ours", "behavenet")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Workflow:
    """A finished run; made once for all test processes, copied by those that change it."""
    folder = tmp_path_factory.getbasetemp().parent / "undisturbed"
    with alone(folder):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            copy_repository(folder)
            shutil.copy(ROOT / "tests/faults/stop_in_the_middle.py", folder / "src/sitecustomize.py")
            (folder / "run.yaml").write_text(f"rows: [{', '.join(ROWS)}]\nsplit: {{test_folds: [0]}}\n")
            Workflow(folder).run()
            (folder / "done").touch()
    return Workflow(folder)
