"""A trained model with an interface like scikit-learn: ``transform``, ``score``, and ``adapt`` to a new animal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ConfigDict, Field, ValidationError

from neural_action.config.evaluation_settings import ProbeConfig
from neural_action.config.kinds import Count, Positive, Section
from neural_action.config.settings import (
    AdaptSettings,
    AugmentationSettings,
    ComponentConfig,
    TrainingSettings,
    WindowSettings,
)
from neural_action.config.signatures import one_line
from neural_action.datasets.dataset import side_by_side
from neural_action.datasets.windows import unbroken
from neural_action.encoders.unit_tiles import PackedUnits, UnitWindows
from neural_action.errors import InputError, reading
from neural_action.evaluation.metrics import Outcome, measure
from neural_action.evaluation.probes import build_probe
from neural_action.evaluation.probes.probe import Training
from neural_action.evaluation.scaling import Standard
from neural_action.evaluation.selection import best, held_out
from neural_action.inference.embedding import Embedding
from neural_action.inference.given import Data
from neural_action.inference.readers import Reader, readers_of, tensors_of
from neural_action.inference.sequences import NeuralSequence, sequences
from neural_action.inference.windows import in_chunks
from neural_action.objectives.objective import Objective
from neural_action.training.model import load_beside, save_model
from neural_action.training.model import load_model as load_objective


class _Recorded(Section):
    """Attributes of the recordings that the model was trained on, see ``training.description.recorded``."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)
    neural_shape: list[Count]
    neural_rate: Positive
    behavior_shape: list[Count]
    behavior_rate: Positive
    behavior_names: list[str]
    units: dict[str, str]
    steps: dict[str, Any]
    sessions: dict[str, Count] = Field(default_factory=dict)


