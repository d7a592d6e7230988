"""The picture of the kernel: all that is measured is in it, and where the search ended is called that."""

import numpy as np
import pytest

from neural_action.calcium.fit import DECAYS
from neural_action.calcium.kernel import KernelFit
from neural_action.calcium.picture import draw_fit


def fitted(low=0.4, high=1.2, mean=0.0, error=0.1):
    times = np.arange(20) / 10
    curve = np.exp(-times / 0.7)
    return KernelFit(
        0.7,
        low=low,
        high=high,
        n_bouts=5,
        n_rois=60,
        times=times.tolist(),
        mean=(curve + mean).tolist(),
        error=[error] * 20,
        curve=curve.tolist(),
    )


@pytest.mark.parametrize(("mean", "error"), [(-0.9, 0.2), (0.0, 0.6), (0.1, 0.1)])
def test_no_point_and_no_band_is_cut(mean, error):
    (axes,) = draw_fit(fitted(mean=mean, error=error)).axes
    bottom, top = axes.get_ylim()
    for path in (path for band in axes.collections for path in band.get_paths()):
        assert bottom < path.vertices[:, 1].min()
        assert path.vertices[:, 1].max() <= top


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.4, 1.2, "(95 % 0.40 to 1.20)"),
        (0.4, DECAYS[-1], "(95 % 0.40 to at least 12; searched: 0.03 to 12 s)"),
        (DECAYS[0], 1.2, "(95 % at most 0.03 to 1.20; searched: 0.03 to 12 s)"),
        (DECAYS[0], DECAYS[-1], "(95 % at most 0.03 to at least 12; searched: 0.03 to 12 s)"),
    ],
)
def test_a_bound_of_the_search_is_no_measured_end(low, high, said):
    (axes,) = draw_fit(fitted(low, high)).axes
    assert axes.get_legend_handles_labels()[1][-1].replace("\n", " ") == f"decay 0.70 s {said}"


def test_a_trace_of_every_trial_is_not_called_another_cell():
    (axes,) = draw_fit(fitted()).axes
    assert (
        axes.get_title() == "calcium decay from 5 rests\n60 traces (a cell or region counts once per trial)"
    )
