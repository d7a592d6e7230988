"""The configuration, typed: one model a section, every key with its meaning.

Values and their sources stand in ``config/*.yaml``; here are names, types and bounds. Parameters of views,
encoders and objectives are not listed: the signature of the class that takes them is their schema
(see ``signatures.py``), so that a new one is one file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
    Name,
    Positive,
    Probability,
    Section,
    Seed,
    Text,
)


class SimulationSettings(Section):
    """The simulator: a preset of sizes and gaps, and what is changed in it."""

    preset: Literal[
        "default", "tiny", "small_gap", "large_gap", "unrelated_layout", "slow_indicator", "units"
    ] = "default"
    seed: Seed = 0
    overrides: dict[str, float | int | str | bool] = {}


class DffSettings(Section):
    """dF/F = (F - F0) / F0, with F0 a low percentile of each pixel or unit over the trial."""

    percentile: Annotated[float, Field(ge=0, le=100)] = 10.0


class ScaleSettings(Section):
    """Linear scaling of a trial that maps two percentiles to 0 and 1, clipped there.

    Of traces they are percentiles ``per`` unit, or of the whole trial; of a movie always of all its pixels.
    """

    low: Annotated[float, Field(ge=0, lt=100)] = 0.5
    high: Annotated[float, Field(gt=0, le=100)] = 99.5
    per: Literal["unit", "trial"] = "unit"


class ConvertSettings(Section):
    """Raw files to recording store. Each step is explicit; null leaves it out.

    ``neural_rate`` brings the neural frames of all animals to one rate, per second, without aliasing.
    """

    reader: Name
    reader_options: dict[str, Any] = {}
    class_names: Annotated[Classes, Each] | None = None
    neural_rate: Positive | None = None
    dff: DffSettings | None = None
    scale: ScaleSettings | None = None
    resize: Count | None = None
    root_relative: bool = False
    dtype: Literal["float16", "float32", "uint8"] = "float32"
    chunk_mb: Positive = 8.0


class SplitSettings(Section):
    """What is trained on and what is tested: which generator writes the split table (``datasets.protocols``).

    ``transductive``, ``new_trials`` and ``new_animal`` deal whole trials into ``folds``; they differ in what
    pretraining may see. ``published`` and ``repeated`` split each animal's trials into train, validation and test:
    once in the order of time, or at random ``repeats`` times. A recording without trials is cut into blocks of
    ``block_seconds`` for these; where blocks of different roles meet, ``gap_seconds`` are left out. A job of the
    workflow does ``repeats_per_job`` repeats.
    """

    folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)] = 4
    seed: Seed = 0
    protocol: Literal["transductive", "new_trials", "new_animal", "published", "repeated"] = "new_trials"
    test_folds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), Each] | None = None
    repeats: Annotated[int, Field(ge=1, le=MOST_SPLITS)] = 20
    repeats_per_job: Count = 20
    train: Fraction = 0.8
    validation: Fraction = 0.1
    block_seconds: Positive = 600.0
    gap_seconds: Annotated[float, Field(ge=0)] = 60.0

    @model_validator(mode="after")
    def _leaves_a_test(self) -> SplitSettings:
        if self.train + self.validation >= 1:
            raise ValueError("train and validation leave no test trials, their sum should be below 1")
        return self


class WindowSettings(Section):
    """A window: consecutive neural frames and the poses spread evenly over them."""

    frames: Count = 32
    poses: Count = 8
    behavior_stride: Count = 4
    stride: Count = 8
    scored_classes: Annotated[Classes, Each] | None = None
    pose_normalisation: Literal["animal_zscore", "none"] = "animal_zscore"


class NeighborSettings(Section):
    """The pose index and the swap table (Equation 2).

    Two remedies for large sets: ``target_samples`` bounds the poses of an animal that are indexed, ``components``
    searches among principal components shared by all animals. null leaves either out.
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
    """The calcium kernel: a configured decay replaces the fit."""

    decay: Positive | None = None
    rise: Positive | None = None
    behavior: Literal["positions", "velocities"] = "positions"
    rest_seconds: Positive = 2.5
    rest_delay: Annotated[float, Field(ge=0)] = 0.3
    rois: Count = 40
    bootstrap: Count = 200
    seed: Seed = 0


class TrainingSettings(Section):
    """Pretraining: steps (0: networks stay as they begin), batches, optimizer (``momentum`` is SGD's), checkpoints.

    ``decayed: weights`` leaves out of weight decay what has one dimension: norms and biases.
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
    """A part chosen by name; the other keys are the parameters of the class of that name."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    name: Name

    @property
    def parameters(self) -> dict[str, Any]:
        """The keyword arguments for the class."""
        return dict(self.__pydantic_extra__ or {})


class AdaptSettings(Section):
    """Adapting a trained model to an animal that pretraining did not see, from its unlabelled pairs."""

    rows: Annotated[list[Name], Each] = []
    steps: Count = 200
    learning_rate: Positive = 1e-3


