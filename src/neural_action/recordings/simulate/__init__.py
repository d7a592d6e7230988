"""Simulated recordings with known ground truth, in the layout of the authors' release.

``behavior`` draws actions, ``pose`` moves the legs, ``skeleton`` projects them to cameras, ``neural`` simulates axons,
``movie`` images them. ``trial`` runs these in order, ``release`` writes files, ``presets`` has sizes.
"""

from __future__ import annotations

from pathlib import Path

from neural_action.config.settings import SimulationSettings
from neural_action.recordings.simulate.presets import FILES, FILES_OF_UNITS, Preset, resolve, trial_folders

__all__ = ["FILES", "FILES_OF_UNITS", "Preset", "resolve", "simulate_animal", "trial_folders"]


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
    # Imported here, because reading a configuration needs only names and importing SciPy's filters takes a second.
    from neural_action.recordings.simulate.release import write_animal

    write_animal(settings, animal, output)
