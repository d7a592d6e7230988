"""The typed configuration: one model for each section.

This file has names, types and bounds; values and their sources are in ``config/*.yaml``. Parameters of augmentations,
encoders and objectives are not listed here: the signature of their class is their schema (see ``signatures.py``), so
that a new component is one file.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from neural_action.config.evaluation_settings import (
    EvaluationSettings,
    FeatureSettings,
    ProbeConfig,
    Scale,
    Task,
)
from neural_action.config.kinds import (
    MOST_FOLDS,
    MOST_SEEDS,
    MOST_SPLITS,
    Classes,
    Count,
    Dataset,
    Each,
    File,
    Folder,
    Fraction,
    FromText,
    Name,
    Positive,
    Probability,
    Section,
    Seed,
    Text,
)
from neural_action.config.output_settings import DiagnosticsSettings, ExploreSettings, TableSettings


class SimulationSettings(Section):
    """The simulator: a preset of sizes and domain gaps, and overrides of its values."""

    preset: Literal[
        "default", "tiny", "small_gap", "large_gap", "unrelated_layout", "slow_indicator", "units"
    ] = "default"
    seed: Seed = 0
    overrides: dict[str, float | int | str | bool] = {}


class DffSettings(Section):
    """dF/F = (F - F0) / F0, with F0 a low percentile of each pixel or unit over the trial."""

    percentile: Annotated[float, Field(ge=0, le=100)] = 10.0


class ScaleSettings(Section):
    """Linear scaling of a trial that maps two percentiles to 0 and 1, and clips beyond.

    Traces are scaled ``per`` unit or per trial; movies always by the percentiles of all their pixels.
    """

    low: Annotated[float, Field(ge=0, lt=100)] = 0.5
    high: Annotated[float, Field(gt=0, le=100)] = 99.5
    per: Literal["unit", "trial"] = "unit"


class ConvertSettings(Section):
    """Conversion of raw files to recording stores. A step that is null is left out.

    ``neural_rate`` and ``behavior_rate`` resample the neural frames and the behaviour samples of all animals to one
    rate (per second), without aliasing.
    """

    reader: Name
    reader_options: dict[str, Any] = {}
    class_names: Annotated[Classes, Each] | None = None
    neural_rate: Positive | None = None
    behavior_rate: Positive | None = None
    dff: DffSettings | None = None
    scale: ScaleSettings | None = None
    resize: Count | None = None
    root_relative: bool = False
    dtype: Literal["float16", "float32", "uint8"] = "float32"
    chunk_mb: Positive = 8.0


class SplitSettings(Section):
    """The splits into training and test, by the protocol that writes the split table (``datasets.protocols``).

    ``transductive``, ``new_trials`` and ``new_animal`` assign whole trials to ``folds``; they differ in what
    pretraining may see. ``published`` and ``repeated`` split each animal's trials into train, validation and test:
    once in the order of time, or at random ``repeats`` times. For these two, a recording without trials is cut into
    blocks of ``block_seconds``, and ``gap_seconds`` are left out between blocks of different roles. One job of the
    workflow runs ``repeats_per_job`` repeats.
    ``animal_of_session``: if the animals of the samples table are sessions, a regular expression that finds the animal
    in the name of a session. Where an animal is left out, all its sessions are. null: each is an animal.
    """

    folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)] = 4
    seed: Seed = 0
    protocol: Literal["transductive", "new_trials", "new_animal", "published", "repeated"] = "new_trials"
    test_folds: Annotated[list[Annotated[int, Field(ge=0), FromText]], Field(min_length=1), Each] | None = (
        None
    )
    repeats: Annotated[int, Field(ge=1, le=MOST_SPLITS)] = 20
    repeats_per_job: Count = 20
    train: Fraction = 0.8
    validation: Fraction = 0.1
    block_seconds: Positive = 600.0
    gap_seconds: Annotated[float, Field(ge=0)] = 60.0
    animal_of_session: Text | None = None

    @field_validator("animal_of_session")
    @classmethod
    def _is_an_expression(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except (re.error, RecursionError) as error:
            raise ValueError(f"a regular expression ({error})") from None
        return value

    @model_validator(mode="after")
    def _leaves_a_test(self) -> SplitSettings:
        if self.train + self.validation >= 1:
            raise ValueError("train and validation with a sum below 1, so that test trials are left")
        return self


class WindowSettings(Section):
    """A window: consecutive neural frames and the poses spread evenly over them.

    ``units`` says whether animals have the same units (``shared``: unit k means the same in all) or their own
    (``own``). Without it they have their own where their numbers differ.
    """

    frames: Count = 32
    poses: Count = 8
    behavior_stride: Count = 4
    stride: Count = 8
    scored_classes: Annotated[Classes, Each] | None = None
    pose_normalisation: Literal["animal_zscore", "block_zscore", "none"] = "animal_zscore"
    units: Literal["shared", "own"] | None = None


class NeighborSettings(Section):
    """The pose index and the swap table (Equation 2).

    For large datasets: ``target_samples`` bounds the number of indexed poses of an animal, and ``components`` searches
    in principal components shared by all animals. null leaves either out.
    """

    neighbors: Count = 128
    draws: Count = 32
    distance_scale: Positive | Literal["median"] = "median"
    domains: Literal["all", "others"] = "all"
    target_samples: Annotated[int, Field(ge=2)] | None = None
    components: Count | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    exact_below: Annotated[int, Field(ge=0)] = 40_000
    recall_queries: Count = 200
    seed: Seed = 0


class CalciumSettings(Section):
    """The calcium kernel. A configured ``decay`` replaces the fit."""

    decay: Positive | None = None
    rise: Positive | None = None
    behavior: Literal["positions", "velocities"] = "positions"
    rest_seconds: Positive = 2.5
    rest_delay: Annotated[float, Field(ge=0)] = 0.3
    rois: Count = 40
    bootstrap: Count = 200
    seed: Seed = 0


class TrainingSettings(Section):
    """Pretraining: steps (0: networks stay untrained), batches, optimizer (``momentum`` is of SGD), checkpoints.

    ``decayed: weights`` applies no weight decay to parameters of one dimension (norms and biases).
    """

    steps: Annotated[int, Field(ge=0)] = 400
    batch: Annotated[int, Field(ge=2)] = 128
    learning_rate: Positive = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    decayed: Literal["all", "weights"] = "all"
    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    warmup: Probability = 0.1
    checkpoint_every: Count = 200
    device: Literal["auto", "cpu", "cuda"] = "auto"
    request_gpu: bool = False
    cuda_precision: Literal["bfloat16", "float16", "float32"] = "bfloat16"


class ComponentConfig(BaseModel):
    """A component chosen by ``name``; the other keys are parameters of the class of that name."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    name: Name

    @property
    def parameters(self) -> dict[str, Any]:
        """The keyword arguments for the class."""
        return dict(self.__pydantic_extra__ or {})


