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


def simulate_animal(settings: SimulationSettings, animal: int, output: Path) -> None:
    """Write every trial of one animal to ``output/<folder>/``, the folders of ``trial_folders``.

    The files depend only on the settings and the animal's number, so animals can be simulated in any order and in
    parallel. Folders appear only after the last trial is complete; existing folders of the same names are replaced.

    The files of a trial (``FILES``; with ``units``, ``FILES_OF_UNITS``), n samples of behaviour and t neural frames:

    - ``2p_dff.mm``: headerless float32 (t, side, side), fluorescence in units of the resting one, 0 or more.
    - ``traces.npy`` instead, with ``units``: float32 (t, axon), in the same unit; axons below are in the same order.
    - ``pose_result.mm``: headerless float32 (n, 76), 38 keypoints x 2, mm.
    - ``angles.pkl``: pickled float32 (n, 42), 6 legs x 7 joints, rad.
    - ``indices.npy``: int32 (n,), the neural frame of each sample.
    - ``rest.npy``: bool (n,).
    - ``labels.npy``: int8 (n,), in the order of ``behavior.ACTIONS``.
    - ``ground_truth.npz``:
      ``spikes`` uint8 (t, axon); the same in finer bins: ``spike_bins`` uint8 (bin, axon), ``bin_rate`` Hz;
      ``calcium`` float32 (t, axon), ``neural.calcium`` of these bins at the last one of each frame;
      ``decay`` and ``rise``, s; ``gain`` float64 (axon,);
      ``footprints`` float32 (axon, side, side), empty with ``units``;
      ``functional_type`` int16 (axon,), -1 for axons that no other animal has;
      ``independent`` bool (axon,), axons that follow nothing the animal does;
      ``axon_side`` int8 (axon,), 0 left and 1 right;
      ``modulators`` float32 (n, 4) and ``modulator_names``.

    Args:
        settings: preset, seed and overrides.
        animal: number from 0.
        output: folder, made if missing; other animals may write to it at the same time.

    Raises:
        InputError: settings that ``resolve`` refuses, or an animal that the preset does not have.

    Source: the layout is that of the release of Günel et al. (arXiv 2111.14595); the model is ours.
    """
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
