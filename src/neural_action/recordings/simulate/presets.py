"""Sizes and gaps of the simulated recordings.

Set once from physiology and annotations, before any method ran on the data, and not tuned to make a row win.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter, ValidationError

from neural_action.config.settings import SimulationSettings
from neural_action.errors import InputError


@dataclass(frozen=True)
class Preset:
    """Every number of the simulator.

    Attributes:
        animals, trials, seconds: size of the data set.
        side: pixels of a square image; paper: 480 x 736, the release 128 or 64. 32 keeps two cores busy for minutes.
        neural_rate, behavior_rate: Hz (paper: 16 and 100).
        behavior_gap, neural_gap: scale every difference between animals in body and habits, and in brain and optics.
        unrelated_layout: each animal's axons lie anywhere, instead of in a warped common layout.
        decay, rise: s, calcium response of one spike; GCaMP6s-like (a half-decay of .55 s is a decay of .8 s; in
            flies slower, so 1.0).
        types: functional types shared by all animals; one axon a side each (descending neurons come in pairs).
        private: axons that only one animal has.
        missing: share of shared axons an animal lacks (labelling is never complete).
        rate: spikes/s of an axon when driven; a few to tens of Hz is usual for descending neurons.
        shot_noise: standard deviation of a pixel's noise at fluorescence 1.
        neuropil: weight of the diffuse mean activity.
        bleaching: share of fluorescence lost over a trial.
        jitter: standard deviation of residual image motion, pixels.
        tracking_noise: of a keypoint, in units of a leg segment.
    """

    animals: int = 8
    trials: int = 4
    seconds: float = 66.0
    side: int = 32
    neural_rate: float = 16.0
    behavior_rate: float = 100.0
    behavior_gap: float = 1.0
    neural_gap: float = 1.0
    unrelated_layout: bool = False
    decay: float = 1.0
    rise: float = 0.1
    types: int = 40
    private: int = 12
    missing: float = 0.15
    rate: float = 15.0
    shot_noise: float = 0.25
    neuropil: float = 0.15
    bleaching: float = 0.1
    jitter: float = 0.2
    tracking_noise: float = 0.03
    seed: int = 0


_PRESETS = {
    "default": {},
    "tiny": {"animals": 3, "seconds": 24.0, "side": 16},
    "small_gap": {"behavior_gap": 0.25, "neural_gap": 0.25},
    "large_gap": {"behavior_gap": 2.0, "neural_gap": 2.0},
    "unrelated_layout": {"unrelated_layout": True},
    "slow_indicator": {"decay": 1.8},
}


def resolve(settings: SimulationSettings) -> Preset:
    """The preset with its overrides. InputError for an unknown key or a value of the wrong type."""
    preset = replace(Preset(**_PRESETS[settings.preset]), seed=settings.seed)
    known = asdict(preset)
    for key, value in settings.overrides.items():
        if key not in known:
            raise InputError(f"simulation.overrides.{key}: unknown key, expected one of {', '.join(known)}")
        try:
            TypeAdapter(type(known[key])).validate_python(value, strict=True)
        except ValidationError:
            raise InputError(
                f"simulation.overrides.{key}: {value!r}, expected {type(known[key]).__name__}"
            ) from None
    return replace(preset, **settings.overrides)


def trial_folders(preset: Preset) -> list[tuple[str, str, str]]:
    """(animal, trial, folder) of every trial, in the release's naming, without generating anything."""
    return [
        (f"Fly{a + 1}", f"{t + 1:03d}", f"2103{a % 28 + 1:02d}_DN_Fly{a + 1}_{t + 1:03d}")
        for a in range(preset.animals)
        for t in range(preset.trials)
    ]
