"""What the workflow needs to know of a configuration: recordings, runs, and what each rule depends on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from neural_action.config.load import validate
from neural_action.errors import InputError
from neural_action.provenance import code_hash, part_modules
from neural_action.recordings.readers import load_reader
from neural_action.recordings.sheet import SheetRow, read_sheet, scan
from neural_action.recordings.splits import assign_folds, holdouts


class Plan:
    """A validated configuration as the rules use it. InputError with one line if anything in it is wrong.

    Args:
        config: the merged configuration mapping.
    """

    def __init__(self, config: Mapping[str, Any]):
        self.settings = validate(config)
        self.content = self.settings.model_dump(mode="json")
        self.results = f"{self.settings.results}/{self.settings.dataset}"
        self.simulated = self.settings.raw is None
        self.raw = f"{self.results}/raw" if self.simulated else self.settings.raw
        self.rows = self._rows()
        self.animals = sorted({row.animal for row in self.rows})
        assign_folds([(row.animal, row.trial) for row in self.rows], self.settings.split)
        self.holdouts = holdouts(self.settings.split, self.animals)

    def _rows(self) -> list[SheetRow]:
        if self.settings.recordings is not None:
            return read_sheet(Path(self.settings.recordings))
        if self.simulated:
            from neural_action.recordings.simulate import resolve, trial_folders

            return [
                SheetRow(animal, trial, f"{animal}/{folder}")
                for animal, trial, folder in trial_folders(resolve(self.settings.simulation))
            ]
        if not Path(self.raw).is_dir():
            raise InputError(
                f"configuration raw: {self.raw!r} is not a folder; expected the folder of raw recordings"
            )
        return scan(self.settings.convert.reader, Path(self.raw), self.settings.convert.reader_options)

    @property
    def writes_sheet(self) -> bool:
        """Whether the recording sheet is the workflow's to write."""
        return self.settings.recordings is None

    @property
    def sheet(self) -> str:
        """Path of the recording sheet."""
        return self.settings.recordings or f"{self.results}/recordings.csv"

    @property
    def row_names(self) -> list[str]:
        """Every row as one string: what makes the sheet be written anew."""
        return [f"{row.animal},{row.trial},{row.path}" for row in self.rows]

    @cached_property
    def simulated_animals(self) -> list[str]:
        """Names of simulated animals by number."""
        return list(dict.fromkeys(row.animal for row in self.rows))

    @property
    def raw_folders(self) -> list[str]:
        """Folders of the simulator, which the sheet waits for; none for recordings that are there."""
        return [f"{self.raw}/{animal}" for animal in self.simulated_animals] if self.simulated else []

    def row(self, animal: str, trial: str) -> SheetRow:
        """The sheet row of a trial."""
        return self._by_name[animal, trial]

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], SheetRow]:
        return {(row.animal, row.trial): row for row in self.rows}

    def raw_files(self, animal: str, trial: str) -> list[str]:
        """The raw files a trial is made from."""
        if (animal, trial) not in self._by_name:
            raise InputError(f"{self.sheet}: has no trial {trial} of animal {animal}")
        if self.simulated:
            return [f"{self.raw}/{animal}"]
        reader = load_reader(self.settings.convert.reader)
        return [str(path) for path in reader.files(Path(self.raw) / self.row(animal, trial).path)]

    @property
    def reader_modules(self) -> list[str]:
        """The module of the configured reader."""
        return [load_reader(self.settings.convert.reader).__name__]

    @property
    def trained(self) -> list[str]:
        """Rows that are pretrained."""
        return [name for name, row in self.settings.methods.items() if row.representation == "trained"]

    def weights(self, wildcards: Any, run: str) -> list[str]:
        """The weights that a row is evaluated from, if it has any."""
        return [f"{run}/model.safetensors".format(**wildcards)] if wildcards.method in self.trained else []

    @property
    def everything(self) -> str:
        """The whole configuration as JSON."""
        return json.dumps(self.content)

    def sections(self, *keys: str) -> str:
        """The named sections, or single keys ``section.key``, as JSON: what a rule depends on and no more."""
        chosen: dict[str, Any] = {}
        for key in keys:
            section, _, entry = key.partition(".")
            if entry:
                chosen.setdefault(section, {})[entry] = self.content[section][entry]
            else:
                chosen[section] = self.content[section]
        return json.dumps(chosen)

    def _method(self, method: str) -> dict[str, Any]:
        """A row without what only its table shows."""
        return {method: {**self.content["methods"][method], "label": method, "group": ""}}

    def pretrain_sections(self, method: str) -> str:
        """What pretraining depends on: not the probe, not other rows, not which classes are scored."""
        clips = ("frames", "poses", "behavior_stride", "pose_normalisation")
        chosen = json.loads(self.sections("training", "encoders", *(f"clips.{key}" for key in clips)))
        return json.dumps({**chosen, "methods": self._method(method)})

    def evaluate_sections(self, method: str) -> str:
        """What probing depends on."""
        chosen = json.loads(self.sections("dataset", "split", "clips", "probe"))
        return json.dumps({**chosen, "methods": self._method(method)})

    def method_modules(self, method: str) -> list[str]:
        """Modules of the objective, encoders and views that a row names."""
        row, encoders = self.settings.methods[method], self.settings.encoders
        if row.objective is None:
            return []
        views = [view.name for view in (*row.views.neural, *row.views.behavior)]
        return [
            *part_modules("objectives", [row.objective.name]),
            *part_modules("encoders", [encoders.neural.name, encoders.behavior.name]),
            *part_modules("views", views),
        ]

    @staticmethod
    def code(stage: str, also: Iterable[str] = ()) -> str:
        """Hash of the code a stage runs: Snakemake does not look into the package by itself."""
        return code_hash([f"neural_action.stages.{stage}", *also])
