"""Keys and rows of older versions, and what replaced them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neural_action.errors import InputError

#: Keys of older versions and their replacement.
_RENAMED = {
    "probe": "probes (a mapping of probes by name) and evaluation",
    "clips": "windows",
    "decoding": "evaluation (label_budgets, choose_by, labelled_seconds) and probes",
    "split.splits": "split.repeats",
    "split.splits_per_job": "split.repeats_per_job",
    "training.memory_limit_gb": "no such key: arrays are memory-mapped",
    "probes.retrieval": "task clusters in evaluation.tasks, which probes.ridge reads",
    "tables.bootstrap": "no such key: intervals have a closed form",
    "tables.seed": "no such key: intervals have a closed form",
}
#: Keys of rows in older versions. Every probe reads every row now, so rows no longer configure probes.
_ROW_RENAMED = {
    "views": "augmentations",
    "probe": "probes",
    "readout": "probes and, for its scaling, methods.<row>.scale",
    "features.while_bins": "features.block_bins",
}
#: Rows of older versions and their replacement.
ROWS_RENAMED = {
    "ours": "swap_calcium",
    "ours_plus": "matched_alignment",
    "neural_linear": "raw",
    "neural_mlp": "raw, which the probe mlp reads",
    "behavior_linear": "behavior",
    "raw_logistic": "rates_centred",
    "raw_logistic_zscore": "rates_zscore",
    "raw_readout": "rates_centred, which the probe angle reads",
    "neighbor_vote": "rates_centred, which the probe softmax_neighbors reads",
    "trial_vote": "rates_centred, which the probe softmax_trial reads",
    "byol_neighbors": "byol, which the probe softmax_neighbors reads",
    "myow_neighbors": "myow, which the probe softmax_neighbors reads",
    "myow_trial": "myow, which the probe softmax_trial reads",
    "byol_centred_trial": "byol_centred, which the probe softmax_trial reads",
    "trial_discriminant_neighbors": "trial_discriminant, which the probe softmax_neighbors reads",
    "trial_discriminant_trial": "trial_discriminant, which the probe softmax_trial reads",
}


def check_row_names(config: Mapping[str, Any]) -> None:
    """Raise InputError, naming the replacement, for a row of an older version."""
    tables, methods = config.get("tables"), config.get("methods")
    named = [
        *(("rows", name) for name in _listed(config.get("rows"))),
        *(("methods", name) for name in _listed(list(methods) if isinstance(methods, Mapping) else [])),
    ]
    for key in ("references", "curves", "figure_method"):
        found = tables.get(key) if isinstance(tables, Mapping) else None
        named += [(f"tables.{key}", name) for name in _listed([found] if isinstance(found, str) else found)]
    for key, name in named:
        row = methods.get(name) if isinstance(methods, Mapping) else None
        # Rows defined by the user may have any name.
        own = isinstance(row, Mapping) and "label" in row
        if name in ROWS_RENAMED and not own:
            raise InputError(
                f"configuration {key}: {name!r} is a row of an older version, expected {ROWS_RENAMED[name]}"
            )


def _listed(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def check_renamed(config: Mapping[str, Any]) -> None:
    """Raise InputError, naming the replacement, for a key of an older version."""
    methods = config.get("methods")
    places = [("", config, _RENAMED)]
    places += [
        (f"methods.{row}.", method, _ROW_RENAMED)
        for row, method in (methods.items() if isinstance(methods, Mapping) else ())
    ]
    for where, content, renamed in places:
        for key, new in renamed.items():
            if _holds(content, key):
                raise InputError(f"configuration {where}{key}: a key of an older version, expected {new}")


def _holds(content: Any, key: str) -> bool:
    """Whether a mapping has the key ``key``, or ``section.key``."""
    section, _, entry = key.partition(".")
    return (
        isinstance(content, Mapping) and section in content and (not entry or _holds(content[section], entry))
    )
