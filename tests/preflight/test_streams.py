"""What check prints of clocks and animals."""

from __future__ import annotations

from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from neural_action.preflight.streams import MOST, clock_doubts, described, stream_lines
from neural_action.preflight.who import who_lines
from neural_action.recordings.formats import nwb
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.streams import Stream


def looked(path, trial="1", neural=None, behavior=None, covered=1.0, how="20 /s as given"):
    neural = np.arange(600) / 10 if neural is None else neural
    behavior = np.arange(1200) / 20 if behavior is None else behavior
    streams = (Stream.of("neural", neural, "10 /s of the file"), Stream.of("behavior", behavior, how))
    row = SampleRow("m1", trial, path)
    return SimpleNamespace(
        row=row, form=SimpleNamespace(where=f"m1 {trial}"), streams=streams, covered=covered
    )


def test_start_end_rate_gaps_coverage_and_alignment_are_printed():
    gappy = np.r_[np.arange(400), np.arange(500, 1200)] / 20
    lines = list(stream_lines([looked("a", behavior=gappy, covered=0.92)]))
    assert lines[1] == "  m1 1: 92% of the neural frames have behaviour"
    assert lines[2] == "    neural    0.00 to 59.90, 10 /s, 600 samples, no gap; 10 /s of the file"
    assert (
        lines[3] == "    behaviour 0.00 to 59.95, 20 /s, 1100 samples, 1 gap (longest 5.05 s); 20 /s as given"
    )


def test_parts_of_one_recording_are_one_and_many_recordings_are_cut_short():
    parts = [looked("a", f"1_part{at}") for at in range(3)]
    assert list(stream_lines(parts))[1].startswith("  m1 1_part0 and 2 more parts: 100%")
    many = [looked(f"r{at}", str(at)) for at in range(MOST + 5)]
    many[-1] = looked("last", "last", behavior=np.r_[0:50, 90:100] / 1.0)
    lines = list(stream_lines(many))
    assert sum(line.startswith("  m1 ") for line in lines) == MOST
    assert any(line.startswith("  m1 last") for line in lines)
    assert lines[-1] == "  and 5 more recordings with at most 0 gaps"


def test_streams_that_end_apart_and_times_left_over_are_doubted():
    assert list(clock_doubts([looked("a")])) == []
    (said,) = clock_doubts([looked("a", behavior=np.arange(1200) / 10)])
    assert said.startswith("m1 1: behaviour ends 60.0 s after neural activity")
    (said,) = clock_doubts(
        [looked("a", how="pulses, 1205 for 1200 frames: the last 5 pulses are not used")] * 2
    )
    assert "behaviour: pulses, 1205 for 1200 frames" in said


def test_a_stream_of_one_sample():
    assert described(Stream.of("neural", np.array([1.0]), "x")) == "1.00 to 1.00, 0 /s, 1 samples, no gap; x"


@pytest.fixture
def files(tmp_path):
    for name, subject in (("a", b"m1"), ("b", b"m2"), ("c", None)):
        with h5py.File(tmp_path / f"{name}.nwb", "w") as file:
            if subject is not None:
                file["general/subject/subject_id"] = subject
    return tmp_path


def test_who_is_in_which_file_and_why(files):
    assert [nwb.subject(files / f"{name}.nwb") for name in "abc"] == ["m1", "m2", None]
    rows = {
        "m1": [SampleRow("m1", "1", "a.nwb"), SampleRow("m1", "2", "c.nwb")],
        "x": [SampleRow("x", "1", "x/1")],
    }
    lines, notes = who_lines(files, rows)
    assert lines[1:] == [
        "  m1: a.nwb, c.nwb (samples table only, subject_id of the file)",
        "  x: x/1 (samples table, and in the path)",
    ]
    assert notes == []
    lines, _ = who_lines(files, rows, "reader worm")
    assert lines[1:] == [
        "  m1: a.nwb, c.nwb (reader worm only, subject_id of the file)",
        "  x: x/1 (reader worm, and in the path)",
    ]


def test_a_sheet_that_contradicts_a_file_is_noted(files):
    rows = {
        "m1": [SampleRow("m1", "1", "a.nwb")],
        "m3": [SampleRow("m3", "1", "a.nwb"), SampleRow("m3", "2", "b.nwb")],
    }
    _, notes = who_lines(files, rows)
    assert "b.nwb: the samples table says m3, but the file has subject_id m2" in notes
    assert any("subject_id m1 is in files of 2 animals (m1, m3)" in note for note in notes)
