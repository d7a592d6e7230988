"""Tables of events and of frames with times, as BORIS, ELAN, SimBA and DeepEthogram write them."""

from __future__ import annotations

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.preflight.folder import recognise
from neural_action.recordings.actions import outside, samples_of
from neural_action.recordings.formats import load_format

TIME = np.arange(100) / 10
#: Walks from 1 to 3 s, rests from 3 to 6 s.
EXPECTED = np.select([(TIME > 0.95) & (TIME < 2.95), (TIME > 2.95) & (TIME < 5.95)], [1, 0], -1)


def give(path, name="events", class_names=("rest", "walk"), **options):
    module = load_format(name, "labels", "test")
    return module.labels(path, module.Options.parse(options, "test"), class_names)


def written(path, text):
    path.write_text(text)
    return path


BORIS_AGGREGATED = """\
Observation id,Observation date,Description,FPS,Subject,Behavior,Behavior type,Start (s),Stop (s),Duration (s),C
day1,2024-03-01,,25,m1,walk,STATE,1.000,3.000,2.000,
day1,2024-03-01,,25,m1,sniff,POINT,1.500,1.500,0,
day1,2024-03-01,,25,m1,rest,STATE,3.000,6.000,3.000,
"""
#: BORIS 8.
BORIS_TABULAR = """\
Observation id\tObservation date\tSubject\tBehavior\tBehavioral category\tBehavior type\tTime\tMedia
day1\t2024-03-01\tm1\twalk\t\tSTART\t1.000\tv.mp4
day1\t2024-03-01\tm1\twalk\t\tSTOP\t3.000\tv.mp4
day1\t2024-03-01\tm1\trest\t\tSTART\t3.000\tv.mp4
day1\t2024-03-01\tm1\trest\t\tSTOP\t6.000\tv.mp4
"""
#: BORIS up to 7: the table below lines about the observation.
BORIS_OLD = """Observation id\tday1

Media file(s)

Player #1\tv.mp4

Observation date\t2018-03-01

Time\tMedia file path\tTotal length\tFPS\tSubject\tBehavior\tBehavioral category\tComment\tStatus
1.000\tv.mp4\t10\t25\t\twalk\t\t\tSTART
3.000\tv.mp4\t10\t25\t\twalk\t\t\tSTOP
3.000\tv.mp4\t10\t25\t\trest\t\t\tSTART
6.000\tv.mp4\t10\t25\t\trest\t\t\tSTOP
"""
ELAN_COLUMNS = """\
Begin Time - hh:mm:ss.ms\tBegin Time - ss.msec\tEnd Time - hh:mm:ss.ms\tEnd Time - ss.msec\tDuration\taction
00:00:01.000\t1.0\t00:00:03.000\t3.0\t2.0\twalk
00:00:03.000\t3.0\t00:00:06.000\t6.0\t3.0\trest
"""
ELAN_MSEC = """Tier,Begin Time - msec,End Time - msec,Annotation
action,1000,3000,walk
action,3000,6000,rest
"""
ELAN_HEADERLESS = """action\t\t00:00:01.000\t1.0\t00:00:03.000\t3.0\t00:00:02.000\t2.0\twalk
action\t\t00:00:03.000\t3.0\t00:00:06.000\t6.0\t00:00:03.000\t3.0\trest
"""
ELAN_EAF = """<?xml version="1.0"?><ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="1000"/>
<TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="3000"/><TIME_SLOT TIME_SLOT_ID="c" TIME_VALUE="6000"/></TIME_ORDER>
<TIER TIER_ID="action"><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>walk
</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="b"
TIME_SLOT_REF2="c"><ANNOTATION_VALUE>rest</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="empty"/></ANNOTATION_DOCUMENT>"""
SIMBA_BOUTS = """,Event,Start_time,End Time,Start_frame,End_frame,Bout_time
0,walk,1.0,3.0,25,75,2.0
1,rest,3.0,6.0,75,150,3.0
"""
PLAIN = "onset;offset;state\n1.0;3.0;walk\n3.0;6.0;rest\n"


