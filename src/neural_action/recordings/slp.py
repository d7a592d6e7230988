"""SLEAP projects (``.slp``): labelled frames as (track, frame, node, 2), read without SLEAP.

Tables ``frames``, ``instances``, ``points`` (by hand) and ``pred_points``; names in JSON. Where a frame has an instance
by hand and a predicted one of the same track, the one by hand counts, as in ``Labels.numpy`` of sleap-io. Coordinates
of format 1.0 lie on the grid of pixel corners: half a pixel is taken off. Source: sleap-io, docs/formats/slp.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.hdf5 import members, opened

EXPECTED = "a SLEAP project with frames, instances and pred_points"
_TABLES = ("frames", "instances", "points", "pred_points")
#: ``instance_type`` of a prediction; the format from which coordinates are of pixel centres.
_PREDICTED, _CENTRES = 1, 1.1


@dataclass(frozen=True)
class Project:
    """What a project holds of one video.

    Attributes:
        points: (track, frame, node, 2) float32 pixels; NaN where there is nothing.
        scores: (track, frame, node) float32; 1 where labelled by hand.
        nodes: names of the keypoints.
        tracks: names of the tracks; empty where nothing was tracked.
        frames: (frame,) int64 video frames that are labelled, increasing.
        predicted: share of the instances that are predictions.
    """

    points: np.ndarray
    scores: np.ndarray
    nodes: list[str]
    tracks: list[str]
    frames: np.ndarray
    predicted: float


def is_project(file: Any) -> bool:
    """Whether an open HDF5 is laid out so."""
    return {"metadata", *_TABLES} <= set(members(file))


def read_project(path: Path, video: int | None = None) -> Project:
    """The project's one video, or number ``video`` of several. InputError naming the file for anything else."""
    with opened(path, EXPECTED) as file:
        if not is_project(file):
            raise InputError(f"{path}: holds {', '.join(members(file)) or 'nothing'}, expected {EXPECTED}")
        try:
            tables = {name: file[name][()] for name in _TABLES}
            metadata = json.loads(file["metadata"].attrs["json"])
            corner = float(file["metadata"].attrs.get("format_id", _CENTRES)) < _CENTRES
            tracks = (
                [_track_name(entry) for entry in file["tracks_json"][()]] if "tracks_json" in file else []
            )
            nodes = [metadata["nodes"][node["id"]]["name"] for node in metadata["skeletons"][0]["nodes"]]
            return _project(path, tables, nodes, tracks, 0.5 if corner else 0.0, video)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            reason = str(error)
            raise InputError(
                f"{path}: cannot be read as a SLEAP project ({type(error).__name__}: {reason})"
            ) from None


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
            f"{path}: labels {len(videos)} videos, expected options video: one of {', '.join(map(str, videos))}"
        )
    frames = frames[frames["video"] == (videos[0] if len(videos) == 1 else video)]
    frames = frames[np.argsort(frames["frame_idx"], kind="stable")]
    if not len(frames) or len(np.unique(frames["frame_idx"])) < len(frames):
        raise InputError(f"{path}: {len(frames)} labelled frames, or a frame twice, expected each once")
    lanes = max(1, len(tracks))
    shape = (lanes, len(frames), len(nodes))
    points, scores = np.full((*shape, 2), np.nan, np.float32), np.full(shape, np.nan, np.float32)
    predicted = 0
    for at, frame in enumerate(frames):
        own = instances[int(frame["instance_id_start"]) : int(frame["instance_id_end"])]
        # Predictions first, so that what was labelled by hand lies over them.
        own = own[np.argsort(own["instance_type"] != _PREDICTED, kind="stable")]
        by_hand = own[own["instance_type"] != _PREDICTED]
        if not tracks and max(len(by_hand), len(own) - len(by_hand)) > 1:
            raise InputError(
                f"{path}: frame {frame['frame_idx']} has {len(own)} animals and the project no tracks: who is who is "
                "not known; expected a project that was tracked"
            )
        for instance in own:
            lane = int(instance["track"]) if tracks else 0
            if lane < 0:
                raise InputError(
                    f"{path}: frame {frame['frame_idx']} has an animal without a track, expected each in a track"
                )
            is_predicted = instance["instance_type"] == _PREDICTED
            predicted += int(is_predicted)
            table = tables["pred_points" if is_predicted else "points"]
            rows = table[int(instance["point_id_start"]) : int(instance["point_id_end"])]
            if len(rows) != len(nodes):
                raise InputError(
                    f"{path}: an instance has {len(rows)} points, expected {len(nodes)}, one a node"
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
