"""How actions look: periodic joint angles, forward kinematics of six legs, two cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from neural_action.recordings.simulate.behavior import ACTIONS, REST
from neural_action.recordings.simulate.presets import Preset

LEGS = 6  # left front, middle, hind, then right
JOINTS = 3  # angles a leg: swing of the whole leg, lift of femur-tibia, reach of tibia-tarsus
SEGMENTS = 4  # five keypoints a leg: coxa, femur, tibia, tarsus, claw
# Frequency of each action's cycle, Hz: walking steps and grooming sweeps of flies are a few to ten a second.
FREQUENCY = np.array([6.0, 3.0, 5.0, 4.0, 0.0, 6.5, 5.0, 4.5])


@dataclass(frozen=True)
class Body:
    """An animal's body: segment lengths (leg, segment), angle offsets and gains (leg, joint), speed, camera angle."""

    lengths: np.ndarray
    offsets: np.ndarray
    gains: np.ndarray
    speed: float
    camera: float
    scale: float


def body(preset: Preset, rng: np.random.Generator) -> Body:
    """A body that differs from the common one in proportion to ``behavior_gap``. Left and right are alike."""
    gap = preset.behavior_gap
    base = np.array([0.6, 1.0, 0.9, 0.5])
    one_side = base * np.exp(0.1 * gap * rng.standard_normal((3, SEGMENTS)))
    return Body(
        lengths=np.concatenate([one_side, one_side]),
        offsets=0.2 * gap * rng.standard_normal((LEGS, JOINTS)),
        gains=np.exp(0.15 * gap * rng.standard_normal((LEGS, JOINTS))),
        speed=float(np.exp(0.12 * gap * rng.standard_normal())),
        camera=float(0.15 * gap * rng.standard_normal()),
        scale=float(np.exp(0.1 * gap * rng.standard_normal())),
    )


def _programs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean angle, amplitude and phase (action, leg, joint), rad: what each action does with each leg."""
    mean = np.zeros((len(ACTIONS), LEGS, JOINTS))
    amplitude, phase = np.zeros_like(mean), np.zeros_like(mean)
    left, right = range(3), range(3, 6)
    tripod = np.array([0, np.pi, 0, np.pi, 0, np.pi])

    def act(name: str) -> int:
        return ACTIONS.index(name)

    walking, pushing = act("forward_walking"), act("pushing")
    amplitude[walking] = [0.5, 0.35, 0.25]
    phase[walking] = tripod[:, None] + [0, np.pi / 2, np.pi / 2]
    # Pushing: all legs together against the ball, hind legs stretched.
    amplitude[pushing] = [0.25, 0.3, 0.2]
    mean[pushing] = [-0.2, 0.3, -0.1]
    phase[pushing] = [0, np.pi / 3, np.pi / 2]
    for name, swing, lift, reach, rub in (
        ("hindleg_grooming", -0.9, 0.2, -0.3, (0.15, 0.4, 0.45)),
        ("abdominal_grooming", -0.6, 0.8, 0.3, (0.4, 0.25, 0.15)),
    ):
        for leg in (2, 5):
            mean[act(name), leg] = [swing, lift, reach]
            amplitude[act(name), leg] = rub
    for name, swing, lift, reach, rub in (
        ("foreleg_grooming", 0.9, 0.1, -0.4, (0.15, 0.35, 0.5)),
        ("antennal_grooming", 0.8, 0.9, 0.1, (0.2, 0.45, 0.2)),
        ("eye_grooming", 0.5, 1.1, 0.5, (0.45, 0.3, 0.15)),
    ):
        for leg in (0, 3):
            mean[act(name), leg] = [swing, lift, reach]
            amplitude[act(name), leg] = rub
    # Rubbing legs move against each other; sweeping legs move together.
    for name in ("hindleg_grooming", "foreleg_grooming"):
        phase[act(name), list(right)] += np.pi
    phase[:, list(left), 2] += np.pi / 4
    phase[:, list(right), 2] += np.pi / 4
    amplitude[REST] = 0.0
    return mean, amplitude, phase


MEAN, AMPLITUDE, PHASE = _programs()


def joint_angles(
    preset: Preset, who: Body, action: np.ndarray, modulator: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Angles (sample, leg, joint) rad and speed of the cycle (sample,) Hz for a trial."""
    rate = preset.behavior_rate
    smooth = 0.05 * rate  # transitions between actions take about a tenth of a second
    frequency = FREQUENCY[action] * who.speed * np.exp(0.15 * modulator[:, 0])
    frequency = gaussian_filter1d(frequency, smooth)
    cycle = 2 * np.pi * np.cumsum(frequency) / rate + rng.uniform(0, 2 * np.pi)
    mean = gaussian_filter1d(MEAN[action], smooth, axis=0)
    size = gaussian_filter1d(AMPLITUDE[action], smooth, axis=0) * np.exp(0.2 * modulator[:, 1])[:, None, None]
    # Turning shortens the steps of one side.
    side = np.where(np.arange(LEGS) < 3, 1.0, -1.0)
    walking = gaussian_filter1d((action == ACTIONS.index("forward_walking")).astype(float), smooth)
    size = size * (1 + 0.3 * walking[:, None] * np.tanh(modulator[:, 2])[:, None] * side)[:, :, None]
    angles = mean + size * np.sin(cycle[:, None, None] + PHASE[action])
    # Where legs come to rest drifts slowly: two rests of one animal are not one posture.
    drift = gaussian_filter1d(rng.standard_normal((len(action), LEGS, JOINTS)), 2 * rate, axis=0)
    drift *= 0.12 / max(1e-9, drift.std())
    return who.offsets + who.gains * (angles + drift), frequency