class AdaptSettings(Section):
    """Adaptation of a trained model to an animal that pretraining did not see, with its unlabelled pairs."""

    rows: Annotated[list[Name], Each] = []
    steps: Count = 200
    learning_rate: Positive = 1e-3


class AttentionSettings(Section):
    """Attention over units, whose identities are inferred from ``chunks`` of ``context`` frames of their activity."""

    hidden: Count = 64
    chunks: Count = 8
    context: Count = 16


class EncoderSettings(Section):
    """The two encoders and their heads, shared by every trained row.

    ``unit_width``: number of features that an animal's input layer makes of its units, if animals have their own units.
    ``attention``: if given, such animals have no input layers, but one attention over units for all.
    """

    neural: ComponentConfig
    behavior: ComponentConfig
    unit_width: Count = 64
    attention: AttentionSettings | None = None
    dimension: Count = 128
    head_hidden: Count = 128
    head_dimension: Count = 128


class AugmentationSettings(Section):
    """Augmentations of each modality, applied in this order.

    ``shift`` is in time: every neural view of a window except the first shows a window 0 to ``shift`` later in the same
    trial, or any window of the trial. ``mined``: augmentations of the neural windows among which views are mined, for
    objectives that draw these separately. ``draws: batch`` draws the random numbers of an augmentation once for all
    windows of a batch.
    """

    neural: list[ComponentConfig] = []
    mined: list[ComponentConfig] = []
    draws: Literal["window", "batch"] = "window"
    behavior: list[ComponentConfig] = []
    shift: Annotated[int, Field(ge=0)] | Literal["trial"] = 0


class CebraSettings(Section):
    """A row made by the package CEBRA, in its own environment. The keys are CEBRA's."""

    name: Literal["cebra"]
    conditional: Literal["time", "behavior"]
    model_architecture: str = "offset10-model"
    output_dimension: Count = 32
    num_hidden_units: Count = 32
    max_iterations: Count = 1000
    batch_size: Count = 512
    learning_rate: Positive = 3e-4
    temperature: Positive = 1.0
    time_offsets: Count = 10