@pytest.mark.parametrize(
    ("name", "text", "phrase"),
    [
        ("aggregated.csv", BORIS_AGGREGATED, "BORIS events"),
        ("aggregated.tsv", BORIS_AGGREGATED.replace(",", "\t"), "BORIS events"),
        ("tabular.tsv", BORIS_TABULAR, "BORIS events"),
        ("tabular.csv", BORIS_TABULAR.replace("\t", ","), "BORIS events"),
        ("old.tsv", BORIS_OLD, "BORIS events"),
        ("columns.txt", ELAN_COLUMNS, "ELAN annotations"),
        ("msec.csv", ELAN_MSEC, "ELAN annotations"),
        ("headerless.txt", ELAN_HEADERLESS, "ELAN annotations"),
        ("day1.eaf", ELAN_EAF, "ELAN annotations"),
        ("detailed_bout_data_summary.csv", SIMBA_BOUTS, "SimBA bouts"),
        ("plain.csv", PLAIN, "events with start and stop"),
    ],
)
def test_the_same_events_in_every_form(tmp_path, name, text, phrase):
    path = written(tmp_path / name, text)
    assert (recognise(path).format, recognise(path).phrase) == ("events", phrase)
    options = {"unlabelled": ["sniff"]} if "sniff" in text else {}
    labels = give(path, **options)
    np.testing.assert_array_equal(samples_of(labels, np.arange(100), TIME, path), EXPECTED)
    assert labels.of_video is (name != "plain.csv")


def test_times_of_the_video_count_from_its_first_frame(tmp_path):
    """A camera whose clock starts at 500 s, and a pose file that begins with frame 20."""
    path = written(tmp_path / "a.csv", BORIS_AGGREGATED)
    labels = give(path, unlabelled=["sniff"])
    np.testing.assert_array_equal(samples_of(labels, np.arange(100), 500 + TIME, path), EXPECTED)
    np.testing.assert_array_equal(
        samples_of(labels, np.arange(20, 100), 500 + TIME[20:], path), EXPECTED[20:]
    )
    given = give(path, unlabelled=["sniff"], zero="clock")
    with pytest.raises(
        InputError, match=r"labels are from 1 to 6 s, but behaviour is from 500 .*nothing is labelled"
    ):
        samples_of(given, np.arange(100), 500 + TIME, path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            BORIS_AGGREGATED.replace("m1,rest", "m2,rest"),
            r"2 values of Subject \(m1, m2\), expected one: --option 'labels\.options\.subject=m1'",
        ),
        (
            BORIS_AGGREGATED.replace("day1,2024-03-01,,25,m1,rest", "day2,2024-03-01,,25,m1,rest"),
            "Observation id",
        ),
        (
            BORIS_AGGREGATED.replace("3.000,6.000", "NA,6.000"),
            r"column 'Start \(s\)' holds .*nan.* expected times",
        ),
        (
            BORIS_AGGREGATED.replace("3.000,6.000", "7.000,6.000"),
            r"event 2 \(rest\) stops at 6 s, expected a stop after its start",
        ),
        (BORIS_TABULAR.replace("STOP\t6.000", "START\t6.000"), "rest has an unpaired START at 6 s"),
        (BORIS_TABULAR[: BORIS_TABULAR.rindex("day1")], "rest starts at 3 s and never stops"),
        (
            ELAN_HEADERLESS.replace("action\t\t00:00:03", "other\t\t00:00:03"),
            "tier None, expected one of action, other",
        ),
        (
            ELAN_COLUMNS.replace("\taction", "\taction\tsecond").replace("walk", "walk\tx"),
            "expected one of action, second",
        ),
        ("start,stop,name,state\n1,2,a,b\n", "action 'a' at entry 0, expected one of convert.class_names"),
        ("start,stop,a1,b1\n1,2,x,y\n", "2 columns that could name the action"),
        ("a,b\n1,2\n", "no columns of starts and stops"),
    ],
)
def test_events_that_cannot_be_told_are_a_line(tmp_path, text, says):
    path = written(tmp_path / "a.tsv", text)
    with pytest.raises(InputError, match=says) as error:
        give(path, unlabelled=["sniff"])
    assert "\n" not in str(error.value)
    assert "a.tsv" in str(error.value)


def test_one_subject_of_several(tmp_path):
    path = written(tmp_path / "a.csv", BORIS_AGGREGATED.replace("m1,rest", "m2,rest"))
    labels = give(path, subject="m2")
    np.testing.assert_array_equal(labels.intervals, [[3, 6]])


def test_some_actions_are_classes_and_tables_of_numbers_are_no_events(tmp_path):
    path = written(tmp_path / "a.csv", BORIS_AGGREGATED)
    labels = give(path, class_names=None, classes=["walk"])
    assert labels.names == ("walk",)
    assert (samples_of(labels, np.arange(100), TIME, path) == 0).sum() == 20
    with pytest.raises(InputError, match="none of the classes fly, found rest, walk"):
        give(path, classes=["fly"])
    assert recognise(written(tmp_path / "trials.csv", "start,stop,reward\n1,2,0\n")) is None
    assert give(tmp_path / "trials.csv", class_names=None, column="reward").names == ("0",)


