"""Stage: adapt a trained model to an animal that its pretraining did not see."""

from __future__ import annotations

from pathlib import Path

import torch

from neural_action.config.sections import Sections
from neural_action.errors import InputError
from neural_action.files import whole
from neural_action.recordings.splits import Holdout
from neural_action.stages.training import Inputs, training_data
from neural_action.training.batches import BatchSampler
from neural_action.training.loop import pretrain, write_log
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
    """Go on training the neural encoder of ``weights`` on the animal's unlabelled pairs; write the adapted model.

    The objective is the row's own. Everything but the neural encoder is frozen: what behaviour is encoded as stays
    the reference that the new animal is brought to, and swapped poses are poses of animals already known. Half of a
    batch is of the new animal, half of the others, so that these are not forgotten (our choice). The animal's trials
    of the holdout's fold are not seen.
    """
    sections, hidden = Sections(config), Holdout.parse(holdout)
    row, settings = sections.method(method), sections.adapt
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
        torch.manual_seed(seed)
        model = load_model(weights, data.device)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith("f_n."))
        training = sections.training.model_copy(
            update={"steps": settings.steps, "learning_rate": settings.learning_rate}
        )
        focus = None
        if row.batches == "uniform":
            focus = data.cohort.animals.index(hidden.value)
        sampler = BatchSampler(
            data.context,
            data.clips,
            row.views,
            training.batch,
            seed,
            matched=row.batches == "matched",
            focus=focus,
        )
        checkpoint = output.with_name("checkpoint.pt")
        fingerprint = inputs.fingerprint([config, method, holdout, seed], weights)
        rows = pretrain(model, sampler, training, checkpoint, fingerprint=fingerprint)
        with whole(log) as partial:
            write_log(rows, partial)
        about = {"method": method, "holdout": holdout, "seed": seed, "label": row.label}
        save_model(model, row.objective, sections.encoders, data.shapes, output, about)
    checkpoint.unlink(missing_ok=True)
