"""A small good recording of every reader, and through the reader ``paired`` of every format."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
from scipy.io import savemat

import broken_fly_walking
import broken_mc2p
import broken_monkey_reach
import broken_rodent_sleep
import broken_worm
from behavior_files import deeplabcut_hdf5, events, sleap_project
from broken import convert

FRAMES, SAMPLES = 60, 150
RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Good:
    """A recording below ``folder/raw``.

    Attributes:
        make: writes it into a folder.
        files: those that are damaged, below ``raw``.
        reader: that reads it.
        path: of the recording, as in the samples table.
        options: of the reader.
        convert: more of the section ``convert``.
    """

    make: Callable[[Path], Any]
    files: tuple[str, ...]
    reader: str = "paired"
    path: str = "m1"
    options: dict[str, Any] = field(default_factory=dict)
    convert: dict[str, Any] = field(default_factory=dict)

    def arguments(self, folder: Path) -> list[str]:
        """The command that converts it."""
        section = {"reader_options": self.options, **self.convert}
        return convert(folder, self.path, self.reader, {"convert": section})


def trial(write: Callable[[Path], Any]) -> Callable[[Path], None]:
    """Writes the files of a format beside traces and speeds as arrays, one of which is its partner."""

    def make(folder: Path) -> None:
        at = folder / "raw/m1"
        at.mkdir(parents=True)
        np.save(at / "traces.npy", RNG.random((FRAMES, 3)))
        np.save(at / "speed.npy", np.cumsum(RNG.standard_normal((SAMPLES, 2)), 0))
        write(at)

    return make


NEURAL = {"format": "arrays", "path": "{path}/traces.npy", "clock": {"rate": 10.0}}
BEHAVIOR = {"format": "arrays", "path": "{path}/speed.npy", "clock": {"rate": 25.0}}
RATES = {"neural": {"rate": 10.0}, "behavior": {"rate": 25.0}}


def of(role: str, kind: str, path: str, own_clock: bool = False, **options: Any) -> dict[str, Any]:
    """Reader options with that format in one role; with another clock than a rate, if the file has one."""
    part: dict[str, Any] = {"format": kind, "path": path, "options": options}
    if role != "labels" and not own_clock:
        part["clock"] = RATES[role]
    return {"recordings": "*", "neural": NEURAL, "behavior": BEHAVIOR, role: part}


def pictures(raw: Path) -> None:
    raw.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for part, count in (("train", 12), ("test", 6)):
        arrays[f"x_{part}"] = RNG.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
        arrays[f"y_{part}"] = np.arange(count) % 3
    np.savez(raw / "set.npz", **arrays)


def suite2p(at: Path) -> None:
    (at / "plane0").mkdir()
    for name in ("F", "Fneu"):
        np.save(at / f"plane0/{name}.npy", RNG.random((4, FRAMES), dtype=np.float32))
    np.save(at / "plane0/iscell.npy", np.array([[1, 0.9], [0, 0.2], [1, 0.8], [1, 0.7]]))
    np.save(at / "plane0/ops.npy", np.array({"fs": 10.0, "Ly": 4}, object), allow_pickle=True)


def suite2p_planes(at: Path) -> None:
    """Two planes as suite2p 1.0 writes them."""
    for plane in (0, 1):
        folder = at / f"suite2p/plane{plane}"
        folder.mkdir(parents=True)
        for name in ("F", "Fneu"):
            np.save(folder / f"{name}.npy", RNG.random((2, FRAMES), dtype=np.float32))
        np.save(folder / "iscell.npy", np.array([[1, 0.9], [plane, 0.2]]))
        settings = {"fs": 10.0, "extraction": {"neuropil_coefficient": 0.7}}
        np.save(folder / "settings.npy", np.array(settings, object), allow_pickle=True)


def scanimage(at: Path) -> None:
    """Two channels of ScanImage, the last frame cut off."""
    text = (
        "SI.hChannels.channelSave = [1;2]\nSI.hStackManager.enable = false\nSI.hRoiManager.scanFrameRate = 10"
    )
    with tifffile.TiffWriter(at / "scan.tif") as file:
        for image in RNG.integers(0, 99, (2 * FRAMES - 1, 4, 4)).astype(np.uint16):
            file.write(image, contiguous=False, software=text, metadata=None)


def imagej(at: Path) -> None:
    """All images behind one directory, as ImageJ writes above 4 GB."""
    images = RNG.integers(0, 99, (FRAMES, 4, 4)).astype(np.uint16)
    text = f"ImageJ=1.54f\nimages={FRAMES}\nframes={FRAMES}\nfinterval=0.1\n"
    path = at / "stack.tif"
    tifffile.imwrite(path, images[0], description=text, metadata=None, photometric="minisblack")
    with path.open("ab") as file:
        file.write(images[1:].tobytes())


def caiman(at: Path) -> None:
    with h5py.File(at / "fit.hdf5", "w") as file:
        for name in ("C", "F_dff", "YrA"):
            file[f"estimates/{name}"] = RNG.random((4, FRAMES))
        file["estimates/idx_components"] = np.array([0, 2])
        file["params/data/fr"] = 10.0


def sleap(at: Path) -> None:
    with h5py.File(at / "a.h5", "w") as file:
        file["tracks"] = RNG.random((1, 2, 3, SAMPLES))
        file["point_scores"] = RNG.random((1, 3, SAMPLES))
        file["node_names"] = np.array([b"head", b"body", b"tail"])
        file["track_names"] = np.array([b"a"])


def nwb(at: Path) -> None:
    from ndx_pose import PoseEstimation, PoseEstimationSeries
    from pynwb import NWBHDF5IO, TimeSeries
    from pynwb.testing.mock.file import mock_NWBFile
    from pynwb.testing.mock.ophys import mock_DfOverF, mock_PlaneSegmentation, mock_RoiResponseSeries

    file = mock_NWBFile()
    rois = mock_PlaneSegmentation(n_rois=3, nwbfile=file)
    series = mock_RoiResponseSeries(
        name="traces", data=RNG.random((FRAMES, 3)), rate=10.0, n_rois=3, plane_segmentation=rois
    )
    mock_DfOverF(name="dff", roi_response_series=[series], nwbfile=file)
    time = np.arange(SAMPLES) / 25
    points = [
        PoseEstimationSeries(
            name=name,
            description="d",
            data=RNG.random((SAMPLES, 2)),
            unit="pixels",
            reference_frame="r",
            timestamps=time,
            confidence=RNG.random(SAMPLES),
        )
        for name in ("nose", "tail")
    ]
    module = file.create_processing_module("behavior", "b")
    module.add(PoseEstimation(name="pose", pose_estimation_series=points, description="d"))
    file.add_acquisition(
        TimeSeries(name="speed", data=RNG.random((SAMPLES, 2)), unit="mm/s", timestamps=time)
    )
    for train in (RNG.random(90), RNG.random(50)):
        file.add_unit(spike_times=np.sort(train) * 6)
    file.add_trial_column("action", "what it did")
    for start, action in ((0.0, "walk"), (3.0, "rest")):
        file.add_trial(start_time=start, stop_time=start + 2, action=action)
    with NWBHDF5IO(at / "m1.nwb", "w") as io:
        io.write(file)


def thor(at: Path) -> None:
    (at / "Experiment.xml").write_text(
        '<ThorImageExperiment>\n<LSM pixelX="4" pixelY="3" frameRate="30" averageMode="0" averageNum="1"/>\n'
        '<ZStage enable="1" steps="2"/>\n<Streaming enable="1" zFastEnable="1" flybackFrames="1" frames="180"/>\n'
        '<Wavelengths><Wavelength name="ChanA"/></Wavelengths>\n<Timelapse timepoints="60"/>\n</ThorImageExperiment>\n'
    )
    RNG.integers(0, 4000, (FRAMES, 3, 1, 3, 4)).astype("<u2").tofile(at / "Image_001_001.raw")
    (at / "ThorRealTimeDataSettings.xml").write_text(
        '<RealTimeDataSettings>\n<DaqDevices>\n<AcquireBoard active="1">\n'
        '<SampleRate enable="1" rate="1000"/>\n</AcquireBoard>\n</DaqDevices>\n</RealTimeDataSettings>\n'
    )
    with h5py.File(at / "Episode001.h5", "w") as file:
        line = np.zeros(6100, np.uint32)
        for frame in range(FRAMES):
            line[frame * 100 + 20 : frame * 100 + 60] = 2
        file["DI/Frame Out"] = line[:, None]
        counter = np.zeros(6100, np.uint32)
        counter[10:] = np.arange(6090) // 100 + 1
        file["CI/Frame Counter"] = counter[:, None]


def deepfly3d(at: Path) -> None:
    result = {"points3d": RNG.random((SAMPLES, 38, 3)), "points2d": RNG.random((2, SAMPLES, 38, 2))}
    (at / "pose_result.pkl").write_bytes(pickle.dumps(result))
    leg = {
        "Coxa": {"raw_pos_aligned": RNG.random((SAMPLES, 3))},
        "Femur": {"raw_pos_aligned": RNG.random((SAMPLES, 3))},
    }
    (at / "aligned_pose.pkl").write_bytes(pickle.dumps({"LF_leg": leg, "RF_leg": leg}))


def deeplabcut(at: Path) -> None:
    heads = ["scorer" + ",DLC" * 6, "bodyparts,a,a,a,b,b,b", "coords" + ",x,y,likelihood" * 2]
    rows = [f"{row}," + ",".join(f"{value:.4f}" for value in RNG.random(6)) for row in range(SAMPLES)]
    (at / "videoDLC.csv").write_text("\n".join(heads + rows) + "\n")


def anipose(at: Path) -> None:
    names = [f"{name}_{what}" for name in ("L1A", "L1B") for what in ("x", "y", "z", "error", "score")]
    rows = [
        ",".join(f"{value:.4f}" for value in RNG.random(len(names))) + f",{row}" for row in range(SAMPLES)
    ]
    (at / "pose-3d.csv").write_text("\n".join([",".join([*names, "fnum"]), *rows]) + "\n")


def raw_reaches(folder: Path) -> None:
    """Three reaches of half a second, two units, a hand that is sampled every 10 ms."""
    (folder / "raw").mkdir()
    table = np.zeros((3, 14))
    table[:, 1], table[:, 9], table[:, 12] = (0, 3, 5), (2, 4, 6), (2.5, 4.5, 6.5)
    clock = np.arange(0, 8, 0.01)
    hand = np.column_stack([clock, 20 + RNG.random(len(clock)), RNG.random(len(clock))])
    units = np.array([{"ts": np.sort(8 * RNG.random(40))} for _ in range(2)], dtype=object)
    savemat(folder / "raw/full-m.mat", {"trial_table": table, "out_struct": {"units": units, "vel": hand}})


def labels(at: Path) -> None:
    actions = ["walk" if row % 40 < 20 else "rest" for row in range(SAMPLES)]
    rows = [f"{row},{action}" for row, action in enumerate(actions)]
    (at / "labels.csv").write_text("\n".join(["frame,action", *rows]) + "\n")
    rows = [f"{row % 2},{1 - row % 2}" for row in range(SAMPLES)]
    (at / "one_hot.csv").write_text("\n".join(["walk,rest", *rows]) + "\n")


def arrays(at: Path) -> None:
    np.savez(at / "neural.npz", dff=RNG.random((3, FRAMES)), clock=np.arange(FRAMES) * 100.0)
    rows = [f"{row / 25},{row % 7},{row % 5}" for row in range(SAMPLES)]
    (at / "pose.csv").write_text("\n".join(["t,x,y", *rows]) + "\n")
    np.save(at / "actions.npy", np.arange(SAMPLES) // 25 % 3)
    np.save(at / "index.npy", np.arange(SAMPLES) * 2 // 5)
    (at / "session.yaml").write_text(
        "neural: {file: neural.npz, key: dff, axes: unit frame, time: clock, time_unit: 0.001, unit: dF/F}\n"
        "behavior: {file: pose.csv, time: t, unit: mm}\n"
        "labels: {file: actions.npy}\n"
    )


def traced(folder: Path) -> None:
    """A trial of the release's layout with traces in place of the movie."""
    broken_mc2p.make(folder)
    (folder / "raw" / broken_mc2p.TRIAL / "2p_dff.mm").unlink()
    np.save(folder / "raw" / broken_mc2p.TRIAL / "traces.npy", 1 + RNG.random((broken_mc2p.FRAMES, 5)))


