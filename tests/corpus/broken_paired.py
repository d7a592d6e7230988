"""Traces as .npy beside DeepLabCut keypoints and a CSV of labels, broken."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np

from broken import Case, convert, nothing

FRAMES, SAMPLES, TRIAL = 200, 500, "m1/s1"
HEADS = ["scorer" + ",DLC" * 6, "bodyparts,a,a,b,b,c,c", "coords" + ",x,y" * 3]


def make(folder: Path) -> None:
    """20 s: four traces at 10 /s, three keypoints at 25 /s, two actions."""
    rng, trial = np.random.default_rng(0), folder / "raw" / TRIAL
    trial.mkdir(parents=True)
    np.save(trial / "traces.npy", rng.random((FRAMES, 4)))
    points = np.cumsum(rng.standard_normal((SAMPLES, 6)), 0)
    lines = [f"{at}," + ",".join(f"{value:.6f}" for value in row) for at, row in enumerate(points)]
    (trial / "videoDLC.csv").write_text("\n".join(HEADS + lines) + "\n")
    (trial / "labels.csv").write_text("action\n" + "walk\n" * 250 + "rest\n" * 250)


def options(**changes) -> dict:
    """The configuration of that recording, with changed parts."""
    parts = {
        "recordings": "*/*",
        "neural": {"format": "arrays", "path": "{path}/traces.npy", "clock": {"rate": 10.0}},
        "behavior": {"format": "deeplabcut", "path": "{path}/*DLC.csv", "clock": {"rate": 25.0}},
        "labels": {
            "format": "frame_labels",
            "path": "{path}/labels.csv",
            "options": {"column": "action"},
        },
    }
    for name, change in changes.items():
        parts[name] = {**parts[name], **change} if isinstance(change, dict) else change
    return {"convert": {"reader_options": parts, "class_names": ["walk", "rest"]}}


def arguments(folder: Path, case: Case) -> list[str]:
    """Convert it."""
    return convert(folder, TRIAL, "paired", case.config or options())


def removed(name):
    return lambda folder: (folder / "raw" / TRIAL / name).unlink()


def cut(name, size):
    return lambda folder: os.truncate(folder / "raw" / TRIAL / name, size)


def saved(array):
    return lambda folder: np.save(folder / "raw" / TRIAL / "traces.npy", array)


def put(name, data):
    return lambda folder: (folder / "raw" / TRIAL / name).write_bytes(data)


def replaced(name, old, new):
    def replace(folder):
        path = folder / "raw" / TRIAL / name
        path.write_text(path.read_text().replace(old, new, 1))

    return replace


def poked(value):
    traces = np.random.default_rng(0).random((FRAMES, 4))
    traces[50, 2] = value
    return saved(traces)


def claims(name, dataset):
    """An HDF5 file whose datasets are small, but for one whose shape says more than was ever written."""

    def make_file(folder):
        with h5py.File(folder / "raw" / TRIAL / name, "w") as file:
            file["node_names"] = [b"a", b"b"]
            file.create_dataset(dataset, (1, 2, 2, 1 << 33), np.float32, chunks=(1, 2, 2, 1 << 10))

    return make_file


def written_hdf5(name, **datasets):
    """An HDF5 file with those datasets."""

    def make_file(folder):
        with h5py.File(folder / "raw" / TRIAL / name, "w") as file:
            for dataset, values in datasets.items():
                file[dataset.replace("__", "/")] = values

    return make_file


def counted(step):
    """A counter of ThorSync that steps by one each tick, and once by ``step``."""
    counter = np.arange(FRAMES + 1)
    counter[-1] += step
    return written_hdf5("Episode001.h5", CI__Frames=counter)


def hdf5(part, kind, name):
    """The configuration with that file for the traces or for the poses."""
    return options(**{part: {"format": kind, "path": f"{{path}}/{name}", "clock": {"rate": 10.0}}})


CASES = (
    Case("missing", "traces", removed("traces.npy"), r"traces\.npy"),
    Case("missing", "keypoints", removed("videoDLC.csv"), r"DLC\.csv"),
    Case("missing", "labels", removed("labels.csv"), r"labels\.csv"),
    Case("truncated", "traces", cut("traces.npy", 900), r"traces\.npy"),
    Case("empty", "traces", cut("traces.npy", 0), r"traces\.npy"),
    Case("empty", "keypoints", cut("videoDLC.csv", 0), r"videoDLC\.csv"),
    Case("empty", "labels", cut("labels.csv", 0), r"labels\.csv"),
    Case("not such a file", "binary keypoints", put("videoDLC.csv", b"\xff\xfe\x00" * 90), r"videoDLC\.csv"),
    Case("wrong type", "traces of words", saved(np.array([["a"] * 4] * FRAMES)), r"traces\.npy"),
    Case("wrong shape", "traces of five dimensions", saved(np.zeros((2,) * 5)), r"traces\.npy"),
    Case("NaN or infinity", "trace", poked(np.nan), r"traces\.npy|NaN"),
    Case("NaN or infinity", "infinite trace", poked(np.inf), r"traces\.npy|infinity"),
    Case("constant", "traces", saved(np.ones((FRAMES, 4))), r"neural activity is 1 everywhere"),
    Case("huge values", "trace", poked(1e30), r"neural activity reaches 1e\+30"),
    Case(
        "huge values",
        "a number as label",
        lambda folder: np.save(folder / "raw" / TRIAL / "labels.npy", np.full(SAMPLES, 2**60)),
        r"labels\.npy: label 1152921504606846976 at entry 0, expected below 128",
        {
            "convert": {
                "reader_options": options(
                    labels={"format": "arrays", "path": "{path}/labels.npy", "options": {}}
                )["convert"]["reader_options"]
            }
        },
    ),
    Case(
        "huge values",
        "a frame that is labelled",
        put("labels.csv", b"frame,action\n0,walk\n4000000000000000000,rest\n"),
        r"labels\.csv: column 'frame' has frame 4000000000000000000",
        options(labels={"options": {"column": "action", "frame": "frame"}}),
    ),
    Case(
        "huge values",
        "steps of a counter",
        counted(2**40),
        r"Episode001\.h5: line 'Frames' counts to 1099511627976 in 201 ticks",
        options(neural={"clock": {"sync": "{path}/Episode001.h5", "line": "Frames", "rate": 10.0}}),
    ),
    Case(
        "labels",
        "an action of its own in every frame",
        put("labels.csv", b"action\n" + b"".join(b"a%d\n" % at for at in range(SAMPLES))),
        r"labels\.csv: 500 actions, expected at most 128",
        {"convert": {"reader_options": options()["convert"]["reader_options"]}},
    ),
    Case(
        "wrong type",
        "names of keypoints that are numbers",
        written_hdf5("poses.h5", tracks=np.zeros((1, 2, 3, SAMPLES)), node_names=np.arange(3)),
        r"poses\.h5: node_names is int64 of shape \(3,\), expected names",
        hdf5("behavior", "sleap", "poses.h5"),
    ),
    Case(
        "wrong type",
        "a group for tracks",
        written_hdf5("poses.h5", tracks__a=np.zeros(3), node_names=[b"a"]),
        r"poses\.h5: tracks is a group, expected numbers",
        hdf5("behavior", "sleap", "poses.h5"),
    ),
    Case(
        "wrong type",
        "traces of words in CaImAn",
        written_hdf5("estimates.hdf5", estimates__F_dff=np.full((2, 9), b"a"), estimates__C=np.zeros((2, 9))),
        r"estimates\.hdf5: estimates/F_dff was not computed, found C",
        hdf5("neural", "caiman", "estimates.hdf5"),
    ),
    Case("labels", "unknown action", replaced("labels.csv", "rest", "fly"), r"fly"),
    Case("unknown key", "format", nothing, r"'npy'", options(neural={"format": "npy"})),
    Case("unknown key", "of a clock", nothing, r"rat", options(neural={"clock": {"rat": 1.0}})),
    Case("out of range", "rate", nothing, r"rate: 0", options(neural={"clock": {"rate": 0.0}})),
    Case(
        "clock",
        "starts after the other has ended",
        nothing,
        r"do not overlap \(9980",
        options(neural={"clock": {"rate": 10.0, "start": 1e4}}),
    ),
    Case(
        "lying header",
        "tracks of SLEAP",
        claims("poses.h5", "tracks"),
        r"poses\.h5: tracks claims 128\.0 GiB",
        hdf5("behavior", "sleap", "poses.h5"),
    ),
    Case(
        "lying header",
        "a dataset of NWB",
        claims("all.nwb", "processing/behavior/speed/data"),
        r"all\.nwb: processing/behavior/speed/data claims 128\.0 GiB",
        hdf5("behavior", "nwb", "all.nwb"),
    ),
    Case(
        "lying header",
        "traces of CaImAn",
        claims("estimates.hdf5", "estimates/C"),
        r"estimates\.hdf5: estimates/C claims 128\.0 GiB",
        hdf5("neural", "caiman", "estimates.hdf5"),
    ),
)
