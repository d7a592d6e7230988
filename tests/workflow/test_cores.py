"""A machine's processors are never promised twice."""

import joblib
import pytest

from running import snakemake

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("asked", [1, 64])
def test_jobs_share_the_cores_that_are_there(tmp_path, asked):
    there = joblib.cpu_count()
    assert there < 64
    done = snakemake(
        *("--cores", str(asked), "--configfile", "config/test/tiny.yaml", "--config", f"results={tmp_path}"),
        *("--printshellcmds", "--", f"{tmp_path}/tiny/recordings.csv"),
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert f'Resource("processors", {there})' in done.stdout
    assert "processors=1" in done.stdout