class _Description(Section):
    """Keys of a model's JSON that are needed to use it."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    windows: WindowSettings
    recordings: _Recorded
    animals: list[str]
    augmentations: AugmentationSettings
    batches: str
    training: TrainingSettings
    method: str
    run: str
    seed: int
    closed_form: dict[str, dict[str, Count]] = Field(default_factory=dict)


class TrainedModel:
    """A trained model, opened by ``load_model``.

    Attributes:
        objective: the networks, in evaluation mode.
        description: content of the JSON beside the weights: ``method``, ``run``, ``seed``, ``windows``, ``recordings``
            (attributes of the training recordings), ``animals`` (seen in training), and the settings of training.
        device: the device of the networks.
        readers: closed forms of animals without an input layer, by name.
    """

    def __init__(
        self,
        objective: Objective,
        description: Mapping[str, Any],
        device: torch.device,
        readers: Mapping[str, Reader] | None = None,
    ):
        self.objective, self.description, self.device = objective, dict(description), device
        self.readers = dict(readers or {})

    def __repr__(self) -> str:
        what = self.description
        shape = " x ".join(map(str, what["recordings"]["neural_shape"]))
        return (
            f"TrainedModel({what['method']!r}, run {what['run']!r}, trained on {', '.join(what['animals'])}, "
            f"{what['windows']['frames']} frames of {shape} at {what['recordings']['neural_rate']:g} /s)"
        )

    def transform(
        self,
        data: Data,
        *,
        rate: float | None = None,
        time: np.ndarray | Sequence[np.ndarray] | None = None,
        convert: bool = False,
        stride: int = 1,
        layer: str = "encoder",
    ) -> Embedding:
        """Embed every window of neural frames without a gap.

        Args:
            data: path of a manifest or store, or of a folder of them; a ``Recording``; an array (frame, y, x) or
                (frame, unit) of NumPy, torch, xarray or dask; or a list of these with one entry for each recording.
                Trials of a recording are embedded separately.
            rate: frames per second of arrays.
            time: (frame,) s of arrays, instead of ``rate``. A DataArray with times as a coordinate needs neither.
            convert: whether to apply the conversion steps of the model's recordings (dF/F, scaling, size) to arrays and
                recordings in memory. Stores are already converted, and must have the same steps.
            stride: frames between the starts of windows.
            layer: ``encoder``, ``shared`` of a split embedding, or ``projection`` if the model has a head.

        Raises:
            InputError: recordings that differ from the training recordings in shape, rate, unit or steps, have NaN, or
                are all shorter than a window; or an unknown layer.
        """
        if stride < 1:
            raise InputError(f"stride: {stride}, expected at least 1")
        frames, parts, trials = self.description["windows"]["frames"], [], []
        read = sequences(data, self.description["recordings"], rate=rate, time=time, convert=convert)
        class_names: tuple[str, ...] = ()
        for at, sequence in enumerate(read):
            class_names = _same_classes(class_names, sequence)
            start = unbroken(sequence.time, frames, stride)
            centre = sequence.time[start] + 0.5 * (sequence.time[start + frames - 1] - sequence.time[start])
            neural, sessions = sequence.neural, self.objective.shapes.sessions
            if sessions:
                neural = side_by_side(neural, sessions, sequence.animal)
            values = self._embed(neural, start, frames, layer, sequence.animal)
            parts.append((values, centre, np.full(len(start), at), sequence.label_at(centre)))
            trials.append((sequence.trial, sequence.animal))
        values, centre, trial, label = (np.concatenate(column) for column in zip(*parts, strict=True))
        if not len(values):
            raise InputError(
                f"recordings: none has {frames} consecutive neural frames, the length of a window"
            )
        if not np.isfinite(values).all():
            raise InputError(
                f"recordings: embeddings of {int((~np.isfinite(values)).any(1).sum())} of {len(values)} windows have "
                "NaN or infinity, expected finite embeddings"
            )
        names, animals = zip(*trials, strict=True)
        about = {key: self.description[key] for key in ("method", "run", "seed")}
        about |= {"layer": layer, "frames": frames, "stride": stride}
        return Embedding(values, centre, trial.astype(np.int64), label, names, animals, class_names, about)

    def _embed(
        self, neural: np.ndarray, start: np.ndarray, frames: int, layer: str, animal: str
    ) -> np.ndarray:
        """(window, dimension) float32."""
        values = np.ascontiguousarray(neural.reshape(len(neural), -1), np.float32)
        flat, names = torch.from_numpy(values), [name for name, _ in self.objective.shapes.units]
        if names and animal not in self.readers:
            packed = PackedUnits([flat])
            flat = packed.take(torch.arange(len(flat)))

        def embed(rows: torch.Tensor) -> dict[str, torch.Tensor]:
            windows = flat[rows[:, None] + torch.arange(frames)].to(self.device)
            own = torch.full((len(rows),), names.index(animal) if names else 0, device=self.device)
            return self.objective.embed(UnitWindows(windows, own) if names else windows)

        if not len(start):
            return np.empty((0, self.description["encoders"]["dimension"]), np.float32)
        reader = self.readers.get(animal)
        layers = in_chunks(start, embed) if reader is None else reader(values, start, frames)
        if layer not in layers:
            raise InputError(f"layer: {layer!r} is not one of {', '.join(layers)}")
        return layers[layer]

    def score(
        self,
        data: Data | Embedding,
        train: Data | Embedding | None = None,
        *,
        metric: str = "balanced_accuracy",
        probe: ProbeConfig | None = None,
        seed: int = 0,
        stride: int | None = None,
    ) -> float:
        """Score of a probe that reads actions from embeddings of ``data``, by default of a linear probe.

        The probe is trained on the labelled windows of ``train`` (like ``across`` in the tables, if these are other
        animals). Without ``train``, each trial of ``data`` is predicted by a probe trained on the other trials, and all
        predictions are scored together.

        Args:
            data: test recordings with labels, or their embedding.
            train: training recordings with labels, or their embedding.
            metric: ``balanced_accuracy``, ``accuracy``, ``macro_f1``, ``weighted_f1``, ``auroc``, ``log_loss`` or
                another metric of the probe's kind. Shares are fractions of 1.
            probe: settings of the probe; by default SGD with balanced classes, as in the default configuration.
                Held-out training trials choose the penalty, by balanced accuracy.
            seed: seed of the probe.
            stride: frames between windows of recordings; by default a quarter of a window, as in the workflow.

        Raises:
            InputError: no labels, a single class, a single trial without ``train``, different classes in ``data`` and
                ``train``, or an unknown metric.
        """
        settings = probe or ProbeConfig(
            kind="softmax", tasks=["across"], solver="sgd", steps=250, class_weight="balanced"
        )
        reader = build_probe("probe", settings)
        stride = stride or max(1, self.description["windows"]["frames"] // 4)
        tested = data if isinstance(data, Embedding) else self.transform(data, stride=stride)
        if train is None:
            known = tested
            if len(tested.trials) < 2:
                raise InputError("score: one trial without `train`, expected two trials or `train`")
            parts = [(known.trial != at, tested.trial == at) for at in range(len(tested.trials))]
        else:
            known = train if isinstance(train, Embedding) else self.transform(train, stride=stride)
            parts = [(np.ones(len(known), bool), np.ones(len(tested), bool))]
        if known.class_names != tested.class_names:
            raise InputError(
                f"score: test classes {', '.join(tested.class_names)}, expected the training classes "
                f"{', '.join(known.class_names)}"
            )
        true, output, classes = [], [], len(known.class_names)
        for of_known, of_tested in parts:
            rows, test = of_known & (known.label >= 0), of_tested & (tested.label >= 0)
            if len(np.unique(known.label[rows])) < 2:
                raise InputError("score: fewer than two labelled classes in training, expected at least two")
            if not test.any():
                continue
            scaled = Standard.of(known.values[rows], "zscore")
            training = Training(scaled(known.values[rows]), known.label[rows], classes, seed)
            path, at = reader.scores(training, scaled(tested.values[test])), 0
            if len(path) > 1:
                choices = held_out(reader, training, known.trial[rows])
                outcomes = [Outcome(reader.output, choice, training.target, classes) for choice in choices]
                at = best(outcomes, "balanced_accuracy")
            output.append(path[at])
            true.append(tested.label[test])
        if not true:
            raise InputError("score: no labelled test window, expected at least one")
        result = measure(Outcome(reader.output, np.concatenate(output), np.concatenate(true), classes))
        if metric not in result:
            raise InputError(f"metric: {metric!r} is not one of {', '.join(result)}")
        return result[metric]

    def adapt(
        self,
        data: Data,
        known: Data = (),
        *,
        steps: int = AdaptSettings().steps,
        learning_rate: float = AdaptSettings().learning_rate,
        seed: int = 0,
        train: bool = True,
    ) -> TrainedModel:
        """A copy of this model, adapted to an unseen animal with unlabelled pairs.

        As in stage ``adapt`` (``training.adapt``), only the neural encoder is trained, with the objective,
        augmentations and batches of the row. Half of each batch is from the new animal. If animals have their own
        units, the new animal gets an input layer, and only that layer is trained.

        Without ``train``, no weight changes, which needs a model of animals with their own units. The new animal is
        read in closed form (``evaluation.closed_form``), fitted to its pairs and to those of ``known``; or by attention
        over units, if the model has it.

        Args:
            data: manifests, stores or ``Recording`` of the new animal, with behaviour. Recordings in memory must be
                converted with the steps of the model.
            known: the same for animals that the model was trained on. Poses are swapped with these animals, and the
                model does not forget them. Without ``known``, training uses only the new animal.
            steps: steps of the adaptation.
            learning_rate: learning rate of the adaptation.
            seed: seed of batches, augmentations and new weights.
            train: whether to train.

        Raises:
            InputError: arrays, which have no behaviour; recordings of no or several new animals; behaviour or neural
                data that differ from the training recordings; an objective that needs syllables; matched batches or a
                closed form without ``known``; or no training of a model of common units.
        """
        from neural_action.inference.adaptation import adapted

        settings = AdaptSettings(steps=steps, learning_rate=learning_rate)
        return adapted(self, data, known, settings if train else None, seed)

    def save(self, path: str | Path) -> None:
        """Write weights (.safetensors) and their description beside them (.json). InputError for another suffix."""
        weights = Path(path)
        if weights.suffix != ".safetensors":
            raise InputError(f"{weights}: suffix {weights.suffix!r}, expected .safetensors")
        weights.parent.mkdir(parents=True, exist_ok=True)
        built = ("version", "torch", "objective", "encoders", "shapes")
        about = {key: value for key, value in self.description.items() if key not in built}
        model, named = self.objective, ComponentConfig.model_validate(self.description["objective"])
        save_model(model, named, model.encoders, model.shapes, weights, about, tensors_of(self.readers))


def load_model(path: str | Path, device: str = "cpu", split: str | None = None) -> TrainedModel:
    """Open the model at ``path``, its weights (.safetensors) or the folder with ``model.safetensors``.

    No code in the files is executed. ``device`` is ``cpu``, ``cuda`` or ``auto`` (CUDA if available). A file of
    repeated splits has one model for each split; ``split`` is the name of one, such as ``repeat-0``. Raises InputError
    if a file is missing or damaged, has no such split, or was written by an older version.
    """
    weights = Path(path)
    if weights.is_dir():
        weights = weights / "model.safetensors"
    if device not in ("cpu", "cuda", "auto"):
        raise InputError(f"device: {device!r}, expected cpu, cuda or auto")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device: 'cuda', but torch finds no CUDA device; expected cpu or auto")
    chosen = torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
    objective = load_objective(weights, chosen, split)
    description = _described(weights.with_suffix(".json"))
    if description.pop("models", None) is not None:
        description["split"] = split
    beside = load_beside(weights)
    with reading(weights, "a model", ValueError, nameless=True):
        readers = readers_of(description, beside)
    return TrainedModel(objective, description, chosen, readers)


def _described(path: Path) -> dict[str, Any]:
    description = json.loads(path.read_text(encoding="utf-8"))
    try:
        _Description.model_validate(description)
    except ValidationError as error:
        raise InputError(
            f"{path}: {one_line(error, '')}; expected a model of this version, rerun rule pretrain"
        ) from None
    return description


def _same_classes(class_names: tuple[str, ...], sequence: NeuralSequence) -> tuple[str, ...]:
    if class_names and sequence.class_names and class_names != sequence.class_names:
        raise InputError(
            f"{sequence.where}: classes {', '.join(sequence.class_names)}, expected {', '.join(class_names)}"
        )
    return class_names or sequence.class_names
