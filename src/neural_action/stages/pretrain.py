"""Stage: pretrain one row for one holdout and seed."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.build import build
from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.files import whole
from neural_action.recordings.splits import Holdout
from neural_action.stages.training import Inputs, training_data
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
    """Train on the clips that are visible under ``holdout``; write weights, their description and the log."""
    sections = Sections(config)
    row, training = sections.method(method), sections.training
    if row.objective is None:
        raise InputError(f"method {method!r} is not trained")
    inputs = Inputs(folds, kernel, swaps, syllables, manifests)
    with training_data(sections, inputs, Holdout.parse(holdout), threads, output.parent) as data:
        model = create(row.objective, sections.encoders, data.shapes, seed).to(data.device)
        adaptation = None
        if row.adaptation is not None:
            given = (model.modalities, sections.encoders.dimension, len(data.cohort.animals))
            adaptation = build("adaptation", row.adaptation, *given).to(data.device)
        matched = row.batches == "matched"
        sampler = BatchSampler(data.context, data.clips, row.views, training.batch, seed, matched=matched)
        checkpoint = output.with_name("checkpoint.pt")
        rows = pretrain(
            model,
            sampler,
            training,
            checkpoint,
            adaptation=adaptation,
            fingerprint=inputs.fingerprint([config, method, holdout, seed]),
        )
        with whole(log) as partial:
            write_log(rows, partial)
        about = {"method": method, "holdout": holdout, "seed": seed, "label": row.label}
        about |= describe(sections, row, manifests, seen=data.seen, kernel=kernel, swaps=swaps)
        save_model(model, row.objective, sections.encoders, data.shapes, output, about)
    checkpoint.unlink(missing_ok=True)
