"""Write simulated trials in the layout of the authors' release, with the ground truth in the same folders."""

from __future__ import annotations

import pickle
import shutil
import tempfile
from pathlib import Path

import numpy as np

from neural_action.config.settings import SimulationSettings
from neural_action.errors import InputError
from neural_action.progress import progress
from neural_action.recordings.simulate import behavior, neural
from neural_action.recordings.simulate.presets import Preset, resolve, trial_folders
from neural_action.recordings.simulate.trial import Animal, Trial, make_animal, make_trial


def write_animal(settings: SimulationSettings, animal: int, output: Path) -> None:
    """Implementation of ``simulate_animal``, which is documented in the package."""
    preset = resolve(settings)
    if not 0 <= animal < preset.animals:
        raise InputError(
            f"animal {animal}: expected 0 to {preset.animals - 1}, the animals of the simulation"
        )
    names = [folder for _, _, folder in trial_folders(preset)][animal * preset.trials :][: preset.trials]
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    who = make_animal(preset, animal)
    # No underscore in the name: a folder left by a killed job must not look like a trial to the reader.
    partial = Path(tempfile.mkdtemp(prefix=".part-", dir=output))
    try:
        for number in progress(range(preset.trials), f"simulating animal {animal}", "trial"):
            (partial / str(number)).mkdir()
            _write(preset, who, make_trial(preset, who, number), partial / str(number))
        for number, name in enumerate(names):
            shutil.rmtree(output / name, ignore_errors=True)
            (partial / str(number)).replace(output / name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(preset: Preset, who: Animal, trial: Trial, folder: Path) -> None:
    if who.spots is None:
        np.save(folder / "traces.npy", trial.fluorescence)
    else:
        trial.fluorescence.tofile(folder / "2p_dff.mm")
    trial.keypoints.tofile(folder / "pose_result.mm")
    with (folder / "angles.pkl").open("wb") as file:
        pickle.dump(trial.angles.reshape(preset.samples, -1).astype(np.float32), file)
    np.save(folder / "indices.npy", trial.frame_of_sample)
    np.save(folder / "rest.npy", trial.action == behavior.REST)
    np.save(folder / "labels.npy", trial.action)
    counts = trial.spikes.reshape(preset.frames, neural.BINS_PER_FRAME, -1).sum(1)
    np.savez_compressed(
        folder / "ground_truth.npz",
        spikes=np.minimum(counts, 255).astype(np.uint8),
        spike_bins=trial.spikes,
        bin_rate=preset.neural_rate * neural.BINS_PER_FRAME,
        calcium=trial.calcium,
        footprints=np.empty((0, 0, 0), np.float32) if who.spots is None else who.spots,
        decay=preset.decay,
        rise=preset.rise,
        gain=who.axons.gain,
        functional_type=who.axons.kind,
        independent=who.axons.tuning.independent,
        axon_side=who.axons.side,
        modulators=trial.modulators.astype(np.float32),
        modulator_names=np.array(behavior.MODULATORS),
    )
