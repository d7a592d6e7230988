"""Read tables in CSV and Parquet strictly: InputError where pandas would guess.

Without a warning, pandas reads a surplus field as an index, a missing field as a missing value, a first row of numbers
as names, and ``NA`` or ``None`` as no value. Also, a small Parquet file may unpack to gigabytes.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import warnings
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_action.errors import InputError, needed, reading
from neural_action.files import most_bytes

if TYPE_CHECKING:
    import pandas as pd

#: Field separators of other programs, used where the comma is the decimal point.
_OTHERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_table(path: Path, *, words: bool = False, headerless: bool = False) -> pd.DataFrame:
    """The table in a ``.parquet``, ``.csv`` or ``.csv.gz`` with a header, as a pandas data frame.

    A blank field is missing (NaN), and so are words such as ``NA`` and ``None``, which are kept with ``words``, because
    they may be names. With ``headerless``, a CSV whose first row is only numbers has no header; its columns are named
    ``column_0`` and so on.

    InputError naming the file and the row: fields are not separated by commas; a row has more or fewer fields than the
    header; the header has numbers or a name twice; or the table unpacks to far more than its file.
    """
    with reading(path, "a table"):
        return _parquet(path) if path.suffix == ".parquet" else _csv(path, words, headerless)


def column_of(path: Path, table: pd.DataFrame, name: str) -> pd.Series:
    """A column of the table in ``path``. InputError if it has no such column."""
    if name not in table.columns:
        raise InputError(f"{path}: no column {name!r}, found {', '.join(map(str, table.columns))}")
    return table[name]


def texts(column: Any) -> list[str]:
    """The values of a column as strings, "" for missing ones."""
    import pandas as pd

    return ["" if missing else str(value) for value, missing in zip(column, pd.isna(column), strict=True)]


def refuse_short_rows(path: Path, table: pd.DataFrame, heads: int = 1) -> None:
    """InputError for a row with fewer fields than the header of ``heads`` rows, which pandas fills silently."""
    # A short row lacks the last field, so a file without gaps in the last column need not be read again.
    if not len(table) or not table.iloc[:, -1].isna().any():
        return
    rows = csv.reader(io.StringIO(_bytes(path).decode("utf-8-sig")))
    names = next(rows)
    for number, row in enumerate(islice(rows, heads - 1, None), heads + 1):
        if row and len(row) < len(names):
            raise InputError(
                f"{path}: row {number} has {len(row)} fields, expected {len(names)} as in the header"
            )


def _csv(path: Path, words: bool, headerless: bool) -> pd.DataFrame:
    import pandas as pd

    # Blank lines at the end are ignored; a blank line between others is a row, to keep the numbers of later rows.
    data = _bytes(path).removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
    headed = not (headerless and _headerless(data))
    if headed:
        _check_header(path, data.partition(b"\n")[0].decode())
    missing: dict[str, Any] = {"keep_default_na": False, "na_values": [""]} if words else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(
                io.BytesIO(data),
                header=0 if headed else None,
                index_col=False,
                skipinitialspace=True,
                skip_blank_lines=False,
                low_memory=False,
                **missing,
            )
        except pd.errors.ParserWarning:
            raise InputError(
                f"{path}: rows have more fields than the header, expected the same number, and decimal points"
            ) from None
    refuse_short_rows(path, table)
    return table if headed else table.rename(columns={at: f"column_{at}" for at in table.columns})


def _headerless(data: bytes) -> bool:
    """Whether the first line of a CSV is numbers other than the column numbers that pandas writes."""
    first, second = (_numbers(line) for line in (*data.split(b"\n", 2), b"")[:2])
    if first is None:
        return False
    # A single column that starts with 0, 0 has the name 0; one that starts with 0, 0.05 has no name.
    counted = first == list(range(len(first))) and (len(first) > 1 or second == [0.0])
    return not counted


def _numbers(line: bytes) -> list[float] | None:
    """The numbers of a line, or None if a field is not a number."""
    try:
        return [float(cell) for cell in line.decode().split(",")]
    except ValueError:
        return None


def _bytes(path: Path) -> bytes:
    """The content of a file, decompressed if it is .gz. InputError if that gives far more than the file size."""
    if path.suffix != ".gz":
        return path.read_bytes()
    most = most_bytes(path)
    with gzip.open(path) as packed:
        data = packed.read(most + 1)
    if len(data) > most:
        raise InputError(f"{path}: unpacks to more than {most} bytes, expected at most that")
    return data


def _check_header(path: Path, line: str) -> None:
    names = [name.strip() for name in next(csv.reader([line]), [])]
    for mark, called in _OTHERS.items():
        if len(next(csv.reader([line], delimiter=mark), [])) > len(names):
            raise InputError(
                f"{path}: fields are separated by {called}, expected commas, and decimal points in numbers"
            )
    if twice := [name for name, count in Counter(names).items() if name and count > 1]:
        raise InputError(f"{path}: column {twice[0]!r} occurs twice, expected different names")
    if (numbers := [name for name in names if _is_number(name)]) and not _counts(numbers, names):
        raise InputError(
            f"{path}: the first row holds the number {numbers[0]}, expected the names of the columns"
        )


def _counts(numbers: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the numbers among the names are column numbers from 0 or 1, as pandas writes them."""
    alone = len(numbers) == 1 and any(name and name != numbers[0] for name in names)
    return not alone and any(
        list(numbers) == [str(at + first) for at in range(len(numbers))] for first in (0, 1)
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.lower().lstrip("+-") not in ("nan", "inf", "infinity")


def _parquet(path: Path) -> pd.DataFrame:
    needed("pyarrow", "parquet", f"{path}: reading it")
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema, about = file.schema_arrow, file.metadata
        claimed = 8 * sum(
            about.row_group(group).column(at).num_values
            for group in range(about.num_row_groups)
            for at in range(about.num_columns)
        )
        claimed = max(claimed, 8 * about.num_rows * max(1, about.num_columns))
        if claimed > most_bytes(path):
            raise InputError(
                f"{path}: {about.num_rows} rows of {about.num_columns} columns in a file of "
                f"{path.stat().st_size} bytes, expected a table that fits its file"
            )
        for field in schema:
            if pa.types.is_nested(field.type):
                raise InputError(f"{path}: column {field.name!r} is {field.type}, expected numbers or text")
    # Strings are read as dictionaries, which keep a repeated string once.
    repeated = [
        field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_binary(field.type)
    ]
    frame = pq.read_table(path, read_dictionary=repeated).to_pandas()
    return frame.astype(dict.fromkeys(repeated, object))


def numbers_of(path: Path, values: Any, name: str) -> np.ndarray:
    """A column of times as float64. InputError naming the column and its first entry that is not a number."""
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    if not np.isfinite(numbers).all():
        at = int(np.argmin(np.isfinite(numbers)))
        raise InputError(
            f"{path}: column {name!r} holds {values.iloc[at]!r} in row {at}, expected times in s"
        )
    return numbers
