"""Stage: pretrain one row for one run and seed."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.build import build
from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.config.signatures import needs
from neural_action.datasets.dataset import Source
from neural_action.errors import InputError
from neural_action.files import atomic_write
from neural_action.inference.windows import save_windows
from neural_action.objectives.objective import Objective
from neural_action.stages.training import Inputs, TrainingData, training_data
from neural_action.training.batches import BatchSampler
from neural_action.training.description import describe
from neural_action.training.loop import pretrain, write_log
from neural_action.training.mined import MinedPairs, Row, write_mined
from neural_action.training.model import create, fit_scales, save_model


def run(
    config: str,
    method: str,
    source: Source,
    seed: int,
    kernel: Path | None,
    swaps: Path | None,
    syllables: Path | None,
    threads: int,
    output: Path,
    log: Path,
    mined: Path | None = None,
    representation: Path | None = None,
) -> None:
    """Train on the data that the splits may see; write weights, their description and the other outputs.

    Splits that see the same data share a model. If the splits of a run see different data, the file holds several
    models, each under the name of its first split. InputError if the method is not trained.
    """
    sections = Sections(config)
    row = sections.method(method)
    if row.objective is None:
        raise InputError(f"method {method!r} is not trained")
    inputs = Inputs(source, kernel, swaps, syllables)
    labels = "labels" in needs("objectives", row.objective.name)
    groups = source.table().models(source.names, source.animal, labels=labels)
    models: dict[str, Objective] = {}
    logs, checkpoints, pairs = [], [], {}
    for first, *_ in groups:
        # Each model has its own checkpoint, kept until all are trained, so that an interrupted job can resume.
        name = "checkpoint.pt" if len(groups) == 1 else f"checkpoint-{first}.pt"
        checkpoints.append(output.with_name(name))
        fingerprint = inputs.fingerprint([config, method, first, seed])
        data = training_data(sections, inputs, (first,), threads)
        model, rows, pairs[first] = _trained(
            sections, row, data, seed, checkpoints[-1], fingerprint, len(groups) > 1
        )
        described = describe(
            sections,
            row,
            data.layout,
            seen=data.seen,
            kernel=kernel,
            swaps=swaps,
            sessions=data.dataset.sessions or data.shapes.units,
        )
        models[first] = model
        logs.append(rows)
    with atomic_write(log) as partial:
        write_log(logs, partial)
    if mined is not None:
        with atomic_write(mined) as partial:
            write_mined(pairs, data.dataset.class_names, partial)
    about = {
        "method": method,
        "run": output.parent.parent.name,
        "seed": seed,
        "label": row.label,
        **described,
    }
    saved = models if len(groups) > 1 else model
    save_model(saved, row.objective, sections.encoders, data.shapes, output, about)
    if representation is not None:
        named = models if len(groups) > 1 else {"": model}
        save_windows(named, data.dataset, sections.windows, representation)
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
) -> tuple[Objective, list[tuple[float, ...]], list[Row]]:
    """A model trained on ``data``, its log, and the classes of its mined pairs."""
    training = sections.training
    if row.objective is None:
        raise InputError("only a row with an objective is trained")
    model = create(row.objective, sections.encoders, data.shapes, seed).to(data.device)
    fit_scales(model, data.context)
    adaptation = None
    if row.adaptation is not None:
        given = (model.modalities, sections.encoders.dimension, len(data.dataset.animals))
        adaptation = build("adaptation", row.adaptation, *given).to(data.device)
    matched = row.batches == "matched"
    epochs = row.batches == "epochs"
    sampler = BatchSampler(
        data.context, data.windows, row.augmentations, training.batch, seed, matched=matched, epochs=epochs
    )
    mined = MinedPairs(sampler.label, len(data.dataset.class_names), training.steps) if model.mines else None
    rows = pretrain(
        model,
        sampler,
        training,
        checkpoint,
        adaptation=adaptation,
        fingerprint=fingerprint,
        keep_last=several,
        mined=mined,
    )
    return model, rows, [] if mined is None else mined.rows
