"""Forward kinematics and cameras: joint angles to 38 keypoints in two opposite side views."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from neural_action.recordings.simulate.pose import JOINTS, LEGS, STANDING
from neural_action.recordings.simulate.presets import Preset

SEGMENTS = ("coxa", "femur", "tibia", "tarsus")
KEYPOINTS = 38
# (leg pair, segment) mm, rounded from a fly of 2.5 mm (physiology).
LENGTHS = np.array([[0.40, 0.70, 0.55, 0.60], [0.20, 0.75, 0.65, 0.65], [0.20, 0.80, 0.70, 0.75]])
# (leg pair, axis) mm, attachment of the legs; x forward, y left, z up.
ROOTS = np.array([[0.35, 0.15, 0.0], [0.0, 0.20, -0.05], [-0.30, 0.18, 0.0]])
ANTENNA = np.array([0.75, 0.10, 0.35])
STRIPES = np.array([[-0.75, 0.30, 0.25], [-1.0, 0.32, 0.20], [-1.25, 0.28, 0.12]])
# The chain of a leg as rotations of a frame (0 along the segment, 1 up, 2 forward): each joint rotates one vector of
# the frame towards another; _ENDS lists the joints at the end of a segment.
_TURNS = {"yaw": (0, 2), "pitch": (0, 1), "roll": (1, 2)}
_ENDS = {"coxa_roll": 0, "femur_roll": 1, "tibia_pitch": 2, "tarsus_pitch": 3}


@dataclass(frozen=True)
class Skeleton:
    """An animal's skeleton and its orientation to the cameras.

    Attributes:
        lengths: (leg, segment) mm; the same for left and right.
        tilt: (3,) rad, rotation vector of the whole animal.
    """

    lengths: np.ndarray
    tilt: np.ndarray


def skeleton(preset: Preset, rng: np.random.Generator) -> Skeleton:
    """Draw an animal's skeleton: sds of 8 % in size, 5 % in segments and .1 rad in tilt at gap 1 (our choice)."""
    gap = preset.behavior_gap
    size = 0.08 * gap * rng.standard_normal()
    lengths = LENGTHS * np.exp(size + 0.05 * gap * rng.standard_normal(LENGTHS.shape))
    return Skeleton(np.tile(lengths, (2, 1)), 0.1 * gap * rng.standard_normal(3))


def leg_points(who: Skeleton, angles: np.ndarray) -> np.ndarray:
    """(sample, leg, 5, 3) float64 mm: thorax-coxa, coxa-femur, femur-tibia, tibia-tarsus, claw of each leg.

    Args:
        who: the animal's skeleton.
        angles: (sample, leg, joint) rad from ``pose.joint_angles``.
    """
    samples = len(angles)
    axes = np.zeros((3, samples, len(LEGS), 3))  # frame vector, sample, leg, x y z
    axes[0, ..., 1], axes[1, ..., 2], axes[2, ..., 0] = 1, 1, 1
    points = np.empty((samples, len(LEGS), len(SEGMENTS) + 1, 3))
    points[:, :, 0] = np.tile(ROOTS, (2, 1))
    for number, joint in enumerate(JOINTS):
        first, second = _TURNS[joint.split("_")[1]]
        cos, sin = np.cos(angles[:, :, number, None]), np.sin(angles[:, :, number, None])
        turned = cos * axes[first] + sin * axes[second]
        axes[second] = cos * axes[second] - sin * axes[first]
        axes[first] = turned
        if joint in _ENDS:
            segment = _ENDS[joint]
            points[:, :, segment + 1] = points[:, :, segment] + who.lengths[:, segment, None] * axes[0]
    points[:, 3:, :, 1] *= -1  # right legs mirror left ones
    return points


def keypoints(preset: Preset, who: Skeleton, angles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One trial: (sample, 38, 2) float32 mm, seen by an orthographic camera on each side, with noise.

    0 to 14 are the left legs' five points each, 15 the left antenna, 16 to 18 stripes of the abdomen;
    19 to 37 the same on the right, whose camera looks the other way: its horizontal axis runs backwards.
    """
    points = np.empty((len(angles), 2, 19, 3))
    points[:, :, :15] = leg_points(who, angles).reshape(len(angles), 2, 15, 3)
    mirror = np.array([[1, 1, 1], [1, -1, 1]])
    points[:, :, 15] = ANTENNA * mirror
    points[:, :, 16:] = STRIPES * mirror[:, None]
    # Raised front legs push the antennae down, raised hind legs the abdomen.
    raised = angles[:, :, JOINTS.index("coxa_pitch")] - np.tile(STANDING[:, JOINTS.index("coxa_pitch")], 2)
    points[:, :, 15, 2] -= 0.1 * raised[:, (0, 3)]
    points[:, :, 16:, 2] -= 0.08 * raised[:, (2, 5), None] * np.arange(1, 4)
    points = points @ Rotation.from_rotvec(who.tilt).as_matrix().T
    seen = points[..., (0, 2)] * np.array([[1, 1], [-1, 1]])[:, None]
    seen = seen.reshape(len(angles), KEYPOINTS, 2)
    return (seen + preset.tracking_noise * rng.standard_normal(seen.shape)).astype(np.float32)