def keypoints(preset: Preset, who: Body, angles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(sample, 38, 2) float32 in two orthographic side views, in units of a femur: left 0-18, right 19-37.

    Each side has three legs of five joints, then an antenna and three abdominal stripes.
    """
    samples = len(angles)
    out = np.zeros((samples, 38, 2))
    roots = np.array([[0.8, 0.0], [0.0, -0.1], [-0.8, 0.0]])
    rest_direction = np.array([0.5, 0.0, -0.5]) - np.pi / 2
    for leg in range(LEGS):
        first = (0 if leg < 3 else 19) + 5 * (leg % 3)
        swing, lift, reach = angles[:, leg].T
        direction = rest_direction[leg % 3] + swing
        bends = (direction, direction + 0.6 + lift, direction - 0.5 - lift + reach, direction - 0.3 + 2 * reach)
        point = np.broadcast_to(roots[leg % 3], (samples, 2)).copy()
        out[:, first] = point
        for segment, bend in enumerate(bends):
            point = point + who.lengths[leg, segment] * np.stack([np.cos(bend), np.sin(bend)], axis=1)
            out[:, first + 1 + segment] = point
    for first, legs in ((15, (0, 2)), (34, (3, 5))):
        front, hind = angles[:, legs[0]], angles[:, legs[1]]
        out[:, first] = [1.3, 0.5] + 0.05 * front[:, 1:2]
        for stripe in range(3):
            out[:, first + 1 + stripe] = [-1.0 - 0.4 * stripe, 0.2] + 0.04 * (stripe + 1) * hind[:, :1]
    turn = np.array([[np.cos(who.camera), -np.sin(who.camera)], [np.sin(who.camera), np.cos(who.camera)]])
    out = who.scale * out @ turn.T
    return (out + preset.tracking_noise * rng.standard_normal(out.shape)).astype(np.float32)


def release_angles(angles: np.ndarray) -> np.ndarray:
    """(sample, 42) float32: seven angles a leg as in the release; the four the model does not move are 0."""
    out = np.zeros((len(angles), LEGS, 7), np.float32)
    out[:, :, :JOINTS] = angles
    return out.reshape(len(angles), -1)
