"""The authors' release layout, broken."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np

from broken import Case, convert, nothing

TRIAL = "210722_aDN1_Fly1_001"
FRAMES, SIDE, SAMPLES = 160, 16, 1000
INDICES = np.arange(SAMPLES) * FRAMES // SAMPLES


def make(folder: Path) -> None:
    """One trial: Ten seconds of 16 x 16 pixels and 38 keypoints."""
    rng, trial = np.random.default_rng(0), folder / "raw" / TRIAL
    trial.mkdir(parents=True)
    (1 + rng.random((FRAMES, SIDE, SIDE), dtype=np.float32)).tofile(trial / "2p_dff.mm")
    rng.standard_normal((SAMPLES, 76)).astype(np.float32).tofile(trial / "pose_result.mm")
    (trial / "angles.pkl").write_bytes(pickle.dumps(rng.standard_normal((SAMPLES, 42)).astype(np.float32)))
    np.save(trial / "indices.npy", INDICES)
    np.save(trial / "rest.npy", np.arange(SAMPLES) < 10)
    np.save(trial / "labels.npy", (np.arange(SAMPLES) % 8).astype(np.int8))


def arguments(folder: Path, case: Case) -> list[str]:
    """Convert it."""
    return convert(folder, TRIAL, "mc2p", case.config)


def removed(name):
    return lambda folder: (folder / "raw" / TRIAL / name).unlink()


def cut(name, size):
    return lambda folder: os.truncate(folder / "raw" / TRIAL / name, size)


def saved(name, array):
    return lambda folder: np.save(folder / "raw" / TRIAL / name, array)


def pickled(content):
    return lambda folder: (folder / "raw" / TRIAL / "angles.pkl").write_bytes(pickle.dumps(content))


def put(name, data):
    return lambda folder: (folder / "raw" / TRIAL / name).write_bytes(data)


def poked(name, place, value):
    def poke(folder):
        values = np.fromfile(folder / "raw" / TRIAL / name, np.float32)
        values[place] = value
        values.tofile(folder / "raw" / TRIAL / name)

    return poke


def dangling(folder):
    removed("2p_dff.mm")(folder)
    (folder / "raw" / TRIAL / "2p_dff.mm").symlink_to(folder / "gone")


def folder_for_file(folder):
    removed("indices.npy")(folder)
    (folder / "raw" / TRIAL / "indices.npy").mkdir()


ANGLES = {"convert": {"reader_options": {"behavior": "angles"}}}
CASES = (
    Case("missing", "no movie", removed("2p_dff.mm"), r"0 files match 2p_dff\*\.mm, expected one"),
    Case("missing", "no pose", removed("pose_result.mm"), r"0 files match pose_result\*\.mm"),
    Case("missing", "no indices", removed("indices.npy"), r"0 files match indices\*\.npy"),
    Case("missing", "no angles", removed("angles.pkl"), r"0 files match angles\*\.pkl", ANGLES),
    Case(
        "missing",
        "no folder",
        lambda f: (f / "raw" / TRIAL).rename(f / "raw/x"),
        r"001: no such folder, expected a trial",
    ),
    Case(
        "missing",
        "no rest where it is dropped",
        removed("rest.npy"),
        r"0 files match rest\*\.npy",
        {"convert": {"reader_options": {"drop_rest": True}}},
    ),
    Case("twice", "two movies", put("2p_dff_2.mm", b"0000"), r"2 files match 2p_dff\*\.mm \(2p_dff\.mm, "),
    Case(
        "truncated", "movie", cut("2p_dff.mm", 5001), r"2p_dff\.mm: 5001 bytes, expected whole float32 frames"
    ),
    Case(
        "truncated",
        "pose",
        cut("pose_result.mm", 1000),
        r"pose_result\.mm: 1000 bytes, expected whole samples",
    ),
    Case("truncated", "indices", cut("indices.npy", 150), r"indices\.npy: cannot be read as \.npy"),
    Case("truncated", "angles", cut("angles.pkl", 900), r"angles\.pkl: cannot be read as a pickled", ANGLES),
    Case("empty", "movie", cut("2p_dff.mm", 0), r"2p_dff\.mm: 0 bytes"),
    Case("empty", "pose", cut("pose_result.mm", 0), r"pose_result\.mm: 0 bytes"),
    Case("empty", "labels", cut("labels.npy", 0), r"labels\.npy: cannot be read as \.npy"),
    Case(
        "not such a file", "text for indices", put("indices.npy", b"0\n1\n"), r"indices\.npy: cannot be read"
    ),
    Case(
        "not such a file",
        "folder for indices",
        folder_for_file,
        r"indices\.npy: is not a file, expected a file",
    ),
    Case("wrong type", "words for indices", saved("indices.npy", np.array(["a"] * SAMPLES)), r"<U1 of shape"),
    Case(
        "wrong type",
        "complex labels",
        saved("labels.npy", np.zeros(SAMPLES, complex)),
        r"labels\.npy: complex128 of shape",
    ),
    Case(
        "wrong type",
        "halves of frames",
        saved("indices.npy", INDICES + 0.5),
        r"0\.5 at entry 0, expected whole",
    ),
    Case("wrong type", "angles in a dictionary", pickled({"x": 1}), r"holds dict, expected a NumPy", ANGLES),
    Case("wrong type", "angles of objects", pickled(np.array([{}])), r"expected plain numbers", ANGLES),
    Case(
        "wrong shape",
        "labels of another length",
        saved("labels.npy", INDICES[1:] * 0),
        r"999 entries, expected 1000",
    ),
    Case(
        "wrong shape",
        "indices in a column",
        saved("indices.npy", INDICES[:, None]),
        r"expected a vector of whole",
    ),
    Case(
        "wrong shape",
        "41 angles",
        pickled(np.zeros((SAMPLES, 41), "f4")),
        r"expected \(samples, 42\)",
        ANGLES,
    ),
    Case("transposed", "angles", pickled(np.ones((42, SAMPLES), "f4")), r"expected \(samples, 42\)", ANGLES),
    Case(
        "NaN or infinity", "NaN in the movie", poked("2p_dff.mm", 256 * 21, np.nan), r"infinity in frame 21,"
    ),
    Case("NaN or infinity", "infinity in the movie", poked("2p_dff.mm", 9, np.inf), r"infinity in frame 0,"),
    Case(
        "NaN or infinity",
        "NaN in the pose",
        poked("pose_result.mm", 76 * 33, np.nan),
        r"infinity in sample 33",
    ),
    Case("NaN or infinity", "NaN index", saved("indices.npy", np.full(SAMPLES, np.nan)), r"nan at entry 0"),
    Case("constant", "movie", poked("2p_dff.mm", slice(None), 1), r"neural activity is 1 everywhere"),
    Case("constant", "dark movie", poked("2p_dff.mm", slice(None), 0), r"neural activity is 0 everywhere"),
    Case("constant", "pose", poked("pose_result.mm", slice(None), 2), r"behaviour is 2 everywhere"),
    Case("huge values", "movie", poked("2p_dff.mm", 300, 1e30), r"activity reaches 1e\+30, expected at most"),
    Case(
        "huge values",
        "pose",
        poked("pose_result.mm", 76, -1e20),
        r"behaviour reaches 1e\+20, expected at most",
    ),
    Case(
        "huge values",
        "too large for float16",
        poked("2p_dff.mm", slice(None, None, 2), 1e6),
        r"float16 cannot hold 1e\+06",
        {"convert": {"dtype": "float16"}},
    ),
    Case(
        "wrong unit",
        "rate in kHz",
        nothing,
        r"neural_index assigns sample .* are the sampling rates right",
        {"convert": {"reader_options": {"neural_rate": 0.016}}},
    ),
    Case(
        "wrong unit",
        "rates swapped",
        nothing,
        r"neural_index assigns sample .* are the sampling rates right",
        {"convert": {"reader_options": {"neural_rate": 100, "behavior_rate": 16}}},
    ),
    Case("clock", "backwards", saved("indices.npy", INDICES[::-1]), r"expected non-decreasing frames"),
    Case("clock", "before the movie", saved("indices.npy", INDICES - 1), r"frame -1 at entry 0"),
    Case(
        "clock",
        "index runs at half the speed",
        saved("indices.npy", INDICES // 2 + 80 * (np.arange(SAMPLES) > 998)),
        r"neural_index assigns sample",
    ),
    Case(
        "index out of range",
        "beyond the movie",
        saved("indices.npy", INDICES + 1),
        r"frame 160 lies outside the 160 frames",
    ),
    Case(
        "index out of range", "a million", saved("indices.npy", INDICES * 10**6), r"expected about 159000001"
    ),
    Case(
        "index out of range", "2**62", saved("indices.npy", INDICES + 2**62), r"expected about|lies outside"
    ),
    Case("labels", "unknown class", saved("labels.npy", INDICES * 0 + 8), r"label 8 at entry 0, expected -1"),
    Case("labels", "below unlabelled", saved("labels.npy", INDICES * 0 - 2), r"label -2 at entry 0"),
    Case(
        "labels",
        "more than the configured classes",
        nothing,
        r"label 2 at entry 2, .* or 0 to 1",
        {"convert": {"class_names": ["a", "b"]}},
    ),
    Case("link", "to nothing", dangling, r"2p_dff\.mm: No such file", status=1),
    Case(
        "lying header",
        "indices of a terabyte",
        put(
            "indices.npy",
            np.lib.format.magic(1, 0)
            + b"\x76\x00"
            + b"{'descr': '<i8', 'fortran_order': False, 'shape': (137438953472,), }".ljust(117)
            + b"\n",
        ),
        r"indices\.npy: cannot be read as \.npy",
    ),
    Case(
        "out of range", "resize", nothing, r"convert\.resize: 5 for images of 16", {"convert": {"resize": 5}}
    ),
    Case(
        "out of range",
        "percentiles in the wrong order",
        nothing,
        r"convert\.scale: low 90 and high 10",
        {"convert": {"scale": {"low": 90, "high": 10}}},
    ),
    Case(
        "out of range",
        "side",
        nothing,
        r"reader_options\.side: 0, expected: greater than or equal to 1",
        {"convert": {"reader_options": {"side": 0}}},
    ),
    Case(
        "unknown key",
        "reader option",
        nothing,
        r"reader_options\.sid: unknown key",
        {"convert": {"reader_options": {"sid": 16}}},
    ),
)
