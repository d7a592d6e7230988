"""From raw files to a verified store."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neural_action.config.settings import ConvertSettings
from neural_action.errors import InputError
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.readers import fly_walking
from neural_action.recordings.samples import SampleRow, scan
from neural_action.recordings.steps import root_relative
from neural_action.recordings.store import read_manifest, read_recording


def convert(trial, out, threads=1, **settings):
    row = SampleRow("Fly1", "001", trial.name)
    settings = ConvertSettings.model_validate({"reader": "mc2p", **settings})
    manifest = out / "Fly1" / "001.manifest.json"
    convert_trial(settings, "test", trial.parent, row, out / "Fly1" / "001.zarr", manifest, threads)
    return manifest


def test_without_steps_the_store_holds_the_raw_arrays(trial, tmp_path):
    recording = read_recording(convert(trial, tmp_path / "out"))
    np.testing.assert_array_equal(
        recording.neural, np.fromfile(trial / "2p_dff_raw.mm", np.float32).reshape(-1, 16, 16)
    )
    np.testing.assert_array_equal(
        recording.behavior, np.fromfile(trial / "pose_result__x.mm", np.float32).reshape(-1, 38, 2)
    )
    assert recording.units["neural"] == "dF/F"
    assert recording.sources == {
        f"{trial.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in trial.iterdir()
    }


def test_all_steps_in_order(trial, tmp_path):
    manifest = convert(
        trial,
        tmp_path / "out",
        resize=4,
        dff={"percentile": 10.0},
        scale={"low": 1.0, "high": 99.0},
        root_relative=True,
        dtype="float16",
        chunk_mb=0.001,
        threads=2,
        reader_options={"drop_rest": True},
    )
    recording = read_recording(manifest)
    movie = np.fromfile(trial / "2p_dff_raw.mm", np.float32).reshape(-1, 4, 4, 4, 4).mean((2, 4))
    base = np.percentile(movie, 10, axis=0)
    dff = (movie - base) / base
    low, high = np.percentile(dff, (1, 99))
    assert recording.neural.dtype == np.float16
    np.testing.assert_allclose(recording.neural, np.clip((dff - low) / (high - low), 0, 1), atol=1e-3)
    pose = np.fromfile(trial / "pose_result__x.mm", np.float32).reshape(-1, 38, 2)
    np.testing.assert_array_equal(recording.behavior, root_relative(pose))
    assert recording.units["neural"] == "dF/F, percentiles 1 and 99 at 0 and 1"
    assert (recording.labels[:10] == -1).all()
    attributes = read_manifest(manifest).attributes
    assert attributes["steps"]["resize"] == 4
    assert attributes["steps"]["reader_options"] == {"drop_rest": True}
    assert attributes["dataset"] == "test"


def test_threads_and_chunks_do_not_change_values(trial, tmp_path):
    one = convert(trial, tmp_path / "one", scale={}, resize=8)
    two = convert(trial, tmp_path / "two", scale={}, resize=8, chunk_mb=0.002, threads=2)
    assert len(read_manifest(two).arrays["neural"].sha256) > 1
    np.testing.assert_array_equal(read_recording(one).neural, read_recording(two).neural)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"resize": 5}, r"convert\.resize: 5 for images of 16 x 16, expected one of \[1, 2, 4, 8, 16\]"),
        ({"scale": {"low": 60.0, "high": 40.0}}, r"convert\.scale: low 60"),
        ({"reader": "tiff"}, r"convert\.reader: 'tiff' is not one of fly_walking, mc2p"),
        ({"reader_options": {"side": 0}}, r"convert\.reader_options\.side: 0"),
        (
            {"reader_options": {"behavior": "angles"}, "root_relative": True},
            "root_relative: behaviour has shape",
        ),
    ],
)
def test_bad_settings_are_one_line_and_write_nothing(trial, tmp_path, settings, says):
    with pytest.raises(InputError, match=says) as error:
        convert(trial, tmp_path / "out", **settings)
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "out").rglob("*.*"))


@pytest.mark.parametrize("frame", [0, 17, 39])
def test_nan_in_the_movie_is_found_while_writing(trial, tmp_path, frame):
    np.memmap(trial / "2p_dff_raw.mm", np.float32, "r+")[frame * 256 + 3] = np.nan
    with pytest.raises(InputError, match=rf"2p_dff_raw\.mm: NaN or infinity in frame {frame},"):
        convert(trial, tmp_path / "out", scale={})
    assert not list((tmp_path / "out").rglob("*.*"))


BOUNDED = """
import re, sys
from pathlib import Path
from neural_action.config.settings import ConvertSettings
from neural_action.recordings.convert import convert_trial
from neural_action.recordings.samples import SampleRow
trial, out = map(Path, sys.argv[1:])
settings = ConvertSettings(reader="mc2p", scale={"low": .5, "high": 99.5}, chunk_mb=2.0)
# Not ru_maxrss: it begins at the peak of the process that started this one.
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
before = peak()
convert_trial(settings, "d", trial.parent, SampleRow("a", "1", trial.name), out / "x.zarr", out / "x.json", 2)
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_does_not_grow_with_the_movie(make_trial, tmp_path):
    """Chunks of 2 MiB (8 when read) and 27 MiB of sampled frames: about 120 MiB in all for a movie of 192."""
    # Three minutes at both nominal rates.
    trial = make_trial(tmp_path / "raw" / "d_g_Fly1_1", side=128, frames=3072, samples=19200)
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(trial), str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 180


@pytest.mark.real_data
def test_a_real_fly(fly_walking_folder, tmp_path):
    row = scan("fly_walking", fly_walking_folder, {})[0]
    settings = ConvertSettings.model_validate(
        {"reader": "fly_walking", "dff": {"percentile": 10.0}, "scale": {"low": 0.5, "high": 99.5}}
    )
    manifest = tmp_path / "x.manifest.json"
    convert_trial(settings, "flies", fly_walking_folder, row, tmp_path / "x.zarr", manifest)
    recording = read_recording(manifest)
    assert recording.neural.shape == (750, 32)
    assert (recording.neural.min(), recording.neural.max()) == (0, 1)
    assert 0.1 < recording.neural.mean() < 0.6
    assert recording.class_names == fly_walking.CLASS_NAMES
    assert list(recording.sources) == [row.path]
