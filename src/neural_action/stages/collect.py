"""Stage: all scores in one tidy table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neural_action.errors import InputError
from neural_action.evaluation.columns import CONTRACT, EVERY
from neural_action.files import whole


def run(output: Path | None, everything: Path, scores: tuple[Path, ...]) -> None:
    """Write every score to ``everything``, and to ``output``, if it is given, the primary ones.

    Primary: not on a projection, of the identity task not the MLP probe (actions have one probe a row), and not of
    single trials. InputError naming a file that is no table of scores.
    """
    table = pd.concat([_read(path) for path in scores], ignore_index=True)
    table = table.sort_values([column for column in table.columns if column != "value"], kind="stable")
    with whole(everything) as partial:
        table.to_csv(partial, index=False, float_format="%.6f")
    if output is None:
        return
    primary = table[
        (table["representation"] != "projection")
        & ~((table["task"] == "identity") & (table["probe"] == "mlp"))
        & ~table["metric"].str.startswith("trial_")
    ]
    with whole(output) as partial:
        primary[CONTRACT].to_csv(partial, index=False, float_format="%.6f")


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"animal": str})
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path}: cannot be read as CSV ({' '.join(str(error).split())})") from None
    if missing := [name for name in EVERY if name not in table.columns]:
        raise InputError(f"{path}: column {missing[0]!r} is missing, expected scores")
    return table