DESCRIBED = {"format": "arrays", "path": "{path}/session.yaml"}
SYNC = {"sync": "{path}/Episode001.h5", "line": "Frame Out"}
GOOD = {
    "mc2p": Good(
        broken_mc2p.make,
        tuple(
            f"{broken_mc2p.TRIAL}/{name}"
            for name in ("2p_dff.mm", "pose_result.mm", "indices.npy", "rest.npy", "labels.npy")
        ),
        "mc2p",
        broken_mc2p.TRIAL,
        {"behavior": "pose", "drop_rest": True},
    ),
    "mc2p angles": Good(
        broken_mc2p.make,
        (f"{broken_mc2p.TRIAL}/angles.pkl",),
        "mc2p",
        broken_mc2p.TRIAL,
        {"behavior": "angles", "drop_rest": True},
    ),
    "mc2p traces": Good(traced, (f"{broken_mc2p.TRIAL}/traces.npy",), "mc2p", broken_mc2p.TRIAL),
    "fly_walking": Good(
        broken_fly_walking.make, (broken_fly_walking.FILE,), "fly_walking", broken_fly_walking.FILE
    ),
    "monkey_reach": Good(
        broken_monkey_reach.make, (broken_monkey_reach.FILE,), "monkey_reach", broken_monkey_reach.FILE
    ),
    "monkey_reach, not binned": Good(raw_reaches, ("full-m.mat",), "monkey_reach", "full-m.mat"),
    "rodent_sleep": Good(
        broken_rodent_sleep.make,
        (broken_rodent_sleep.COUNTS, broken_rodent_sleep.STATES),
        "rodent_sleep",
        broken_rodent_sleep.COUNTS,
    ),
    "worm": Good(
        broken_worm.make,
        (broken_worm.NAME, broken_worm.IDS),
        "worm",
        broken_worm.NAME,
        {"identities": broken_worm.IDS},
    ),
    "worm at another rate": Good(
        broken_worm.make,
        (broken_worm.NAME,),
        "worm",
        broken_worm.NAME,
        {"period": 0.5, "traces": "f_over_f20"},
    ),
    "arrays": Good(
        trial(arrays),
        tuple(f"m1/{name}" for name in ("neural.npz", "pose.csv", "actions.npy", "session.yaml")),
        options={"neural": DESCRIBED, "behavior": DESCRIBED, "labels": DESCRIBED},
    ),
    "arrays by index": Good(
        trial(arrays),
        ("m1/traces.npy", "m1/speed.npy", "m1/index.npy"),
        options={
            "neural": NEURAL,
            "behavior": BEHAVIOR,
            "align": {"by": "frame_index", "index": "{path}/index.npy"},
        },
    ),
    "suite2p": Good(
        trial(suite2p),
        tuple(f"m1/plane0/{name}.npy" for name in ("F", "Fneu", "iscell", "ops")),
        options=of("neural", "suite2p", "{path}/plane0", own_clock=True),
    ),
    "suite2p planes": Good(
        trial(suite2p_planes),
        tuple(f"m1/suite2p/plane1/{name}.npy" for name in ("F", "Fneu", "iscell", "settings")),
        options=of("neural", "suite2p", "{path}/suite2p", own_clock=True),
        convert={
            "neural_rate": 7.0,
            "behavior_rate": 3.0,
            "dff": {"percentile": 10.0},
            "scale": {"low": 0.5, "high": 99.5},
        },
    ),
    "scanimage": Good(
        trial(scanimage),
        ("m1/scan.tif",),
        options=of("neural", "tiff", "{path}/scan.tif", own_clock=True),
    ),
    "imagej": Good(
        trial(imagej),
        ("m1/stack.tif",),
        options=of("neural", "tiff", "{path}/stack.tif", own_clock=True),
    ),
    "caiman": Good(
        trial(caiman),
        ("m1/fit.hdf5",),
        options=of("neural", "caiman", "{path}/fit.hdf5", own_clock=True, signal="C+YrA"),
    ),
    "tiff": Good(
        trial(
            lambda at: tifffile.imwrite(
                at / "movie.tif",
                RNG.integers(0, 900, (FRAMES, 5, 6)).astype(np.uint16),
                photometric="minisblack",
            )
        ),
        ("m1/movie.tif",),
        options=of("neural", "tiff", "{path}/movie.tif"),
    ),
    "thorimage, thorsync": Good(
        trial(thor),
        tuple(
            f"m1/{name}"
            for name in (
                "Experiment.xml",
                "Image_001_001.raw",
                "Episode001.h5",
                "ThorRealTimeDataSettings.xml",
            )
        ),
        options={
            "neural": {"format": "thorimage", "path": "{path}", "clock": SYNC},
            "behavior": BEHAVIOR,
        },
    ),
    "thorsync counter": Good(
        trial(thor),
        ("m1/Episode001.h5",),
        options={
            "neural": {
                "format": "thorimage",
                "path": "{path}",
                "clock": {**SYNC, "line": "Frame Counter", "rate": 1000.0},
            },
            "behavior": BEHAVIOR,
        },
    ),
    "deepfly3d": Good(
        trial(deepfly3d),
        ("m1/pose_result.pkl",),
        options=of("behavior", "deepfly3d", "{path}/pose_result.pkl"),
    ),
    "deepfly3d in an image": Good(
        trial(deepfly3d),
        ("m1/pose_result.pkl",),
        options=of("behavior", "deepfly3d", "{path}/pose_result.pkl", points="points2d", camera=1),
    ),
    "deepfly3d aligned": Good(
        trial(deepfly3d),
        ("m1/aligned_pose.pkl",),
        options=of("behavior", "deepfly3d", "{path}/aligned_pose.pkl"),
    ),
    "deeplabcut": Good(
        trial(deeplabcut),
        ("m1/videoDLC.csv",),
        options=of("behavior", "deeplabcut", "{path}/videoDLC.csv"),
    ),
    "deeplabcut, hdf5": Good(
        trial(deeplabcut_hdf5),
        ("m1/videoDLC.h5",),
        options=of("behavior", "deeplabcut", "{path}/videoDLC.h5"),
    ),
    "sleap project": Good(
        trial(sleap_project),
        ("m1/video.slp",),
        options=of("behavior", "sleap", "{path}/video.slp", track="b"),
    ),
    "boris": Good(trial(events), ("m1/boris.tsv",), options=of("labels", "events", "{path}/boris.tsv")),
    "elan": Good(trial(events), ("m1/elan.eaf",), options=of("labels", "events", "{path}/elan.eaf")),
    "elan, text": Good(trial(events), ("m1/elan.txt",), options=of("labels", "events", "{path}/elan.txt")),
    "labels by time": Good(
        trial(events),
        ("m1/boris_labels.csv",),
        options=of("labels", "frame_labels", "{path}/boris_labels.csv"),
    ),
    "sleap": Good(trial(sleap), ("m1/a.h5",), options=of("behavior", "sleap", "{path}/a.h5")),
    "anipose": Good(
        trial(anipose), ("m1/pose-3d.csv",), options=of("behavior", "anipose", "{path}/pose-3d.csv")
    ),
    "labels by name": Good(
        trial(labels),
        ("m1/labels.csv",),
        options=of("labels", "frame_labels", "{path}/labels.csv", column="action", frame="frame"),
    ),
    "labels, a column each": Good(
        trial(labels), ("m1/one_hot.csv",), options=of("labels", "frame_labels", "{path}/one_hot.csv")
    ),
    "nwb": Good(
        trial(nwb),
        ("m1/m1.nwb",),
        options={
            "neural": {"format": "nwb", "path": "{path}/m1.nwb", "options": {"series": ["traces"]}},
            "behavior": {
                "format": "nwb",
                "path": "{path}/m1.nwb",
                "options": {"series": ["pose"], "min_confidence": 0.01},
                "missing": {"policy": "interpolate", "longest_gap": 1.0},
            },
            "labels": {"format": "nwb", "path": "{path}/m1.nwb", "options": {"column": "action"}},
        },
    ),
    "pictures": Good(lambda folder: pictures(folder / "raw"), ("set.npz",), reader="pictures", path="train"),
    "nwb, spikes and speed": Good(
        trial(nwb),
        ("m1/m1.nwb",),
        options={
            "neural": {"format": "nwb", "path": "{path}/m1.nwb", "options": {"series": ["units"]}},
            "behavior": {"format": "nwb", "path": "{path}/m1.nwb", "options": {"series": ["speed"]}},
        },
    ),
}
