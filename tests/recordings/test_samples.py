"""The samples table."""

from __future__ import annotations

import csv
import io
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_action.errors import InputError
from neural_action.recordings.samples import SampleRow, check_rows, read_samples, scan, write_samples
from neural_action.text import is_missing


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("samples")


NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..") and not is_missing(name)
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
ROWS = st.lists(
    st.builds(SampleRow, NAMES, NAMES, PATHS),
    min_size=1,
    max_size=6,
    unique_by=lambda row: (row.animal, row.trial),
)


@settings(max_examples=60, deadline=None)
@given(
    rows=ROWS,
    extra=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10),
    bom=st.booleans(),
)
def test_any_sheet_reads_as_written(folder, rows, extra, bom):
    path = folder / "recordings.csv"
    write_samples(rows, path)
    ordered = sorted(rows, key=lambda row: (row.animal, row.trial))
    assert read_samples(path) == ordered
    # With a column of the user's own in front, of any text, and a byte order mark.
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["note", "trial", "animal", "path"])
    writer.writerows([extra, row.trial, row.animal, row.path] for row in rows)
    path.write_bytes(out.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    assert read_samples(path) == ordered


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_rows_or_one_line(folder, data):
    path = folder / "recordings.csv"
    path.write_bytes(b"animal,trial,path\n" + data)
    try:
        rows, message = read_samples(path), ""
    except InputError as error:
        rows, message = [], str(error)
    assert rows or ("recordings.csv" in message and "\n" not in message)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "column 'animal' is missing, found none"),
        ("animal,path\na,b\n", "column 'trial' is missing, found animal, path"),
        ("animal,trial,path\n", "lists no recording"),
        ("animal,trial,path\na,1,x\na,1,y\n", r"trial 1 of animal a is listed twice \(x and y\)"),
        ("animal,trial,path\na/b,1,x\n", "animal 'a/b', expected letters"),
        ("animal,trial,path\na,..,x\n", r"trial '\.\.'"),
        ("animal,trial,path\na,,x\n", "trial '', expected letters"),
        ("animal,trial,path\na,1\n", "path '', expected a path inside"),
        ("animal,trial,path\na,1,/etc\n", "path '/etc', expected a path inside"),
        ("animal,trial,path\na,1,b/../../c\n", "expected a path inside"),
        ('animal,trial,path\na,1,"b\n', "cannot be read as CSV"),
    ],
)
def test_a_bad_sheet_is_one_line(tmp_path, text, says):
    path = tmp_path / "recordings.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says) as error:
        read_samples(path)
    assert "recordings.csv" in str(error.value)


def test_a_missing_sheet(tmp_path):
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_samples(tmp_path / "none.csv")


def test_rows_are_sorted():
    rows = [SampleRow("b", "1", "x"), SampleRow("a", "2", "y"), SampleRow("a", "1", "z")]
    assert [row.path for row in check_rows(rows, "here")] == ["z", "y", "x"]


def test_scan_finds_trials_or_says_what_it_looked_for(trial, tmp_path):
    assert scan("mc2p", tmp_path / "raw", {}) == [SampleRow("Fly1", "001", trial.name)]
    (tmp_path / "empty").mkdir()
    for reader, expected in (("mc2p", "2p_dff"), ("fly_walking", r"\.mat")):
        with pytest.raises(InputError, match=f"empty: no recording found, expected .*{expected}"):
            scan(reader, tmp_path / "empty", {})


def test_unknown_readers_and_options_are_named(tmp_path):
    with pytest.raises(InputError, match="'nwb2' is not one of fly_walking, mc2p"):
        scan("nwb2", tmp_path, {})
    with pytest.raises(InputError, match=r"convert\.reader_options\.sides: unknown key"):
        scan("mc2p", tmp_path, {"sides": 3})
    with pytest.raises(InputError, match=r"convert\.reader_options\.side: '64'"):
        scan("mc2p", tmp_path, {"side": "64"})
