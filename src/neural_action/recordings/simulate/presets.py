"""Sizes, gaps and noise of the simulated recordings, and the random streams they are drawn from.

Numbers were set once, from physiology and from annotations, before any method ran on the data; none is tuned
to make a method win. A number is marked "physiology" where measurements bound it, "paper" where it is the
authors', and "our choice" otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from neural_action.config.settings import SimulationSettings
from neural_action.errors import InputError
from neural_action.recordings.samples import MOST_ROWS

# Files in each trial's folder, besides the neural activity.
_BEHAVIOR_FILES = (
    "pose_result.mm",
    "angles.pkl",
    "indices.npy",
    "rest.npy",
    "labels.npy",
    "ground_truth.npz",
)
FILES = ("2p_dff.mm", *_BEHAVIOR_FILES)
FILES_OF_UNITS = ("traces.npy", *_BEHAVIOR_FILES)


@dataclass(frozen=True)
class Preset:
    """Every number that a configuration may change. All but ``seed`` are keys of ``simulation.overrides``.

    Attributes:
        animals, trials: trials are of each animal (our choice: the least that leaves an animal and a trial
            out).
        seconds: length of a trial (our choice: a minute; the authors' are several).
        side: pixels along each side of an image (paper: 128 or 64; our choice: 32 keeps a laptop busy for
            minutes).
        neural_rate, behavior_rate: frames/s and samples/s (paper: 16 and 100).
        behavior_gap: scales every difference between animals in body, posture and habits.
        neural_gap: scales every difference between animals in axons, layout and optics.
        units: record a trace of every axon instead of images, in an order of the animal's own.
        unrelated_layout: draw each animal's layout by itself, instead of warping a common one.
        decay, rise: s, time constants of the fluorescence that one spike evokes (physiology: GCaMP6s; its
            half-decay after single spikes is .55 s in cortex, and longer in axons and bursts).
        types: functional types that all animals share, an axon on either side each (our choice).
        private: axons with a tuning of their own that no other animal has (our choice).
        missing: share of the shared axons that an animal lacks (physiology: driver lines label not every
            neuron in every animal).
        rate: spikes/s, median over axons when fully driven (physiology: a few to some tens for descending
            neurons).
        response: dF/F that one spike evokes at its peak (physiology: .1 to .25 for GCaMP6s).
        photons: detected from a pixel in a frame at fluorescence 1 (our choice: some tens, for a pixel that
            stands for hundreds of the microscope's).
        neuropil: diffuse fluorescence that follows all axons, as a share of the mean axon's (our choice).
        bleaching: share of the fluorescence lost over a trial (physiology: some percent a minute).
        jitter: pixels, sd of the image motion that registration leaves (our choice: sub-pixel).
        tracking_noise: mm, sd of a keypoint (our choice: a twentieth of a femur).
        seed: of everything.
    """

    animals: int = 8
    trials: int = 4
    seconds: float = 65.0
    side: int = 32
    neural_rate: float = 16.0
    behavior_rate: float = 100.0
    behavior_gap: float = 1.0
    neural_gap: float = 1.0
    units: bool = False
    unrelated_layout: bool = False
    decay: float = 1.0
    rise: float = 0.1
    types: int = 40
    private: int = 10
    missing: float = 0.15
    rate: float = 10.0
    response: float = 0.1
    photons: float = 30.0
    neuropil: float = 0.5
    bleaching: float = 0.08
    jitter: float = 0.2
    tracking_noise: float = 0.03
    seed: int = 0

    @property
    def samples(self) -> int:
        """Behaviour samples of a trial."""
        return round(self.seconds * self.behavior_rate)

    @property
    def frames(self) -> int:
        """Neural frames of a trial."""
        return round(self.seconds * self.neural_rate)


PRESETS = {
    "default": Preset(),
    "tiny": Preset(animals=3, seconds=24.0, side=16),
    "small_gap": Preset(behavior_gap=0.25, neural_gap=0.25),
    "large_gap": Preset(behavior_gap=2.0, neural_gap=2.0),
    "unrelated_layout": Preset(unrelated_layout=True),
    "slow_indicator": Preset(decay=1.8),
    # Two animals share about a third of their units (our choice).
    "units": Preset(units=True, missing=0.4, private=20),
}

# Minimum of each number, 0 if not listed; numbers in _ABOVE must be larger than it.
_LEAST = {"animals": 1, "trials": 1, "types": 1, "side": 8, "seconds": 2.0}
# Maximum of each number (our choice).
_MOST = {"animals": 1000, "trials": 1000, "types": 1000, "private": 1000, "side": 1024, "seconds": 36_000.0}
_MOST |= {"neural_rate": 1000.0, "behavior_rate": 10_000.0}
_ABOVE = ("neural_rate", "behavior_rate", "decay", "rise", "photons")
# Fractions, which must be below 1.
_SHARES = ("missing", "bleaching")

_PURPOSES = (
    "types",
    "layout",
    "habits",
    "body",
    "axons",
    "places",
    "optics",
    "behavior",
    "pose",
    "spikes",
    "movie",
    "order",
)


def resolve(settings: SimulationSettings) -> Preset:
    """The preset of the settings, with their seed and overrides.

    Raises:
        InputError: naming the key, for an override that is unknown, has a wrong type or is out of range.
    """
    preset = PRESETS[settings.preset]
    kinds = {
        field.name: type(getattr(preset, field.name)) for field in fields(preset) if field.name != "seed"
    }
    changed = {}
    for key, value in settings.overrides.items():
        if key not in kinds:
            raise InputError(f"simulation.overrides.{key}: unknown key, expected one of {', '.join(kinds)}")
        kind = kinds[key]
        # An int is accepted for a float; a bool is accepted for neither.
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise InputError(f"simulation.overrides.{key}: {value!r}, expected {kind.__name__}")
        changed[key] = kind(value)
        if kind is not bool:
            _check_range(key, changed[key])
    if settings.seed < 0:
        raise InputError(f"simulation.seed: {settings.seed}, expected 0 or more")
    preset = replace(preset, seed=settings.seed, **changed)
    if preset.animals * preset.trials > MOST_ROWS:
        raise InputError(
            f"simulation.overrides.trials: {preset.trials} of {preset.animals} animals, expected at most {MOST_ROWS} "
            "trials in all"
        )
    if preset.rise >= preset.decay:
        raise InputError(
            f"simulation.overrides.rise: {preset.rise:g}, expected less than decay ({preset.decay:g} s)"
        )
    return preset


def trial_folders(preset: Preset) -> list[tuple[str, str, str]]:
    """Every trial as (animal, trial, folder), such as ("Fly1", "001", "210301_SS01_Fly1_001").

    Generates nothing. Sorted by the number of the animal, then of the trial.
    """
    return [
        (
            f"Fly{animal + 1}",
            f"{trial + 1:03d}",
            f"2103{animal % 31 + 1:02d}_SS01_Fly{animal + 1}_{trial + 1:03d}",
        )
        for animal in range(preset.animals)
        for trial in range(preset.trials)
    ]


def stream(preset: Preset, purpose: str, animal: int = 0, trial: int = 0) -> np.random.Generator:
    """Random generator for one purpose; it depends only on the seed, the purpose, the animal and the trial.

    Separate streams keep presets comparable: a change of the neural gap does not change the behaviour.
    """
    return np.random.default_rng([preset.seed, _PURPOSES.index(purpose), animal, trial])


def _check_range(key: str, value: float) -> None:
    low = _LEAST.get(key, 0)
    bound = "more than" if key in _ABOVE else "at least"
    if not math.isfinite(value) or value < low or (key in _ABOVE and value == low):
        raise InputError(f"simulation.overrides.{key}: {value}, expected {bound} {low}")
    if value > _MOST.get(key, math.inf):
        raise InputError(f"simulation.overrides.{key}: {value:g}, expected at most {_MOST[key]:g}")
    if key in _SHARES and value >= 1:
        raise InputError(f"simulation.overrides.{key}: {value}, expected less than 1")
