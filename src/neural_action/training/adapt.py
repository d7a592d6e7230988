"""Adaptation of a trained model to an animal that its pretraining did not see, with unlabelled pairs."""

from __future__ import annotations

from pathlib import Path

import torch

from neural_action.augmentations.augmentation import AugmentationContext
from neural_action.config.settings import AdaptSettings, AugmentationSettings, TrainingSettings
from neural_action.datasets.windows import Windows
from neural_action.encoders.neural import UnitEncoder
from neural_action.encoders.unit_input import UnitInput
from neural_action.objectives.objective import Objective
from neural_action.training.batches import BatchSampler
from neural_action.training.loop import pretrain


def adapt(
    model: Objective,
    context: AugmentationContext,
    windows: Windows,
    augmentations: AugmentationSettings,
    animal: int,
    settings: AdaptSettings,
    training: TrainingSettings,
    checkpoint: Path,
    *,
    matched: bool,
    seed: int,
    fingerprint: str = "",
) -> list[tuple[float, ...]]:
    """Continue training the neural encoder of ``model`` in place; return the rows of the log.

    The objective is the model's own. Everything except the neural encoder is frozen: encoded behaviour is the fixed
    reference for the new animal, and swapped poses are of known animals. Half of a batch is of the new animal and half
    of all animals, so that the others are not forgotten (our choice).

    If animals have input layers, only that of the new animal is trained, without weight decay, which would change the
    layers of the others.

    Args:
        model: trained model, on the device of ``context``.
        context: recordings of the new animal and of known animals, on the device.
        windows: windows of these recordings.
        augmentations: augmentations of the model's row.
        animal: number of the new animal.
        settings: steps and learning rate.
        training: all other settings.
        checkpoint: file to resume from.
        matched: whether batches are groups of windows of different animals with similar behaviour.
        seed: seed of batches and augmentations.
        fingerprint: fingerprint of configuration and inputs, see ``loop.pretrain``.
    """
    torch.manual_seed(seed)
    encoder = model.get_submodule("f_n")
    layers = encoder.input if isinstance(encoder, UnitEncoder) else None
    own = layers if isinstance(layers, UnitInput) else None
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith("f_n.input." if own is not None else "f_n."))
    changed = {"steps": settings.steps, "learning_rate": settings.learning_rate}
    training = training.model_copy(update={**changed, **({"weight_decay": 0.0} if own is not None else {})})
    held = [] if own is None else own.train_only(context.layer_of(animal))
    sampler = BatchSampler(
        context,
        windows,
        augmentations,
        training.batch,
        seed,
        matched=matched,
        focus=None if matched else animal,
    )
    rows = pretrain(model, sampler, training, checkpoint, fingerprint=fingerprint)
    for handle in held:
        handle.remove()
    return rows
