"""Layout of the pages in a TIFF, from the metadata of programs: channels, planes, flyback, frame rate.

ScanImage writes it to the tag Software (since 2016) or ImageDescription (3.8 to 5), ImageJ, OME and tifffile to
ImageDescription. Without metadata, one channel and one plane are assumed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree

import numpy as np

_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9, "min": 60.0}
_SCANIMAGE = re.compile(r"^(?:scanimage\.)?(?:SI[45]?|state)\.(\S+?)\s*=\s*(.*?)\s*$", re.MULTILINE)

#: Maximum channels of a microscope (our choice: ScanImage saves at most 4, spectral detectors have 32).
MOST_CHANNELS = 32


@dataclass(frozen=True)
class Layout:
    """Positions of the pages of a frame.

    Attributes:
        program: program that wrote the metadata; "" if there are none.
        channels: number of channels.
        slices: planes of a volume.
        repeats: frames taken of each plane before the next one.
        flyback: flyback frames at the end of a volume.
        order: order of channels, planes and time, the fastest first.
        frames: number of volumes in the metadata, or None.
        rate: volumes per second in the metadata, or None.
        names: names of the channels.
        unclear: lengths of the axes of pages, the slowest first, if the file does not say which axis is which.
        flat: whether planes or channels are read as frames, because there is only one volume.
    """

    program: str = ""
    channels: int = 1
    slices: int = 1
    repeats: int = 1
    flyback: int = 0
    order: str = "czt"
    frames: int | None = None
    rate: float | None = None
    names: tuple[str, ...] = ()
    unclear: tuple[int, ...] = ()
    flat: bool = False

    @property
    def steps(self) -> int:
        """Pages of a channel in a volume."""
        return self.slices * self.repeats + self.flyback

    @property
    def each(self) -> int:
        """Pages of a volume."""
        return self.steps * self.channels

    def pages(self, frame: np.ndarray, step: np.ndarray, channel: int, frames: int) -> np.ndarray:
        """(frame, step) index of the pages of frames and steps, in a movie of ``frames`` frames."""
        size = {"c": self.channels, "z": self.steps, "t": frames}
        at: dict[str, Any] = {"c": channel, "z": step, "t": frame[:, None]}
        return np.ravel_multi_index(
            [at[axis] for axis in self.order], [size[axis] for axis in self.order], order="F"
        )


def noted(description: str, software: str, imagej: Mapping[str, Any] | None) -> Layout:
    """The layout from the metadata of the first page.

    Args:
        description: the tag ImageDescription.
        software: the tag Software.
        imagej: parsed metadata of ImageJ, if there are any.
    """
    scanimage = dict(_SCANIMAGE.findall(software.replace("\r", "\n")))
    scanimage = scanimage or dict(_SCANIMAGE.findall(description.replace("\r", "\n")))
    if any(key.startswith(("hChannels", "hRoiManager", "channelsSave", "acq.")) for key in scanimage):
        return _scanimage(scanimage)
    if "<OME" in description:
        return _flattened(_ome(description))
    if imagej:
        return _flattened(_imagej(imagej))
    if description.startswith('{"shape"'):
        return _shaped(description)
    return Layout()


def _shaped(description: str) -> Layout:
    """The layout of arrays that tifffile saved: their shape, and their axes if the writer named them."""
    try:
        content = json.loads(description)
        shape = [int(side) for side in content["shape"]]
    except (ValueError, TypeError, KeyError):
        return Layout()
    axes = str(content.get("axes", "")).lower()
    known = len(axes) == len(shape) and axes.endswith("yx") and set(axes[:-2]) <= set("tzc")
    if not known or len(set(axes)) < len(axes):
        long = tuple(side for side in shape[:-2] if side > 1)
        return Layout(unclear=long if len(long) > 1 else ())
    sizes = dict(zip(axes[:-2], shape[:-2], strict=True))
    order = axes[-3::-1] if len(axes) > 2 else ""
    order += "".join(axis for axis in "czt" if axis not in order)
    return _flattened(
        Layout("tifffile", sizes.get("c", 1), sizes.get("z", 1), order=order, frames=sizes.get("t", 1))
    )


def frame_number(description: str) -> int | None:
    """The number of the frame in its acquisition, which ScanImage writes on every page; None without it."""
    match = re.search(r"^frameNumbers\s*=\s*(\d+)", description.replace("\r", "\n"), re.MULTILINE)
    return int(match[1]) if match else None


def _scanimage(notes: Mapping[str, str]) -> Layout:
    def number(*keys: str) -> float | None:
        for key in keys:
            try:
                return float(notes[key])
            except (KeyError, ValueError):
                continue
        return None

    def enabled(*keys: str) -> bool:
        return any(notes.get(key, "").lower() in ("true", "1") for key in keys)

    saved = re.findall(r"\d+", notes.get("hChannels.channelSave", notes.get("channelsSave", "")))
    channels = len(saved) or int(number("acq.numberOfChannelsSave") or 1)
    average = number("hScan2D.logAverageFactor") or 1
    planes = number(
        "hStackManager.actualNumSlices", "hStackManager.numSlices", "stackNumSlices", "acq.numberOfZSlices"
    )
    volumes = (
        enabled("hStackManager.enable", "hFastZ.enable", "fastZEnable") or "acq.numberOfZSlices" in notes
    )
    slices = int(planes or 1) if volumes else 1
    scans = number("hRoiManager.scanFrameRate", "scanFrameRate", "acq.frameRate")
    if slices < 2:
        return Layout("ScanImage", channels, rate=scans and scans / average, names=tuple(saved))
    taken = number("hStackManager.framesPerSlice", "acq.numberOfFrames") or 1
    # Version 3.8 averages the frames of a plane before saving if acq.averaging is on.
    averaged = enabled("acq.averaging")
    repeats = 1 if averaged or not math.isfinite(taken) else max(1, round(taken / average))
    whole, shown = (number(f"hStackManager.numFramesPerVolume{end}") for end in ("WithFlyback", ""))
    discarded = number("hFastZ.numDiscardFlybackFrames", "fastZNumDiscardFrames") or 0
    if notes.get("hFastZ.discardFlybackFrames", "true").lower() in ("false", "0"):
        discarded = 0
    flyback = int(whole - shown if whole is not None and shown is not None else discarded)
    rate = number("hRoiManager.scanVolumeRate") or (scans and scans / (slices * taken + flyback))
    return Layout("ScanImage", channels, slices, repeats, max(0, flyback), rate=rate, names=tuple(saved))


def _imagej(notes: Mapping[str, Any]) -> Layout:
    channels, slices, frames = (int(notes.get(key, 1)) for key in ("channels", "slices", "frames"))
    # For a plain stack, ImageJ always writes the number of images, but not always whether these are planes or frames.
    images = int(notes.get("images", 1))
    frames = images if channels * slices * frames == 1 else frames
    interval = notes.get("finterval")
    unit = _SECONDS.get(str(notes.get("tunit", "s")).strip().lower())
    order = str(notes.get("order", "czt")).lower()
    return Layout(
        "ImageJ",
        channels,
        slices,
        order=order if sorted(order) == sorted("czt") else "czt",
        frames=frames,
        rate=1 / (float(interval) * unit)
        if isinstance(interval, int | float) and interval > 0 and unit
        else None,
    )


def _ome(description: str) -> Layout:
    try:
        root = ElementTree.fromstring(description.strip().rstrip("\0"))
    except ElementTree.ParseError:
        return Layout()
    pixels = next((node for node in root.iter() if node.tag.rsplit("}", 1)[-1] == "Pixels"), None)
    if pixels is None:
        return Layout()
    given = pixels.attrib
    try:
        channels, slices, frames = (int(given.get(f"Size{axis}", 1)) for axis in "CZT")
    except ValueError:
        return Layout()
    children = [(node.tag.rsplit("}", 1)[-1], node.attrib) for node in pixels]
    names = tuple(one.get("Name", "") for tag, one in children if tag == "Channel")
    order = given.get("DimensionOrder", "XYCZT")[2:].lower()
    return Layout(
        "OME",
        channels,
        slices,
        order=order if sorted(order) == sorted("czt") else "czt",
        frames=frames,
        rate=_ome_rate(given, [one for tag, one in children if tag == "Plane"], frames),
        names=names if all(names) and len(names) == channels else (),
    )


def _ome_rate(pixels: Mapping[str, str], planes: list[Mapping[str, str]], frames: int) -> float | None:
    """Volumes per second from TimeIncrement, or from the times of the first plane in the first and the last volume."""
    unit = _SECONDS.get(pixels.get("TimeIncrementUnit", "s"))
    try:
        step = float(pixels.get("TimeIncrement", 0)) * (unit or 0)
        if not step and frames > 1:
            firsts = {
                int(one["TheT"]): float(one["DeltaT"]) * _SECONDS[one.get("DeltaTUnit", "s")]
                for one in planes
                if one.get("TheC", "0") == one.get("TheZ", "0") == "0" and "DeltaT" in one
            }
            step = (firsts[frames - 1] - firsts[0]) / (frames - 1) if {0, frames - 1} <= set(firsts) else 0
    except (KeyError, ValueError):
        return None
    return 1 / step if step > 0 else None


def _flattened(layout: Layout) -> Layout:
    """If a stack has only one volume, read its planes as frames.

    Do the same with more channels than a microscope has: some programs write frames as channels.
    """
    if layout.frames == 1 and layout.slices > 1:
        order = layout.order.translate(str.maketrans("zt", "tz"))
        return replace(layout, slices=1, frames=layout.slices, order=order, flat=True)
    if layout.frames == 1 and layout.channels > MOST_CHANNELS:
        return replace(layout, channels=1, frames=layout.channels, names=(), flat=True)
    return layout
