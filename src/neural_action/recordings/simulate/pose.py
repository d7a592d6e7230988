"""Simulate movement: periodic joint angles of six legs, which ``skeleton`` converts to keypoints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from neural_action.recordings.simulate.behavior import ACTIONS, WALKING, slow_noise
from neural_action.recordings.simulate.presets import Preset

LEGS = ("LF", "LM", "LH", "RF", "RM", "RH")
# The seven angles of a leg from the body outward, as in the release (42 = 6 x 7).
JOINTS = ("coxa_yaw", "coxa_pitch", "coxa_roll", "femur_pitch", "femur_roll", "tibia_pitch", "tarsus_pitch")
# Cycles/s of each action at its base speed (physiology: flies step at 5 to 15 Hz and sweep at 4 to 7 Hz when grooming).
FREQUENCY = np.array([7.0, 2.5, 5.0, 4.0, 0.0, 6.0, 5.0, 4.5])
# Duration of the transition between two actions, s.
TRANSITION = 0.06

# Posture of a standing fly, (leg pair, joint) rad: yaw forward of lateral, pitch up from horizontal along the chain.
STANDING = np.array(
    [
        [0.9, -1.0, 0.0, 1.5, 0.0, -1.9, 0.5],
        [0.0, -0.9, 0.0, 1.5, 0.0, -1.9, 0.5],
        [-0.8, -0.8, 0.0, 1.3, 0.0, -1.7, 0.5],
    ]
)
FRONT, MIDDLE, HIND = (0, 3), (1, 4), (2, 5)
_Joints = dict[str, tuple[float, float, float]]
# Movement of a pair of legs in an action: joint -> (shift of its mean, amplitude, phase), rad, and the phase of the
# right leg. Grooming legs leave the ground, and the others stand. Our choice, modelled on videos of grooming flies.
_PROGRAMS: dict[str, list[tuple[tuple[int, int], _Joints, float, float]]] = {
    "forward_walking": [
        (
            pair,
            {"coxa_yaw": (0, 0.4, 0), "femur_pitch": (0, 0.25, 1.6), "tibia_pitch": (0, 0.3, 1.6)},
            np.pi,
            start,
        )
        for pair, start in ((FRONT, 0.0), (MIDDLE, np.pi), (HIND, 0.0))
    ],
    "pushing": [
        (
            FRONT,
            {"coxa_yaw": (0.1, 0.2, 0), "femur_pitch": (0.2, 0.3, 0.5), "tibia_pitch": (0.4, 0.4, 0.8)},
            0,
            0,
        ),
        (
            MIDDLE,
            {"coxa_yaw": (0.2, 0.3, 0), "femur_pitch": (0.2, 0.3, 0.5), "tibia_pitch": (0.3, 0.3, 0.8)},
            0,
            0,
        ),
        (HIND, {"coxa_yaw": (-0.2, 0.1, 0), "tibia_pitch": (0.5, 0.15, 0.8)}, 0, 0),
    ],
    "hindleg_grooming": [
        (
            HIND,
            {
                "coxa_yaw": (-0.5, 0.1, 0),
                "femur_pitch": (-0.4, 0.2, 0.8),
                "tibia_pitch": (0.7, 0.35, 1.6),
                "tarsus_pitch": (-0.2, 0.3, 2.0),
            },
            np.pi,  # rubbed against each other
            0,
        )
    ],
    "abdominal_grooming": [
        (
            HIND,
            {
                "coxa_yaw": (-0.6, 0.2, 0),
                "coxa_pitch": (0.5, 0.1, 0),
                "femur_pitch": (0.2, 0.3, 0.5),
                "tibia_pitch": (0.2, 0.2, 2.4),
            },
            0,  # swept together over the abdomen
            0,
        )
    ],
    "rest": [],
    "foreleg_grooming": [
        (
            FRONT,
            {
                "coxa_yaw": (0.4, 0.1, 0),
                "femur_pitch": (-0.3, 0.2, 0.8),
                "tibia_pitch": (0.6, 0.35, 1.6),
                "tarsus_pitch": (-0.3, 0.3, 2.0),
            },
            np.pi,
            0,
        )
    ],
    "antennal_grooming": [
        (
            FRONT,
            {
                "coxa_yaw": (0.4, 0.1, 0),
                "coxa_pitch": (0.7, 0.2, 0),
                "femur_pitch": (0.2, 0.35, 0.5),
                "tibia_pitch": (0.2, 0.2, 2.4),
            },
            0,
            0,
        )
    ],
    "eye_grooming": [
        (
            FRONT,
            {
                "coxa_yaw": (0.1, 0.25, 0),
                "coxa_pitch": (0.8, 0.15, 1.0),
                "coxa_roll": (0.4, 0.2, 0),
                "femur_pitch": (0.4, 0.2, 1.0),
            },
            np.pi / 2,
            0,
        )
    ],
}


@dataclass(frozen=True)
class Movements:
    """Style of movement of an animal.

    Attributes:
        offsets: (leg, joint) rad, its standing posture less the common one; left and right alike.
        style: (action, leg, joint) rad, shifts of its actions' postures.
        gains: (leg, joint) factors of its ranges.
        speed: factor of its frequencies.
    """

    offsets: np.ndarray
    style: np.ndarray
    gains: np.ndarray
    speed: float


def movements(preset: Preset, rng: np.random.Generator) -> Movements:
    """Draw an animal's style: sds of .1 rad, 15 % in range and 12 % in speed at gap 1 (our choice)."""
    gap = preset.behavior_gap
    offsets = 0.1 * gap * np.tile(rng.standard_normal((3, len(JOINTS))), (2, 1))
    style = 0.08 * gap * np.tile(rng.standard_normal((len(ACTIONS), 3, len(JOINTS))), (1, 2, 1))
    gains = np.exp(0.15 * gap * np.tile(rng.standard_normal((3, len(JOINTS))), (2, 1)))
    # Style applies only to moving legs; a leg that an action does not move stays in the standing posture.
    style *= (np.abs(_CYCLES) > 0).any(2, keepdims=True)
    return Movements(offsets, style, gains, float(np.exp(0.12 * gap * rng.standard_normal())))


