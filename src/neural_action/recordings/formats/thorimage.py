"""ThorImage: a folder with ``Experiment.xml`` and the movie, ``Image_*.raw`` or ``Chan<A>_*.tif``.

Each volume becomes a frame. The XML holds the nominal frame rate; the real times of frames come from ThorSync (see
``clock.sync`` of the reader).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from xml.etree import ElementTree

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Section
from neural_action.errors import InputError, reading
from neural_action.recordings.formats import Neural, tiff

EXPECTED = "a ThorImage folder with Experiment.xml and Image_*.raw or Chan<A>_*.tif"
_NAME = re.compile(r"Chan(?P<channel>[A-D])_(?P<numbers>\d+(?:_\d+)+)\.tiff?")


class Options(Section):
    """Options of this format.

    Attributes:
        channel: letter of the detector.
        plane: plane of each volume to read, from 0; null: the mean over planes.
    """

    channel: str = Field("A", pattern="^[A-D]$")
    plane: Annotated[int, Field(ge=0)] | None = None


@dataclass(frozen=True)
class Experiment:
    """Content of Experiment.xml.

    Attributes:
        y, x: size of an image, pixels.
        volumes: number of volumes.
        planes, flyback: planes and flyback frames of a volume.
        averaged: scans averaged for each plane.
        channels: letters of the recorded channels.
        rate: volumes per second.
    """

    y: int
    x: int
    volumes: int
    planes: int
    flyback: int
    averaged: int
    channels: tuple[str, ...]
    rate: float

    @property
    def steps(self) -> int:
        """Scans of a volume: planes and flyback frames, times the scans averaged."""
        return (self.planes + self.flyback) * self.averaged


def recognise(path: Path) -> str | None:
    """Recognise a folder with a readable Experiment.xml."""
    if not (path / "Experiment.xml").is_file():
        return None
    try:
        found = experiment(path)
    except InputError:
        return None
    return f"ThorImage, {found.volumes} volumes of {found.planes} planes at {found.rate:.4g} /s"


def files(path: Path) -> list[Path]:
    """The XML and the movie's files."""
    movies = [
        *path.glob("Image_*.raw"),
        *(file for file in path.glob("Chan*.tif*") if _NAME.fullmatch(file.name)),
    ]
    return [*([path / "Experiment.xml"] if (path / "Experiment.xml").is_file() else []), *sorted(movies)]


def neural(path: Path, options: Options) -> Neural:
    """(volume, y, x), lazy, with the nominal rate.

    InputError naming the file: Experiment.xml is missing or unreadable, the movie does not have the size in it, or the
    channel or plane was not recorded.
    """
    found = experiment(path)
    if options.channel not in found.channels:
        raise InputError(
            f"{path}: channel {options.channel!r}, expected a recorded one: {', '.join(found.channels)}"
        )
    if options.plane is not None and options.plane >= found.planes:
        raise InputError(f"{path}: plane {options.plane}, expected below {found.planes}")
    raw = sorted(path.glob("Image_*.raw"))
    data = _raw(raw[0], found, options) if raw else _pages(path, found, options)
    planes = "mean" if options.plane is None else f"plane {options.plane}"
    said = f"channel {options.channel} of {', '.join(found.channels)}, {planes} of {found.planes} planes"
    return Neural(data, "raw fluorescence", rate=found.rate, source=said)


def experiment(path: Path) -> Experiment:
    """The parsed ``path / Experiment.xml``. InputError if it is missing or incomplete."""
    file = path / "Experiment.xml"
    if not file.is_file():
        raise InputError(f"{file}: no such file, expected {EXPECTED}")
    with reading(file, "a ThorImage experiment", ElementTree.ParseError, KeyError, ValueError):
        root = ElementTree.parse(file).getroot()
        scan, stage, stream = (_child(root, tag).attrib for tag in ("LSM", "ZStage", "Streaming"))
        names = [node.attrib["name"] for node in _child(root, "Wavelengths").findall("Wavelength")]
        streamed = stream["enable"] == "1"
        fast = streamed and stream["zFastEnable"] == "1"
        stacked = stage.get("enable", "1") == "1" and int(stage["steps"]) > 1
        planes = int(stage["steps"]) if stacked else 1
        flyback = int(stream["flybackFrames"]) if fast else 0
        averaged = int(scan["averageNum"]) if scan["averageMode"] == "1" else 1
        timepoints = int(_child(root, "Timelapse").attrib["timepoints"])
        frames = int(stream["frames"]) // (planes + flyback) if streamed and planes > 1 else timepoints
        found = Experiment(
            int(scan["pixelY"]),
            int(scan["pixelX"]),
            frames,
            planes,
            flyback,
            averaged,
            tuple(name.removeprefix("Chan") for name in names),
            float(scan["frameRate"]) / ((planes + flyback) * averaged),
        )
    if min(found.y, found.x, found.volumes, found.planes) < 1 or not found.rate > 0 or not found.channels:
        raise InputError(f"{file}: {found}, expected sizes of at least 1, a rate above 0 and a channel")
    return found


def _child(root: ElementTree.Element, tag: str) -> ElementTree.Element:
    """The first element ``tag``. KeyError if there is none."""
    found = root.find(tag)
    if found is None:
        raise KeyError(tag)
    return found


def _raw(path: Path, found: Experiment, options: Options) -> Any:
    """Lazy frames from a raw file of uint16 (volume, plane and flyback, channel, y, x)."""
    from neural_action.recordings.formats.arrays import lazy

    pages = found.planes + found.flyback
    volume = pages * len(found.channels) * found.y * found.x * 2
    size = path.stat().st_size
    if not size or size % volume:
        raise InputError(
            f"{path}: {size} bytes, expected whole volumes of {volume} ({pages} planes with flyback, "
            f"{len(found.channels)} channels, {found.y} x {found.x} uint16)"
        )
    shape = (size // volume, pages, len(found.channels), found.y, found.x)
    movie = np.memmap(path, "<u2", "r", shape=shape)[:, :, found.channels.index(options.channel)]
    planes = slice(0, found.planes) if options.plane is None else slice(options.plane, options.plane + 1)
    return lazy(movie)[:, planes].mean(1, dtype=np.float32)


def _pages(path: Path, found: Experiment, options: Options) -> Any:
    """Lazy frames from files Chan<letter>_<...>_<plane>_<volume>.tif with one page each."""
    by_place = {}
    for file in path.glob(f"Chan{options.channel}_*.tif*"):
        if match := _NAME.fullmatch(file.name):
            *_, plane, volume = (int(number) for number in match["numbers"].split("_"))
            by_place[volume, plane] = file
    if not by_place:
        raise InputError(f"{path}: no Image_*.raw and no Chan{options.channel}_*.tif, expected {EXPECTED}")
    wanted = [
        (volume, plane) for volume in range(1, found.volumes + 1) for plane in range(1, found.planes + 1)
    ]
    if missing := [place for place in wanted if place not in by_place]:
        volume, plane = missing[0]
        raise InputError(
            f"{path}: no image of channel {options.channel} for volume {volume}, plane {plane}; expected "
            f"{found.volumes} volumes of {found.planes} planes as Experiment.xml says"
        )
    pages = tiff.Options(planes=found.planes, plane=options.plane, channels=1, flyback=0)
    return tiff.movie([by_place[place] for place in wanted], pages)
