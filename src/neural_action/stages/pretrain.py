"""Stage: pretrain one row for one holdout and seed."""

from __future__ import annotations

from pathlib import Path

import torch

from neural_action.config.build import build
from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.errors import InputError
from neural_action.files import whole
from neural_action.objectives.objective import Objective
from neural_action.recordings.splits import Holdout
from neural_action.stages.training import Inputs, TrainingData, training_data
from neural_action.training.batches import BatchSampler
from neural_action.training.description import describe
from neural_action.training.loop import pretrain, write_log
from neural_action.training.model import create, save_model


def run(
    config: str,
    method: str,
    folds: Path,
    holdout: str,
    seed: int,
    kernel: Path | None,
    swaps: Path | None,
    syllables: Path | None,
    threads: int,
    output: Path,
    log: Path,
    manifests: tuple[Path, ...],
) -> None:
    """Train on the clips that are visible under ``holdout``; write weights, their description and the log.

    A holdout of several splits is a model each, in one file.
    """
    sections, hidden = Sections(config), Holdout.parse(holdout)
    row = sections.method(method)
    if row.objective is None:
        raise InputError(f"method {method!r} is not trained")
    inputs = Inputs(folds, kernel, swaps, syllables, manifests)
    models: dict[str, Objective] = {}
    logs, checkpoints = [], []
    for part in hidden.parts:
        # A checkpoint of its own for each, also of those that are done: an interrupted job goes on where it was.
        checkpoints.append(
            output.with_name("checkpoint.pt" if part is hidden else f"checkpoint-{part.fold}.pt")
        )
        fingerprint = inputs.fingerprint([config, method, holdout, seed])
        with training_data(sections, inputs, part, threads, output.parent) as data:
            several = len(hidden.parts) > 1
            model, rows = _trained(sections, row, data, seed, checkpoints[-1], fingerprint, several)
        described = describe(
            sections,
            row,
            manifests,
            seen=data.seen,
            kernel=kernel,
            swaps=swaps,
            sessions=data.cohort.sessions,
        )
        models[part.part_name] = model
        logs.append(rows)
    with whole(log) as partial:
        write_log(logs, partial)
    about = {"method": method, "holdout": holdout, "seed": seed, "label": row.label, **described}
    saved = models if hidden.splits else model
    save_model(saved, row.objective, sections.encoders, data.shapes, output, about)
    for checkpoint in checkpoints:
        checkpoint.unlink(missing_ok=True)


def _trained(
    sections: Sections,
    row: MethodSettings,
    data: TrainingData,
    seed: int,
    checkpoint: Path,
    fingerprint: str,
    several: bool,
) -> tuple[Objective, list[tuple[float, ...]]]:
    """A model trained on ``data``, and its log."""
    training = sections.training
    if row.objective is None:
        raise InputError("only a row with an objective is trained")
    model = create(row.objective, sections.encoders, data.shapes, seed).to(data.device)
    model.fit_scales(data.context.neural, torch.cat(data.context.animal_frames))
    adaptation = None
    if row.adaptation is not None:
        given = (model.modalities, sections.encoders.dimension, len(data.cohort.animals))
        adaptation = build("adaptation", row.adaptation, *given).to(data.device)
    matched = row.batches == "matched"
    epochs = row.batches == "epochs"
    sampler = BatchSampler(
        data.context, data.clips, row.views, training.batch, seed, matched=matched, epochs=epochs
    )
    rows = pretrain(
        model,
        sampler,
        training,
        checkpoint,
        adaptation=adaptation,
        fingerprint=fingerprint,
        keep_last=several,
    )
    return model, rows
