"""Any neural file with any behaviour file: patterns, clocks, alignment, labels, missing values, cut trials."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_action.errors import InputError
from neural_action.recordings import alignment, missing, thresholds
from neural_action.recordings.naming import by_pattern
from neural_action.recordings.readers import paired
from neural_action.recordings.samples import SampleRow, check_rows, read_samples, write_samples

FRAMES, SAMPLES = 200, 500
ROW = SampleRow("m1", "s1", "m1/s1")


def write(root, seed=0):
    """20 s: traces at 10 /s as .npy, 3 keypoints at 25 /s as a DeepLabCut CSV, labels of the first 400 frames."""
    rng = np.random.default_rng(seed)
    folder = root / "m1/s1"
    folder.mkdir(parents=True)
    np.save(folder / "traces.npy", rng.random((FRAMES, 4)))
    points = np.cumsum(rng.standard_normal((SAMPLES, 6)), 0)
    heads = ["scorer" + ",DLC" * 6, "bodyparts,a,a,b,b,c,c", "coords" + ",x,y" * 3]
    lines = [f"{at}," + ",".join(f"{value:.6f}" for value in row) for at, row in enumerate(points)]
    (folder / "videoDLC.csv").write_text("\n".join(heads + lines) + "\n")
    pd.DataFrame({"action": np.repeat(["walk", "rest"], 200)}).to_csv(folder / "labels.csv", index=False)
    return points.reshape(SAMPLES, 3, 2).astype(np.float32)


def options(**changes):
    """Options of that recording, with changes."""
    base = {
        "recordings": "*/*",
        "neural": {"format": "arrays", "path": "{path}/traces.npy", "clock": {"rate": 10.0}},
        "behavior": {"format": "deeplabcut", "path": "{path}/*DLC.csv", "clock": {"rate": 25.0}},
    }
    return paired.Options.parse({**base, **changes})


def read(root, class_names=None, row=ROW, **changes):
    """The recording, checked."""
    return paired.read(root, row, options(**changes), class_names).check("m1/s1")


def test_two_formats_by_their_rates(tmp_path):
    points = write(tmp_path)
    assert paired.scan(tmp_path, options()) == [ROW]
    recording = read(tmp_path)
    np.testing.assert_array_equal(recording.neural, np.load(tmp_path / "m1/s1/traces.npy").astype(np.float32))
    np.testing.assert_allclose(recording.behavior, points, atol=1e-5)
    np.testing.assert_array_equal(recording.neural_index, np.arange(SAMPLES) * 10 // 25)
    assert (recording.labels == -1).all()
    assert (recording.neural_rate, recording.behavior_rate) == (10, 25)
    assert {path.name for path in paired.files(tmp_path, ROW, options())} == {"traces.npy", "videoDLC.csv"}


def test_labels_by_name_end_where_they_end(tmp_path):
    write(tmp_path)
    labels = {"format": "frame_labels", "path": "{path}/labels.csv", "options": {"column": "action"}}
    recording = read(tmp_path, ("rest", "walk"), labels=labels)
    assert np.bincount(recording.labels + 1).tolist() == [100, 200, 200]
    assert recording.class_names == ("rest", "walk")


def test_clocks_that_do_not_overlap_say_by_how_much(tmp_path):
    write(tmp_path)
    with pytest.raises(
        InputError,
        match=r"from 0\.000 to 19\.900 s and .*30\.000 to 49\.960 s do not overlap \(10\.100 s apart",
    ):
        read(tmp_path, align={"offset": 30.0})
    # Behaviour that begins later and lasts longer: what is outside belongs to no frame.
    recording = read(tmp_path, align={"offset": 15.0})
    assert len(recording.behavior) == 127
    assert recording.behavior_time[0] == 15


def test_a_frame_index_finds_the_offset(tmp_path):
    write(tmp_path)
    # The camera began 3.2 s after imaging; before the 20th sample it has no frame.
    index = np.floor((np.arange(SAMPLES) / 25 + 3.2) * 10).astype(int)
    index[(np.arange(SAMPLES) < 20) | (index >= FRAMES)] = -1
    np.save(tmp_path / "m1/s1/index.npy", index)
    recording = read(tmp_path, align={"by": "frame_index", "index": "{path}/index.npy"})
    np.testing.assert_array_equal(recording.neural_index, index[index >= 0])
    assert recording.behavior_time[0] == pytest.approx(0.8 + 3.2, abs=0.05)
    np.save(tmp_path / "m1/s1/index.npy", index // 2)
    with pytest.raises(
        InputError, match=r"is .* s from the middle of its frame .*expected rates .* that fit"
    ):
        read(tmp_path, align={"by": "frame_index", "index": "{path}/index.npy"})
    np.save(tmp_path / "m1/s1/index.npy", index[:-1])
    with pytest.raises(InputError, match="499 frame numbers, expected 500"):
        read(tmp_path, align={"by": "frame_index", "index": "{path}/index.npy"})


def test_a_common_trigger_shifts_or_stretches_the_clock(tmp_path):
    write(tmp_path)
    once = {"by": "trigger", "neural_events": [4.0], "behavior_events": [1.5]}
    assert read(tmp_path, align=once).behavior_time[0] == pytest.approx(2.5)
    # A camera clock that runs 1 % fast.
    times = np.array([1.0, 5.0, 15.0])
    np.savetxt(tmp_path / "m1/s1/ttl.txt", 1.01 * times + 0.3)
    drifting = {"by": "trigger", "neural_events": times.tolist(), "behavior_events": "{path}/ttl.txt"}
    recording = read(tmp_path, align=drifting)
    assert np.median(np.diff(recording.behavior_time)) == pytest.approx(0.04 / 1.01)
    np.savetxt(tmp_path / "m1/s1/ttl.txt", times[::-1])
    with pytest.raises(InputError, match=r"event .* s off after fitting one clock to the other"):
        read(tmp_path, align=drifting)
    with pytest.raises(InputError, match="1 events on the neural clock and 2 on the behaviour clock"):
        read(tmp_path, align={**once, "behavior_events": [1.0, 2.0]})


def test_times_from_a_file(tmp_path):
    write(tmp_path)
    times = np.arange(SAMPLES) * 40.0 + 500
    pd.DataFrame({"ms": times}).to_csv(tmp_path / "m1/s1/camera.csv", index=False)
    clock = {"times": "{path}/camera.csv", "column": "ms", "seconds": 0.001}
    behavior = {"format": "deeplabcut", "path": "{path}/*DLC.csv", "clock": clock}
    assert read(tmp_path, behavior=behavior).behavior_time[0] == pytest.approx(0.5)
    pd.DataFrame({"ms": times[20:]}).to_csv(tmp_path / "m1/s1/camera.csv", index=False)
    with pytest.raises(
        InputError, match=r"camera\.csv: 480 times, expected 500, .*4\.0% too few \(clock\.tolerance"
    ):
        read(tmp_path, behavior=behavior)
    with pytest.raises(InputError, match=r"has no clock; expected .*behavior\.clock\.rate"):
        read(tmp_path, behavior={"format": "deeplabcut", "path": "{path}/*DLC.csv"})


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("{path}/*.npz", r"0 files match .*neural\.path"),
        ("{path}/*", "3 files match"),
        ("../*", "below the raw folder"),
    ],
)
def test_patterns_mean_one_file(tmp_path, pattern, says):
    write(tmp_path)
    with pytest.raises(InputError, match=says):
        read(tmp_path, neural={"format": "arrays", "path": pattern, "clock": {"rate": 10.0}})


def test_neural_values_that_are_not_finite_are_found_when_they_are_read(tmp_path):
    write(tmp_path)
    path = tmp_path / "m1/s1/traces.npy"
    values = np.load(path)
    values[77, 2] = np.nan
    np.save(path, values)
    recording = read(tmp_path)
    with pytest.raises(InputError, match="NaN or infinity in neural frame 77"):
        np.asarray(recording.neural)
    source = {
        "format": "arrays",
        "path": "{path}/traces.npy",
        "clock": {"rate": 10.0},
        "missing": {"policy": "drop", "longest_gap": 0.0},
    }
    assert np.asarray(read(tmp_path, neural=source).neural).shape == (FRAMES - 1, 4)


def test_missing_keypoints_are_named(tmp_path):
    time = np.arange(100) / 10
    data = np.random.default_rng(0).random((100, 3, 2)).astype(np.float32)
    whole = data.copy()
    data[10:12, 1] = np.nan
    data[50:80, 2, 0] = np.nan
    names = ("nose", "paw", "tail")
    with pytest.raises(
        InputError, match=r"missing tail \(30\.0%, first in sample 50, longest gap 3\.10 s\), paw \(2\.0%"
    ):
        missing.impute(data, time, names, "refuse", 0.5, "x")
    with pytest.raises(InputError, match=r"missing tail \(30\.0%.*missing\.longest_gap"):
        missing.impute(data, time, names, "interpolate", 0.5, "x")
    filled, kept = missing.impute(data, time, names, "drop", 0.5, "x")
    np.testing.assert_array_equal(kept, np.r_[0:50, 80:100])
    np.testing.assert_allclose(filled[10, 1], whole[9, 1] + (whole[12, 1] - whole[9, 1]) / 3, rtol=1e-5)
    np.testing.assert_array_equal(np.delete(filled, (10, 11), 0), np.delete(whole[kept], (10, 11), 0))
    unchanged, everything = missing.impute(whole, time, names, "refuse", 0.5, "x")
    assert unchanged is whole
    assert len(everything) == 100
    data[:, 0] = np.nan
    with pytest.raises(InputError, match=r"missing nose \(100\.0%"):
        missing.impute(data, time, names, "drop", 0.5, "x")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.05, 2), min_size=2, max_size=40),
    st.lists(st.floats(0.01, 1), min_size=2, max_size=60),
    st.floats(-3, 3),
)
def test_frames_of_samples_against_a_loop(frame_steps, sample_steps, start):
    frames, samples = np.cumsum(frame_steps), start + np.cumsum(sample_steps)
    period = np.median(np.diff(frames))
    expected = []
    for number, time in enumerate(samples):
        before = [k for k, frame in enumerate(frames) if frame <= time + 1e-6 * period]
        if before and time - frames[before[-1]] < 1.5 * period:
            expected.append((number, before[-1]))
    try:
        kept, frame = alignment.by_time(frames, samples, "x")
    except InputError:
        assert len(expected) < 2 or samples[0] > frames[-1] or samples[-1] < frames[0]
    else:
        assert list(zip(kept.tolist(), frame.tolist(), strict=True)) == expected


def test_speed_classes_know_a_constant_speed_and_a_gap():
    time = np.r_[np.arange(100), np.arange(130, 230)] / 10
    position = np.where(time < 15, 2 * time, 30 + 6 * (time - 15))[:, None] * [0.6, 0.8]
    speed = thresholds.speed(position, time, 0.5)
    inner = speed[5:90]
    np.testing.assert_allclose(inner, 2, rtol=1e-6)
    assert np.isnan(speed[98:102]).all()
    labels = thresholds.classes(speed, [3.0])
    assert (labels[5:90] == 0).all()
    assert (labels[150:190] == 1).all()
    assert (labels[98:102] == -1).all()
    with pytest.raises(InputError, match=r"thresholds\.cuts: \[2, 1\], expected increasing"):
        thresholds.classes(speed, [2, 1])


def test_a_long_recording_is_cut_into_trials(tmp_path):
    write(tmp_path)
    rows = paired.scan(tmp_path, options(cut={"seconds": 4.0, "gap": 1.0}))
    assert [(row.trial, row.start, row.stop) for row in rows] == [
        (f"s1_part{at:02d}", 5.0 * at, 5.0 * at + 4) for at in range(4)
    ]
    write_samples(rows, tmp_path / "samples.csv")
    assert read_samples(tmp_path / "samples.csv") == rows
    whole = read(tmp_path)
    piece = read(tmp_path, row=rows[1]).between(5.0, 9.0, "x").check("x")
    np.testing.assert_array_equal(piece.neural, np.asarray(whole.neural)[50:90])
    np.testing.assert_array_equal(piece.behavior, whole.behavior[125:225])
    np.testing.assert_array_equal(piece.neural_index, np.arange(100) * 10 // 25)
    assert piece.neural_time[0] == 5
    with pytest.raises(InputError, match=r"cover 19\.9 s, expected at least 30 s .*cut\.seconds"):
        paired.scan(tmp_path, options(cut={"seconds": 30.0}))
    with pytest.raises(InputError, match=r"0 neural frames .* from 90 to 95 s"):
        whole.between(90.0, 95.0, "x")


def test_a_piece_in_a_gap_of_the_recording_is_left_out(tmp_path):
    write(tmp_path)
    clock = np.arange(FRAMES) / 10 + np.where(np.arange(FRAMES) >= 100, 13.0, 0)
    np.savetxt(tmp_path / "m1/s1/clock.txt", clock)
    neural = {"format": "arrays", "path": "{path}/traces.npy", "clock": {"times": "{path}/clock.txt"}}
    behavior = {"format": "deeplabcut", "path": "{path}/*DLC.csv", "clock": {"rate": 15.0}}
    rows = paired.scan(tmp_path, options(neural=neural, behavior=behavior, cut={"seconds": 4.0, "gap": 1.0}))
    assert [row.start for row in rows] == [0.0, 5.0, 25.0]


def test_parts_that_overlap_are_refused(tmp_path):
    rows = [SampleRow("a", "1", "x", 0.0, 10.0), SampleRow("a", "2", "x", 9.0, 19.0)]
    with pytest.raises(InputError, match="trials 1 and 2 of x overlap from 9 to 10 s"):
        check_rows(rows, "samples")
    (tmp_path / "s.csv").write_text("animal,trial,path,start,stop\na,1,x,5,\n")
    with pytest.raises(InputError, match="start '5' and stop '', expected both in seconds, or neither"):
        read_samples(tmp_path / "s.csv")
    (tmp_path / "s.csv").write_text("animal,trial,path,start,stop\na,1,x,5,4\na,2,y,,\n")
    with pytest.raises(InputError, match="expected start before stop"):
        read_samples(tmp_path / "s.csv")


def test_names(tmp_path):
    paths = [paired.Path("sub-1/sub-1_ses-2.nwb"), paired.Path("sub-1/sub-1_ses-3.nwb")]
    assert by_pattern(paths, r"sub-(?P<animal>\d+)_ses-(?P<trial>\d+)", "names") == [("1", "2"), ("1", "3")]
    with pytest.raises(InputError, match=r"does not match .*names"):
        by_pattern([paired.Path("x")], "(?P<animal>y)(?P<trial>z)", "convert.reader_options.names")


@pytest.mark.real_data
def test_a_real_frame_index(real_recordings, tmp_path):
    """Frame numbers of a fly recorded at 30 poses/s, with walking and grooming annotated (fly_vnc)."""
    folder = real_recordings("two_photon/fly_vnc/regression_analysis/test_data")
    index = np.loadtxt(folder / "fluorescence_idx.txt")
    times = np.loadtxt(folder / "times.txt")
    ordered = index[: len(times)]
    frames = int(ordered.max()) + 1
    # The microscope's own clock was not kept: its mean rate.
    period = (times[-1] - times[0]) / (ordered[-1] - ordered[0] + 1)
    kept, frame, time = alignment.by_index(np.arange(frames) * period, times, ordered, "x")
    assert len(kept) == len(times)
    np.testing.assert_array_equal(frame, ordered)
    np.testing.assert_allclose(np.diff(time), np.diff(times), atol=1e-9)


@pytest.mark.parametrize("policy", ["interpolate", "drop"])
def test_a_missing_value_unlabels_what_is_near_it_alone(tmp_path, policy):
    write(tmp_path)
    path = tmp_path / "m1/s1/videoDLC.csv"
    lines = path.read_text().splitlines()
    for at in (100, 101, 102, 300):
        cells = lines[3 + at].split(",")
        lines[3 + at] = ",".join([*cells[:3], "", "", *cells[5:]])
    path.write_text("\n".join(lines) + "\n")
    behavior = {
        "format": "deeplabcut",
        "path": "{path}/*DLC.csv",
        "clock": {"rate": 25.0},
        "missing": {"policy": policy, "longest_gap": 0.5 if policy == "interpolate" else 0.0},
    }
    recording = read(tmp_path, ("slow", "fast"), behavior=behavior, thresholds={"cuts": [10.0]})
    unlabelled = (recording.labels == -1).sum()
    # Half a second of smoothing around each of two gaps, and none where they are filled.
    assert unlabelled == 0 if policy == "interpolate" else 0 < unlabelled < 2 * 20


def test_a_feature_called_speed_is_what_thresholds_of_speed_mean():
    time = np.arange(200) / 10
    values = np.stack([np.linspace(0, 8, 200), np.sin(time)], axis=1)
    own = thresholds.measured("speed", values, ("speed", "pupil"), time, 0.0)
    np.testing.assert_allclose(own, values[:, 0])
    derived = thresholds.measured("speed", values, ("x", "y"), time, 0.0)
    np.testing.assert_allclose(derived, thresholds.speed(values, time, 0.0))
    with pytest.raises(InputError, match="'pupil size', expected speed or one of speed, pupil"):
        thresholds.measured("pupil size", values, ("speed", "pupil"), time, 0.0)