def test_two_actions_at_once(tmp_path):
    path = written(tmp_path / "a.csv", PLAIN.replace("3.0;6.0", "2.0;6.0"))
    with pytest.raises(InputError, match=r"10 samples have two actions at once, the first at 2\.000 s"):
        samples_of(give(path), np.arange(100), TIME, path)
    labels = give(path, conflicts="unlabelled")
    assert np.bincount(samples_of(labels, np.arange(100), TIME, path) + 1).tolist() == [60, 30, 10]


def test_a_binary_table_of_boris_goes_by_its_times(tmp_path):
    """Rows of .5 s beside frames of .1 s, from 1 s on; the column time is no class."""
    rows = [f"{1 + at / 2:.3f},{int(at >= 4)},{int(at < 4)}" for at in range(10)]
    path = written(tmp_path / "boris_annotation.csv", "time,rest,walk\n" + "\n".join(rows) + "\n")
    for options in ({}, {"classes": ["rest", "walk"]}, {"time": "time"}):
        labels = give(path, "frame_labels", **options)
        np.testing.assert_array_equal(samples_of(labels, np.arange(100), TIME, path), EXPECTED)
    ms = [f"{1000 + 500 * at},{int(at >= 4)},{int(at < 4)}" for at in range(10)]
    path = written(tmp_path / "ms_annotation.csv", "time_ms,rest,walk\n" + "\n".join(ms) + "\n")
    np.testing.assert_array_equal(
        samples_of(give(path, "frame_labels"), np.arange(100), TIME, path), EXPECTED
    )
    path = written(tmp_path / "back_annotation.csv", "time,rest,walk\n1,0,1\n1,0,1\n")
    with pytest.raises(InputError, match="column 'time' does not increase in row 1"):
        give(path, "frame_labels")


@pytest.mark.parametrize("name", ["frame", "Frame_Number", ""])
def test_a_column_of_frames_says_which(tmp_path, name):
    rows = [f"{at},{int(at >= 30)},{int(at < 30)}" for at in range(10, 60)]
    path = written(tmp_path / "labels.csv", f"{name},rest,walk\n" + "\n".join(rows) + "\n")
    labels = give(path, "frame_labels")
    np.testing.assert_array_equal(samples_of(labels, np.arange(100), TIME, path), EXPECTED)
    # As many labels as poses, which have gaps: a column of frames is believed, its lack is not guessed at.
    kept = np.r_[10:30, 60:100]
    np.testing.assert_array_equal(samples_of(labels, kept, TIME[kept], path), EXPECTED[kept])
    path = written(tmp_path / "bare_labels.csv", "rest,walk\n" + "1,0\n" * 60)
    with pytest.raises(
        InputError, match=r"60 labels, one for each pose, but poses are of frames 10 to 99 with gaps"
    ):
        samples_of(give(path, "frame_labels"), kept, TIME[kept], path)


def test_tables_of_simba(tmp_path):
    """Poses and features first, the classes last; probabilities beside classes after a model has run."""
    folder = tmp_path / "csv" / "targets_inserted"
    folder.mkdir(parents=True)
    walking, resting = EXPECTED == 1, EXPECTED == 0
    rows = [f"{at},{at / 7},1.5,0.9,{at % 3},{int(resting[at])},{int(walking[at])}" for at in range(100)]
    path = written(folder / "video.csv", ",nose_x,nose_y,nose_p,feature,rest,walk\n" + "\n".join(rows) + "\n")
    assert recognise(path).phrase == "labels of frames (SimBA)"
    np.testing.assert_array_equal(
        samples_of(give(path, "frame_labels"), np.arange(100), TIME, path), EXPECTED
    )
    (tmp_path / "machine_results").mkdir()
    rows = [f"{at},1.5,{0.8},{int(resting[at])},0.1,{int(walking[at])}" for at in range(100)]
    path = written(
        tmp_path / "machine_results/video.csv",
        ",nose_x,Probability_rest,rest,Probability_walk,walk\n" + "\n".join(rows) + "\n",
    )
    np.testing.assert_array_equal(
        samples_of(give(path, "frame_labels"), np.arange(100), TIME, path), EXPECTED
    )


def test_a_table_without_a_header_is_refused(tmp_path):
    path = written(tmp_path / "labels.csv", "0,1\n" * 100)
    with pytest.raises(InputError, match="the first line is numbers"):
        give(path, "frame_labels")


