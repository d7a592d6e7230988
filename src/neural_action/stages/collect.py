"""Stage: collect all scores in one long table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neural_action.errors import InputError, reading
from neural_action.evaluation.columns import COLUMNS
from neural_action.files import atomic_write

_TEXT = dict.fromkeys(("animal", "unit", "label_budget", "split"), str)


def run(output: Path, scores: tuple[Path, ...]) -> None:
    """Write all scores, sorted by every column but the value. InputError for a file that is not a table of scores."""
    table = pd.concat([_read(path) for path in scores], ignore_index=True)
    table = table.sort_values([name for name in COLUMNS if name != "value"], kind="stable")
    with atomic_write(output) as partial:
        table[COLUMNS].to_csv(partial, index=False, float_format="%.6f")


def _read(path: Path) -> pd.DataFrame:
    with reading(path, "CSV", OSError, ValueError, OverflowError):
        table = pd.read_csv(path, dtype=_TEXT, keep_default_na=False, na_values={"value": ["", "nan"]})
    if missing := [name for name in COLUMNS if name not in table.columns]:
        older = "; an older version wrote it, rerun rule evaluate" if "fold" in table.columns else ""
        raise InputError(f"{path}: column {missing[0]!r} is missing, expected a table of scores{older}")
    return table
