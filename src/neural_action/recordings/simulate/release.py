"""A simulated animal in the layout of the authors' release, with its ground truth beside it."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import numpy as np

from neural_action.config.settings import SimulationSettings
from neural_action.errors import InputError
from neural_action.recordings.simulate import behavior, movie, neural, pose
from neural_action.recordings.simulate.presets import Preset, resolve, trial_folders

FILES = (
    "2p_dff.mm",
    "pose_result.mm",
    "angles.pkl",
    "indices.npy",
    "rest.npy",
    "labels.npy",
    "ground_truth.npz",
)


def simulate_animal(settings: SimulationSettings, animal: int, output: Path) -> None:
    """Write every trial of one animal below ``output``, whole or not at all.

    Randomness follows from (seed, animal, trial) alone: animals can be made in any order, and at once.

    Args:
        settings: preset, seed, overrides.
        animal: number of the animal, from 0.
        output: folder that receives ``<date>_<genotype>_Fly<k>_<trial>`` folders.

    Raises:
        InputError: no such animal in the preset.
    """
    preset = resolve(settings)
    if animal >= preset.animals:
        raise InputError(f"animal {animal}: the preset has {preset.animals} animals, numbered from 0")
    rng = np.random.default_rng([preset.seed, 3, animal])
    shares, dwell = behavior.habits(preset, rng)
    body = pose.body(preset, rng)
    axons = neural.population(preset, rng)
    spots = movie.footprints(preset, axons, rng)
    rest, brightness = movie.background(preset, rng)
    partial = output.with_name(f".{output.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    for trial in range(preset.trials):
        folder = partial / trial_folders(preset)[animal * preset.trials + trial][2]
        folder.mkdir(parents=True)
        trial_rng = np.random.default_rng([preset.seed, 4, animal, trial])
        _write_trial(preset, shares, dwell, body, axons, spots, rest, brightness, trial_rng, folder)
    shutil.rmtree(output, ignore_errors=True)
    os.replace(partial, output)


def _write_trial(
    preset: Preset, shares, dwell, body, axons, spots, rest, brightness, rng: np.random.Generator, folder: Path
) -> None:
    samples = round(preset.seconds * preset.behavior_rate)
    frames = int(preset.seconds * preset.neural_rate)
    action = behavior.actions(preset, shares, dwell, samples, rng)
    modulator = behavior.modulators(preset, samples, rng)
    angles, frequency = pose.joint_angles(preset, body, action, modulator, rng)
    points = pose.keypoints(preset, body, angles, rng)
    counts = neural.spikes(preset, axons, action, frequency, modulator, rng)
    response = neural.calcium(counts, preset.decay, preset.rise, preset.behavior_rate)
    seen = np.minimum((np.arange(frames) * preset.behavior_rate / preset.neural_rate).astype(int), samples - 1)
    images = movie.render(preset, axons, spots, rest, brightness, response[seen], rng)

    images.astype(np.float32).tofile(folder / "2p_dff.mm")
    points.reshape(samples, -1).tofile(folder / "pose_result.mm")
    with (folder / "angles.pkl").open("wb") as file:
        pickle.dump(pose.release_angles(angles), file)
    indices = np.minimum(np.arange(samples) * preset.neural_rate / preset.behavior_rate, frames - 1)
    np.save(folder / "indices.npy", indices.astype(np.int32))
    np.save(folder / "rest.npy", action == behavior.REST)
    np.save(folder / "labels.npy", action)
    np.savez_compressed(
        folder / "ground_truth.npz",
        spikes=counts,
        calcium=response[seen],
        footprints=spots,
        kind=axons.kind,
        decay=preset.decay,
        rise=preset.rise,
        modulators=modulator.astype(np.float32),
    )