def test_deepethogram_and_one_column_of_names(tmp_path):
    rows = [
        f"{at},{int(EXPECTED[at] < 0)},{int(EXPECTED[at] == 0)},{int(EXPECTED[at] == 1)}" for at in range(100)
    ]
    path = written(tmp_path / "video_labels.csv", ",background,rest,walk\n" + "\n".join(rows) + "\n")
    labels = give(path, "frame_labels", unlabelled=["background"])
    np.testing.assert_array_equal(samples_of(labels, np.arange(100), TIME, path), EXPECTED)
    names = np.array(["", "rest", "walk"])[EXPECTED + 1]
    path = written(
        tmp_path / "named_labels.csv", "action\n" + "\n".join(f'"{name}"' for name in names) + "\n"
    )
    np.testing.assert_array_equal(
        samples_of(give(path, "frame_labels"), np.arange(100), TIME, path), EXPECTED
    )


EDGES = "{0},{1},behavior\n{2},{3},walk\n{3},{4},rest\n"


@pytest.mark.parametrize(
    ("columns", "times", "said"),
    [
        (("start_ms", "stop_ms"), (1000, 3000, 6000), "s of the clock, in units of 0.001 s"),
        (("Onset [ms]", "Offset [ms]"), (1000, 3000, 6000), "s of the clock, in units of 0.001 s"),
        (("start_frame", "stop_frame"), (10, 30, 60), "video frames from 0"),
        (("Frame start", "Frame end"), (10, 30, 60), "video frames from 0"),
        (("start", "end"), (1, 3, 6), "s of the clock"),
    ],
)
def test_the_unit_of_times_is_that_of_their_columns(tmp_path, columns, times, said):
    path = written(tmp_path / "events.csv", EDGES.format(*columns, *times))
    assert recognise(path).format == "events"
    found = give(path)
    np.testing.assert_array_equal(samples_of(found, np.arange(100), TIME, path), EXPECTED)
    assert found.said == f"start and stop, {said}"


def test_frames_that_were_not_tracked_stay_gaps_for_events_in_frames(tmp_path):
    path = written(tmp_path / "events.csv", EDGES.format("start_frame", "stop_frame", 10, 30, 60))
    kept = np.r_[0:20, 25:100]
    np.testing.assert_array_equal(samples_of(give(path), kept, TIME[kept], path), EXPECTED[kept])


@pytest.mark.parametrize(
    ("times", "unit", "says"),
    [
        (
            (1000, 3000, 9800),
            1e-3,
            r"labels last to 9800 s, but behaviour to 9\.9 s; expected seconds, not ms",
        ),
        ((10, 30, 98), 0.1, r"seconds, not video frames, as it seems: .*labels\.options\.seconds=0\.1 \("),
    ],
)
def test_times_in_another_unit_are_refused_until_it_is_given(tmp_path, times, unit, says):
    path = written(tmp_path / "events.csv", EDGES.format("start", "stop", *times))
    with pytest.raises(InputError, match=says):
        samples_of(give(path), np.arange(100), TIME, path)
    with pytest.raises(InputError, match="nothing is labelled"):
        samples_of(give(path, seconds=1), np.arange(100), TIME, path)
    assert give(path, seconds=unit).intervals.max() == pytest.approx(9.8)


def test_intervals_outside_the_behaviour_are_said(tmp_path):
    path = written(tmp_path / "events.csv", EDGES.format("start", "stop", 1, 3, 6) + "20,21,rest\n")
    assert outside(give(path), np.arange(100), TIME) == "; 1 of 3 intervals lie outside the behaviour"
    assert outside(give(path), np.arange(300), np.arange(300) / 10) == ""


def test_boris_with_several_media_or_an_offset(tmp_path):
    two = BORIS_TABULAR.replace("\tMedia\n", "\tMedia file name\n")
    two += "".join(
        f"day1\t2024-03-01\tm1\twalk\t\t{state}\t{at}\tw.mp4\n" for state, at in (("START", 11), ("STOP", 13))
    )
    path = written(tmp_path / "events.tsv", two)
    with pytest.raises(InputError, match=r"2 media \(v\.mp4, w\.mp4\).*where=\{Media file name: v\.mp4\}"):
        give(path)
    first = give(path, where={"Media file name": "v.mp4"})
    np.testing.assert_array_equal(samples_of(first, np.arange(100), TIME, path), EXPECTED)
    second = give(path, where={"Media file name": "w.mp4"}, offset=-10)
    np.testing.assert_array_equal(second.intervals, [[1, 3]])
    offset = "\n".join(
        line + ("\tTime offset (s)" if at == 0 else "\t2.5")
        for at, line in enumerate(BORIS_TABULAR.splitlines())
    )
    found = give(written(path, offset))
    assert found.said == (
        "start and stop, s of the video; BORIS notes a time offset of 2.5 s, which is not applied "
        "(labels.options.offset)"
    )
