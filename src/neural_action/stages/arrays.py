"""Stage: write the recordings as plain arrays, for rows whose representation comes from another package."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Source, dataset_of
from neural_action.datasets.frames import frame_arrays
from neural_action.files import atomic_write


def run(config: str, source: Source, output: Path) -> None:
    """Write the arrays of ``frame_arrays`` as ``<split>/<name>``, once for all splits that see the same data.

    ``visible`` marks the frames that training may see in that split; behaviour is normalised with these.
    """
    sections, table, layout = Sections(config), source.table(), source.layout()
    arrays: dict[str, np.ndarray] = {}
    for first, *_ in table.models(source.names, source.animal):
        dataset = dataset_of(
            layout, table.pieces(first, source.animal), sections.windows, animal=source.animal
        )
        arrays |= {f"{first}/{name}": values for name, values in frame_arrays(dataset).items()}
    with atomic_write(output) as partial, partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
