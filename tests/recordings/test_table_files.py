"""Tables are read as they are written, or refused: pandas alone would read most of these without a word."""

import gzip
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from neural_action.errors import InputError
from neural_action.recordings.formats import arrays, as_classes, frame_labels
from neural_action.recordings.formats.deeplabcut import Options, behavior
from neural_action.recordings.table_files import read_table, texts


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x;y\n1,5;2,5\n3,5;4,5\n", "fields are separated by semicolons"),
        ("x\ty\n1\t2\n", "fields are separated by tabs"),
        ("x,y\n9504,6,1\n9505,6,2\n", "rows have more fields than the header"),
        ("x,y\n1,2\n9504,6,1\n", "Expected 2 fields in line 3, saw 3"),
        ("x,y,z\n1,2,3\n1,2\n1,2,3\n", "row 3 has 2 fields, expected 3"),
        ("0.5,0.7\n0.6,0.8\n", r"first row holds the number 0\.5"),
        ("0,walk\n1,rest\n", "first row holds the number 0"),
        ("x,x\n1,2\n", "column 'x' occurs twice"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_tables_that_would_be_misread(tmp_path, text, says, packed):
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    with pytest.raises(InputError, match=rf"{re.escape(str(path))}: .*{says}"):
        read_table(path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_good_tables(tmp_path, end):
    path = tmp_path / "a.csv"
    path.write_bytes(("\ufeffx, y" + end + "1, 2.5" + end + "3," + end).encode())
    table = read_table(path)
    assert list(table.columns) == ["x", "y"]
    np.testing.assert_array_equal(table["y"], [2.5, np.nan])
    for columns in (["a", "b"], [0, 1]):
        pd.DataFrame([[1, 2], [3, 4]], columns=columns).to_csv(path, index=False)
        assert read_table(path).to_numpy().tolist() == [[1, 2], [3, 4]]


def test_a_blank_line_is_a_frame(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("action\nwalk\n\nrest\n\n\n")
    found = frame_labels.labels(path, frame_labels.Options(column="action"), None)
    assert found.numbers.tolist() == [1, -1, 0]


@pytest.mark.parametrize("word", ["NA", "None", "null", "nan"])
def test_words_for_no_label_are_asked_about(tmp_path, word):
    path = tmp_path / "labels.csv"
    path.write_text(f"action\nwalk\n{word}\nrest\n walk\n")
    options = frame_labels.Options(column="action")
    with pytest.raises(InputError, match=f"action '{word}' at entry 1 may mean no label"):
        frame_labels.labels(path, options, None)
    found = frame_labels.labels(path, options.model_copy(update={"unlabelled": [word]}), None)
    assert (found.names, found.numbers.tolist()) == (("rest", "walk"), [1, -1, 0, 1])
    found = frame_labels.labels(path, options, ("walk", word, "rest"))
    assert found.numbers.tolist() == [0, 1, 2, 0]
    np.save(tmp_path / "labels.npy", np.array(["walk", word, "", "walk"]))
    with pytest.raises(InputError, match="may mean no label"):
        arrays.labels(tmp_path / "labels.npy", arrays.Options(), None)
    found = arrays.labels(tmp_path / "labels.npy", arrays.Options(unlabelled=[word]), None)
    assert (found.names, found.numbers.tolist()) == (("walk",), [0, -1, -1, 0])


def test_blank_labels_are_none(tmp_path):
    assert as_classes([" ", "a ", "", "a"], None, [], tmp_path)[0].tolist() == [-1, 0, -1, 0]
    assert texts(pd.Series(["a", None, np.nan])) == ["a", "", ""]


def test_an_index_column_of_pandas_is_no_unit(tmp_path):
    pd.DataFrame({"a": [1.5, 2.5], "b": [3.0, 4.0]}).to_csv(tmp_path / "traces.csv")
    found = arrays.neural(tmp_path / "traces.csv", arrays.Options())
    np.testing.assert_array_equal(np.asarray(found.data), [[1.5, 3.0], [2.5, 4.0]])


def test_a_row_of_poses_that_ends_early(tmp_path):
    path = tmp_path / "poses.csv"
    heads = ["scorer,D,D,D", "bodyparts,a,a,a", "coords,x,y,likelihood"]
    path.write_text("\n".join([*heads, "0,1,2,.9", "1,1,2", "2,1,2,.9"]) + "\n")
    with pytest.raises(InputError, match=r"poses\.csv"):
        behavior(path, Options())


def test_parquet_that_unpacks_a_thousandfold(tmp_path, monkeypatch):
    monkeypatch.setattr("neural_action.files._UNPACKED", 1 << 20)
    path = tmp_path / "a.parquet"
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1 << 18, np.int8)), pa.array([1.5]))
    pq.write_table(pa.table({"x": column}), path)
    assert path.stat().st_size < 1 << 14
    with pytest.raises(InputError, match=r"262144 rows of 1 columns in a file of \d+ bytes"):
        read_table(path)


def test_a_long_text_in_every_row_is_kept_once(tmp_path):
    path = tmp_path / "a.parquet"
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(50_000, np.int32)), pa.array(["x" * 100_000]))
    pq.write_table(pa.table({"x": column}), path)
    table = read_table(path)
    assert len(table) == 50_000
    assert table["x"].iloc[0] == "x" * 100_000


def test_parquet_of_lists_is_no_table(tmp_path):
    pq.write_table(pa.table({"x": [[1, 2], [3]]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"column 'x' is list<.*>, expected numbers or text"):
        read_table(tmp_path / "a.parquet")


def test_a_packed_csv_that_unpacks_a_thousandfold(tmp_path, monkeypatch):
    monkeypatch.setattr("neural_action.files._UNPACKED", 1 << 20)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"x\n" + b"1\n" * (1 << 21)))
    with pytest.raises(InputError, match="unpacks to more than 1048576 bytes"):
        read_table(tmp_path / "a.csv.gz")


@pytest.mark.parametrize("text", ["0.5,0.7\n0.6,0.8\n", "\ufeff0.5, 0.7\r\n0.6,0.8\r\n"])
def test_a_table_of_numbers_alone_may_have_no_header(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    table = read_table(path, headerless=True)
    assert list(table.columns) == ["column_0", "column_1"]
    assert table.to_numpy().tolist() == [[0.5, 0.7], [0.6, 0.8]]
    path.write_text("0.5,walk\n0.6,rest\n")
    with pytest.raises(InputError, match=r"first row holds the number 0\.5"):
        read_table(path, headerless=True)
