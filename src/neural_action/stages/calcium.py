"""Stage: the calcium kernel of one holdout."""

from __future__ import annotations

from pathlib import Path

from neural_action.calcium.fit import configured_kernel, fit_kernel
from neural_action.calcium.picture import draw_fit
from neural_action.config.sections import Sections
from neural_action.files import whole
from neural_action.recordings.cohort import load_cohort
from neural_action.recordings.splits import Holdout, read_folds


def run(
    config: str,
    folds: Path,
    holdout: str,
    threads: int,
    output: Path,
    picture: Path,
    manifests: tuple[Path, ...],
) -> None:
    """Fit on the trials that are visible under ``holdout``, or take the configured decay."""
    sections = Sections(config)
    settings = sections.calcium
    if settings.decay is not None:
        fit = configured_kernel(settings)
    else:
        every_sample = sections.clips.model_copy(update={"behavior_stride": 1})
        cohort = load_cohort(manifests, read_folds(folds), Holdout.parse(holdout), every_sample)
        fit = fit_kernel(
            [
                (
                    cohort.neural[span.frames],
                    cohort.neural_time[span.frames],
                    cohort.pose_raw[span.samples],
                    cohort.pose_time[span.samples],
                )
                for span in cohort.trials
                if span.visible
            ],
            settings,
        )
    fit.save(output)
    with whole(picture) as partial:
        draw_fit(fit).savefig(partial)
