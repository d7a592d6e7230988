"""The sections of the configuration that each rule depends on, as JSON: only what changes the output of the rule."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from neural_action.config.load import as_json, effective
from neural_action.config.settings import Settings
from neural_action.errors import InputError

#: Keys that a swap table and syllables depend on.
NEIGHBORS = ("neighbors", "windows.behavior_stride", "windows.pose_normalisation")
SYLLABLES = ("syllables", "windows.behavior_stride", "windows.pose_normalisation")
#: Row fields that only tables use.
_SHOWN = {"group": "", "table": "papers", "role": "baseline"}
#: Wildcard pattern for variants.
VARIANT = r"[a-z][A-Za-z0-9_.-]*"


class Dependencies:
    """The sections that rules depend on; Snakemake reruns a rule whose sections changed.

    Args:
        settings: the configuration.
        shown: names of the rows in the tables.
    """

    def __init__(self, settings: Settings, shown: Sequence[str]):
        self.settings, self.shown = settings, shown
        self.content: dict[str, Any] = settings.model_dump(mode="json")

    def content_of(self, method: str | None) -> dict[str, Any]:
        """The configuration with the changes of a row; unchanged for None."""
        return self.content if method is None else self._contents[method]

    @cached_property
    def _contents(self) -> dict[str, dict[str, Any]]:
        return {
            name: effective(self.settings, row, name).model_dump(mode="json")
            if row.settings
            else self.content
            for name, row in self.settings.methods.items()
        }

    def variant(self, method: str, keys: tuple[str, ...]) -> str:
        """Changes of a row in ``keys`` (``section`` or ``section.key``) as a folder name; ``default`` without changes.

        Raises InputError if a changed value cannot be part of a file name."""
        changes = []
        for section, values in self.settings.methods[method].settings.items():
            for key, value in values.items():
                if {section, f"{section}.{key}"} & set(keys) and value != self.content[section][key]:
                    changes.append(f"{key}-{value}")
        name = "_".join(sorted(changes)) or "default"
        if not re.fullmatch(VARIANT, name):
            raise InputError(
                f"configuration methods.{method}.settings: {name!r} cannot be part of a file name"
            )
        return name

    def variant_sections(self, variant: str, *keys: str) -> str:
        """``sections`` of the rows with a variant of ``keys``. InputError if no row has it."""
        for name in self.settings.methods:
            if self.variant(name, keys) == variant:
                return self._chosen(self.content_of(name), keys)
        raise InputError(f"no row has the variant {variant!r} of {', '.join(keys)}")

    @property
    def everything(self) -> str:
        """The whole configuration as JSON."""
        return as_json(self.content)

    def sections(self, *keys: str) -> str:
        """The named sections, or single keys ``section.key``, as JSON."""
        return self._chosen(self.content, keys)

    @staticmethod
    def _chosen(content: Mapping[str, Any], keys: Iterable[str]) -> str:
        chosen: dict[str, Any] = {}
        for key in keys:
            section, _, entry = key.partition(".")
            if entry:
                chosen.setdefault(section, {})[entry] = content[section][entry]
            else:
                chosen[section] = content[section]
        return as_json(chosen)

    @property
    def splits(self) -> str:
        """What the split table depends on. The tested folds and the number of repeats of a job are left out."""
        chosen = json.loads(self.sections("split"))
        for key in ("repeats_per_job", "test_folds"):
            del chosen["split"][key]
        return as_json(chosen)

    @property
    def consistency(self) -> str:
        """What the consistency of embeddings depends on."""
        return self.sections("windows", "evaluation.consistency_dimensions")

    @property
    def tables(self) -> str:
        """What tables and pictures depend on, with the shown methods only."""
        keys = (
            "dataset",
            "title",
            "real",
            "seeds",
            "split",
            "windows",
            "tables",
            "adapt",
            "evaluation",
            "probes",
        )
        methods = {name: self.content["methods"][name] for name in self.shown}
        return as_json({**json.loads(self.sections(*keys)), "methods": methods})

    def explore(self, rows: Iterable[str]) -> str:
        """What the interactive page depends on, with the methods ``rows`` only."""
        keys = ("dataset", "title", "real", "windows", "explore", "calcium.behavior")
        methods = {name: self.content["methods"][name] for name in rows}
        return as_json({**json.loads(self.sections(*keys)), "methods": methods})

    @property
    def diagnose(self) -> str:
        """What the diagnostics depend on."""
        keys = (
            "dataset",
            "title",
            "real",
            "split",
            "windows",
            "evaluation",
            "probes",
            "tables",
            "diagnostics",
        )
        chosen = json.loads(self.sections(*keys, "calcium.behavior"))
        return as_json(
            {
                **chosen,
                "methods": {key: row for name in self.shown for key, row in self._method(name).items()},
            }
        )

    def _method(self, method: str) -> dict[str, Any]:
        """A row, with fixed values for the fields that only tables use."""
        return {method: {**self.content["methods"][method], "label": method, **_SHOWN}}

    def pretrain(self, method: str) -> str:
        """What pretraining of a row depends on. Probes, other rows and scored classes are left out."""
        windows = ("frames", "poses", "behavior_stride", "pose_normalisation", "units")
        keys = ("training", "encoders", *(f"windows.{key}" for key in windows))
        chosen = json.loads(self._chosen(self.content_of(method), keys))
        # A request to the scheduler does not change results.
        del chosen["training"]["request_gpu"]
        return as_json({**chosen, "methods": self._method(method)})

    def adapt(self, method: str) -> str:
        """What adapting depends on, in addition to the model it starts from."""
        return as_json({**json.loads(self.pretrain(method)), **json.loads(self.sections("adapt"))})

    def evaluate(self, method: str) -> str:
        """What probing depends on."""
        keys = ("dataset", "windows", "evaluation", "probes", "training.device")
        chosen = json.loads(self._chosen(self.content_of(self.source(method)), keys))
        del chosen["evaluation"]["consistency_dimensions"]
        # Blocks are used by the published split only, for scores of its test blocks.
        chosen["split"] = {key: self.content["split"][key] for key in ("block_seconds", "animal_of_session")}
        return as_json({**chosen, "methods": self._method(method)})

    @property
    def arrays(self) -> str:
        """What the arrays for other packages depend on."""
        return self.sections("windows.behavior_stride", "windows.pose_normalisation", "windows.units")

    def external(self, method: str) -> str:
        """The settings of a row that another package makes, as JSON."""
        return as_json(self.content["methods"][method]["external"])

    def source(self, method: str) -> str | None:
        """The row whose networks ``method`` uses: itself, another row, or None."""
        row = self.settings.methods[method]
        return method if row.objective is not None else row.model
