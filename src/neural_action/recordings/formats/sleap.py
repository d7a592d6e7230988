"""SLEAP: the analysis HDF5 (File > Export Analysis HDF5), (sample, keypoint, 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.formats import Behavior, FormatOptions
from neural_action.recordings.hdf5 import members, opened, read_names, read_numbers

EXPECTED = "an analysis HDF5 of SLEAP with tracks and node_names"


class Options(FormatOptions):
    """Options of this format.

    Attributes:
        track: name or number of the animal's track; may be left out where there is one.
        min_score: keypoints below it are missing, where the file has point_scores.
        exclude: keypoints that are left out.
    """

    track: str | Annotated[int, Field(ge=0)] | None = None
    min_score: Annotated[float, Field(ge=0)] = 0.0
    exclude: list[str] = Field(default_factory=list)


def recognise(path: Path) -> str | None:
    """An HDF5 with tracks and node_names."""
    if path.suffix not in (".h5", ".hdf5") or not path.is_file():
        return None
    try:
        with opened(path) as file:
            return "SLEAP poses" if {"tracks", "node_names"} <= set(members(file)) else None
    except InputError:
        return None


def files(path: Path) -> list[Path]:
    """The one file."""
    return [path]


def behavior(path: Path, options: Options) -> Behavior:
    """(sample, keypoint, 2) float32 pixels; NaN where SLEAP found nothing. No clock: the video's rate is yours to give.

    Raises InputError naming the file: a .slp project (export it), other content, several tracks without ``track``.
    """
    if path.suffix == ".slp":
        raise InputError(
            f"{path}: a SLEAP project, expected its analysis HDF5 (sleap-convert --format analysis)"
        )
    try:
        with opened(path, EXPECTED) as file:
            held = members(file)
            if not {"tracks", "node_names"} <= set(held):
                raise InputError(f"{path}: holds {', '.join(held)}, expected {EXPECTED}")
            tracks = read_numbers(path, "tracks", held["tracks"])
            scores = (
                read_numbers(path, "point_scores", held["point_scores"]) if "point_scores" in held else None
            )
            names = read_names(path, "node_names", held["node_names"])
            called = read_names(path, "track_names", held["track_names"]) if "track_names" in held else []
    except OSError as error:
        raise InputError(f"{path}: cannot be read as HDF5 ({' '.join(str(error).split())})") from None
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
    if scores is not None and options.min_score:
        points[options.min_score > scores[at].T] = np.nan
    keep = [number for number, name in enumerate(names) if name not in options.exclude]
    return Behavior(points[:, keep], tuple(names[number] for number in keep), "pixel")


def _track(path: Path, wanted: str | int | None, called: list[str], count: int) -> int:
    if wanted is None and count == 1:
        return 0
    if isinstance(wanted, str) and wanted in called:
        return called.index(wanted)
    if isinstance(wanted, int) and wanted < count:
        return wanted
    names = ", ".join(called) or f"0 to {count - 1}"
    raise InputError(f"{path}: track {wanted!r} of {count}, expected one of {names}")
