"""The swap table that tests of training draw from."""

from neural_action.config.settings import NeighborSettings
from neural_action.neighbors.table import SwapTable, build_swap_table


def swap_table(dataset, domains="all") -> SwapTable:
    """Four draws of eight neighbours, of everything that is visible."""
    return build_swap_table(
        dataset.pose,
        dataset.pose_animal,
        dataset.pose_visible,
        NeighborSettings(neighbors=8, draws=4, domains=domains),
        names=dataset.animals,
    )
