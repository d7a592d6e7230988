"""Files from strangers: none runs code, writes elsewhere, or takes more memory than it is large.

``broken_*.py`` holds more of them, under "program", "lying header" and "name or path"; here each attack is carried out
and what it is after is looked for.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

import broken_fly_walking
import broken_mc2p
import broken_results
import broken_samples
from broken import Case, command
from neural_action.recordings.readers import search
from neural_action.training.loop import _resume

#: Address space that a process may take which reads a hostile file, bytes; NumPy and SciPy alone take half of it.
MEMORY = 3 << 30


class Attack:
    """What unpickling this does is leave a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def target(tmp_path):
    """What an attack tries to make."""
    yield tmp_path / "made"
    assert not (tmp_path / "made").exists()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What stages hand on."""
    folder = tmp_path_factory.mktemp("results")
    broken_results.make(folder)
    return folder


def refused(arguments, monkeypatch, capsys) -> str:
    """The one line that a command ends with."""
    status, lines = command(arguments, monkeypatch, capsys)
    assert status in (1, 2)
    assert sum(line.startswith("neural-action: ") for line in lines) == 1, lines
    return lines[-1]


def limited(arguments: list[str]) -> str:
    """The same in a process of its own whose memory is limited."""
    done = subprocess.run(
        [sys.executable, "-m", "neural_action", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert done.returncode in (1, 2), done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_a_pickle_that_calls(tmp_path, target, monkeypatch, capsys):
    broken_mc2p.make(tmp_path)
    broken_mc2p.pickled([np.zeros(3), Attack(target)])(tmp_path)
    case = Case("program", "", None, "", broken_mc2p.ANGLES)
    assert "names posix.mkdir" in refused(broken_mc2p.arguments(tmp_path, case), monkeypatch, capsys)


def test_a_checkpoint_that_calls_is_not_resumed(tmp_path, target, capsys):
    model = torch.nn.ModuleDict({"objective": torch.nn.Linear(2, 2)})
    before = {name: value.clone() for name, value in model.state_dict().items()}
    path = tmp_path / "checkpoint.pt"
    for write in (
        lambda: torch.save({"fingerprint": "x", "trained": Attack(target)}, path),
        lambda: path.write_bytes(pickle.dumps(Attack(target))),
        lambda: path.write_bytes(b"PK\x03\x04" + bytes(60)),
    ):
        write()
        state = _resume(path, "x", model, None, None, None)
        assert (state.step, state.log) == (0, [])
        assert "damaged (" in capsys.readouterr().err
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_weights_that_are_a_pickle(results, tmp_path, target, monkeypatch, capsys):
    folder = shutil.copytree(results, tmp_path / "results")
    torch.save({"a": Attack(target)}, folder / "model.safetensors")
    case = Case("program", "", None, "", {"stage": "evaluate"})
    assert "cannot be loaded as a model" in refused(
        broken_results.arguments(folder, case), monkeypatch, capsys
    )


@pytest.mark.parametrize(
    "tag", ["python/object/apply:os.mkdir", "python/object/new:os.mkdir", "python/name:os.mkdir"]
)
def test_yaml_that_calls(tmp_path, target, monkeypatch, capsys, tag):
    (tmp_path / "config.yaml").write_text(f"title: !!{tag} ['{target}']\n")
    arguments = ["resolve", "--config", f"{tmp_path}/config.yaml", "--output", f"{tmp_path}/out.yaml"]
    assert "cannot be read as YAML" in refused(arguments, monkeypatch, capsys)


@pytest.mark.parametrize(
    "metadata",
    [
        {"codecs": [{"name": "numcodecs.pickle"}]},
        {"codecs": [{"name": "bytes"}, {"name": "python", "configuration": {"module": "os"}}]},
        {"data_type": "object"},
        {"zarr_format": 2, "filters": [{"id": "pickle", "protocol": 4}], "dtype": "|O"},
    ],
)
def test_zarr_metadata_that_names_code(results, tmp_path, target, monkeypatch, capsys, metadata):
    folder = shutil.copytree(results, tmp_path / "results")
    array = folder / broken_results.ZARR / "behavior"
    content = json.loads((array / "zarr.json").read_text())
    (array / "zarr.json").write_text(json.dumps({**content, **metadata}))
    (array / "c/0/0").write_bytes(pickle.dumps(Attack(target)))
    line = refused(broken_results.arguments(folder, Case("program", "", None, "")), monkeypatch, capsys)
    assert "001.zarr: array behavior" in line or "001.zarr: chunk 0 of behavior" in line


@pytest.mark.parametrize("store", ["../../../elsewhere.zarr", "/etc", "x/../../y"])
def test_a_manifest_that_points_out_of_its_folder(results, tmp_path, monkeypatch, capsys, store):
    folder = shutil.copytree(results, tmp_path / "results")
    broken_results.edited(broken_results.MANIFEST, lambda content: content.update(store=store))(folder)
    line = refused(broken_results.arguments(folder, Case("program", "", None, "")), monkeypatch, capsys)
    assert "expected a path inside the manifest's folder" in line


@pytest.mark.parametrize(
    "name", ["../../out", "/tmp/out", "..", "a/b", "a\0b", "-rf", "~", "$(touch made)", "a;b"]
)
def test_names_of_a_sheet_write_nowhere_else(tmp_path, target, monkeypatch, capsys, name):
    (tmp_path / "samples.csv").write_text(f'animal,trial,path\n"{name}",1,x\n"{name}",2,y\n')
    (tmp_path / "raw").mkdir()
    arguments = broken_samples.arguments(tmp_path, Case("program", "", None, ""))
    line = refused(arguments, monkeypatch, capsys)
    # -rf is a name like any other, which never stands alone on a command line: what it lacks is a recording.
    assert ("x: " if name == "-rf" else "samples.csv: ") in line


def test_a_raw_folder_that_links_to_itself_ends(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/up").symlink_to(tmp_path)
    (tmp_path / "a/x.mat").write_bytes(b"")
    assert search(tmp_path, "*.mat") == [tmp_path / "a/x.mat"]


def test_linked_recordings_are_found(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/x.mat").write_bytes(b"")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/linked").symlink_to(tmp_path / "disk")
    assert search(tmp_path / "raw", "*.mat") == [tmp_path / "raw/linked/x.mat"]


def test_an_npy_of_a_terabyte(tmp_path):
    broken_mc2p.make(tmp_path)
    (case,) = (case for case in broken_mc2p.CASES if case.name == "indices of a terabyte")
    case.spoil(tmp_path)
    assert "indices.npy: cannot be read as .npy" in limited(broken_mc2p.arguments(tmp_path, case))


def test_a_mat_file_that_unpacks_a_thousandfold(tmp_path):
    broken_fly_walking.make(tmp_path)
    path = tmp_path / "raw" / broken_fly_walking.FILE
    pack, zeros, count = zlib.compressobj(9), bytes(1 << 24), 80
    # A matrix of doubles in one row, called as one that is read.
    doubles = count * len(zeros) // 8
    head = struct.pack("<2I 4I 2I2i", 14, 8 * doubles + 64, 6, 8, 6, 0, 5, 8, 1, doubles)
    head += struct.pack("<2I 16s 2I", 1, 11, b"positionDat", 9, 8 * doubles)
    packed = b"".join([pack.compress(head), *(pack.compress(zeros) for _ in range(count)), pack.flush()])
    with path.open("ab") as file:
        file.write((15).to_bytes(4, "little") + len(packed).to_bytes(4, "little") + packed)
    line = limited(broken_fly_walking.arguments(tmp_path, broken_fly_walking.CASES[0]))
    assert "cannot be read as a MATLAB file (ValueError: unpacks to more than" in line


def test_archives_that_lie_about_their_size(results, tmp_path, monkeypatch, capsys):
    folder = shutil.copytree(results, tmp_path / "results")
    code = "import sys; from pathlib import Path; from neural_action.neighbors.table import SwapTable\n"
    code += "try: SwapTable.load(Path(sys.argv[1]))\nexcept ValueError as error: sys.exit(str(error))"
    for spoil, says in (
        (broken_results.lying_npz, "its header says"),
        (broken_results.zip_bomb, "unpacks to"),
    ):
        spoil(folder)
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder / "swaps0.npz")],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        )
        assert done.returncode == 1
        assert says in done.stderr
