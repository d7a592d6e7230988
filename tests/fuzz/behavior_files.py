"""Small good files of poses and events, as DeepLabCut (HDF5), SLEAP (projects), BORIS and ELAN write them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import h5py
import numpy as np

SAMPLES = 150
RNG = np.random.default_rng(0)


def deeplabcut_hdf5(at: Path) -> None:
    """A table of pandas: columns pickled into attributes."""
    names = [("DLC", part, axis) for part in ("nose", "tail") for axis in ("x", "y", "likelihood")]
    rows = np.zeros(SAMPLES, [("index", "<i8"), ("values_block_0", "<f8", (len(names),))])
    rows["index"], rows["values_block_0"] = np.arange(SAMPLES), RNG.random((SAMPLES, len(names)))
    with h5py.File(at / "videoDLC.h5", "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.bytes_(b"frame_table")
        group.attrs["non_index_axes"] = np.bytes_(pickle.dumps([(1, names)], 0))
        group["table"] = rows
        group["table"].attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(names, 0))


def sleap_project(at: Path) -> None:
    """Two tracks of two nodes in every frame."""
    count = 2 * SAMPLES
    instances = np.zeros(
        count,
        [("instance_type", "u1"), ("track", "i4"), ("point_id_start", "u8"), ("point_id_end", "u8")],
    )
    numbers = np.arange(count)
    instances["instance_type"], instances["track"] = 1, numbers % 2
    instances["point_id_start"], instances["point_id_end"] = 2 * numbers, 2 * numbers + 2
    frames = np.zeros(
        SAMPLES,
        [("video", "u4"), ("frame_idx", "u8"), ("instance_id_start", "u8"), ("instance_id_end", "u8")],
    )
    frames["frame_idx"] = np.arange(SAMPLES)
    frames["instance_id_start"], frames["instance_id_end"] = (
        2 * frames["frame_idx"],
        2 * frames["frame_idx"] + 2,
    )
    points = np.zeros(2 * count, [("x", "f8"), ("y", "f8"), ("visible", "?"), ("score", "f8")])
    points["x"], points["y"], points["visible"], points["score"] = RNG.random(2 * count), 1.0, True, 0.9
    with h5py.File(at / "video.slp", "w") as file:
        metadata = file.create_group("metadata")
        metadata.attrs["format_id"] = 1.2
        nodes = [{"name": "head"}, {"name": "tail"}]
        metadata.attrs["json"] = json.dumps(
            {"nodes": nodes, "skeletons": [{"nodes": [{"id": 0}, {"id": 1}]}]}
        )
        file["tracks_json"] = [json.dumps([0, name]) for name in ("a", "b")]
        file["frames"], file["instances"], file["pred_points"] = frames, instances, points
        file["points"] = points[:0]


def events(at: Path) -> None:
    """Rests and walks of half a second in turn."""
    bouts = [("walk" if number % 2 else "rest", number / 2, number / 2 + 0.5) for number in range(12)]
    head = "Observation id\tSubject\tBehavior\tBehavior type\tTime"
    rows = [
        f"o\tm1\t{name}\t{state}\t{time}"
        for name, start, stop in bouts
        for state, time in (("START", start), ("STOP", stop))
    ]
    (at / "boris.tsv").write_text("\n".join([head, *rows]) + "\n")
    slots = "".join(f'<TIME_SLOT TIME_SLOT_ID="t{at}" TIME_VALUE="{500 * at}"/>' for at in range(13))
    annotations = "".join(
        f'<ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="t{at}" TIME_SLOT_REF2="t{at + 1}"><ANNOTATION_VALUE>'
        f"{name}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
        for at, (name, _, _) in enumerate(bouts)
    )
    (at / "elan.eaf").write_text(
        f"<ANNOTATION_DOCUMENT><TIME_ORDER>{slots}</TIME_ORDER>"
        f'<TIER TIER_ID="action">{annotations}</TIER></ANNOTATION_DOCUMENT>'
    )
    lines = [f"action\t\t00:00:0{a:.3f}\t00:00:0{b:.3f}\t00:00:00.500\t{name}" for name, a, b in bouts]
    (at / "elan.txt").write_text("\n".join(lines) + "\n")
    rows = [f"{row / 25:.3f},{row % 20 // 10},{1 - row % 20 // 10}" for row in range(SAMPLES)]
    (at / "boris_labels.csv").write_text("\n".join(["time,walk,rest", *rows]) + "\n")
