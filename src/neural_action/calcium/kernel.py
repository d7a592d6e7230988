"""The calcium kernel. Pretraining imports this module without the code that fits kernels."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from neural_action.config.settings import CalciumSettings
from neural_action.errors import InputError, reading
from neural_action.files import write_text


@dataclass(frozen=True)
class KernelFit:
    """A calcium kernel and how it was found.

    Attributes:
        decay: time to 1/e, s.
        rise: rise time, s; None for a kernel without a rise.
        low, high: 95 % interval of the decay by bootstrap over bouts, s; None if configured.
        n_bouts: number of rests that were fitted.
        n_rois: number of traces that were fitted, over all trials.
        source: "rest" or "configured".
        threshold: motion energy below which the animal rests (``rest.rest_threshold``), or None.
        times: times of ``mean`` and ``curve``, s after movement stopped.
        mean: decays scaled to amplitude 1 and offset 0, averaged with the weights of the fit.
        error: standard error of ``mean`` over bouts.
        curve: the fitted curve at ``times``.
    """

    decay: float
    rise: float | None = None
    low: float | None = None
    high: float | None = None
    n_bouts: int = 0
    n_rois: int = 0
    source: str = "rest"
    threshold: float | None = None
    times: list[float] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    curve: list[float] = field(default_factory=list)

    def response(self, rate: float, frames: int) -> np.ndarray:
        """(frames,) float32: ``kernel`` at ``rate`` frames per second, from an event in the first frame."""
        return kernel(self.decay, self.rise, rate, frames)

    def save(self, path: Path) -> None:
        """Write as JSON, atomically."""
        write_text(path, json.dumps(asdict(self), indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> KernelFit:
        """Read a file from ``save``. InputError if it is no calcium kernel."""
        with reading(path, "a calcium kernel", OSError, ValueError, TypeError):
            fit = cls(**json.loads(Path(path).read_text()))
            if not (isinstance(fit.decay, int | float) and fit.decay > 0):
                raise ValueError(f"decay is {fit.decay!r}, expected seconds above 0")
        return fit


def kernel(decay: float, rise: float | None, rate: float, frames: int) -> np.ndarray:
    """The response to one event at time 0: exp(-t / decay) - exp(-t / rise), scaled to a peak of 1.

    This is the usual shape of calcium transients; the paper's parameters could not be read in its appendix. The peak is
    that of the continuous curve, so that it does not depend on the frame times. Without a rise, the response is
    exp(-t / decay).

    Args:
        decay: decay time, s.
        rise: rise time, s, shorter than the decay; or None.
        rate: frames per second.
        frames: number of frames.

    Returns:
        (frames,) float32; frame i is at time i / rate.

    Raises:
        InputError: a decay that is not positive, or a rise that is not between 0 and the decay.
    """
    if not decay > 0:
        raise InputError(f"calcium.decay: {decay!r}, expected seconds above 0")
    t = np.arange(frames) / rate
    if rise is None:
        return np.exp(-t / decay).astype(np.float32)
    if not 0 < rise < decay:
        raise InputError(f"calcium.rise: {rise!r}, expected seconds between 0 and the decay of {decay:g}")
    peak = np.log(decay / rise) * decay * rise / (decay - rise)
    top = np.exp(-peak / decay) - np.exp(-peak / rise)
    return ((np.exp(-t / decay) - np.exp(-t / rise)) / top).astype(np.float32)


def configured_kernel(settings: CalciumSettings) -> KernelFit:
    """The kernel of ``settings.decay`` and ``rise``, marked as configured. InputError without a decay."""
    if settings.decay is None:
        raise InputError("calcium.decay: null, expected seconds")
    kernel(settings.decay, settings.rise, 1.0, 1)
    times = np.linspace(0, 4 * settings.decay, 100)
    curve = kernel(settings.decay, settings.rise, 25 / settings.decay, 100)
    return KernelFit(
        settings.decay,
        settings.rise,
        source="configured",
        times=times.tolist(),
        curve=[float(value) for value in curve],
    )
