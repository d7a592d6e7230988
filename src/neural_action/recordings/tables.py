"""Plain tables (.csv, .parquet): with a header or without, times as numbers or as dates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.formats import needs


def read_table(path: Path) -> Any:
    """The table as a DataFrame; columns of a CSV whose first line is numbers are ``column_0`` and so on.

    InputError naming the file if it cannot be read.
    """
    import pandas as pd

    if path.suffix == ".parquet":
        needs("pyarrow", "parquet", path)
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if not _headerless(path):
            return pd.read_csv(path)
        table = pd.read_csv(path, header=None)
    except Exception as error:  # pandas and pyarrow raise whatever a broken table trips
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as a table ({type(error).__name__}: {reason})") from None
    return table.rename(columns={at: f"column_{at}" for at in table.columns})


def seconds_of_dates(values: np.ndarray, path: Path) -> np.ndarray:
    """(n,) float64 s since 1970 of texts such as ``2024-03-01T09:00:00.125``. InputError for what is no date."""
    import pandas as pd

    try:
        dates = pd.to_datetime(pd.Series(values), format="ISO8601", utc=True)
    except (ValueError, TypeError):
        raise InputError(
            f"{path}: {values.dtype} values such as {values[0]!r}, expected numbers or dates"
        ) from None
    since = dates - pd.Timestamp(0, tz="UTC")
    return (since / pd.Timedelta(seconds=1)).to_numpy(np.float64)


def _headerless(path: Path) -> bool:
    """Whether the first line of a CSV is numbers, and not the column numbers that pandas writes."""
    with path.open(errors="replace") as file:
        first, second = (_numbers(file.readline()) for _ in range(2))
    if first is None:
        return False
    # One column that begins 0, 0 is called 0; one that begins 0, 0.05 is not.
    counted = first == list(range(len(first))) and (len(first) > 1 or second == [0.0])
    return not counted


def _numbers(line: str) -> list[float] | None:
    """The numbers of a line, None if anything else is in it."""
    try:
        return [float(cell) for cell in line.strip().split(",")]
    except ValueError:
        return None
