"""Simulate an animal and its trials in memory, from habits to fluorescence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_action.recordings.simulate import behavior, movie, neural, pose, skeleton, traces
from neural_action.recordings.simulate.presets import Preset, stream


@dataclass(frozen=True)
class Animal:
    """Constant properties of an animal; ``spots`` is (axon, side, side) float32, or None with ``units``."""

    number: int
    habits: behavior.Habits
    movements: pose.Movements
    skeleton: skeleton.Skeleton
    axons: neural.Axons
    spots: np.ndarray | None
    optics: movie.Optics


@dataclass(frozen=True)
class Trial:
    """One trial.

    Attributes:
        fluorescence: float32 images (frame, side, side), or traces (frame, axon) with ``units``; relative to resting
            fluorescence, >= 0.
        keypoints: (sample, 38, 2) float32 mm, as two side cameras see them.
        angles: (sample, 6, 7) float64 rad.
        action: (sample,) int8, in the order of ``behavior.ACTIONS``.
        modulators: (sample, 4) float64 of unit variance.
        frame_of_sample: (sample,) int32, the neural frame during which the sample was taken.
        spikes: (bin, axon) uint8, ``neural.BINS_PER_FRAME`` bins in each frame.
        calcium: (frame, axon) float32, in responses to one spike.
    """

    fluorescence: np.ndarray
    keypoints: np.ndarray
    angles: np.ndarray
    action: np.ndarray
    modulators: np.ndarray
    frame_of_sample: np.ndarray
    spikes: np.ndarray
    calcium: np.ndarray


def make_animal(preset: Preset, number: int) -> Animal:
    """Animal ``number`` (from 0); depends only on the seed and this number."""
    shared = neural.draw_tuning(preset, preset.types, stream(preset, "types"))
    common = movie.common_layout(preset, stream(preset, "layout"))
    body = stream(preset, "body", number)
    axons = neural.axons(preset, shared, stream(preset, "axons", number))
    if preset.units:
        axons = traces.unordered(axons, stream(preset, "order", number))
    return Animal(
        number=number,
        habits=behavior.habits(preset, stream(preset, "habits", number)),
        movements=pose.movements(preset, body),
        skeleton=skeleton.skeleton(preset, body),
        axons=axons,
        spots=None
        if preset.units
        else movie.footprints(preset, axons, common, stream(preset, "places", number)),
        optics=movie.optics(preset, stream(preset, "optics", number)),
    )


def make_trial(preset: Preset, who: Animal, number: int) -> Trial:
    """Trial ``number`` (from 0) of an animal; depends only on the seed, the animal and this number."""

    def rng(purpose: str) -> np.random.Generator:
        return stream(preset, purpose, who.number, number)

    choices, moves, firing = rng("behavior"), rng("pose"), rng("spikes")
    modulators = behavior.modulators(preset, choices)
    action = behavior.actions(preset, who.habits, choices)
    angles, frequency = pose.joint_angles(preset, who.movements, action, modulators, moves)
    counts = neural.spikes(preset, who.axons, action, angles, frequency, modulators, firing)
    bin_rate = preset.neural_rate * neural.BINS_PER_FRAME
    trace = neural.at_frames(preset, neural.calcium(counts, preset.decay, preset.rise, bin_rate))
    frame = (np.arange(preset.samples) * preset.neural_rate / preset.behavior_rate).astype(np.int32)
    if who.spots is None:
        fluorescence = traces.record(preset, who.axons, trace, rng("movie"))
    else:
        fluorescence = movie.render(preset, who.axons, who.spots, who.optics, trace, rng("movie"))
    return Trial(
        fluorescence=fluorescence,
        keypoints=skeleton.keypoints(preset, who.skeleton, angles, moves),
        angles=angles,
        action=action,
        modulators=modulators,
        frame_of_sample=np.minimum(frame, preset.frames - 1),
        spikes=counts,
        calcium=trace,
    )
