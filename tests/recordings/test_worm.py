"""The reader of worms: on made-up files, and on the real ones where they are."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from neural_action.config.settings import ConvertSettings
from neural_action.errors import InputError
from neural_action.preflight.problems import notes
from neural_action.preflight.sample import look_at
from neural_action.recordings.hdf5 import opened
from neural_action.recordings.plausible import check_plausible
from neural_action.recordings.readers import worm
from neural_action.recordings.samples import SampleRow, check_rows
from neural_action.recordings.store import read_recording, write_store
from worm_file import FRAMES, NAME, PERIOD, UNITS, content, write

REST = np.arange(FRAMES)


def read(folder, class_names=None, name=NAME, **options):
    row = SampleRow("w", "001", name)
    return worm.read(folder, row, worm.Options.parse(options), class_names).check(name)


def scan(folder, **options):
    return worm.scan(folder, worm.Options.parse(options))


def changed(folder, **variables):
    values = content()
    for name, value in variables.items():
        key = next(key for key in values if key.endswith(f"/{name}"))
        values[key] = value
        if value is None:
            del values[key]
    return write(folder, values)


def test_traces_and_behaviour_are_at_the_same_frames(tmp_path):
    write(tmp_path, content())
    recording, values = read(tmp_path), content()
    np.testing.assert_allclose(recording.neural, values["gcamp/trace_array"], rtol=1e-6)
    assert (recording.neural.dtype, recording.behavior.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(recording.behavior[:, :30], values["behavior/body_angle"], rtol=1e-6)
    np.testing.assert_allclose(recording.behavior[:, 30], values["behavior/velocity"], rtol=1e-6)
    assert recording.behavior_names[-4:] == ("body_angle_30", "velocity", "head_angle", "angular_velocity")
    np.testing.assert_allclose(recording.neural_time, PERIOD * REST, atol=1e-6)
    np.testing.assert_array_equal(recording.neural_index, REST)
    assert recording.neural_rate == pytest.approx(1 / PERIOD)
    assert recording.notes == ()


def test_other_traces_and_features(tmp_path):
    write(tmp_path, content())
    recording = read(tmp_path, traces="f_over_f20", behavior=["worm_curvature", "velocity"])
    assert recording.neural.min() >= 1
    assert recording.behavior_names == ("worm_curvature", "velocity")
    assert recording.units["behavior"] == "rad, mm/s"


def test_classes_are_thresholds(tmp_path):
    write(tmp_path, content())
    recording = read(tmp_path)
    np.testing.assert_array_equal(recording.labels, REST // 10 % 4)
    assert recording.class_names[2] == "forward_head_positive"
    assert read(tmp_path, class_names=tuple("abcd")).class_names == tuple("abcd")
    with pytest.raises(InputError, match=r"convert\.class_names: 2 names, expected 4"):
        read(tmp_path, class_names=("a", "b"))


def test_a_class_that_a_worm_lacks_is_said(tmp_path):
    changed(tmp_path, reversal_vec=np.zeros(FRAMES))
    recording = read(tmp_path)
    assert not (recording.labels == 0).any()
    assert recording.notes == ("no frame of class reversal",)


def test_where_a_class_is_not_known_there_is_none(tmp_path):
    values = content()["behavior/head_angle"]
    values[[3, 50]] = np.nan
    changed(tmp_path, head_angle=values)
    recording = read(tmp_path, missing={"policy": "drop", "longest_gap": 0.0})
    assert len(recording.labels) == FRAMES - 2
    assert not np.isin([3, 50], recording.neural_index).any()
    assert read(tmp_path, behavior=["velocity"]).labels[[3, 50]].tolist() == [-1, -1]
    with pytest.raises(InputError, match=r"missing head_angle .*missing\.policy"):
        read(tmp_path)


def test_posture_that_wraps_as_a_whole_is_brought_back(tmp_path):
    angles = content()["behavior/body_angle"]
    wrapped = angles.copy()
    wrapped[20:30] += 2 * np.pi
    wrapped[40:45] -= 2 * np.pi
    changed(tmp_path, body_angle=wrapped)
    np.testing.assert_allclose(read(tmp_path).behavior[:, :30], angles, atol=1e-5)


def test_blocks_are_apart_and_cover_what_is_left(tmp_path):
    write(tmp_path, content())
    rows = check_rows(scan(tmp_path), "samples")
    assert [(row.animal, row.trial) for row in rows] == [("2022-07-26-31", f"00{k}") for k in range(1, 6)]
    whole = read(tmp_path)
    parts = [whole.between(row.start, row.stop, "part") for row in rows]
    assert sum(len(part.neural) for part in parts) == FRAMES - 4 * 8
    ends = [part.neural_time[[0, -1]] for part in parts]
    apart = [after[0] - before[1] for before, after in pairwise(ends)]
    np.testing.assert_allclose(apart, 9 * PERIOD, atol=1e-6)
    together = scan(tmp_path, blocks=3, gap_seconds=0)
    assert sum(len(whole.between(row.start, row.stop, "p").neural) for row in together) == FRAMES
    with pytest.raises(InputError, match=r"200 continuous frames, expected more for 50 blocks with 8"):
        scan(tmp_path, blocks=50)


def test_no_block_bridges_a_gap(tmp_path):
    """Neither one that the file says nor one that only the time stamps show."""
    stamps = content()["timing/timestamp_confocal"].copy()
    stamps[60:] += 30
    stamps[150:] += 3
    changed(tmp_path, idx_splits=np.array([[1, 61], [60, 195]]), timestamp_confocal=stamps)
    recording = read(tmp_path)
    assert recording.notes == ("3 continuous parts",)
    assert len(recording.neural) == 195
    for blocks in (1, 3, 7):
        rows = check_rows(scan(tmp_path, blocks=blocks), "samples")
        assert len(rows) == max(3, blocks)
        for row in rows:
            part = recording.between(row.start, row.stop, "part")
            assert np.diff(part.neural_time).max() < 1.1 * PERIOD


@pytest.mark.parametrize(
    ("splits", "says"),
    [
        ([[1, 90], [100, 200]], "frames 90 to 200 after 100"),
        ([[1], [201]], "frames 1 to 201 after 0, expected ascending parts within 200"),
        ([[0], [200]], "frames 0 to 200"),
        ([[1.5], [200]], r"holds \[1.5, 200.0\], expected frame numbers"),
        ([[1, 100, 200]], r"shape \(1, 3\)"),
    ],
)
def test_parts_that_cannot_be(tmp_path, splits, says):
    changed(tmp_path, idx_splits=np.array(splits))
    with pytest.raises(InputError, match=says):
        scan(tmp_path)


def test_another_rate_is_brought_to_the_one_of_all(tmp_path):
    values = content(period=0.737)
    values["gcamp/trace_array"][:, 0] = 0.737 * REST
    values["gcamp/idx_splits"] = np.array([[1, 101], [100, FRAMES]])
    values["timing/timestamp_confocal"][100:] += 50
    write(tmp_path, values)
    recording = read(tmp_path)
    assert recording.notes == ("2 continuous parts", "interpolated from 0.737 to 0.6 s between frames")
    check_plausible(recording, "worm")
    first = recording.neural_time < 80
    np.testing.assert_allclose(np.diff(recording.neural_time[first]), 0.6, atol=1e-9)
    np.testing.assert_allclose(recording.neural[first, 0], recording.neural_time[first], atol=1e-4)
    # No frame is made of the two sides of the gap.
    assert recording.neural[~first, 0].min() >= 0.737 * 100 - 1e-4
    slow = read(tmp_path, period=None)
    assert (len(slow.neural), slow.neural_rate) == (FRAMES, pytest.approx(1 / 0.737))


def test_time_stamps_that_are_not_one_a_frame(tmp_path):
    changed(tmp_path, timestamp_confocal=np.arange(281) * 0.6)
    with pytest.raises(InputError, match=r"281 time stamps for 200 frames, expected one for each; exclude"):
        scan(tmp_path)
    assert scan(tmp_path, exclude=["2022-07-26-31"]) == []
    recording = read(tmp_path, assumed_period=0.6)
    np.testing.assert_allclose(recording.neural_time, 0.6 * REST, atol=1e-9)
    assert recording.notes == ("281 time stamps for 200 frames: assumed 0.6 s between frames",)
    with pytest.raises(InputError, match=r"exclude: 'nobody' is not one of 2022-07-26-31"):
        scan(tmp_path, exclude=["nobody"])


@pytest.mark.parametrize("angles", [REST / 10, np.zeros((FRAMES, 12)), None])
def test_a_worm_without_posture(tmp_path, angles):
    changed(tmp_path, body_angle=angles)
    with pytest.raises(
        InputError, match=r"-data\.h5: no posture: behavior/body_angle .*exclude the worm"
    ) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)
    assert read(tmp_path, behavior=["velocity", "head_angle"]).behavior.shape == (FRAMES, 2)


def test_a_feature_that_was_not_scored(tmp_path):
    write(tmp_path, content())
    with pytest.raises(InputError, match="behavior/pumping is all NaN"):
        read(tmp_path, behavior=["velocity", "pumping"])


def test_units_that_never_change_are_left_out(tmp_path):
    traces = content()["gcamp/trace_array"]
    traces[:, 2], traces[:, 5] = 0.7, np.nan
    changed(tmp_path, trace_array=traces)
    recording = read(tmp_path)
    np.testing.assert_allclose(recording.neural, traces[:, [0, 1, 3, 4, 6]], rtol=1e-6)
    assert recording.notes == ("2 of 7 units never change (from 0: 2, 5) and are left out",)
    changed(tmp_path, trace_array=np.ones((FRAMES, 2)))
    with pytest.raises(InputError, match="none of 2 units changes"):
        read(tmp_path)


def test_a_trace_with_a_hole(tmp_path):
    traces = content()["gcamp/trace_array"]
    traces[17, 3] = np.nan
    changed(tmp_path, trace_array=traces)
    with pytest.raises(InputError, match="trace of unit 3 holds NaN or infinity in frame 17"):
        read(tmp_path)


def test_one_unit(tmp_path):
    changed(tmp_path, trace_array=content()["gcamp/trace_array"][:, :1])
    recording = read(tmp_path)
    assert recording.neural.shape == (FRAMES, 1)
    assert recording.notes == ("only one unit is left",)


IDS = "worm,trace_index_1based,label,neuron_class,LR,DV,confidence\n"


def identities(folder, text):
    (folder / "ids.csv").write_text(IDS + text)
    return {"identities": "ids.csv"}


def test_units_get_the_names_that_are_known(tmp_path):
    traces = content()["gcamp/trace_array"]
    traces[:, 0] = 1.0
    changed(tmp_path, trace_array=traces)
    animal = "2022-07-26-31"
    options = identities(
        tmp_path,
        f"{animal},1,AIBL,AIB,L,,5\n{animal},2,AVAL,AVA,L,,5\n{animal},3,AVAR,AVA,R,,2\n{animal},7,SIBV?,SIB,,,3\n"
        "other,4,RIH,RIH,,,5\n",
    )
    recording = read(tmp_path, **options)
    assert recording.unit_names == ("AVAL", "AVAR", "", "", "", "")
    assert read(tmp_path, **options, min_confidence=3.0).unit_names[:2] == ("AVAL", "")
    by_class = read(tmp_path, **options, identity="neuron_class")
    assert by_class.unit_names == ("AVA", "AVA", "", "", "", "SIB")
    row = SampleRow("w", "001", NAME)
    assert worm.files(tmp_path, row, worm.Options.parse(options)) == [tmp_path / NAME, tmp_path / "ids.csv"]


def test_names_of_units_are_kept_in_the_store(tmp_path):
    write(tmp_path, content())
    recording = read(tmp_path, **identities(tmp_path, "2022-07-26-31,2,AVAL,AVA,L,,5\n"))
    place = tmp_path / "store.zarr", tmp_path / "store.manifest.json"
    write_store(recording, *place, dataset="worms", steps={}, chunk_mb=1.0)
    assert read_recording(place[1]).unit_names == ("", "AVAL", *[""] * (UNITS - 2))


def test_a_name_that_several_units_have(tmp_path):
    write(tmp_path, content())
    rows = [f"2022-07-26-31,{at},{label},C,,,{sure}\n" for at, label, sure in CLAIMS]
    recording = read(tmp_path, **identities(tmp_path, "".join(rows)))
    assert recording.unit_names == ("URADL", "", "", "", "RMDD", "", "")
    assert recording.notes == (
        "ids.csv gives URADL, AVAL to several units; only the one with the highest confidence keeps it",
    )


CLAIMS = [(1, "URADL", 5), (2, "URADL", 3), (3, "AVAL", 4), (4, "AVAL", 4), (5, "RMDD", 1)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "2022-07-26-31,2,AVAL,AVA,L,,5\n2022-07-26-31,2,AVAR,AVA,R,,5\n",
            "trace_index_1based 2 of .* is both AVAL and AVAR",
        ),
        ("2022-07-26-31,0,AVAL,AVA,L,,5\n", "trace_index_1based 0 of"),
        ("2022-07-26-31,x,AVAL,AVA,L,,5\n", "trace_index_1based 'x' of AVAL, expected a number"),
        ("2022-07-26-31,2,AVAL,AVA,L,,high\n", "confidence 'high' of AVAL"),
        ("2022-07-26-31,8,AVAL,AVA,L,,5\n", "trace_index_1based 8 of 2022-07-26-31, expected at most 7"),
    ],
)
def test_identities_that_cannot_be(tmp_path, text, says):
    write(tmp_path, content())
    with pytest.raises(InputError, match=says):
        read(tmp_path, **identities(tmp_path, text))


def test_check_says_once_what_was_done_to_a_worm(tmp_path):
    write(tmp_path, content(period=0.737))
    settings = ConvertSettings(reader="worm", reader_options={"blocks": 2})
    looks = list(look_at(tmp_path, scan(tmp_path, blocks=2), settings, "velocities"))
    settings = SimpleNamespace(split=SimpleNamespace(animal_of_session=None))
    assert list(notes(looks, SimpleNamespace(trained=[], apart=False, settings=settings), {})) == [
        "2022-07-26-31: interpolated from 0.737 to 0.6 s between frames",
    ]
    neural, behavior, labels = (stream.how for stream in looks[0].streams)
    assert neural.endswith(
        "-data.h5, gcamp/trace_array, z-scored fluorescence; times of timing/timestamp_confocal"
    )
    assert behavior.endswith("behavior/ (posture, velocity, head_angle, angular_velocity); the same frames")
    assert labels.endswith("thresholds on behavior/ (reversal_vec, velocity, head_angle)")


@pytest.fixture(scope="session")
def worms(real_recordings):
    """The real worms."""
    return real_recordings("worms")


@pytest.mark.real_data
def test_real_worms(worms):
    options = worm.Options.parse({"identities": "neuron_ids.csv"})
    rows = check_rows(worm.scan(worms, options), "worms")
    assert len(rows) == 6 * 5
    units, named = {}, {}
    for row in rows[::5]:
        recording = worm.read(worms, row, options, None).check(row.path)
        check_plausible(recording, row.path)
        assert recording.behavior.shape[1] == 33
        assert np.bincount(recording.labels, minlength=4).min() > 30
        assert np.abs(recording.behavior[:, :30].mean(1)).max() <= np.pi
        units[row.animal] = recording.neural.shape[1]
        named[row.animal] = sum(map(bool, recording.unit_names))
        for own in (other for other in rows if other.path == row.path):
            part = recording.between(own.start, own.stop, own.path)
            assert np.diff(part.neural_time).max() < 0.7
    assert units == {
        "2022-01-16-01": 130,
        "2022-07-26-31": 146,
        "2022-07-26-38": 141,
        "2022-07-27-31": 145,
        "2022-07-27-38": 135,
        "2022-08-02-38": 139,
    }
    assert named.pop("2022-01-16-01") == 0
    assert min(named.values()) > 80


@pytest.mark.real_data
def test_the_worm_without_identities_is_at_another_rate(worms):
    row = SampleRow("w", "001", "swf415_no_id/2022-01-16-01-data.h5")
    recording = worm.read(worms, row, worm.Options(), None)
    assert recording.notes == ("interpolated from 0.737 to 0.6 s between frames",)
    with opened(worms / row.path) as file:
        recorded, stamps = file["behavior/velocity"][()], file["timing/timestamp_confocal"][()]
    again = np.interp(stamps - stamps[0], recording.neural_time, recording.behavior[:, 30])
    assert np.corrcoef(again[:-1], recorded[:-1])[0, 1] > 0.99
