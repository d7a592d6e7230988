"""Stage: fit the calcium kernel of one run."""

from __future__ import annotations

from pathlib import Path

from neural_action.calcium.fit import fit_kernel
from neural_action.calcium.kernel import configured_kernel
from neural_action.calcium.picture import draw_fit
from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Source
from neural_action.files import atomic_write


def run(config: str, source: Source, threads: int, output: Path, picture: Path) -> None:
    """Fit the kernel on the trials that pretraining may see; if ``calcium.decay`` is set, use that decay instead."""
    sections = Sections(config)
    settings = sections.calcium
    if settings.decay is not None:
        fit = configured_kernel(settings)
    else:
        every_sample = sections.windows.model_copy(update={"behavior_stride": 1})
        dataset = source.open(every_sample)
        fit = fit_kernel(
            [
                (
                    dataset.neural[trial.frames],
                    dataset.neural_time[trial.frames],
                    dataset.pose_raw[trial.samples],
                    dataset.pose_time[trial.samples],
                )
                for trial in dataset.trials
                if trial.sees_input
            ],
            settings,
        )
    fit.save(output)
    with atomic_write(picture) as partial:
        draw_fit(fit).savefig(partial)