class MethodSettings(Section):
    """A row of the tables: a representation. Every probe of a dataset reads every row.

    ``representation``: ``trained`` (the neural encoder of an objective), ``raw`` (the neural window), ``ridge``
    (behaviour predicted by a ridge regression on each animal's neural frames), ``canonical`` (each animal's principal
    components, aligned to those of the first animal by canonical correlation), ``behavior`` (the behaviour window),
    ``behavior_encoder`` (the behaviour encoder of an objective, after the row's behaviour augmentations), ``labels``
    (the action label), ``external`` (frames embedded by another package) or ``none`` (guessing).
    ``sessions: together`` trains one network for all animals of a decoding dataset, with an input layer for each.
    ``model``: the row whose trained networks are used instead of an own objective. ``role``: the best baseline is
    chosen among rows of role ``baseline``. ``scale`` replaces ``evaluation.scale``. ``tasks``: the tasks for which the
    row is read; null means all tasks of the dataset.
    """

    label: Text
    group: Text = ""
    role: Literal["baseline", "proposed", "reference"] = "baseline"
    table: Literal["papers", "ablation"] = "papers"
    representation: Literal[
        "trained", "raw", "ridge", "canonical", "behavior", "behavior_encoder", "labels", "external", "none"
    ] = "trained"
    objective: ComponentConfig | None = None
    external: CebraSettings | None = None
    augmentations: AugmentationSettings = AugmentationSettings()
    batches: Literal["uniform", "matched", "epochs"] = "uniform"
    sessions: Literal["apart", "together"] = "apart"
    adaptation: ComponentConfig | None = None
    model: Name | None = None
    labels: Literal["true", "permuted"] = "true"
    scale: Scale | None = None
    tasks: Annotated[list[Task], Field(min_length=1), Each] | None = None
    features: FeatureSettings | None = None
    settings: dict[Literal["windows", "neighbors", "training", "encoders"], dict[str, Any]] = {}

    @model_validator(mode="after")
    def _fits_together(self) -> MethodSettings:
        networks = (self.objective is not None) + (self.model is not None)
        expected = int(self.representation in ("trained", "behavior_encoder"))
        if networks != expected or (self.representation == "behavior_encoder" and self.model is None):
            raise ValueError(
                "an objective or the model of another row for representation 'trained', the model of another row for "
                "'behavior_encoder', and neither for any other representation"
            )
        if (self.representation == "external") != (self.external is not None):
            raise ValueError(
                "an `external` package for representation 'external', and for no other representation"
            )
        if self.features is not None and self.representation != "raw":
            raise ValueError("features only in rows with representation 'raw'")
        changed = self.adaptation is not None or self.settings or self.sessions == "together"
        if self.objective is None and changed:
            raise ValueError("adaptation, sessions and settings only in rows with their own objective")
        return self


class SyllableSettings(Section):
    """The autoregressive hidden Markov model of poses."""

    states: Annotated[int, Field(ge=2)] = 16
    lags: Count = 1
    dimensions: Count = 8
    iterations: Count = 30
    seed: Seed = 0


class Settings(Section):
    """The configuration of a dataset. ``notes`` are sentences for people on what ``init`` decided."""

    dataset: Dataset
    title: Text
    notes: list[str] = []
    real: bool
    raw: Text | None = None
    recordings: File | None = None
    results: Folder = "results"
    environment: Literal["default", "cpu"] = "default"
    methods_file: Name = "methods"
    rows: Annotated[list[Name], Field(min_length=1), Each] | None = None
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=MOST_SEEDS), Each]
    simulation: SimulationSettings | None = None
    convert: ConvertSettings
    split: SplitSettings = SplitSettings()
    windows: WindowSettings = WindowSettings()
    neighbors: NeighborSettings = NeighborSettings()
    calcium: CalciumSettings = CalciumSettings()
    syllables: SyllableSettings = SyllableSettings()
    training: TrainingSettings = TrainingSettings()
    adapt: AdaptSettings = AdaptSettings()
    encoders: EncoderSettings
    methods: dict[Name, MethodSettings] = Field(min_length=1)
    evaluation: EvaluationSettings = EvaluationSettings()
    probes: dict[Name, ProbeConfig] = {}
    tables: TableSettings = TableSettings()
    diagnostics: DiagnosticsSettings = DiagnosticsSettings()
    explore: ExploreSettings = ExploreSettings()
