"""The split table: a file that comes back, and queries on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_action.datasets.split_table import ROLES, Piece, Row, SplitTable
from neural_action.errors import InputError

HEAD = ",".join(Row._fields)
SOUND = """split,animal,trial,start,stop,role,sees_input,sees_label
fold-0,A,1,0,10,test,False,False
fold-0,A,2,0,10,train,True,True
fold-0,NA,1,0,5,validation,True,False
fold-0,NA,1,5,10,train,True,True
"""


@pytest.fixture
def written(tmp_path):
    """A function that writes text as a table and reads it."""

    def write(text: str) -> SplitTable:
        path = tmp_path / "splits.csv"
        path.write_text(text)
        return SplitTable.read(path)

    return write


def test_a_table_survives_a_file(written, tmp_path):
    table = written(SOUND)
    table.write(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == SOUND
    assert table.splits == ["fold-0"]
    pieces = table.pieces("fold-0")
    assert pieces["A", "1"] == [Piece(0, 10, "test", False, False)]
    # An animal called NA is one, and its pieces are in the order of time.
    assert [piece.start for piece in pieces["NA", "1"]] == [0, 5]
    assert set(table.pieces("fold-0", "NA")) == {("NA", "1")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read as splits"),
        ("animal,trial,fold\nA,1,0\n", "column 'split' is missing.*made by an older version"),
        (f"{HEAD}\nfold-0,A,1,0,10,probe,True,True\n", "role 'probe', expected one of train"),
        (f"{HEAD}\nfold-0,A,1,10,10,train,True,True\n", "line 2 has no frames"),
        (f"{HEAD}\nfold-0,A,1,-1,10,train,True,True\n", "has no frames"),
        (f"{HEAD}\nfold-0,A,1,0,x,train,True,True\n", "cannot be read as splits"),
        (f"{HEAD}\nfold-0,A,1,0,10,train,maybe,True\n", "cannot be read as splits"),
        (
            f"{HEAD}\nfold-0,A,1,0,10,train,True,True\nfold-0,A,1,9,20,test,False,False\n",
            "split fold-0: two pieces of A/1 share frame 9",
        ),
    ],
)
def test_what_is_no_table_is_one_clear_line(written, text, message):
    with pytest.raises(InputError, match=message):
        written(text)


def test_a_split_that_is_not_there_is_named(written):
    table = written(SOUND)
    with pytest.raises(InputError, match="split 'fold-1': not in the split table, expected one of fold-0"):
        table.pieces("fold-1")
    with pytest.raises(InputError, match="split 'fold-0' of animal B"):
        table.pieces("fold-0", "B")


pieces = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from(ROLES), st.booleans(), st.booleans()), min_size=1, max_size=5
)


@given(pieces, pieces)
def test_splits_share_a_model_exactly_where_they_see_the_same(tmp_path_factory, one, other):
    text, seen, labelled = HEAD + "\n", {}, {}
    for split, own in (("fold-0", one), ("fold-1", other)):
        at, frames, labels = 0, set(), set()
        for length, role, sees_input, sees_label in own:
            text += f"{split},A,1,{at},{at + length},{role},{sees_input},{sees_label}\n"
            frames |= set(range(at, at + length)) if sees_input else set()
            labels |= set(range(at, at + length)) if sees_input and sees_label else set()
            at += length
        seen[split], labelled[split] = frames, labels
    path = tmp_path_factory.mktemp("splits") / "splits.csv"
    path.write_text(text)
    table = SplitTable.read(path)
    same = seen["fold-0"] == seen["fold-1"]
    assert (len(table.models(["fold-0", "fold-1"])) == 1) == same
    both = same and labelled["fold-0"] == labelled["fold-1"]
    assert (len(table.models(["fold-0", "fold-1"], labels=True)) == 1) == both
    if same:
        table.inputs(["fold-0", "fold-1"])
    else:
        with pytest.raises(InputError, match="see different inputs"):
            table.inputs(["fold-0", "fold-1"])
