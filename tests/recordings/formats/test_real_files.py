"""Every format on a real file that nobody here wrote."""

from __future__ import annotations

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.recordings.formats import load_format, thorsync

pytestmark = pytest.mark.real_data

WORM = "nwb/ScholzEtAl2018.AML175_moving.BrainScanner20180223_141721.nwb"
HUMAN = "nwb/sub-4_ses-4_ecephys+image.nwb"
DF3D = "fly_pose/DeepFly3D/"
SEQIKPY = "fly_pose/seqikpy/"
UTILS2P = "two_photon/utils2p/data/"


def give(name: str, role: str, path, class_names=None, **options):
    """What a format reads from ``path``."""
    module = load_format(name, role, "test")
    parsed = module.Options.parse(options, "test")
    if role == "labels":
        return module.labels(path, parsed, class_names)
    return getattr(module, role)(path, parsed)


def test_nwb_worm(real_recordings):
    path = real_recordings(WORM)
    neural = give("nwb", "neural", path, series=["Activity_*"])
    assert neural.data.shape == (2244, 62)
    assert neural.names[0] == "Activity_0000"
    # Six volumes a second, with a real gap of 41 s.
    steps = np.diff(neural.time)
    assert np.median(steps) == pytest.approx(0.166, abs=1e-3)
    assert steps.max() == pytest.approx(41.165)
    behavior = give("nwb", "behavior", path, series=["ss_2D"])
    assert behavior.data.shape == (2244, 2)
    np.testing.assert_array_equal(behavior.time, neural.time)
    with pytest.raises(InputError, match="0 neural series, expected one"):
        give("nwb", "neural", path)


def test_nwb_human_units_and_trials(real_recordings):
    path = real_recordings(HUMAN)
    neural = give("nwb", "neural", path, bin=0.5)
    assert neural.data.shape[1] == 35
    # Every spike is counted once.
    assert neural.data.sum(dtype=np.float64) * 0.5 == pytest.approx(214278)
    labels = give("nwb", "labels", path, intervals="encoding_table", column="stimCategory")
    assert labels.names == ("0", "1", "2")
    assert labels.intervals.shape == (90, 2)
    with pytest.raises(InputError, match="no intervals 'trials', found encoding_table"):
        give("nwb", "labels", path)


def test_suite2p(real_recordings):
    path = real_recordings("suite2p")
    neural = give("suite2p", "neural", path, signal="F")
    cells = np.load(path / "iscell.npy")[:, 0] == 1
    np.testing.assert_array_equal(neural.data, np.load(path / "F.npy")[cells].T)
    assert give("suite2p", "neural", path, signal="F", cells=False).data.shape == (2000, 219)
    with pytest.raises(InputError, match=r"Fneu\.npy: no such file.*signal: F needs no neuropil"):
        give("suite2p", "neural", path)


def test_tiff(real_recordings):
    folder = real_recordings("two_photon/fly_vnc/motion_compensation/data/1_Horizontal_VNC")
    neural = give("tiff", "neural", folder / "GC6s.tif", rate=2.0)
    assert neural.data.shape == (10, 256, 256)
    assert float(neural.data.min()) >= 0
    with pytest.raises(InputError, match="10 pages in 1 files, expected whole frames of 3 pages"):
        give("tiff", "neural", folder / "GC6s.tif", planes=3)


def test_thorimage_raw_and_compressed_tiff(real_recordings):
    raw = real_recordings(f"{UTILS2P}mouse_kidney_raw/2p/Untitled_001")
    neural = give("thorimage", "neural", raw, channel="B")
    assert (neural.data.shape, neural.rate) == ((5, 256, 256), pytest.approx(1.426))
    pixels = np.fromfile(raw / "Image_0001_0001.raw", "<u2").reshape(5, 2, 256, 256)
    np.testing.assert_array_equal(neural.data, pixels[:, 1])
    # A z stack of LZW-compressed files, of which the source keeps its own array.
    folder = real_recordings(f"{UTILS2P}mouse_kidney_time_series_z_stack")
    planes = np.load(folder / "z_stack.npy")
    stack = [np.asarray(give("thorimage", "neural", folder, plane=plane).data) for plane in range(3)]
    np.testing.assert_array_equal(np.stack(stack, 1), planes[0])
    mean = np.asarray(give("thorimage", "neural", folder).data)
    np.testing.assert_allclose(mean, np.mean(stack, 0), rtol=1e-6)
    with pytest.raises(InputError, match="channel 'C', expected a recorded one: A, B"):
        give("thorimage", "neural", folder, channel="C")


