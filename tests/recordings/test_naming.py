"""Who is in which file: subjects of files, BIDS-like and DANDI names, dates, folders."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from neural_action.errors import InputError
from neural_action.recordings.naming import alike, conflicts, is_date, named


def names(*paths, subjects=None):
    found = named([PurePosixPath(path) for path in paths], subjects or [None] * len(paths))
    return [(name.animal, name.trial) for name in found]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        # Folder of the animal, folder or file of the trial.
        (["Fly1/001", "Fly1/002"], [("Fly1", "001"), ("Fly1", "002")]),
        (["m1/baseline.nwb"], [("m1", "baseline")]),
        (["group a/m1/001"], [("group_a_m1", "001")]),
        (["1/001", "2/001"], [("1", "001"), ("2", "001")]),
        # Dates and sessions are of the trial, wherever they stand.
        (["m1/2024-03-01/001", "m1/2024-03-02/001"], [("m1", "2024-03-01_001"), ("m1", "2024-03-02_001")]),
        (["m1/session2/003"], [("m1", "session2_003")]),
        (["20240301/m1", "20240302/m1"], [("m1", "20240301"), ("m1", "20240302")]),
        (["2024-03-01/m1.nwb"], [("m1", "2024-03-01")]),
        (["20240301_m1/001"], [("m1", "20240301_001")]),
        (["Fly 1/2018.01.02"], [("Fly_1", "2018.01.02")]),
        # Flat names.
        (["m1_001.nwb", "m1_002.nwb", "m2_001.nwb"], [("m1", "001"), ("m1", "002"), ("m2", "001")]),
        (["20240301_m1.nwb", "20240302_m1.nwb"], [("m1", "20240301"), ("m1", "20240302")]),
        (["m1_20240301.nwb", "m2_20240301.nwb"], [("m1", "20240301"), ("m2", "20240301")]),
        (["m1_2024-03-01_002.nwb"], [("m1", "2024.03.01_002")]),
        (["240301_m1_openfield.nwb", "240301_m1_maze.nwb"], [("m1", "240301_openfield"), ("m1", "240301_maze")]),
        (["01Mar2024_mouse_a.nwb"], [("mouse_a", "01Mar2024")]),
        (["m1_day2_run3", "m1_day2_run4"], [("m1", "day2_run3"), ("m1", "day2_run4")]),
        (["m1.nwb", "m2.nwb"], [("m1", "1"), ("m2", "1")]),
        # BIDS and DANDI.
        (["sub-01/ses-02/ophys", "sub-01/ses-03/ophys"], [("01", "02"), ("01", "03")]),
        (["sub-4/sub-4_ses-4_ecephys+image.nwb"], [("4", "4")]),
        (["sub-4/sub-4_ses-20240301T120000_behavior+ophys.nwb"], [("4", "20240301T120000")]),
        (["sub-a/sub-a_ophys.nwb"], [("a", "ophys")]),
        (
            ["sub-1/sub-1_ses-2_run-1_ophys.nwb", "sub-1/sub-1_ses-2_run-2_ophys.nwb"],
            [("1", "2_run-1_ophys"), ("1", "2_run-2_ophys")],
        ),
        (["sub-1_ses-2_obj-1a2b_ophys.nwb", "sub-1_ses-2_obj-3c4d_ophys.nwb"],
         [("1", "2_obj-1a2b_ophys"), ("1", "2_obj-3c4d_ophys")]),
    ],
)  # fmt: skip
def test_who_a_path_is_of(paths, expected):
    assert names(*paths) == expected


def test_the_file_is_believed_before_its_name():
    paths = ["20240301_m1.nwb", "20240302_m1.nwb", "20240301_m2.nwb", "x.nwb"]
    assert names(*paths, subjects=["mouse-1", "mouse-1", "mouse-2", None]) == [
        ("mouse-1", "20240301_m1"),
        ("mouse-1", "20240302_m1"),
        ("mouse-2", "20240301_m2"),
        ("x", "1"),
    ]
    assert names("20240301_m1.nwb", "20240302_m1.nwb", subjects=["m1", "m1"]) == [
        ("m1", "20240301"),
        ("m1", "20240302"),
    ]
    assert names("day1/a.nwb", "day2/a.nwb", subjects=["m 1", "m 1"]) == [
        ("m_1", "day1_a"),
        ("m_1", "day2_a"),
    ]
    assert names("m1/001.nwb", subjects=["m1"]) == [("m1", "001")]


def test_a_path_that_contradicts_its_file_is_said():
    paths = [PurePosixPath(f"sub-{name}/a.nwb") for name in ("m1", "A-7", "m3")]
    assert conflicts(paths, ["m1", "A_7", None]) == []
    assert conflicts(paths, ["m1", "A_8", None]) == [
        "sub-A-7/a.nwb: the path has sub-A-7, but the file has subject_id A_8, which is used"
    ]


def test_one_subject_in_every_file_of_several_is_asked_about():
    with pytest.raises(
        InputError, match=r"every file has subject_id x, but paths name 2 subjects \(1, 2\).*names="
    ):
        names("sub-1/a.nwb", "sub-2/a.nwb", subjects=["x", "x"])


@pytest.mark.parametrize("path", ["20240301_001.nwb", "2024-03-01/002"])
def test_dates_and_numbers_alone_are_asked_about(path):
    with pytest.raises(InputError, match=r"has only dates and numbers, so the animal is .*--option 'names="):
        names(path)


def test_what_a_date_is():
    for token in ("20240301", "2024.03.01", "240301", "01032024", "1Mar24", "2024Mar1", "20240301T1200"):
        assert is_date(token), token
    for token in ("001", "123456", "20241301", "m1", "99999999", "2024"):
        assert not is_date(token), token


def test_two_animals_never_get_one_name():
    with pytest.raises(InputError, match=r"'mouse\u03b1' and 'mouse\u03b2' would both be called mouse_"):
        names("mouse\u03b1/1", "mouse\u03b2/1")
    with pytest.raises(InputError, match="'m/1' and 'm 1' would both be called m_1"):
        names("a.nwb", "b.nwb", subjects=["m/1", "m 1"])
    assert names("mouse\u03b1/1", "mouse\u03b1/2") == [("mouse_", "1"), ("mouse_", "2")]


def test_names_that_differ_only_in_case_are_said():
    assert alike(["M1", "m2", "m-1", "M1"]) == [
        "Animals M1 and m-1 differ only in case or punctuation: if they are one animal, identity scores and scores on "
        "unseen animals are wrong"
    ]
    assert alike(["m1", "m2"]) == []
