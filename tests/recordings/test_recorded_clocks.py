"""Every stream by its own clock: frames with gaps, pulses that are too many, units, seconds since 1970."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest

from neural_action.errors import InputError
from neural_action.recordings.common_clock import on_one_clock
from neural_action.recordings.readers import paired
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.units import lasting, seconds_named

ROW = SampleRow("m1", "s1", "m1/s1")
FRAMES, SAMPLES = 600, 1200


@pytest.fixture
def folder(tmp_path):
    """60 s: traces at 10 /s, a keypoint at 20 /s whose x is its frame."""
    folder = tmp_path / "m1/s1"
    folder.mkdir(parents=True)
    np.save(folder / "traces.npy", np.random.default_rng(0).random((FRAMES, 4)))
    poses(folder, np.arange(SAMPLES))
    return folder


def poses(folder, frames):
    heads = ["scorer,DLC,DLC", "bodyparts,nose,nose", "coords,x,y"]
    (folder / "DLC.csv").write_text("\n".join([*heads, *(f"{at},{at},1" for at in frames)]) + "\n")


def read(folder, behavior=None, neural=None, **changes):
    options = {
        "neural": {"format": "arrays", "path": "{path}/traces.npy", "clock": neural or {"rate": 10.0}},
        "behavior": {"format": "deeplabcut", "path": "{path}/DLC.csv", "clock": behavior or {"rate": 20.0}},
        **changes,
    }
    return paired.read(folder.parents[1], ROW, paired.Options.parse(options), None).check("m1/s1")


def test_frames_that_begin_late_and_have_gaps_keep_their_times(folder):
    kept = np.r_[60:400, 500:SAMPLES]
    poses(folder, kept)
    found = read(folder)
    np.testing.assert_array_equal(found.behavior[:, 0, 0], kept)
    np.testing.assert_allclose(found.behavior_time, kept / 20)
    np.testing.assert_array_equal(found.neural_index, kept // 2)
    stream = found.streams[1]
    assert (stream.start, stream.gaps, stream.rate) == (3.0, 1, pytest.approx(20))
    assert stream.longest == pytest.approx(101 / 20)
    assert "frames as the file numbers them" in stream.how
    # Times of every frame of the video, or of those that were tracked.
    np.savetxt(folder / "camera.txt", 2 + np.arange(SAMPLES) / 20)
    found = read(folder, {"times": "{path}/camera.txt"})
    np.testing.assert_allclose(found.behavior_time[:2], [5.0, 5.05])
    np.savetxt(folder / "camera.txt", 2 + kept / 20)
    np.testing.assert_array_equal(read(folder, {"times": "{path}/camera.txt"}).behavior_time[0], 5.0)


def pulses(folder, count):
    line = np.zeros(50 * (count + 1), np.uint8)
    line[50 * np.arange(1, count + 1)] = 1
    with h5py.File(folder / "Episode001.h5", "w") as file:
        file["DI/Cameras"] = line[:, None]
    return {"sync": "{path}/Episode001.h5", "line": "Cameras", "rate": 1000.0}


@pytest.mark.parametrize("more", [5, -5])
def test_pulses_and_frames_may_differ_by_the_tolerance(folder, more):
    found = read(folder, pulses(folder, SAMPLES + more))
    assert len(found.behavior) == min(SAMPLES, SAMPLES + more)
    left = "pulses" if more > 0 else "frames"
    assert f"{SAMPLES + more} for {SAMPLES} frames: the last 5 {left} are not used" in found.streams[1].how
    exact = read(folder, pulses(folder, SAMPLES))
    assert "not used" not in exact.streams[1].how


@pytest.mark.parametrize("count", [SAMPLES + 60, SAMPLES - 60])
def test_pulses_that_are_too_many_or_too_few_are_refused(folder, count):
    with pytest.raises(
        InputError,
        match=rf"Episode001\.h5: line 'Cameras': {count} pulses, expected 1200, .*DLC\.csv: 5\.0% too (many|few)",
    ):
        read(folder, pulses(folder, count))
    assert read(folder, {**pulses(folder, count), "tolerance": 0.06}).streams


@pytest.mark.parametrize(
    ("times", "says"),
    [
        (
            np.arange(SAMPLES) * 50.0,
            r"behaviour times step by 50 and last 59950, .*not ms, .*behavior\.clock\.seconds",
        ),
        (np.arange(SAMPLES) * 5e4, "not µs, as it seems"),
        (np.arange(SAMPLES) * 1500.0, "not samples or another unit"),
        (1.7e12 + np.arange(SAMPLES) * 50.0, "not ms, as it seems"),
    ],
)
def test_times_that_are_no_seconds_are_told(folder, times, says):
    np.save(folder / "camera.npy", times)
    with pytest.raises(InputError, match=says):
        read(folder, {"times": "{path}/camera.npy"})


def test_two_clocks_in_ms_are_told(folder):
    np.save(folder / "scope.npy", np.arange(FRAMES) * 100.0)
    np.save(folder / "camera.npy", np.arange(SAMPLES) * 50.0)
    with pytest.raises(InputError, match=r"neural times step by 100 .*neural\.clock\.seconds"):
        read(folder, {"times": "{path}/camera.npy"}, {"times": "{path}/scope.npy"})
    # A unit that is given is believed.
    slow = [{"times": f"{{path}}/{name}.npy", "seconds": 1.0} for name in ("camera", "scope")]
    assert read(folder, *slow).behavior_time[1] == 50.0
    ms = [{"times": f"{{path}}/{name}.npy", "seconds": 0.001} for name in ("camera", "scope")]
    np.testing.assert_allclose(read(folder, *ms).behavior_time[-1], 59.95)


def test_the_name_of_a_column_says_its_unit(folder):
    pd.DataFrame({"timestamp_ms": np.arange(SAMPLES) * 50.0}).to_csv(folder / "camera.csv", index=False)
    clock = {"times": "{path}/camera.csv", "column": "timestamp_ms"}
    np.testing.assert_allclose(read(folder, clock).behavior_time[-1], 59.95)
    assert "in units of 0.001 s" in read(folder, clock).streams[1].how
    assert [seconds_named(name) for name in ("Time (ms)", "t [us]", "items", "ms", "frames")] == [
        1e-3,
        1e-6,
        1,
        1e-3,
        1,
    ]


@pytest.mark.parametrize(
    "lines",
    [
        [f"{at / 20}" for at in range(SAMPLES)],
        [f"{at},{at / 20}" for at in range(SAMPLES)],
        ["0", *(f"{at / 20}" for at in range(SAMPLES))],
        ["time", *(f"{at / 20}" for at in range(SAMPLES))],
        ["frame,timestamp_ms,gain", *(f"{at},{at * 50},3" for at in range(SAMPLES))],
        [
            "Timestamp",
            *(f"2024-03-01T09:{at // 1200:02d}:{at % 1200 / 20:06.3f}+00:00" for at in range(SAMPLES)),
        ],
    ],
    ids=["no header", "no header, frames", "pandas", "header", "several columns", "dates"],
)
def test_files_of_times_in_every_form(folder, lines):
    (folder / "camera.csv").write_text("\n".join(lines) + "\n")
    clock = {"times": "{path}/camera.csv"}
    if "," in lines[0] and "frame" not in lines[0]:
        clock["column"] = "column_1"
    offset = {"offset": -1709283600.0} if "Timestamp" in lines else {}
    found = read(folder, clock, align=offset)
    np.testing.assert_allclose(found.behavior_time, np.arange(SAMPLES) / 20, atol=1e-6)


def test_a_file_of_words_is_no_clock(folder):
    (folder / "camera.csv").write_text("time\n" + "soon\n" * SAMPLES)
    with pytest.raises(InputError, match=r"camera\.csv: .* such as 'soon', expected numbers or dates"):
        read(folder, {"times": "{path}/camera.csv"})


def test_seconds_since_1970_start_at_zero(folder):
    start = 1709283600.25
    np.save(folder / "scope.npy", start + np.arange(FRAMES) / 10)
    np.save(folder / "camera.npy", start + 3 + np.arange(SAMPLES) / 20)
    clocks = [{"times": f"{{path}}/{name}.npy"} for name in ("camera", "scope")]
    found = read(folder, *clocks)
    assert (found.neural_time[0], found.behavior_time[0]) == (0.25, 3.25)
    assert len(np.unique(found.behavior_time.astype(np.float32))) == len(found.behavior_time)
    assert "zero is Unix time 1709283600 s" in found.streams[0].how
    with pytest.raises(InputError, match=r"do not overlap .*one of them is Unix time"):
        read(folder, clocks[0])


def test_a_camera_that_drops_frames_has_gaps(folder):
    times = np.delete(np.arange(SAMPLES + 30) / 20, np.r_[100:120, 500:510])
    np.save(folder / "camera.npy", times)
    found = read(folder, {"times": "{path}/camera.npy"})
    assert found.streams[1].gaps == 2
    # Sample 100 was seen 1 s later than counting would say.
    assert found.behavior_time[100] == 6.0


def test_alignment_is_said(folder):
    events = {"by": "trigger", "neural_events": [4.0, 24.0], "behavior_events": [1.0, 21.0]}
    assert "aligned by 2 common events (+3.000 s, drift +0 ppm)" in read(folder, align=events).streams[1].how
    assert (
        read(folder, align={"offset": 3.0}).streams[1].how.endswith("aligned by time stamps, +3 s as given")
    )
    np.save(folder / "index.npy", np.arange(SAMPLES) // 2)
    index = {"by": "frame_index", "index": "{path}/index.npy"}
    assert "aligned by the frame index of index.npy (+0." in read(folder, align=index).streams[1].how


def test_series_of_one_clock_are_left_as_they_are():
    clock = np.arange(10) / 5
    values = [np.arange(10.0), np.ones((10, 2))]
    moved, time, said = on_one_clock(values, [clock, clock + 1e-12], ["a", "b"], "x")
    assert moved[0] is values[0]
    assert time is clock
    assert said == ""


def test_series_with_clocks_of_their_own_are_brought_to_one():
    """x is the time in each; one starts later, one has a gap."""
    early, late = np.delete(np.arange(100) / 10, np.r_[40:50]), 3 + np.arange(60) / 10
    moved, time, said = on_one_clock([early, late], [early, late], ["nose", "tail"], "x")
    np.testing.assert_allclose(time, np.arange(100) / 10)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(moved[0])), np.arange(40, 50))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(moved[1])), np.r_[0:30, 90:100])
    for values in moved:
        known = np.isfinite(values)
        np.testing.assert_allclose(values[known], time[known], rtol=1e-6)
    assert said.startswith("nose, tail have different clocks")


def test_series_of_other_phase_and_rate_are_interpolated():
    slow, fast = 0.03 + np.arange(50) / 10, np.arange(100) / 20
    moved, time, _ = on_one_clock([slow, fast], [slow, fast], ["a", "b"], "x")
    assert np.median(np.diff(time)) == pytest.approx(0.05, abs=0.021)
    for values in moved:
        known = np.isfinite(values)
        assert known.mean() > 0.9
        np.testing.assert_allclose(values[known], time[known], rtol=1e-5)


def test_series_that_never_meet_are_refused():
    with pytest.raises(InputError, match=r"b starts at 50 s, after a has ended \(9\.9 s\)"):
        on_one_clock([np.zeros(100)] * 2, [np.arange(100) / 10, 50 + np.arange(100) / 10], ["a", "b"], "x")
    with pytest.raises(InputError, match="b has 2 times, expected 3, one for each sample"):
        on_one_clock([np.zeros(3)] * 2, [np.arange(3.0), np.arange(2.0)], ["a", "b"], "x")


def test_rows_last_until_the_next():
    np.testing.assert_allclose(
        lasting(np.array([0, 100, 200, 900]), 1e-3, "x"), [[0, 0.1], [0.1, 0.2], [0.2, 0.35], [0.9, 1.0]]
    )
