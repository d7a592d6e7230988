"""What the workflow needs to know of a configuration: recordings, runs, and what each rule depends on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from neural_action.config.load import as_json, effective, validate
from neural_action.config.settings import MethodSettings
from neural_action.config.signatures import needs
from neural_action.errors import InputError
from neural_action.provenance import code_hash, part_modules
from neural_action.recordings.readers import load_reader, reader_modules
from neural_action.recordings.sheet import SheetRow, read_sheet, scan
from neural_action.recordings.splits import Holdout, assign_folds, holdouts

#: What a swap table and what syllables depend on.
NEIGHBORS = ("neighbors", "clips.behavior_stride", "clips.pose_normalisation")
SYLLABLES = ("syllables", "clips.behavior_stride", "clips.pose_normalisation")
#: What splits of an animal's trials depend on.
SPLITS = tuple(
    f"split.{key}"
    for key in ("protocol", "splits", "seed", "train", "validation", "block_seconds", "gap_seconds")
)
#: What of a row only its tables read.
_SHOWN = {"group": "", "table": "papers", "role": "baseline"}
#: Names of variants of either, as a wildcard.
VARIANT = r"[a-z][A-Za-z0-9_.-]*"


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
        self.raw: str = self.settings.raw or f"{self.results}/raw"
        names = self.settings.rows or list(self.settings.methods)
        self.methods: dict[str, MethodSettings] = {name: self.settings.methods[name] for name in names}
        self.rows = self._rows()
        self.animals = sorted({row.animal for row in self.rows})
        self.decodes = self.settings.split.decodes
        if not self.decodes:
            assign_folds([(row.animal, row.trial) for row in self.rows], self.settings.split)
        self.holdouts = holdouts(self.settings.split, self.animals)

    def _rows(self) -> list[SheetRow]:
        if not self.simulated and not Path(self.raw).is_dir():
            raise InputError(
                f"configuration raw: {self.raw!r} is not a folder; expected the folder of raw recordings"
            )
        # Read at once: Snakemake asks for files in the middle of its own work, where an error is no line.
        load_reader(self.settings.convert.reader).Options.parse(self.settings.convert.reader_options)
        if self.settings.recordings is not None:
            return read_sheet(Path(self.settings.recordings))
        if self.simulated:
            from neural_action.recordings.simulate import resolve, trial_folders

            return [
                SheetRow(animal, trial, f"{animal}/{folder}")
                for animal, trial, folder in trial_folders(resolve(self.settings.simulation))
            ]
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
        return [",".join([row.animal, row.trial, row.path, *self.part(row)]) for row in self.rows]

    @staticmethod
    def part(row: SheetRow) -> list[str]:
        """Which part of a recording a trial is, as command line options; none for the whole."""
        return [] if row.start is None else [f"--start={row.start!r}", f"--stop={row.stop!r}"]

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
        reader, given = load_reader(self.settings.convert.reader), self.settings.convert.reader_options
        found = reader.files(Path(self.raw), self.row(animal, trial), reader.Options.parse(given))
        return [str(path) for path in found]

    @property
    def reader_modules(self) -> list[str]:
        """The modules of the configured reader, and of the formats that it reads."""
        return reader_modules(self.settings.convert.reader, self.settings.convert.reader_options)

    def manifests(self, holdout: str) -> list[str]:
        """Manifests of the recordings that a run reads: of a split, its animal's alone."""
        hidden = Holdout.parse(holdout)
        return [
            f"{self.results}/recordings/{row.animal}/{row.trial}.manifest.json"
            for row in self.rows
            if hidden.kind != "split" or row.animal == hidden.value
        ]

    @property
    def folds(self) -> str:
        """Path of the folds, or of the splits of a dataset that is decoded."""
        return f"{self.results}/{'splits' if self.decodes else 'folds'}.csv"

    @property
    def tables(self) -> list[str]:
        """The tables that the shown rows fill."""
        if self.decodes:
            return ["decoding", *(["label_efficiency"] if self.settings.decoding.labelled_trials else [])]
        ablation = any(row.table == "ablation" for row in self.methods.values())
        names = ["action_recognition", "identity_recognition", *(["ablation"] if ablation else [])]
        return [*names, *(["unseen_animal"] if self.settings.adapt.rows else [])]

    @property
    def pictures(self) -> list[str]:
        """The pictures of the dataset's kind."""
        if self.decodes:
            return ["scores_by_split", *self.tables[1:], "training"]
        return ["scores", "embedding", "confusion", "statistics", "neighbors", "training"]

    @property
    def unseen(self) -> list[str]:
        """Holdouts of animals that pretraining did not see: as they are, and adapted to, test fold by test fold."""
        folds = self.settings.split.test_folds or range(self.settings.split.folds)
        return [
            *(f"animal-{animal}" for animal in self.animals),
            *(f"adapted-{animal}-fold-{fold}" for animal in self.animals for fold in folds),
        ]

    def unadapted(self, wildcards: Any, run: str) -> str:
        """The weights that an adaptation starts from: of the same row and seed, without the animal."""
        holdout = f"animal-{Holdout.parse(wildcards.holdout).value}"
        return f"{run}/model.safetensors".format(**{**dict(wildcards.items()), "holdout": holdout})

    @property
    def environment(self) -> str:
        """Name of the conda environment of the jobs, in ``envs/``."""
        return "neural-action-cpu" if self.settings.environment == "cpu" else "neural-action"

    @property
    def gpus(self) -> int:
        """GPUs that a training job asks the scheduler for."""
        training = self.settings.training
        return int(training.device == "cuda" or training.request_gpu)

    @property
    def trained(self) -> list[str]:
        """Shown rows that are pretrained themselves."""
        return [name for name, row in self.methods.items() if row.objective is not None]

    @property
    def external(self) -> list[str]:
        """Shown rows whose representation is another package's."""
        return [name for name, row in self.methods.items() if row.external is not None]

    def source(self, method: str) -> str | None:
        """The row whose networks ``method`` is evaluated with: itself, another, or none."""
        row = self.settings.methods[method]
        return method if row.objective is not None else row.model

    def weights(self, wildcards: Any, run: str) -> list[str]:
        """The weights that a row is evaluated from, if it has any."""
        source = self.source(wildcards.method)
        if source is None:
            return []
        where = {
            **dict(wildcards.items()),
            "method": source,
            "holdout": self._run_of(source, wildcards.holdout),
        }
        return [f"{run}/model.safetensors".format(**where)]

    def _run_of(self, method: str, holdout: str) -> str:
        """The holdout that ``method`` is pretrained for, to be evaluated on ``holdout``."""
        together = self.settings.methods[method].sessions == "together"
        return Holdout.parse(holdout).joint.name if together else holdout

    def pretrained(self, method: str) -> list[str]:
        """The holdouts that a row is pretrained for: those of the protocol, or of all animals together."""
        return list(dict.fromkeys(self._run_of(method, holdout) for holdout in self.holdouts))

    @property
    def fits_kernel(self) -> bool:
        """Whether a shown row trains with the calcium kernel."""
        return any("kernel" in self.needs(name) for name in self.methods)

    def needs(self, method: str) -> frozenset[str]:
        """What pretraining of a row reads beside recordings: ``swaps``, ``kernel``, ``syllables``."""
        row = self.settings.methods[method]
        if row.objective is None:
            return frozenset()
        views = [view.name for view in (*row.views.neural, *row.views.behavior)]
        asked = [needs("objectives", row.objective.name), *(needs("views", view) for view in views)]
        matched = {"swaps"} if row.batches == "matched" else set()
        return frozenset().union(*asked, matched)

    def pretrain_inputs(self, wildcards: Any) -> dict[str, str]:
        """The files that ``needs`` stands for."""
        holdout, method = wildcards.holdout, wildcards.method
        files = {
            "kernel": f"{self.results}/calcium/{holdout}.json",
            "swaps": f"{self.results}/neighbors/{self.variant(method, NEIGHBORS)}/{holdout}.npz",
            "syllables": f"{self.results}/syllables/{self.variant(method, SYLLABLES)}/{holdout}.npz",
        }
        return {name: files[name] for name in sorted(self.needs(method))}

    def evaluate_inputs(self, wildcards: Any) -> dict[str, str]:
        """What another package made, for a row of it; swaps among all poses, for an encoder of swapped behaviour."""
        row = self.settings.methods[wildcards.method]
        if row.external is not None:
            run = "{}/models/{method}/{holdout}/seed-{seed}"
            return {"external": f"{run}/frames.npz".format(self.results, **dict(wildcards.items()))}
        if row.representation != "behavior_encoder" or not row.views.behavior:
            return {}
        return {"swaps": f"{self.results}/neighbors/{self.variant(row.model, NEIGHBORS)}/none.npz"}

    def content_of(self, method: str | None) -> dict[str, Any]:
        """The configuration as a row changes it; as it is for None."""
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
        """What a row changes in ``keys`` (``section`` or ``section.key``), as the name of a folder: ``default`` for
        nothing."""
        changes = []
        for section, values in self.settings.methods[method].settings.items():
            for key, value in values.items():
                if {section, f"{section}.{key}"} & set(keys) and value != self.content[section][key]:
                    changes.append(f"{key}-{value}")
        name = "_".join(sorted(changes)) or "default"
        if not re.fullmatch(VARIANT, name):
            raise InputError(
                f"configuration methods.{method}.settings: {name!r} cannot be part of a file's name"
            )
        return name

    def variant_sections(self, variant: str, *keys: str) -> str:
        """``sections`` as the rows of a variant of ``keys`` have them."""
        for name in self.settings.methods:
            if self.variant(name, keys) == variant:
                return self._chosen(self.content_of(name), keys)
        raise InputError(f"no row has the variant {variant!r} of {', '.join(keys)}")

    @property
    def everything(self) -> str:
        """The whole configuration as JSON."""
        return as_json(self.content)

    def sections(self, *keys: str) -> str:
        """The named sections, or single keys ``section.key``, as JSON: what a rule depends on and no more."""
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
    def table_sections(self) -> str:
        """What tables and pictures depend on: of the methods, the shown ones."""
        keys = ("dataset", "title", "real", "split", "clips", "tables", "adapt", "decoding")
        methods = {name: self.content["methods"][name] for name in self.methods}
        return as_json({**json.loads(self.sections(*keys)), "methods": methods})

    @property
    def swap_tables(self) -> list[str]:
        """The swap tables that are looked at: of the first shown row that trains with one, one a holdout."""
        variants = [self.variant(name, NEIGHBORS) for name in self.trained if "swaps" in self.needs(name)]
        return [f"{self.results}/neighbors/{variants[0]}/{name}.npz" for name in self.holdouts if variants]

    @property
    def explored(self) -> list[str]:
        """Rows of the interactive page: those whose embeddings are pictured; none of what is decoded."""
        return [] if self.decodes else self.pictured

    @property
    def pictured(self) -> list[str]:
        """Rows whose embeddings are drawn: those configured, or the figure method and what is proposed, if trained."""
        if self.settings.explore.rows is not None:
            return self.settings.explore.rows
        proposed = [name for name in self.trained if self.methods[name].role == "proposed"]
        first = self.settings.tables.figure_method
        return [*([first] if first in self.trained else []), *(name for name in proposed if name != first)]

    @property
    def explore_sections(self) -> str:
        """What the interactive page depends on: of the methods, those that it shows."""
        keys = ("dataset", "title", "real", "clips", "explore", "calcium.behavior")
        methods = {name: self.content["methods"][name] for name in self.explored}
        return as_json({**json.loads(self.sections(*keys)), "methods": methods})

    @property
    def diagnose_sections(self) -> str:
        """What the checks of the data and of the control depend on."""
        keys = ("dataset", "title", "real", "split", "clips", "tables", "diagnostics", "calcium.behavior")
        methods = {key: row for name in self.methods for key, row in self._method(name).items()}
        return as_json({**json.loads(self.sections(*keys)), "methods": methods})

    def _method(self, method: str) -> dict[str, Any]:
        """A row without what only its table shows."""
        return {method: {**self.content["methods"][method], "label": method, **_SHOWN}}

    def pretrain_sections(self, method: str) -> str:
        """What pretraining depends on: not the probe, not other rows, not which classes are scored."""
        clips = ("frames", "poses", "behavior_stride", "pose_normalisation")
        keys = ("training", "encoders", *(f"clips.{key}" for key in clips))
        chosen = json.loads(self._chosen(self.content_of(method), keys))
        # What is asked of the scheduler changes no result.
        del chosen["training"]["request_gpu"]
        return as_json({**chosen, "methods": self._method(method)})

    def adapt_sections(self, method: str) -> str:
        """What adapting depends on beside the model it starts from."""
        return as_json({**json.loads(self.pretrain_sections(method)), **json.loads(self.sections("adapt"))})

    def evaluate_sections(self, method: str, holdout: str) -> str:
        """What probing depends on. A holdout of one fold tests that fold, whichever others are chosen."""
        kind = Holdout.parse(holdout).kind
        keys = ["dataset", "clips", "probe"]
        if kind == "split":
            keys += ["decoding", "split.protocol", "split.block_seconds"]
        elif kind not in ("fold", "adapted"):
            keys.append("split.test_folds")
        chosen = json.loads(self._chosen(self.content_of(self.source(method)), keys))
        return as_json({**chosen, "methods": self._method(method)})

    def external_options(self, method: str) -> str:
        """The settings of a row of another package, as JSON."""
        return as_json(self.content["methods"][method]["external"])

    def method_modules(self, method: str) -> list[str]:
        """Modules of the objective, adaptation, encoders and views that a row names."""
        row, source = self.settings.methods[method], self.source(method)
        if source is None:
            return []
        objective = self.settings.methods[source].objective
        encoders = self.content_of(source)["encoders"]
        views = [view.name for view in (*row.views.neural, *row.views.behavior)]
        return [
            *part_modules("objectives", [objective.name]),
            *part_modules("adaptation", [row.adaptation.name] if row.adaptation else []),
            *part_modules("encoders", [encoders["neural"]["name"], encoders["behavior"]["name"]]),
            *part_modules("views", views),
        ]

    @staticmethod
    def code(stage: str, also: Iterable[str] = ()) -> str:
        """Hash of the code a stage runs: Snakemake does not look into the package by itself."""
        return code_hash([f"neural_action.stages.{stage}", *also])
