"""The tiny workflow with ``--use-conda``, on a stand-in for conda (tests/cluster/conda/README.md)."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from running import LITTLE, copy_repository, job_table, snakemake

STAND_IN = Path(__file__).with_name("conda")
CHANGES = (
    LITTLE
    + """
rows: [random_guess, raw, swap_calcium]
split: {folds: 2, test_folds: [0]}
"""
)
ENVIRONMENT = "envs/neural-action.yaml"
CREATED = f"Creating conda environment {ENVIRONMENT}"
# Without conda, and without the Python that runs this.
BARE = os.pathsep.join(["/usr/bin", "/bin"])
pytestmark = pytest.mark.conda


def obstacle() -> str | None:
    """Why the stand-in cannot be used here."""
    missing = [name for name in ("rattler", "conda_package_handling") if not importlib.util.find_spec(name)]
    if missing:
        return f"the stand-in for conda needs py-rattler and conda-package-handling; {missing} not installed"
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        return "the stand-in for conda answers for Linux on x86-64 alone"
    if sys.version_info[:2] != (3, 11):
        return f"{ENVIRONMENT} asks for Python 3.11, and the stand-in has that which is running"
    return None


def run(
    folder: Path, *arguments: str, path: str, also: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess:
    """Snakemake on the tiny data set in a copy of the repository, with programs found on ``path`` alone."""
    return snakemake(
        *("--cores", "2", *arguments, "--configfile", "config/test/tiny.yaml", "run.yaml", *also),
        folder=folder,
        timeout=1200,
        PYTHONPATH=None,
        PATH=path,
        **environment,
    )


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A copy of what the workflow needs."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    (folder / "run.yaml").write_text(CHANGES)
    return folder


@pytest.fixture(scope="module")
def with_conda(repository, tmp_path_factory):
    """Snakemake with ``--use-conda``, where packages of conda come from a channel in a folder."""
    if why := obstacle():
        pytest.skip(why)
    channels = tmp_path_factory.mktemp("channels")
    subprocess.run([sys.executable, STAND_IN / "make_channel.py", channels / "conda-forge"], check=True)

    def with_stand_in(*arguments: str, also: tuple[str, ...] = ()) -> str:
        done = run(
            repository,
            "--use-conda",
            *arguments,
            also=also,
            path=os.pathsep.join([str(STAND_IN / "bin"), BARE]),
            CONDA_CHANNEL_ALIAS=channels.as_uri(),
            RATTLER_CACHE_DIR=str(channels / "cache"),
            STAND_IN_PYTHON=sys.executable,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    return with_stand_in


@pytest.fixture(scope="module")
def cold(with_conda):
    """What Snakemake said of the first run, which makes the environment."""
    return with_conda("--config", "results=cold")


@pytest.fixture(scope="module")
def prefix(cold, repository):
    """The environment."""
    (done,) = (repository / ".snakemake/conda").glob("*.env_setup_done")
    return done.with_suffix("")


def test_the_first_run_makes_the_environment_that_the_file_asks_for(cold, prefix):
    assert cold.count(CREATED) == 1
    listed = subprocess.run(
        [prefix / "bin/python", "-I", "-m", "pip", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "torch==2.13.0" in listed
    assert "hmmlearn==0.3.3" in listed
    # Jobs find the package of this repository in src/, and Snakemake is none of their business.
    assert "neural-action" not in listed
    assert "snakemake" not in listed


def test_the_second_run_uses_the_same_environment_for_every_job(with_conda, prefix, tmp_path):
    spied = tmp_path / "prefixes"
    spy = prefix / "lib/python3.11/site-packages/spy.pth"
    # Python runs lines of such a file that begin with an import, at every start; in a virtual environment twice.
    spy.write_text(
        f"import os, sys; open({str(spied)!r}, 'a').write(f'{{os.getpid()}} {{sys.prefix}}' + chr(10))\n"
    )
    try:
        said = with_conda("--config", "results=warm")
    finally:
        spy.unlink()
    assert "Creating conda environment" not in said
    started = dict(line.split(" ", 1) for line in spied.read_text().splitlines())
    assert set(started.values()) == {str(prefix)}
    assert len(started) == sum(job_table(said).values())


def test_scores_are_those_of_a_run_without_it(cold, repository):
    path = os.pathsep.join([str(Path(sys.executable).parent), BARE])
    done = run(repository, "--config", "results=plain", path=path)
    assert done.returncode == 0, done.stdout[-4000:]
    one, other = (pd.read_csv(repository / name / "tiny/scores.csv") for name in ("cold", "plain"))
    assert set(one["method"]) == {"random_guess", "raw", "swap_calcium"}
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_another_environment_file_runs_everything_again(cold, with_conda, repository):
    file = repository / ENVIRONMENT
    text = file.read_text()
    assert "Nothing to be done" in with_conda("--dry-run", "--config", "results=cold")
    file.write_text(text.replace("numpy==2.4.6", "numpy==2.4.5"))
    try:
        said = with_conda("--dry-run", "--config", "results=cold")
    finally:
        file.write_text(text)
    assert f"Conda environment {ENVIRONMENT} will be created." in said
    assert job_table(said) == job_table(cold)


def test_cebra_has_an_environment_of_its_own_and_a_row(cold, with_conda, repository):
    few = {"max_iterations": 5, "output_dimension": 4}
    (repository / "cebra.yaml").write_text(
        "rows: [random_guess, raw, swap_calcium, cebra_behavior, cebra_time]\n"
        f"methods: {{cebra_behavior: {{external: {few}}}, cebra_time: {{external: {few}}}}}\n"
    )
    said = with_conda("--config", "results=cold", also=("config/cebra.yaml", "cebra.yaml"))
    assert "Creating conda environment envs/cebra.yaml" in said
    # What was there stays; the rows of CEBRA and what shows them are new.
    assert job_table(said) == {
        **{"resolved_config": 1, "arrays": 1, "cebra": 2, "evaluate": 2},
        **{"collect": 1, "tables": 1, "figures": 1, "diagnose": 1, "overview": 1},
    }
    table = pd.read_csv(repository / "cold/tiny/tables/action_recognition.csv")
    of_cebra = table[table["method"].isin(["cebra_behavior", "cebra_time"])]
    assert set(of_cebra["method"]) == {"cebra_behavior", "cebra_time"}
    assert of_cebra["mean"].notna().all()


def test_without_cebra_its_row_is_a_line(repository):
    path = os.pathsep.join([str(Path(sys.executable).parent), BARE])
    (repository / "cebra.yaml").write_text("rows: [swap_calcium, cebra_time]\n")
    asked = ("--until", "cebra", "--config", "results=plain")
    done = run(repository, *asked, path=path, also=("config/cebra.yaml", "cebra.yaml"))
    assert done.returncode != 0
    assert "CEBRA is not installed; run with --use-conda" in done.stdout


def test_without_conda_the_flag_fails_and_says_why(repository):
    path = os.pathsep.join([str(Path(sys.executable).parent), BARE])
    if shutil.which("conda", path=path):
        pytest.skip(f"conda is installed in {path}")
    asked = run(repository, "--use-conda", "--dry-run", "--config", "results=none", path=path)
    assert asked.returncode != 0
    assert "conda" in asked.stdout.strip().splitlines()[-1].lower()
    plain = run(repository, "--dry-run", "--config", "results=none", path=path)
    assert plain.returncode == 0
    assert "rule convert:" in plain.stdout
