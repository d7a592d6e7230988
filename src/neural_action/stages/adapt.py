"""Stage: adapt a trained model to an animal that its pretraining did not see."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.files import whole
from neural_action.recordings.splits import Holdout
from neural_action.stages.training import Inputs, training_data
from neural_action.training.adapt import adapt
from neural_action.training.description import describe
from neural_action.training.loop import write_log
from neural_action.training.model import load_model, save_model


def run(
    config: str,
    method: str,
    folds: Path,
    holdout: str,
    seed: int,
    weights: Path,
    kernel: Path | None,
    swaps: Path | None,
    syllables: Path | None,
    threads: int,
    output: Path,
    log: Path,
    manifests: tuple[Path, ...],
) -> None:
    """Adapt ``weights`` to the animal of the holdout (``training.adapt``), whose trials of its fold are not seen."""
    sections, hidden = Sections(config), Holdout.parse(holdout)
    row = sections.method(method)
    if row.objective is None:
        raise InputError(f"method {method!r} is not trained")
    if hidden.kind != "adapted":
        raise InputError(f"holdout {holdout!r}: expected adapted-<animal>-fold-<number>")
    inputs = Inputs(folds, kernel, swaps, syllables, manifests)
    with training_data(sections, inputs, hidden, threads, output.parent) as data:
        if hidden.value not in data.cohort.animals:
            raise InputError(
                f"holdout {holdout!r}: no animal {hidden.value!r} in {', '.join(data.cohort.animals)}"
            )
        model = load_model(weights, data.device)
        checkpoint = output.with_name("checkpoint.pt")
        rows = adapt(
            model,
            data.context,
            data.clips,
            row.views,
            data.cohort.animals.index(hidden.value),
            sections.adapt,
            sections.training,
            checkpoint,
            matched=row.batches == "matched",
            seed=seed,
            fingerprint=inputs.fingerprint([config, method, holdout, seed], weights),
        )
        with whole(log) as partial:
            write_log([rows], partial)
        about = {"method": method, "holdout": holdout, "seed": seed, "label": row.label}
        about |= describe(sections, row, manifests, seen=data.seen, kernel=kernel, swaps=swaps)
        save_model(model, row.objective, sections.encoders, data.shapes, output, about)
    checkpoint.unlink(missing_ok=True)