def joint_angles(
    preset: Preset, who: Movements, action: np.ndarray, modulator: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One trial: angles (sample, leg, joint) rad and frequency of the cycle (sample,) Hz, float64.

    Args:
        preset: rates.
        who: the animal's way of moving.
        action: (sample,) from ``behavior.actions``.
        modulator: (sample, modulator) from ``behavior.modulators``.
        rng: of the phase and the drift of posture.
    """
    rate, shape = preset.behavior_rate, (len(action), len(LEGS), len(JOINTS))
    speed, amplitude, turning, arousal = modulator.T
    weights = action_weights(action, TRANSITION * rate)
    frequency = weights @ FREQUENCY * who.speed * np.exp(0.12 * speed + 0.06 * arousal)
    cycle = 2 * np.pi * np.cumsum(frequency) / rate + rng.uniform(0, 2 * np.pi)
    # Amplitude and phase are one complex number, so that a weighted mean moves smoothly from one action to the next.
    means = (_MEANS + who.style).reshape(len(ACTIONS), -1)
    wave = np.imag(weights @ _CYCLES.reshape(len(ACTIONS), -1) * np.exp(1j * cycle)[:, None]).reshape(shape)
    # A turning fly takes longer steps with the outer legs.
    left = np.where(np.arange(len(LEGS)) < 3, 1.0, -1.0)
    step = 1 + 0.3 * (weights[:, WALKING] * np.tanh(turning))[:, None] * left
    wave *= (np.exp(0.15 * amplitude)[:, None] * step)[:, :, None]
    angles = (weights @ means).reshape(shape) + wave
    # Posture drifts, so that bouts start differently, but only during movement, so that a resting animal is still.
    drift = 0.08 * slow_noise(len(action), np.full(shape[1] * shape[2], 3.0 * rate), rng)
    passed = np.cumsum(frequency > 0.5)
    drift = gaussian_filter1d(drift, 0.1 * rate, axis=0)[np.minimum(passed, len(drift) - 1)].reshape(shape)
    return np.tile(STANDING, (2, 1)) + who.offsets + who.gains * (angles + drift), frequency


def action_weights(action: np.ndarray, smooth: float) -> np.ndarray:
    """(sample, action) float64 weights of the actions with sum 1; changes are smoothed over samples."""
    return gaussian_filter1d(np.eye(len(ACTIONS))[action], smooth, axis=0, mode="nearest")


def leg_speeds(preset: Preset, angles: np.ndarray) -> np.ndarray:
    """(sample, leg) float64 root-mean-square angular speed over a leg's joints and .1 s, in 10 rad/s."""
    velocity = np.gradient(angles, axis=0) * preset.behavior_rate
    power = gaussian_filter1d(np.square(velocity).mean(2), 0.1 * preset.behavior_rate, axis=0)
    return np.sqrt(np.maximum(power, 0)) / 10


def _compile() -> tuple[np.ndarray, np.ndarray]:
    """The programs as (action, leg, joint): shifts of means, and cycles as amplitude x exp(i phase)."""
    means = np.zeros((len(ACTIONS), len(LEGS), len(JOINTS)))
    cycles = np.zeros(means.shape, complex)
    for name, parts in _PROGRAMS.items():
        for pair, joints, right, start in parts:
            for leg, lag in zip(pair, (0.0, right), strict=True):
                for joint, (shift, amplitude, phase) in joints.items():
                    at = ACTIONS.index(name), leg, JOINTS.index(joint)
                    means[at] = shift
                    cycles[at] = amplitude * np.exp(1j * (start + lag + phase))
    return means, cycles


_MEANS, _CYCLES = _compile()
