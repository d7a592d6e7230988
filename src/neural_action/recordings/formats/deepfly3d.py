"""DeepFly3D and its post-processing (df3dPostProcessing, seqikpy): pickled poses, read without executing anything.

- results of DeepFly3D, old and new: ``points3d`` (frame, 38, 3) and ``points2d`` (camera, frame, 38, 2);
- aligned poses: a dictionary of legs, each (frame, joint, 3), or each a dictionary of joints with ``raw_pos_aligned``;
- joint angles: a dictionary of vectors (frame,);
- a bare array (frame, keypoint, axis).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Section
from neural_action.errors import InputError
from neural_action.recordings.formats import Behavior
from neural_action.recordings.pickles import load_object_pickle
from neural_action.recordings.streams import NOT_STATED

EXPECTED = (
    "a DeepFly3D result (df3d_result*.pkl, pose_result*.pkl) or a pickle of aligned poses or joint angles"
)
_JOINTS = ("ThC", "CTr", "FTi", "TiTa", "claw")
#: First the left side, then the right one: three legs of five joints, the antenna, three stripes of the abdomen.
KEYPOINTS = tuple(
    f"{side}{part}"
    for side in "LR"
    for part in (
        *(f"{leg}_{joint}" for leg in "FMH" for joint in _JOINTS),
        "_antenna",
        *(f"_stripe_{number}" for number in range(3)),
    )
)


class Options(Section):
    """Options of this format.

    Attributes:
        points: points to read from a result, ``points3d``, or ``points2d`` in the image of one camera.
        camera: number of that camera; required for ``points2d``.
        position: position to read from aligned poses, ``raw_pos_aligned`` or ``fixed_pos_aligned`` (coxa fixed).
        exclude: names of keypoints to leave out.
    """

    points: Literal["points3d", "points2d"] = "points3d"
    camera: Annotated[int, Field(ge=0)] | None = None
    position: Literal["raw_pos_aligned", "fixed_pos_aligned"] = "raw_pos_aligned"
    exclude: list[str] = Field(default_factory=list)


def recognise(path: Path) -> str | None:
    """Recognise a pickle of poses by its file name and content."""
    if path.suffix != ".pkl" or not path.is_file():
        return None
    if not any(word in path.name for word in ("pose", "df3d", "angles", "3d")):
        return None
    try:
        content = load_object_pickle(path)
    except InputError:
        return None
    if isinstance(content, dict) and ("points2d" in content or "points3d" in content):
        return "a DeepFly3D result in 3D" if "points3d" in content else "a DeepFly3D result in 2D"
    try:
        _behavior(path, content, Options())
    except InputError:
        return None
    return "poses (DeepFly3D, df3dPostProcessing or seqikpy)"


def behavior(path: Path, options: Options) -> Behavior:
    """(frame, keypoint, axis) or (frame, angle) float32. The files have no clock.

    InputError naming the file: it is not such a pickle, has no such points, or its parts differ in length.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected {EXPECTED}")
    found = _behavior(path, load_object_pickle(path), options)
    keep = [at for at, name in enumerate(found.names) if name not in options.exclude]
    if unknown := [name for name in options.exclude if name not in found.names]:
        raise InputError(f"{path}: no keypoint {unknown[0]!r} to exclude, found {', '.join(found.names)}")
    return Behavior(found.data[:, keep], tuple(found.names[at] for at in keep), found.unit)


def _behavior(path: Path, content: Any, options: Options) -> Behavior:
    if isinstance(content, np.ndarray):
        if content.ndim != 3 or content.shape[2] not in (2, 3):
            raise InputError(f"{path}: shape {content.shape}, expected (frame, keypoint, 2 or 3)")
        names = tuple(f"keypoint_{at}" for at in range(content.shape[1]))
        return Behavior(content.astype(np.float32), names, NOT_STATED)
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {type(content).__name__}, expected {EXPECTED}")
    if "points2d" in content or "points3d" in content:
        return _result(path, content, options)
    return _parts(path, content, options)


def _result(path: Path, content: dict, options: Options) -> Behavior:
    if options.points not in content:
        hint = ", or options points: points2d and camera: NUMBER" if "points2d" in content else ""
        found = ", ".join(sorted(key for key in content if isinstance(key, str)))
        raise InputError(f"{path}: has no {options.points}, found {found}; expected a 3D result{hint}")
    points = np.asarray(content[options.points])
    if options.points == "points2d":
        if points.ndim != 4 or options.camera is None or options.camera >= len(points):
            raise InputError(
                f"{path}: options camera {options.camera} for points2d of shape {points.shape}, expected the number of "
                "a camera, the first axis"
            )
        points = points[options.camera]
    if points.ndim != 3 or points.dtype.kind != "f":
        raise InputError(
            f"{path}: {options.points} has shape {points.shape}, expected (frame, keypoint, axis)"
        )
    count = points.shape[1]
    names = KEYPOINTS if count == len(KEYPOINTS) else tuple(f"keypoint_{at}" for at in range(count))
    unit = "image fraction" if options.points == "points2d" else "DeepFly3D unit"
    return Behavior(points.astype(np.float32), names, unit)


def _parts(path: Path, content: dict, options: Options) -> Behavior:
    """Poses from a dictionary of legs, of legs of joints, or of angles."""
    arrays: list[np.ndarray] = []
    names: list[str] = []
    for part, value in content.items():
        if isinstance(value, dict):
            joints = {name: entry for name, entry in value.items() if isinstance(entry, dict)}
            if any(options.position not in entry for entry in joints.values()) or not joints:
                raise InputError(f"{path}: {part} has no {options.position}, expected it for each joint")
            for joint, entry in joints.items():
                value = np.asarray(entry[options.position])
                if value.ndim != 2 or value.dtype.kind not in "iuf":
                    raise InputError(
                        f"{path}: {part} {joint} has shape {value.shape}, expected (frame, axis)"
                    )
                names.append(f"{part}_{joint}")
                arrays.append(value[:, None])
            continue
        value = np.asarray(value)
        if value.ndim == 2 and value.shape[1] in (2, 3):
            value = value[:, None]
        if value.dtype.kind not in "iuf" or value.ndim not in (1, 3):
            raise InputError(f"{path}: {part} has shape {value.shape}, expected (frame, joint, axis)")
        count = value.shape[1] if value.ndim == 3 else 0
        names += [f"{part}_{at}" for at in range(count)] if count else [str(part)]
        arrays.append(value)
    if not arrays:
        raise InputError(f"{path}: an empty dictionary, expected {EXPECTED}")
    # Fixed points have a single frame, which is repeated.
    frames = max(len(array) for array in arrays)
    arrays = [np.repeat(a, frames, 0) if len(a) == 1 else a for a in arrays]
    for array in arrays:
        if len(array) != frames or array.ndim != arrays[0].ndim or array.shape[2:] != arrays[0].shape[2:]:
            raise InputError(
                f"{path}: parts of shapes {arrays[0].shape} and {array.shape}, expected {frames} frames and the same "
                "axes in each"
            )
    angles = arrays[0].ndim == 1
    data = np.stack(arrays, 1) if angles else np.concatenate(arrays, 1)
    return Behavior(data.astype(np.float32), tuple(names), "rad" if angles else NOT_STATED)
