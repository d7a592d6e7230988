"""SLEAP: the analysis HDF5 (File > Export Analysis HDF5) or the project (``.slp``), (sample, keypoint, 2).

The attribute ``dims`` of an analysis HDF5 gives the axes of its arrays (sleap-io since 0.3); without it, they are in
MATLAB's order (SLEAP). Without tracking, the file has one unnamed track. Sources:
sleap/info/write_tracking_h5.py, sleap-io
sleap_io/io/analysis_h5.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Section
from neural_action.errors import InputError
from neural_action.recordings.formats import Behavior
from neural_action.recordings.hdf5 import members, opened, read_names, read_numbers
from neural_action.recordings.slp import is_project, read_project

EXPECTED = "an analysis HDF5 of SLEAP with tracks and node_names, or a project (.slp)"
_MATLAB = ("track", "xy", "node", "frame")
#: Order of the axes in files whose attribute transpose is false.
_UNTRANSPOSED = ("frame", "node", "xy", "track")
_SUFFIXES = (".h5", ".hdf5", ".slp")


class Options(Section):
    """Options of this format.

    Attributes:
        track: name or number of the animal's track; optional if there is only one.
        min_score: keypoints with a lower score are missing.
        video: number of the video, if a project has several.
        exclude: keypoints to leave out.
    """

    track: str | Annotated[int, Field(ge=0)] | None = None
    min_score: Annotated[float, Field(ge=0)] = 0.0
    video: Annotated[int, Field(ge=0)] | None = None
    exclude: list[str] = Field(default_factory=list)


def recognise(path: Path) -> str | None:
    """Recognise an HDF5 with tracks and node_names, or a project."""
    if path.suffix not in _SUFFIXES or not path.is_file():
        return None
    try:
        with opened(path) as file:
            if is_project(file):
                predicted = file["pred_points"].shape[0] > 0
                return "SLEAP project" if predicted else "hand labels of SLEAP (no predictions; not read)"
            return "SLEAP poses" if {"tracks", "node_names"} <= set(members(file)) else None
    except InputError:
        return None


def roles(path: Path) -> tuple[str, ...]:
    """Behaviour; empty for a project with only hand labels."""
    return () if "hand labels" in (recognise(path) or "") else ("behavior",)


def scored(path: Path) -> bool:
    """Whether the file has point_scores. InputError if it cannot be read."""
    if path.suffix == ".slp":
        return True
    with opened(path, EXPECTED) as file:
        return "point_scores" in members(file)


def behavior(path: Path, options: Options) -> Behavior:
    """(sample, keypoint, 2) float32 pixels; NaN where SLEAP found nothing.

    The file has no clock, so the video's rate must be configured. InputError naming the file: it has other content, or
    hand labels without predictions, or several tracks and no ``track``.
    """
    if path.suffix == ".slp":
        return _of_project(path, options)
    with opened(path, EXPECTED) as file:
        held = members(file)
        if not {"tracks", "node_names"} <= set(held):
            raise InputError(f"{path}: holds {', '.join(held)}, expected {EXPECTED}")
        tracks = _ordered(path, "tracks", held["tracks"], _MATLAB)
        scores = (
            _ordered(path, "point_scores", held["point_scores"], ("track", "node", "frame"))
            if "point_scores" in held
            else None
        )
        names = read_names(path, "node_names", held["node_names"])
        # Without tracking, SLEAP writes an empty array of numbers.
        called = (
            read_names(path, "track_names", held["track_names"]) if _some(held.get("track_names")) else []
        )
    if tracks.ndim != 4 or tracks.shape[1:3] != (2, len(names)):
        raise InputError(
            f"{path}: tracks has shape {tracks.shape}, expected (track, 2, {len(names)} nodes, frame)"
        )
    if scores is not None and scores.shape != (len(tracks), *tracks.shape[2:]):
        raise InputError(
            f"{path}: point_scores has shape {scores.shape}, expected {(len(tracks), *tracks.shape[2:])}"
        )
    at = _track(path, options.track, called, len(tracks))
    points = tracks[at].transpose(2, 1, 0).astype(np.float32)
    return _kept(path, points, None if scores is None else scores[at].T, names, options, None)


def _of_project(path: Path, options: Options) -> Behavior:
    project = read_project(path, options.video)
    if not project.predicted:
        raise InputError(f"{path}: holds hand labels and no predictions, expected a project with predictions")
    at = _track(path, options.track, project.tracks, len(project.points))
    return _kept(path, project.points[at], project.scores[at], project.nodes, options, project.frames)


def _kept(
    path: Path, points: np.ndarray, scores: np.ndarray | None, names: list[str], options: Options, frames: Any
) -> Behavior:
    """The behaviour without excluded keypoints; keypoints with a low score are NaN."""
    if options.min_score:
        if scores is None:
            raise InputError(
                f"{path}: has no point_scores, expected min_score: 0 instead of {options.min_score:g}"
            )
        points[options.min_score > scores] = np.nan
    keep = [number for number, name in enumerate(names) if name not in options.exclude]
    return Behavior(points[:, keep], tuple(names[number] for number in keep), "pixel", frames=frames)


def _ordered(path: Path, name: str, item: Any, order: tuple[str, ...]) -> np.ndarray:
    """A dataset with its axes in ``order``; its attributes dims or transpose give the stored order."""
    values = read_numbers(path, name, item)
    if values.ndim != len(order):
        return values
    if "dims" not in item.attrs:
        transposed = bool(item.file.attrs.get("transpose", True))
        dims = list(order) if transposed else [axis for axis in _UNTRANSPOSED if axis in order]
    else:
        try:
            said = json.loads(item.attrs["dims"])
        except (ValueError, TypeError):
            said = None
        if not isinstance(said, list) or sorted(map(str, said)) != sorted(order):
            raise InputError(f"{path}: {name} has dims {item.attrs['dims']!r}, expected {', '.join(order)}")
        dims = [str(axis) for axis in said]
    return values.transpose([dims.index(axis) for axis in order])


def _some(item: Any) -> bool:
    """Whether there is a dataset that is not empty."""
    return item is not None and getattr(item, "shape", None) not in (None, ()) and item.shape[0] > 0


def _track(path: Path, wanted: str | int | None, called: list[str], count: int) -> int:
    if wanted is None and count == 1:
        return 0
    if isinstance(wanted, str) and wanted in called:
        return called.index(wanted)
    if isinstance(wanted, int) and wanted < count:
        return wanted
    names = ", ".join(called) or f"0 to {count - 1} (without tracking, the animal of a number may change)"
    first = called[0] if called else "0"
    raise InputError(
        f"{path}: track {wanted!r} of {count}, expected one of {names} (--option behavior.options.track={first})"
    )
