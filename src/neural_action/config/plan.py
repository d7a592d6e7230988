"""A configuration as the workflow uses it: recordings, runs, and what each rule depends on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from neural_action.config.dependencies import NEIGHBORS, SYLLABLES, Dependencies
from neural_action.config.load import validate
from neural_action.config.settings import MethodSettings
from neural_action.config.signatures import mines, needs
from neural_action.datasets.layout import FILES
from neural_action.datasets.protocols import Run, animals_of, assign_folds, joint_runs, runs, unseen_runs
from neural_action.errors import InputError
from neural_action.provenance import code_hash, part_modules
from neural_action.recordings.readers import load_reader, reader_modules
from neural_action.recordings.samples import SampleRow, read_samples, scan
from neural_action.tables.registry import picture_names, table_names

#: A run that sees all trials: for pictures, checks of the recordings, and swaps among all poses.
EVERYTHING = Run("everything", ())


class Plan:
    """A validated configuration as the rules use it. Raises InputError with one line if anything is wrong.

    Args:
        config: the merged configuration mapping.
    """

    def __init__(self, config: Mapping[str, Any]):
        self.settings = validate(config)
        self.results = f"{self.settings.results}/{self.settings.dataset}"
        self.simulated = self.settings.raw is None
        self.raw: str = self.settings.raw or f"{self.results}/raw"
        names = self.settings.rows or list(self.settings.methods)
        self.methods: dict[str, MethodSettings] = {name: self.settings.methods[name] for name in names}
        self.depends_on = Dependencies(self.settings, names)
        self.rows = self._rows()
        self.animals = sorted({row.animal for row in self.rows})
        #: The animal of each of ``animals``, which may be sessions.
        self.owners = animals_of(self.animals, self.settings.split)
        if self.settings.split.protocol not in ("published", "repeated"):
            assign_folds([(row.animal, row.trial) for row in self.rows], self.settings.split)
        self.runs = runs(self.settings.split, self.animals)
        self.joint = joint_runs(self.settings.split)
        self.unseen = unseen_runs(self.settings.split, self.animals) if self.settings.adapt.rows else {}

    def _rows(self) -> list[SampleRow]:
        # Read here, because an error raised later, inside Snakemake's input functions, would be a traceback.
        reader = load_reader(self.settings.convert.reader)
        reader.Options.parse(self.settings.convert.reader_options)
        embedded = self.raw in getattr(reader, "EMBEDDED", ())
        if not self.simulated and not embedded and not Path(self.raw).is_dir():
            raise InputError(
                f"configuration raw: {self.raw!r} is not a folder; expected the folder of raw recordings"
            )
        if self.settings.recordings is not None:
            return read_samples(Path(self.settings.recordings))
        simulation = self.settings.simulation
        if self.simulated and simulation is not None:
            from neural_action.recordings.simulate.presets import resolve, trial_folders

            return [
                SampleRow(animal, trial, f"{animal}/{folder}")
                for animal, trial, folder in trial_folders(resolve(simulation))
            ]
        return scan(self.settings.convert.reader, Path(self.raw), self.settings.convert.reader_options)

    @property
    def writes_samples(self) -> bool:
        """Whether the workflow writes the samples table."""
        return self.settings.recordings is None

    @property
    def samples(self) -> str:
        """Path of the samples table."""
        return self.settings.recordings or f"{self.results}/recordings.csv"

    @property
    def row_names(self) -> list[str]:
        """Each row of the samples table as one string; a change makes the workflow rewrite the table."""
        return [",".join([row.animal, row.trial, row.path, *self.part(row)]) for row in self.rows]

    @staticmethod
    def part(row: SampleRow) -> list[str]:
        """Command-line options for the part of a recording that a trial is; none for a whole recording."""
        return [] if row.start is None else [f"--start={row.start!r}", f"--stop={row.stop!r}"]

    @cached_property
    def simulated_animals(self) -> list[str]:
        """Names of simulated animals by number."""
        return list(dict.fromkeys(row.animal for row in self.rows))

    @property
    def raw_folders(self) -> list[str]:
        """Folders of the simulator, which the samples table waits for; none for real recordings."""
        return [f"{self.raw}/{animal}" for animal in self.simulated_animals] if self.simulated else []

    def row(self, animal: str, trial: str) -> SampleRow:
        """The samples table row of a trial."""
        return self._by_name[animal, trial]

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], SampleRow]:
        return {(row.animal, row.trial): row for row in self.rows}

    def raw_files(self, animal: str, trial: str) -> list[str]:
        """The raw files of a trial. InputError if the samples table has no such trial."""
        if (animal, trial) not in self._by_name:
            raise InputError(
                f"{self.samples}: no trial {trial} of animal {animal}, expected a row of the table"
            )
        if self.simulated:
            return [f"{self.raw}/{animal}"]
        reader, given = load_reader(self.settings.convert.reader), self.settings.convert.reader_options
        found = reader.files(Path(self.raw), self.row(animal, trial), reader.Options.parse(given))
        return [str(path) for path in found]

    @property
    def reader_modules(self) -> list[str]:
        """Modules of the configured reader and of the formats it reads."""
        return reader_modules(self.settings.convert.reader, self.settings.convert.reader_options)

    @property
    def manifests(self) -> list[str]:
        """Manifests of all recordings."""
        return [f"{self.results}/recordings/{row.animal}/{row.trial}.manifest.json" for row in self.rows]

    @property
    def layout(self) -> list[str]:
        """The files of the dataset folder."""
        return [f"{self.results}/dataset/{name}" for name in FILES]

    @property
    def splits(self) -> str:
        """Path of the split table."""
        return f"{self.results}/splits.csv"

    def run(self, name: str) -> Run:
        """The run called ``name``. InputError if there is none."""
        every = {EVERYTHING.name: EVERYTHING, **self.joint, **self.unseen, **self.runs}
        if name not in every:
            raise InputError(f"run {name!r} is not one of {', '.join(every)}")
        return every[name]

    def run_options(self, name: str) -> list[str]:
        """Command-line options of a run; ``--joint`` if animals with their own units share a model."""
        joint = ["--joint"] if name in self.joint and name not in self.runs else []
        return [*self.run(name).options, *joint]

    @property
    def first_run(self) -> str:
        """The run whose embeddings are drawn."""
        return next(iter(self.runs))

    @property
    def pictured_animal(self) -> list[str]:
        """The animal that is drawn, as a command-line option; none for all animals."""
        return [option for option in self.run(self.first_run).options if option.startswith("--animal=")]

    @property
    def tables(self) -> list[str]:
        """Names of the tables of the dataset."""
        unseen, measured = bool(self.unseen), self.compares
        rows = self.methods.values()
        decoding = self.settings.tables.decoding
        return table_names(
            self.settings.evaluation, rows, decoding=decoding, unseen=unseen, consistency=measured
        )

    @property
    def pictures(self) -> list[str]:
        """Names of the pictures of the dataset."""
        swaps, measured = bool(self.swap_tables), self.compares
        return picture_names(
            self.settings.evaluation, swaps=swaps, consistency=measured, mined=bool(self.mining)
        )

    @property
    def compares(self) -> bool:
        """Whether embeddings of a row can be compared: there are several animals, runs or seeds."""
        several = (len(self.animals) > 1 or len(self.runs) > 1) and not self.apart
        return bool(self.trained) and (several or len(self.settings.seeds) > 1)

    def unadapted(self, wildcards: Any, run: str) -> str:
        """Weights that an adaptation starts from: same row and seed, pretrained without the animal."""
        start = self.run(wildcards.run).starts_from
        return f"{run}/model.safetensors".format(**{**dict(wildcards.items()), "run": start})

    @property
    def environment(self) -> str:
        """Name of the conda environment of the jobs, in ``envs/``."""
        return "neural-action-cpu" if self.settings.environment == "cpu" else "neural-action"

    @property
    def gpus(self) -> int:
        """Number of GPUs that a training job requests."""
        training = self.settings.training
        return int(training.device == "cuda" or training.request_gpu)

    @property
    def trained(self) -> list[str]:
        """Shown rows that are pretrained themselves."""
        return [name for name, row in self.methods.items() if row.objective is not None]

    @property
    def mining(self) -> list[str]:
        """Shown rows that mine views."""
        return [
            name
            for name in self.trained
            if (objective := self.methods[name].objective) is not None and mines(objective.name)
        ]

    @property
    def external(self) -> list[str]:
        """Shown rows whose representation another package makes."""
        return [name for name, row in self.methods.items() if row.external is not None]

    def _run_of(self, method: str, run: str) -> str:
        """The run in which ``method`` is pretrained if it is evaluated in ``run``."""
        if self.settings.methods[method].sessions != "together":
            return run
        return next(name for name, joint in self.joint.items() if joint.splits == self.run(run).splits)

    def pretrained(self, method: str) -> list[str]:
        """The runs in which a row is pretrained: those of the protocol, or joint runs of all animals."""
        return list(dict.fromkeys(self._run_of(method, run) for run in self.runs))

    @property
    def apart(self) -> bool:
        """Whether each animal is pretrained and read separately."""
        return any(run.animal for run in self.runs.values())

    def models(self, names: Iterable[str]) -> int:
        """Number of models of the named runs: one per split under published and repeated, else one per run."""
        several = self.settings.split.protocol in ("published", "repeated")
        return sum(len(self.run(name).splits) if several else 1 for name in names)

    @property
    def fits_kernel(self) -> bool:
        """Whether a shown row trains with the calcium kernel."""
        return any("kernel" in self.needs(name) for name in self.methods)

    def needs(self, method: str) -> frozenset[str]:
        """Inputs of a row's pretraining beside the recordings: ``swaps``, ``kernel``, ``syllables``, ``labels``."""
        row = self.settings.methods[method]
        if row.objective is None:
            return frozenset()
        asked = [needs("objectives", row.objective.name)]
        asked += [needs("augmentations", view) for view in _views(row)]
        matched = {"swaps"} if row.batches == "matched" else set()
        return frozenset().union(*asked, matched)

    def pretrain_inputs(self, wildcards: Any) -> dict[str, str]:
        """Paths of the files of ``needs``, by name."""
        run, method = wildcards.run, wildcards.method
        files = {
            "kernel": f"{self.results}/calcium/{run}.json",
            "swaps": f"{self.results}/neighbors/{self.depends_on.variant(method, NEIGHBORS)}/{run}.npz",
            "syllables": f"{self.results}/syllables/{self.depends_on.variant(method, SYLLABLES)}/{run}.npz",
        }
        return {name: files[name] for name in sorted(self.needs(method) & set(files))}

    def evaluate_inputs(self, wildcards: Any) -> dict[str, str]:
        """Paths of the files that an evaluation reads beside the dataset, by name.

        Weights and representation of the row's networks, swaps among all poses, or frames from another package.
        """
        row = self.settings.methods[wildcards.method]
        where, files = dict(wildcards.items()), {}
        folder = f"{self.results}/models/{{method}}/{{run}}/seed-{{seed}}"
        if row.external is not None:
            files["external"] = f"{folder.format(**where)}/frames.npz"
        if (source := self.depends_on.source(wildcards.method)) is not None:
            where |= {"method": source, "run": self._run_of(source, wildcards.run)}
            files["weights"] = f"{folder.format(**where)}/model.safetensors"
            if row.representation == "trained":
                files["representation"] = f"{folder.format(**where)}/representation.npz"
            elif row.augmentations.behavior:
                variant = self.depends_on.variant(source, NEIGHBORS)
                files["swaps"] = f"{self.results}/neighbors/{variant}/{EVERYTHING.name}.npz"
        return files

    @property
    def swap_tables(self) -> list[str]:
        """Swap tables for diagnostics and pictures: one for each run, of the first shown row that trains with one."""
        variants = [
            self.depends_on.variant(name, NEIGHBORS) for name in self.trained if "swaps" in self.needs(name)
        ]
        return [f"{self.results}/neighbors/{variants[0]}/{name}.npz" for name in self.runs if variants]

    @property
    def pictured(self) -> list[str]:
        """Rows on the interactive page: those configured, else the figure method and proposed rows, if trained."""
        if self.settings.explore.rows is not None:
            return self.settings.explore.rows
        proposed = [name for name in self.trained if self.methods[name].role == "proposed"]
        first = self.settings.tables.figure_method
        return [*([first] if first in self.trained else []), *(name for name in proposed if name != first)]

    def method_modules(self, method: str) -> list[str]:
        """Modules of the objective, adaptation, encoders and augmentations of a row."""
        row, source = self.settings.methods[method], self.depends_on.source(method)
        if source is None:
            return []
        objective = self.settings.methods[source].objective
        encoders = self.depends_on.content_of(source)["encoders"]
        return [
            *part_modules("objectives", [objective.name] if objective else []),
            *part_modules("adaptation", [row.adaptation.name] if row.adaptation else []),
            *part_modules("encoders", [encoders["neural"]["name"], encoders["behavior"]["name"]]),
            *part_modules("augmentations", _views(row)),
        ]

    @staticmethod
    def code(stage: str, also: Iterable[str] = ()) -> str:
        """Hash of the code that a stage runs, because Snakemake does not track changes in the package."""
        return code_hash([f"neural_action.stages.{stage}", *also])


def _views(row: MethodSettings) -> list[str]:
    """Names of the augmentations of a row."""
    views = row.augmentations
    return [view.name for view in (*views.neural, *views.mined, *views.behavior)]
