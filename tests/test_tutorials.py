"""docs/tutorials/own_recordings.md, word by word, on real files. Snakemake plans the runs, and converts a trial."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from neural_action.config.load import read_yaml
from running import OWN_PATH, ROOT, snakemake

PAGE = ROOT / "docs/tutorials/own_recordings.md"
SUITE2P, POSE = "suite2p", "fly_pose/seqikpy/anipose_220525_aJO_Fly001_001/pose-3d/pose3d_aligned.pkl"
WORM = "nwb/ScholzEtAl2018.AML175_moving.BrainScanner20180223_141721.nwb"
MONKEY = "monkey_reach/full-chewie-10032013-bin0.10-vel_thresh0.00.npz"
#: Section of the page -> where the files that it speaks of lie among the real ones.
TUTORIALS = {
    "My two-photon and pose files": {
        "recordings/Fly1/001/suite2p/plane0/F.npy": f"{SUITE2P}/F.npy",
        "recordings/Fly1/001/suite2p/plane0/iscell.npy": f"{SUITE2P}/iscell.npy",
        "recordings/Fly1/001/pose/pose3d_aligned.pkl": POSE,
    },
    "My NWB files": {f"recordings/{Path(WORM).name}": WORM},
    "Arrays": {"recordings/session.npz": MONKEY},
}


def blocks(section: str) -> tuple[dict[str, str], list[str]]:
    """Files (name -> text) and commands of a section of the page."""
    text = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    files = dict(re.findall(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```", text, re.DOTALL))
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()
    ]
    return files, commands


def test_the_page_shows_no_other_commands():
    shown = PAGE.read_text().count("```sh")
    assert shown == sum(
        PAGE.read_text().split(f"\n## {name}\n")[1].split("\n## ")[0].count("```sh") for name in TUTORIALS
    )
    for name in TUTORIALS:
        files, commands = blocks(name)
        assert [shlex.split(command)[0] for command in commands] == ["neural-action"] * 2 + ["snakemake"]
        assert "look.yaml" in files


@pytest.fixture
def checkout(tmp_path):
    """A checkout beside which recordings can lie."""
    for name in ("Snakefile", "workflow", "config", "src", "envs", "profiles"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.real_data
@pytest.mark.workflow
@pytest.mark.parametrize("section", TUTORIALS)
def test_a_tutorial(section, checkout, real_recordings):
    for name, source in TUTORIALS[section].items():
        target = checkout / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(real_recordings(source))
    files, commands = blocks(section)
    for name, text in files.items():
        (checkout / name).write_text(text)
    said = ""
    for command in commands[:2]:
        done = subprocess.run(
            shlex.split(command),
            cwd=checkout,
            env={**os.environ, "PATH": OWN_PATH},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said += done.stdout
    assert "PROBLEM" not in said
    assert "expected on 2 cores" in said
    name = shlex.split(commands[2])[-2].removesuffix(".yaml")
    samples = (checkout / f"{name}_recordings.csv").read_text().splitlines()
    assert len(samples) - 1 >= 7
    # A fit would fail in some fold: rests are too few, or there is nothing that decays.
    assert read_yaml(checkout / f"{name}.yaml")["calcium"] == {"decay": 1.0}
    planned = snakemake(*shlex.split(commands[2])[1:], "--dry-run", folder=checkout)
    assert planned.returncode == 0, planned.stdout
    assert "tables" in planned.stdout
    if section != next(iter(TUTORIALS)):
        return
    animal, trial, *_ = samples[1].split(",")
    manifest = f"results/{name}/recordings/{animal}/{trial}.manifest.json"
    made = snakemake(
        "--cores", "1", "--quiet", "all", *shlex.split(commands[2])[3:], "--", manifest, folder=checkout
    )
    assert (checkout / manifest).exists(), made.stdout
