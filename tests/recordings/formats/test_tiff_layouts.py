"""Pages of a TIFF as ScanImage, ImageJ and OME note them: channels, planes, flyback, order and rate."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from neural_action.errors import InputError
from neural_action.recordings.formats import module_of

tiff = module_of("tiff")
FRAMES = 6


def movie(frames=FRAMES, planes=1, channels=1, seed=0):
    """(frame, plane, channel, 4, 5) uint16, each image known by its numbers."""
    values = np.random.default_rng(seed).integers(0, 9, (frames, planes, channels, 4, 5))
    number = np.arange(frames * planes * channels).reshape(frames, planes, channels, 1, 1)
    return (values + 10 * number).astype(np.uint16)


def pages(path, images, software=None, description=None):
    """One page an image, with the text that a program writes."""
    with tifffile.TiffWriter(path) as file:
        for at, image in enumerate(images.reshape(-1, *images.shape[-2:])):
            text = description(at) if callable(description) else description
            file.write(image, contiguous=False, software=software, description=text, metadata=None)
    return path


def read(path, **options):
    return tiff.neural(path, tiff.Options.parse(options, "test"))


def scanimage(**notes):
    return "\n".join(f"SI.{key.replace('__', '.')} = {value}" for key, value in notes.items())


PLANAR = {"hStackManager__enable": "false", "hStackManager__numSlices": 5, "hRoiManager__scanFrameRate": 30}
VOLUME = {
    "hChannels__channelSave": "[1;3]",
    "hStackManager__enable": "true",
    "hStackManager__numSlices": 3,
    "hStackManager__framesPerSlice": 1,
    "hRoiManager__scanFrameRate": 30,
    "hRoiManager__scanVolumeRate": 6,
}


def test_scanimage_channels(tmp_path):
    images = movie(channels=2)
    path = pages(tmp_path / "a.tif", images, scanimage(hChannels__channelSave="[1 2]", **PLANAR))
    neural = read(path)
    np.testing.assert_array_equal(neural.data, images[:, 0, 0])
    assert neural.rate == 30
    assert neural.source == "pages by ScanImage, channel 1 of 1, 2 (another: neural.options.channel, from 0)"
    np.testing.assert_array_equal(read(path, channel=1).data, images[:, 0, 1])
    with pytest.raises(InputError, match="channel 2 and plane None, expected below 2 and 1"):
        read(path, channel=2)
    # One channel, and frames that were averaged before they were saved.
    averaged = {**PLANAR, "hChannels__channelSave": 1, "hScan2D__logAverageFactor": 10}
    single = read(pages(tmp_path / "b.tif", movie(), scanimage(**averaged)))
    assert (len(single.data), single.rate) == (FRAMES, 3)


@pytest.mark.parametrize(
    "notes",
    [
        {**VOLUME, "hStackManager__numFramesPerVolume": 3, "hStackManager__numFramesPerVolumeWithFlyback": 5},
        {
            **VOLUME,
            "hStackManager__enable": "false",
            "hFastZ__enable": "true",
            "hFastZ__numDiscardFlybackFrames": 2,
            "hFastZ__discardFlybackFrames": "true",
        },
    ],
)
def test_scanimage_volumes_with_flyback_and_a_last_one_that_was_cut_off(tmp_path, notes):
    images = movie(planes=5, channels=2)
    flat = images.reshape(-1, 4, 5)[:-3]
    neural = read(pages(tmp_path / "a.tif", flat, scanimage(**notes)))
    np.testing.assert_allclose(neural.data, images[:-1, :3, 0].mean(1), rtol=1e-6)
    assert neural.rate == 6
    assert "mean of 3 planes, 2 flyback frames a volume left out, 7 pages at the end" in neural.source
    plane = read(tmp_path / "a.tif", plane=2, channel=1)
    np.testing.assert_array_equal(plane.data, images[:-1, 2, 1])


def test_scanimage_takes_several_frames_of_a_plane(tmp_path):
    images = movie(planes=6)
    notes = {**VOLUME, "hChannels__channelSave": 1, "hStackManager__framesPerSlice": 2}
    neural = read(pages(tmp_path / "a.tif", images, scanimage(**notes)), plane=1)
    np.testing.assert_allclose(neural.data, images[:, 2:4, 0].mean(1), rtol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "scanimage.SI.hChannels.channelSave = [1;2]\nscanimage.SI.hRoiManager.scanFrameRate = 4",
        "scanimage.SI5.channelsSave = [1;2]\nscanimage.SI5.scanFrameRate = 4",
        "scanimage.SI4.channelsSave = [1;2]\nscanimage.SI4.scanFrameRate = 4",
        "state.acq.numberOfChannelsSave=2\rstate.acq.frameRate=4\rstate.acq.numberOfZSlices=1\r",
    ],
)
def test_older_scanimage_notes_it_in_the_description(tmp_path, text):
    images = movie(channels=2)
    neural = read(pages(tmp_path / "a.tif", images, description=text))
    np.testing.assert_array_equal(neural.data, images[:, 0, 0])
    assert neural.rate == 4


def test_imagej_hyperstack(tmp_path):
    images = movie(planes=3, channels=2)
    metadata = {"axes": "TZCYX", "finterval": 0.5}
    tifffile.imwrite(tmp_path / "a.tif", images, imagej=True, metadata=metadata)
    neural = read(tmp_path / "a.tif", channel=1)
    np.testing.assert_allclose(neural.data, images[:, :, 1].mean(1), rtol=1e-6)
    assert neural.rate == 2


def test_a_stack_of_imagej_whose_slices_are_the_frames(tmp_path):
    images = movie()
    tifffile.imwrite(tmp_path / "a.tif", images[:, 0, 0], imagej=True, metadata={"axes": "ZYX"})
    neural = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(neural.data, images[:, 0, 0])
    assert neural.source == "pages by ImageJ, one volume, its planes are the frames"
    assert neural.rate is None


@pytest.mark.parametrize("order", ["<", ">"])
def test_imagej_above_4_gb_has_one_directory(tmp_path, order):
    images = movie(channels=2)
    text = "ImageJ=1.54f\nimages=12\nchannels=2\nframes=6\nhyperstack=true\nfinterval=0.25\n"
    path = tmp_path / "a.tif"
    data = images.astype(f"{order}u2")
    tifffile.imwrite(
        path, data[0, 0, 0], byteorder=order, description=text, metadata=None, photometric="minisblack"
    )
    with tifffile.TiffFile(path) as file:
        first = file.pages[0].dataoffsets[0]
    content = path.read_bytes()[:first]
    path.write_bytes(content + data.tobytes())
    assert tiff.recognise(path) == "a TIFF of 12 pages"
    neural = read(path)
    np.testing.assert_array_equal(neural.data, images[:, 0, 0])
    assert neural.rate == 4
    path.write_bytes(content + data.tobytes()[:-1])
    with pytest.raises(InputError, match="holds 11 images of 40 bytes, expected 12 uncompressed ones"):
        read(path)


@pytest.mark.parametrize("order", ["XYCZT", "XYZCT", "XYTZC"])
def test_ome_in_any_order_of_its_dimensions(tmp_path, order):
    images = movie(planes=3, channels=2)
    axes = {"T": 0, "Z": 1, "C": 2}
    laid = images.transpose([axes[axis] for axis in order[:1:-1]] + [3, 4])
    text = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image><Pixels '
        f'DimensionOrder="{order}" SizeC="2" SizeZ="3" SizeT="6" SizeX="5" SizeY="4" Type="uint16" '
        'TimeIncrement="250" TimeIncrementUnit="ms"><Channel ID="C:0" Name="GCaMP"/><Channel ID="C:1" Name="red"/>'
        "<TiffData/></Pixels></Image></OME>"
    )
    path = pages(tmp_path / "a.ome.tif", laid, description=lambda at: text if at == 0 else None)
    neural = read(path)
    np.testing.assert_allclose(neural.data, images[:, :, 0].mean(1), rtol=1e-6)
    assert neural.rate == 4
    assert "channel GCaMP of GCaMP, red" in neural.source


def test_the_rate_of_ome_by_when_planes_were_taken(tmp_path):
    planes = "".join(f'<Plane TheT="{at}" TheZ="0" TheC="0" DeltaT="{0.2 * at}"/>' for at in range(FRAMES))
    text = f'<OME><Image><Pixels DimensionOrder="XYCZT" SizeC="1" SizeZ="1" SizeT="6">{planes}</Pixels></Image></OME>'
    path = pages(tmp_path / "a.ome.tif", movie(), description=lambda at: text if at == 0 else None)
    assert read(path).rate == pytest.approx(5)


def test_what_is_given_comes_before_what_is_noted(tmp_path):
    images = movie(channels=2)
    path = pages(tmp_path / "a.tif", images, scanimage(hChannels__channelSave="[1 2]", **PLANAR))
    flat = read(path, channels=1, rate=60.0)
    np.testing.assert_array_equal(flat.data, images.reshape(-1, 4, 5))
    assert flat.rate == 60
    with pytest.raises(InputError, match="12 pages in 1 files, expected whole frames of 10 pages"):
        read(path, channels=1, planes=10)


def test_an_image_a_file_of_several_channels_is_refused(tmp_path):
    text = '<OME><Image><Pixels DimensionOrder="XYCZT" SizeC="2" SizeZ="1" SizeT="3"/></Image></OME>'
    for at, image in enumerate(movie(3, channels=2).reshape(-1, 4, 5)):
        pages(tmp_path / f"run_Ch{at % 2 + 1}_{at // 2}.ome.tif", image, description=text)
    with pytest.raises(
        InputError,
        match="one file for each image, 2 channels and 1 planes; expected a pattern of one channel",
    ):
        read(tmp_path)
    one = read(tmp_path, pattern="run_Ch2_*.tif", channels=1, planes=1, flyback=0)
    np.testing.assert_array_equal(one.data, movie(3, channels=2)[:, 0, 1])


def test_a_volume_may_go_on_in_the_next_file(tmp_path):
    images = movie(channels=2)
    flat = images.reshape(-1, 4, 5)
    for at, (start, stop) in enumerate(((0, 5), (5, 12))):
        pages(tmp_path / f"s_{at}.tif", flat[start:stop], scanimage(hChannels__channelSave="[1 2]", **PLANAR))
    neural = read(tmp_path, pattern="s_*.tif")
    np.testing.assert_array_equal(neural.data, images[:, 0, 0])
    assert "2 files end to end" in neural.source