class EncoderSettings(Section):
    """The two encoders and their heads, shared by every trained row.

    ``unit_width`` is of the features that each animal's input layer makes of its units, where animals have other ones.
    """

    neural: ComponentConfig
    behavior: ComponentConfig
    unit_width: Count = 64
    dimension: Count = 128
    head_hidden: Count = 128
    head_dimension: Count = 128


class AugmentationSettings(Section):
    """Augmentations of each modality, applied in this order.

    ``shift`` is the temporal one: every neural view of a window but the first shows a window 0 to ``shift`` later in
    the same trial, or of any window of the trial. ``mined`` are those of neural windows among which
    views are mined, where the
    objective draws these apart. ``draws: batch`` draws the numbers of an augmentation once for all windows of a batch.
    """

    neural: list[ComponentConfig] = []
    mined: list[ComponentConfig] = []
    draws: Literal["window", "batch"] = "window"
    behavior: list[ComponentConfig] = []
    shift: Annotated[int, Field(ge=0)] | Literal["trial"] = 0


class CebraSettings(Section):
    """A row by CEBRA, through its own package and in an environment of its own; keys are CEBRA's."""

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
    """A row of the tables: a representation. It names no probe: every probe of a dataset reads every row.

    ``representation`` is ``trained`` (the neural encoder of an objective), ``raw`` (the neural window itself),
    ``ridge`` (the behaviour that a ridge on each animal's own neural frames predicts),
    ``behavior`` (the behaviour window itself), ``behavior_encoder`` (an objective's encoder of behaviour, after the
    row's behaviour views), ``labels`` (the action label alone), ``external`` (what another package made of every
    frame) or ``none`` (no input: guessing).
    ``sessions: together`` trains one network for all animals of a dataset that is decoded, with a first layer of each.
    ``model`` names the row whose trained networks are used instead of an objective of its own. ``role`` says what
    the row is compared as: the best ``baseline`` is looked for among those alone. ``scale`` replaces
    ``evaluation.scale``. ``tasks`` names the only tasks that the row is read for; null: all of the dataset.
    """

    label: Text
    group: Text = ""
    role: Literal["baseline", "proposed", "reference"] = "baseline"
    table: Literal["papers", "ablation"] = "papers"
    representation: Literal[
        "trained", "raw", "ridge", "behavior", "behavior_encoder", "labels", "external", "none"
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
                "representation 'trained' has an objective or the model of another row, 'behavior_encoder' the "
                "model of another row, and no other has either"
            )
        if (self.representation == "external") != (self.external is not None):
            raise ValueError("representation 'external' has an `external` package, and no other has one")
        if self.features is not None and self.representation != "raw":
            raise ValueError("features are made of raw bins: they are of rows with representation 'raw'")
        changed = self.adaptation is not None or self.settings or self.sessions == "together"
        if self.objective is None and changed:
            raise ValueError("adaptation, sessions and settings are of rows with an objective of their own")
        return self


class SyllableSettings(Section):
    """The autoregressive hidden Markov model of the poses."""

    states: Annotated[int, Field(ge=2)] = 16
    lags: Count = 1
    dimensions: Count = 8
    iterations: Count = 30
    seed: Seed = 0


class TableSettings(Section):
    """Statistics and pictures; whether numbers that a paper published stand beside those of this dataset.

    ``references`` are the rows that paired differences are taken to, ``curves`` those whose label efficiency is drawn:
    without names, all. ``chosen_on`` says on which recordings and seeds our own rows were chosen; the tables repeat it.
    """

    metric: Literal["accuracy", "balanced_accuracy", "macro_f1"] = "balanced_accuracy"
    chosen_on: str = ""
    figure_method: Name = "swap_calcium"
    published: bool = True
    references: list[Name] = []
    curves: list[Name] = []


class DiagnosticsSettings(Section):
    """When a check of the data says that something may be wrong."""

    longest_lag: Positive = 4.0
    expected_lag: Annotated[list[float], Field(min_length=2, max_length=2)] = [-0.5, 2.0]
    lag_tolerance: Positive = 0.5
    lag_drop: Fraction = 0.2
    label_tolerance: Positive = 0.25
    least_share: Fraction = 0.25
    clear_share: Fraction = 0.9
    names_share: Fraction = 0.9
    control_tolerance: Annotated[float, Field(ge=0)] = 0.02


class ExploreSettings(Section):
    """The interactive page: which rows, how many windows, and how much of the poses goes into the file."""

    rows: Annotated[list[Name], Field(min_length=1)] | None = None
    points: Count = 100_000
    landmarks: Annotated[int, Field(ge=100)] = 1500
    pose_rate: Positive = 12.5
    megabytes: Positive = 16.0
    skeleton: list[Annotated[list[str], Field(min_length=2)]] | None = None


class Settings(Section):
    """The whole configuration of a dataset. ``notes`` are for people: what ``init`` decided, in sentences."""

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
