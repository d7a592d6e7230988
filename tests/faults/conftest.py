"""One undisturbed run of the tiny workflow, shared by every test and every test process."""

from __future__ import annotations

import os
import shutil

import pytest

from neural_action.processes import output_lock
from running import LITTLE, ROOT, copy_repository
from started import Workflow

# A checkpoint every second step: each fault in training finds one of the run before, and leaves one.
CHANGES = (
    LITTLE
    + """
rows: [swap_calcium, behavenet]
split: {folds: 2, test_folds: [0]}
training: {checkpoint_every: 2}
"""
)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Workflow:
    """A finished run; made once for all test processes, copied by those that change it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "undisturbed"
    with output_lock(folder):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            copy_repository(folder)
            shutil.copy(ROOT / "tests/faults/stop_in_the_middle.py", folder / "src/sitecustomize.py")
            (folder / "run.yaml").write_text(CHANGES)
            Workflow(folder).run()
            (folder / "done").touch()
    return Workflow(folder)
