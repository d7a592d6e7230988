"""SLEAP projects (``.slp``): labelled frames as (track, frame, node, 2), read without SLEAP.

A project has tables ``frames``, ``instances``, ``points`` (manual) and ``pred_points``, and names in JSON. If a frame
has a manual and a predicted instance of one track, the manual one is used, as in ``Labels.numpy`` of sleap-io.
Coordinates of format 1.0 refer to pixel corners, so half a pixel is subtracted. Source: sleap-io, docs/formats/slp.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError, reading
from neural_action.recordings.hdf5 import members, opened

EXPECTED = "a SLEAP project with frames, instances and pred_points"
_TABLES = ("frames", "instances", "points", "pred_points")
#: ``instance_type`` of a prediction, and the first format whose coordinates refer to pixel centres.
_PREDICTED, _CENTRES = 1, 1.1


@dataclass(frozen=True)
class Project:
    """The poses of one video of a project.

    Attributes:
        points: (track, frame, node, 2) float32 pixels; NaN if not visible.
        scores: (track, frame, node) float32; 1 for manual labels, NaN without an instance.
        nodes: names of the keypoints.
        tracks: names of the tracks; empty without tracking.
        frames: (frame,) int64, the labelled video frames, increasing.
        predicted: fraction of the instances that are predictions.
    """

    points: np.ndarray
    scores: np.ndarray
    nodes: list[str]
    tracks: list[str]
    frames: np.ndarray
    predicted: float


def is_project(file: Any) -> bool:
    """Whether an open HDF5 file is a SLEAP project."""
    return {"metadata", *_TABLES} <= set(members(file))


def read_project(path: Path, video: int | None = None) -> Project:
    """The poses of the project's only video, or of number ``video``.

    InputError naming the file if it is not such a project, has several videos and ``video`` is none of them, lists a
    frame twice, or does not assign each animal to a track.
    """
    with opened(path, EXPECTED) as file:
        if not is_project(file):
            raise InputError(f"{path}: holds {', '.join(members(file)) or 'nothing'}, expected {EXPECTED}")
        with reading(path, "a SLEAP project", KeyError, IndexError, TypeError, ValueError, AttributeError):
            tables = {name: file[name][()] for name in _TABLES}
            metadata = json.loads(file["metadata"].attrs["json"])
            corner = float(file["metadata"].attrs.get("format_id", _CENTRES)) < _CENTRES
            tracks = (
                [_track_name(entry) for entry in file["tracks_json"][()]] if "tracks_json" in file else []
            )
            nodes = [metadata["nodes"][node["id"]]["name"] for node in metadata["skeletons"][0]["nodes"]]
            return _project(path, tables, nodes, tracks, 0.5 if corner else 0.0, video)


def _project(
    path: Path,
    tables: dict[str, np.ndarray],
    nodes: list[str],
    tracks: list[str],
    corner: float,
    video: int | None,
) -> Project:
    frames, instances = tables["frames"], tables["instances"]
    videos = np.unique(frames["video"])
    if len(videos) > 1 and video not in videos:
        raise InputError(
            f"{path}: has {len(videos)} videos, expected one of {', '.join(map(str, videos))} (--option "
            f"behavior.options.video={videos[0]})"
        )
    frames = frames[frames["video"] == (videos[0] if len(videos) == 1 else video)]
    frames = frames[np.argsort(frames["frame_idx"], kind="stable")]
    if not len(frames) or len(np.unique(frames["frame_idx"])) < len(frames):
        raise InputError(
            f"{path}: {len(frames)} labelled frames, {len(np.unique(frames['frame_idx']))} of them different; expected "
            "at least one, and each once"
        )
    lanes = max(1, len(tracks))
    shape = (lanes, len(frames), len(nodes))
    points, scores = np.full((*shape, 2), np.nan, np.float32), np.full(shape, np.nan, np.float32)
    predicted = 0
    for at, frame in enumerate(frames):
        own = instances[int(frame["instance_id_start"]) : int(frame["instance_id_end"])]
        # Predictions first, so that manual labels overwrite them.
        own = own[np.argsort(own["instance_type"] != _PREDICTED, kind="stable")]
        by_hand = own[own["instance_type"] != _PREDICTED]
        if not tracks and max(len(by_hand), len(own) - len(by_hand)) > 1:
            raise InputError(
                f"{path}: frame {frame['frame_idx']} has {len(own)} animals but the project has no tracks, expected a "
                "tracked project"
            )
        for instance in own:
            lane = int(instance["track"]) if tracks else 0
            if lane < 0:
                raise InputError(
                    f"{path}: frame {frame['frame_idx']} has an animal without a track, expected a track for each"
                )
            is_predicted = instance["instance_type"] == _PREDICTED
            predicted += int(is_predicted)
            table = tables["pred_points" if is_predicted else "points"]
            rows = table[int(instance["point_id_start"]) : int(instance["point_id_end"])]
            if len(rows) != len(nodes):
                raise InputError(
                    f"{path}: an instance has {len(rows)} points, expected {len(nodes)}, one for each node"
                )
            points[lane, at] = np.stack([rows["x"], rows["y"]], 1) - corner
            points[lane, at][~rows["visible"].astype(bool)] = np.nan
            scores[lane, at] = rows["score"] if is_predicted else 1.0
    return Project(
        points,
        scores,
        nodes,
        tracks,
        frames["frame_idx"].astype(np.int64),
        predicted / max(1, len(instances)),
    )


def _track_name(entry: Any) -> str:
    """The name in ``[spawned on, name]``, or in a dictionary."""
    content = json.loads(entry)
    return str(content["name"] if isinstance(content, dict) else content[1])
