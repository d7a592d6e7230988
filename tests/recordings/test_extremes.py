"""Counts and clocks far from the usual: the right numbers, or one line."""

from __future__ import annotations

import numpy as np
import pytest

from neural_action.config.settings import SplitSettings, WindowSettings
from neural_action.datasets.dataset import dataset_of
from neural_action.datasets.layout import Entry, Layout
from neural_action.datasets.protocols import split_table
from neural_action.datasets.split_table import overlaps
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError
from neural_action.recordings.readers import paired
from neural_action.recordings.recording import Recording
from neural_action.recordings.samples import SampleRow

ROW = SampleRow("m1", "s1", "m1/s1")
FRAMES, SAMPLES = 600, 1200


@pytest.fixture
def read(tmp_path):
    """A function that reads traces at 10 /s and speed at 20 /s with the given times (role -> s)."""
    folder = tmp_path / "m1/s1"
    folder.mkdir(parents=True)
    np.save(folder / "traces.npy", np.random.default_rng(0).random((FRAMES, 4)))
    np.save(folder / "speed.npy", np.random.default_rng(1).random((SAMPLES, 1)))

    def call(**times):
        clocks = {"neural": {"rate": 10.0}, "behavior": {"rate": 20.0}}
        for role, given in times.items():
            np.save(folder / f"{role}.npy", given)
            clocks[role] = {"times": f"{{path}}/{role}.npy"}
        files = {"neural": "traces.npy", "behavior": "speed.npy"}
        options = {
            role: {"format": "arrays", "path": f"{{path}}/{files[role]}", "clock": clocks[role]}
            for role in files
        }
        return paired.read(tmp_path, ROW, paired.Options.parse(options), None).check("m1/s1")

    return call


@pytest.mark.parametrize(("role", "name", "count", "rate"), [
    ("neural", "neural", FRAMES, 10.0), ("behavior", "behaviour", SAMPLES, 20.0),
])  # fmt: skip
def test_a_clock_that_goes_back_or_stands_still_is_a_line(read, role, name, count, rate):
    times = np.arange(count) / rate
    back = np.r_[times[:400], times[400:] - 3.0]
    with pytest.raises(InputError, match=rf"m1/s1: {name} times do not increase at entry 400 \("):
        read(**{role: back})
    twice = np.r_[times[:400], times[399] + 1e-9, times[401:]]
    with pytest.raises(
        InputError, match=rf"{name} times 399 and 400 are 1e-09 s apart, the median is 0\.[01]"
    ):
        read(**{role: twice})
    # A camera that flushes its buffer is late, and then quick.
    late = times.copy()
    late[400] = late[401] - 0.02 / rate
    assert len(read(**{role: late}).behavior) == SAMPLES


def test_times_after_two_billion_samples_keep_their_order(read):
    found = read(neural=2**31 + np.arange(FRAMES) / 10, behavior=2**31 + np.arange(SAMPLES) / 20)
    np.testing.assert_allclose(found.neural_time, np.arange(FRAMES) / 10, atol=1e-6)
    np.testing.assert_allclose(found.behavior_time, np.arange(SAMPLES) / 20, atol=1e-6)
    np.testing.assert_array_equal(found.neural_index, np.arange(SAMPLES) // 2)


def test_video_frames_beyond_two_billion(tmp_path):
    folder = tmp_path / "m1/s1"
    folder.mkdir(parents=True)
    np.save(folder / "traces.npy", np.random.default_rng(0).random((FRAMES, 4)))
    frames = 2**31 + np.arange(SAMPLES)
    heads = ["scorer,DLC,DLC", "bodyparts,nose,nose", "coords,x,y"]
    (folder / "DLC.csv").write_text("\n".join([*heads, *(f"{at},{at % 7},1" for at in frames)]) + "\n")
    options = {
        "neural": {
            "format": "arrays",
            "path": "{path}/traces.npy",
            "clock": {"rate": 10.0, "start": 2**31 / 20},
        },
        "behavior": {"format": "deeplabcut", "path": "{path}/DLC.csv", "clock": {"rate": 20.0}},
    }
    found = paired.read(tmp_path, ROW, paired.Options.parse(options), None).check("m1/s1")
    np.testing.assert_array_equal(found.behavior[:, 0, 0], frames % 7)
    np.testing.assert_allclose(found.behavior_time - found.neural_time[0], np.arange(SAMPLES) / 20, atol=1e-6)
    np.testing.assert_array_equal(found.neural_index, np.arange(SAMPLES) // 2)


def test_values_after_two_billion_are_those_of_their_recording(tmp_path):
    before, frames = 2**31 + 17, 50
    # A sparse file, which takes no space on the disk.
    values = np.memmap(tmp_path / "neural", np.float32, "w+", shape=(before + 4 * frames,))
    values[before:] = np.arange(4 * frames)
    entry = Entry(
        "m2", "1", (4,), slice(before, before + 4 * frames), slice(before // 4, before // 4 + frames),
        slice(0, 0), (), (),
    )  # fmt: skip
    layout = Layout((entry,), {}, (), {"neural": values})
    np.testing.assert_array_equal(layout.neural(entry), np.arange(4 * frames).reshape(frames, 4))


def test_three_hundred_animals_stay_apart():
    count, frames = 300, 8
    time = np.tile(np.arange(frames) / 10, count)
    whole = [slice(frames * at, frames * (at + 1)) for at in range(count)]
    layout = Layout(
        tuple(
            Entry(f"m{at:03}", "1", (2,), slice(2 * own.start, 2 * own.stop), own, own, (), ())
            for at, own in enumerate(whole)
        ),
        {"class_names": ["a"], "behavior_names": ["x"], "neural_rate": 10.0},
        (1,),
        {
            "neural": np.repeat(np.arange(count, dtype=np.float32), 2 * frames),
            "neural_time": time,
            "behavior": time[:, None].astype(np.float32),
            "behavior_time": time,
            "labels": np.zeros(len(time), np.int8),
            "neural_index": np.tile(np.arange(frames, dtype=np.int32), count),
        },
    )
    settings = WindowSettings(frames=4, poses=4, behavior_stride=1, units="shared")
    dataset = dataset_of(layout, None, settings)
    windows = window_table(dataset, settings, stride=4)
    np.testing.assert_array_equal(windows.animal, np.repeat(np.arange(count), 2))
    np.testing.assert_array_equal(dataset.neural[windows.start][:, 0], windows.animal)


@pytest.mark.parametrize("protocol", ["repeated", "published"])
def test_a_hundred_thousand_trials_are_split(protocol):
    count = 100_000
    frames = np.arange(2 * count)
    one = Recording(
        "m1", "1", np.empty((0, 2)), frames / 10, np.zeros((len(frames), 1)), frames / 10, (frames % 2).astype(np.int8),
        frames.astype(np.int32), ("a", "b"), ("x",), 10.0, 10.0,
        segment=(frames // 2).astype(np.int32), segment_names=tuple(map(str, range(count))),
    )  # fmt: skip
    table = split_table([one], SplitSettings(protocol=protocol, repeats=1))
    assert not overlaps(table.rows)
    assert sum(row.stop - row.start for row in table.rows) == 2 * count
    share = sum(row.role == "train" for row in table.rows) / len(table.rows)
    assert share == pytest.approx(0.8, abs=0.01)
