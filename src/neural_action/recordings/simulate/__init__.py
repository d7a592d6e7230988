"""Simulated recordings with a known answer, in the authors' raw layout.

Behaviour (``behavior``) moves a body (``pose``) and drives axons (``neural``), which a microscope sees (``movie``);
``release`` writes files. ``presets`` holds every size.
"""

from neural_action.recordings.simulate.presets import Preset, resolve, trial_folders
from neural_action.recordings.simulate.release import FILES, simulate_animal

__all__ = ["FILES", "Preset", "resolve", "simulate_animal", "trial_folders"]
