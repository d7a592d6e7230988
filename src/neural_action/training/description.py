"""The description beside the weights of a model, which is needed to use the model on new recordings.

New recordings must have the same windows, rate and normalisation. Adaptation needs the augmentations, the kernel and
the settings of swaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from neural_action.calcium.kernel import KernelFit
from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.datasets.layout import Layout
from neural_action.neighbors.table import SwapTable

#: Keys of ``windows`` that pretraining depends on.
WINDOWS = ("frames", "poses", "behavior_stride", "pose_normalisation")
#: Keys of the report of a swap table, and the keys of ``neighbors`` they stand for.
NEIGHBORS = {
    "neighbors": "neighbors",
    "draws": "draws",
    "domains": "domains",
    "distance_scale_setting": "distance_scale",
    "target_samples": "target_samples",
    "components": "components",
}


def describe(
    sections: Sections,
    row: MethodSettings,
    layout: Layout,
    *,
    seen: Sequence[str],
    kernel: Path | None,
    swaps: Path | None,
    sessions: Sequence[tuple[str, int]] = (),
) -> dict[str, Any]:
    """Settings of windows, attributes of the recordings and settings of training, for ``save_model``; JSON values.

    Args:
        sections: the sections windows and training of the configuration.
        row: the method.
        layout: layout of the recordings.
        seen: names of the animals that training saw.
        kernel: path of the kernel that training read, if any.
        swaps: path of the swap table that training read, if any.
        sessions: name and number of units of each session or animal, if these have their own units.
    """
    windows = sections.windows
    fit = None if kernel is None else KernelFit.load(kernel)
    return {
        "windows": {key: getattr(windows, key) for key in WINDOWS},
        "recordings": {
            **recorded(layout.attributes, layout.entries[0].frame_shape, layout.behavior_shape),
            "sessions": dict(sessions),
        },
        "dataset_sha256": layout.digest,
        "animals": sorted(seen),
        "augmentations": row.augmentations.model_dump(),
        "batches": row.batches,
        "training": sections.training.model_dump(mode="json", exclude={"device", "request_gpu"}),
        "kernel": None if fit is None else {"decay": fit.decay, "rise": fit.rise},
        "neighbors": None if swaps is None else searched(SwapTable.load(swaps)),
    }


def recorded(attributes: Mapping[str, Any], neural: Sequence[int], behavior: Sequence[int]) -> dict[str, Any]:
    """Attributes of a recording that new recordings must share to be transformed."""
    return {
        "dataset": attributes["dataset"],
        "neural_shape": list(neural),
        "neural_rate": attributes["neural_rate"],
        "behavior_shape": list(behavior),
        "behavior_rate": attributes["behavior_rate"],
        "behavior_names": list(attributes["behavior_names"]),
        "class_names": list(attributes["class_names"]),
        "units": dict(attributes["units"]),
        "steps": dict(attributes["steps"]),
    }


def searched(table: SwapTable) -> dict[str, Any]:
    """The settings of a swap table."""
    return {key: table.report[name] for name, key in NEIGHBORS.items() if name in table.report}
