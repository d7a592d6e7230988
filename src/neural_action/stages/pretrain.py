"""Stage: pretrain one row for one holdout and seed."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

from neural_action.calcium.fit import KernelFit
from neural_action.config.build import build
from neural_action.config.sections import Sections
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.files import whole
from neural_action.neighbors.table import SwapTable
from neural_action.recordings.clips import clip_table
from neural_action.recordings.cohort import load_cohort
from neural_action.recordings.splits import Holdout, read_folds
from neural_action.syllables.posterior import load_posterior
from neural_action.training.batches import BatchSampler, view_context
from neural_action.training.device import prepare
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
    row, training, clips_settings = sections.method(method), sections.training, sections.clips
    if row.objective is None:
        raise InputError(f"method {method!r} is not trained")
    device = prepare(training.device, threads)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        cohort = load_cohort(
            manifests,
            read_folds(folds),
            Holdout.parse(holdout),
            clips_settings,
            scratch=Path(scratch),
            memory_limit=training.memory_limit_gb * 1e9,
        )
        clips = clip_table(cohort, clips_settings, stride=1)
        states = None if syllables is None else load_posterior(syllables, cohort)
        shapes = Shapes(
            clips_settings.frames,
            cohort.neural.shape[1:],
            clips_settings.poses,
            cohort.pose.shape[1],
            0 if states is None else states.shape[1],
        )
        context = view_context(
            cohort,
            clips,
            device,
            kernel=None
            if kernel is None
            else KernelFit.load(kernel).response(cohort.neural_rate, clips.frames),
            swap=None if swaps is None else SwapTable.load(swaps),
            syllables=states,
        )
        model = create(row.objective, sections.encoders, shapes, seed).to(device)
        adaptation = None
        if row.adaptation is not None:
            given = (model.modalities, sections.encoders.dimension, len(cohort.animals))
            adaptation = build("adaptation", row.adaptation, *given).to(device)
        matched = row.batches == "matched"
        sampler = BatchSampler(context, clips, row.views, training.batch, seed, matched=matched)
        checkpoint = output.with_name("checkpoint.pt")
        inputs = [folds, *(path for path in (kernel, swaps, syllables) if path), *manifests]
        fingerprint = _fingerprint([config, method, holdout, seed], inputs)
        rows = pretrain(model, sampler, training, checkpoint, adaptation=adaptation, fingerprint=fingerprint)
        with whole(log) as partial:
            write_log(rows, partial)
        about = {"method": method, "holdout": holdout, "seed": seed, "label": row.label}
        save_model(model, row.objective, sections.encoders, shapes, output, about)
    checkpoint.unlink(missing_ok=True)


def _fingerprint(options: list, inputs: list[Path]) -> str:
    """Hash of what a run depends on, so that the checkpoint of another run is never resumed."""
    digest = hashlib.sha256(json.dumps(options).encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()