def test_thorsync(real_recordings):
    path = real_recordings(f"{UTILS2P}mouse_kidney_z_stack/Episode001.h5")
    # The settings of this file were not kept; those of its neighbour say 30 kHz.
    times = thorsync.edge_times(path, "Frame Counter", rate=30_000)
    assert len(times) == 30
    np.testing.assert_allclose(np.diff(times)[:5], 1 / 60.087, rtol=2e-3)
    assert len(thorsync.edge_times(path, "Frame Counter", 30_000, every=10)) == 3
    assert len(thorsync.edge_times(path, "Capture On", 30_000)) == 3
    with pytest.raises(InputError, match=r"no line 'Basler', found .*Cameras"):
        thorsync.edge_times(path, "Basler", 30_000)
    with pytest.raises(InputError, match="'Cameras' never rises"):
        thorsync.edge_times(path, "Cameras", 30_000)
    with pytest.raises(InputError, match=r"ThorRealTimeDataSettings\.xml: no such file"):
        thorsync.edge_times(path, "Frame Counter")


@pytest.mark.parametrize(
    ("file", "shape", "first"),
    [
        (f"{DF3D}data/df3d_result.pkl", (15, 38, 3), "LF_ThC"),
        (f"{DF3D}data/test/pose_result__home_julien_src_deepfly_data_test.pkl", (15, 38, 3), "LF_ThC"),
        (f"{DF3D}tests/data/reference_df3d/df3d_result.pkl", (15, 38, 3), "LF_ThC"),
        (
            f"{SEQIKPY}df3d_pose_result__210902_PR_Fly1/pose_result__210902_PR_Fly1_aligned.pkl",
            (1000, 30, 3),
            "RF_leg_Coxa",
        ),
        (f"{SEQIKPY}df3d_pose_result__210902_PR_Fly1/pose3d_aligned.pkl", (100, 30, 3), "RF_leg_0"),
        (f"{SEQIKPY}anipose_220525_aJO_Fly001_001/pose-3d/pose3d_aligned.pkl", (6000, 15, 3), "R_head_0"),
        (
            f"{SEQIKPY}anipose_220525_aJO_Fly001_001/pose-3d/leg_joint_angles.pkl",
            (6000, 14),
            "Angle_RF_ThC_yaw",
        ),
        ("fly_pose/df3dPostProcessing/ft_3d_array.pkl", (86, 30, 3), "keypoint_0"),
    ],
)
def test_poses_of_flies(real_recordings, file, shape, first):
    behavior = give("deepfly3d", "behavior", real_recordings(file))
    assert behavior.data.shape == shape
    assert behavior.names[0] == first
    assert np.isfinite(behavior.data).all()


def test_two_dimensional_result(real_recordings):
    path = real_recordings(f"{DF3D}tests/data/reference_df3d/df3d_result_2d.pkl")
    with pytest.raises(InputError, match=r"has no points3d, found .*points2d.*points: points2d"):
        give("deepfly3d", "behavior", path)
    assert give("deepfly3d", "behavior", path, points="points2d", camera=1).data.shape == (15, 38, 2)


def test_labels_with_two_positives(real_recordings):
    path = real_recordings("fly_labels/210830_Fly1_003_labels.csv")
    with pytest.raises(
        InputError, match=r"row 2666 has the classes eye_grooming and antennal_grooming \(10 such"
    ):
        give("frame_labels", "labels", path)
    labels = give("frame_labels", "labels", path, conflicts="unlabelled")
    assert labels.numbers.shape == (54000,)
    assert labels.numbers[2666] == -1
    assert np.bincount(labels.numbers + 1)[1 + labels.names.index("walking")] == 668


def test_annotations_in_a_long_table(real_recordings):
    path = real_recordings("fly_labels/annotations.csv.gz")
    labels = give(
        "frame_labels", "labels", path, column="Behaviour", frame="Frame",
        where={"Date": 200901, "Genotype": "G23xU1", "Fly": 1, "Trial": 1},
    )  # fmt: skip
    assert labels.names == ("resting", "walking")
    assert (labels.numbers == -1).sum() == 1486


def test_headerless_movie(real_recordings):
    path = real_recordings("two_photon/thunder_mouse/images_concat_00000-00499.i16")
    neural = give("arrays", "neural", path, dtype="<i2", shape=[500, 64, 64], rate=15.0)
    assert neural.data.shape == (500, 64, 64)
    # The trap of this movie: pixels that never change.
    assert int((np.asarray(neural.data).std(0) == 0).sum()) == 66
    with pytest.raises(InputError, match="4096000 bytes, expected 4087808"):
        give("arrays", "neural", path, dtype="<i2", shape=[499, 64, 64])
