"""Movies in TIFF: one multi-page file, or a folder of files in the order of their names.

Channels, planes, flyback frames and the rate come from the metadata of ScanImage, ImageJ or OME in the first file,
unless options set them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from neural_action.config.kinds import Section
from neural_action.errors import InputError, needed, reading
from neural_action.recordings.formats import Neural, _tiff_layout

EXPECTED = "a multi-page TIFF, or a folder of TIFF files"


class Options(Section):
    """Options of this format.

    Attributes:
        pattern: pattern of the files, if ``path`` is a folder.
        planes: planes of a volume, whose mean is a frame; null: from the metadata, else 1.
        plane: plane of each volume to read instead of the mean, from 0.
        flyback: frames to leave out at the end of each volume; null: from the metadata, else 0.
        channels: number of channels, which alternate page by page; null: from the metadata, else 1.
        channel: channel to read, from 0.
        rate: volumes (or frames) per second; null: from the metadata.
        unit: unit of the pixels.
    """

    pattern: str = "*.tif*"
    planes: Annotated[int, Field(ge=1)] | None = None
    plane: Annotated[int, Field(ge=0)] | None = None
    flyback: Annotated[int, Field(ge=0)] | None = None
    channels: Annotated[int, Field(ge=1)] | None = None
    channel: Annotated[int, Field(ge=0)] = 0
    rate: Annotated[float, Field(gt=0)] | None = None
    unit: str = "raw fluorescence"


def recognise(path: Path) -> str | None:
    """Recognise a TIFF with several pages, or with one page and several images, as ImageJ writes above 4 GB."""
    if path.suffix.lower() not in (".tif", ".tiff") or not path.is_file():
        return None
    try:
        pages = len(Pages(path))
    except InputError:
        return None
    return f"a TIFF of {pages} pages" if pages > 1 else None


def files(path: Path, pattern: str = "*.tif*") -> list[Path]:
    """The file, or the files of the folder, sorted by the numbers in their names."""
    if path.is_dir():
        return sorted(path.glob(pattern), key=_natural)
    return [path]


def neural(path: Path, options: Options) -> Neural:
    """(frame, y, x), lazy: the pages of a frame are read when it is computed.

    An incomplete last volume is left out if the metadata define a volume. InputError naming the file: it is no TIFF;
    pages do not make whole frames or differ in size; the channel or plane does not exist; or its compression needs
    imagecodecs.
    """
    found = files(path, options.pattern)
    if not found or not found[0].is_file():
        raise InputError(f"{path}: no TIFF found, expected {EXPECTED}")
    data, layout, said = _read(found, options)
    return Neural(data, options.unit, rate=options.rate or layout.rate, source=said)


def movie(found: list[Path], options: Options) -> Any:
    """The lazy (frame, y, x) array of several TIFF files, concatenated."""
    return _read(found, options)[0]


def _read(found: list[Path], options: Options) -> tuple[Any, _tiff_layout.Layout, str]:
    """The lazy movie, the layout of its pages, and a phrase on what is read."""
    import dask.array as da

    parts = [Pages(path) for path in found]
    total = sum(map(len, parts))
    given = {"slices": options.planes, "flyback": options.flyback, "channels": options.channels}
    known = {key: value for key, value in given.items() if value is not None}
    layout = _tiff_layout.Layout() if len(known) == len(given) else parts[0].layout
    if layout.unclear and not {"slices", "channels"} & set(known):
        raise InputError(
            f"{found[0]}: an array of {' x '.join(map(str, layout.unclear))} images without names of its axes, "
            "expected the number of channels or planes, whichever alternates page by page: --option "
            f"neural.options.channels={layout.unclear[-1]}, or --option neural.options.planes={layout.unclear[-1]} "
            "(channels=1: every page is a frame)"
        )
    # Given planes or channels define the layout, so repeats and order of the metadata no longer apply.
    if "slices" in known or "channels" in known:
        layout = replace(layout, repeats=1, order="czt", frames=None)
    layout = replace(
        layout,
        slices=layout.slices if options.planes is None else options.planes,
        flyback=layout.flyback if options.flyback is None else options.flyback,
        channels=layout.channels if options.channels is None else options.channels,
    )
    if options.channel >= layout.channels or (options.plane or 0) >= layout.slices:
        raise InputError(
            f"{found[0]}: channel {options.channel} and plane {options.plane}, expected below "
            f"{layout.channels} and {layout.slices}"
        )
    frames, rest = divmod(total, layout.each)
    if layout.each > 1 and layout.order[-1] != "t" and (rest or frames != layout.frames):
        raise InputError(
            f"{found[0]}: {total} pages, expected {layout.each} for each of {layout.frames} frames"
        )
    if not frames or (rest and (known or not layout.program)):
        raise InputError(
            f"{found[0]}: {total} pages in {len(found)} files, expected whole frames of {layout.each} pages"
        )
    _check_alike(parts, found, layout)
    shape, dtype = parts[0].shape, parts[0].dtype
    planes = range(layout.slices) if options.plane is None else [options.plane]
    steps = [plane * layout.repeats + repeat for plane in planes for repeat in range(layout.repeats)]
    starts = np.cumsum([0, *map(len, parts)])
    rows = max(1, (8 << 20) // (len(steps) * int(np.prod(shape)) * dtype.itemsize))

    def block(block_info: Any = None) -> np.ndarray:
        first, last = block_info[None]["array-location"][0]
        pages = layout.pages(np.arange(first, last), np.array(steps), options.channel, frames)
        out = np.zeros((last - first, *shape), np.float32)
        which = np.searchsorted(starts, pages, side="right") - 1
        for part in np.unique(which):
            at, _ = np.nonzero(which == part)
            own = pages[which == part] - starts[part]
            for row, image in zip(at, parts[part].read(own.tolist()), strict=True):
                out[row] += image
        return out / np.float32(len(steps))

    chunks = (tuple(min(rows, frames - at) for at in range(0, frames, rows)), *((side,) for side in shape))
    data = da.map_blocks(block, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32))
    return data, layout, _said(layout, options, len(found), rest)


def _check_alike(parts: Sequence[Pages], found: list[Path], layout: _tiff_layout.Layout) -> None:
    for part in parts:
        if part.shape != parts[0].shape:
            raise InputError(
                f"{part.path}: pages of shape {part.shape}, expected {parts[0].shape} as in {found[0].name}"
            )
    if layout.program == "OME" and layout.each > 1 and len(parts) > 1 and max(map(len, parts)) == 1:
        raise InputError(
            f"{found[0]}: one file for each image, {layout.channels} channels and {layout.slices} planes; expected a "
            "pattern of one channel and plane, with options channels: 1, planes: 1 and flyback: 0"
        )


def _said(layout: _tiff_layout.Layout, options: Options, files: int, rest: int) -> str:
    """Phrase on what is read."""
    said = [
        f"pages by {layout.program}"
        if layout.program
        else "every page a frame"
        if layout.each == 1
        else "pages"
    ]
    if files > 1:
        said.append(f"{files} files end to end")
    if layout.channels > 1:
        own = layout.names[options.channel] if options.channel < len(layout.names) else options.channel + 1
        others = f"of {', '.join(layout.names)}" if layout.names else f"of {layout.channels}"
        said.append(f"channel {own} {others} (another: neural.options.channel, from 0)")
    if layout.slices > 1:
        read = "mean" if options.plane is None else f"plane {options.plane}"
        said.append(f"{read} of {layout.slices} planes")
    if layout.flyback:
        said.append(f"{layout.flyback} flyback frames a volume left out")
    if layout.flat:
        said.append("one volume, its planes are the frames")
    if rest:
        said.append(f"{rest} page{'s' if rest > 1 else ''} at the end, no whole frame, left out")
    return ", ".join(said)


class Pages:
    """The images of a TIFF; each block of reads opens and closes the file.

    Attributes:
        shape, dtype: shape and type of an image.
        layout: channels, planes and rate, from the metadata of the first page.
        number: number of the first frame in its acquisition, if ScanImage wrote it; else None.
    """

    def __init__(self, path: Path):
        self.path = path
        with self._open() as file:
            self.count = len(file.pages)
            if not self.count:
                raise InputError(f"{path}: holds no page, expected {EXPECTED}")
            page = file.pages[0]
            self.shape, self.dtype = page.shape, np.dtype(page.dtype)
            imagej = file.imagej_metadata
            description = str(page.description)
            self.layout = _tiff_layout.noted(description, str(page.software), imagej)
            self.number = _tiff_layout.frame_number(description)
            self._first: int | None = None
            images = int((imagej or {}).get("images", 1))
            if self.count == 1 and images > 1 and len(self.shape) == 2:
                self._one_directory(file, page, images)
        if len(self.shape) != 2 or 0 in self.shape or self.dtype.kind not in "iuf":
            raise InputError(
                f"{path}: pages are {self.dtype} of shape {self.shape}, expected greyscale images (y, x)"
            )

    def __len__(self) -> int:
        return self.count

    def read(self, pages: list[int]) -> list[np.ndarray]:
        """The images of ``pages``. InputError naming the file and the page that cannot be read."""
        if self._first is not None:
            size = int(np.prod(self.shape))
            each = size * self.dtype.itemsize
            return [
                np.fromfile(self.path, self.dtype, size, offset=self._first + page * each).reshape(self.shape)
                for page in pages
            ]
        with self._open() as file:
            return [self._image(file, page) for page in pages]

    def _one_directory(self, file: Any, page: Any, images: int) -> None:
        """Set up reading of an ImageJ file above 4 GB: one directory, followed by all images."""
        each = int(np.prod(self.shape)) * self.dtype.itemsize
        there = (self.path.stat().st_size - page.dataoffsets[0]) // each
        if page.compression != 1 or there < images:
            raise InputError(
                f"{self.path}: holds {there} images of {each} bytes, expected {images} uncompressed ones (ImageJ)"
            )
        self.count, self._first = images, int(page.dataoffsets[0])
        self.dtype = self.dtype.newbyteorder(file.byteorder)

    def _image(self, file: Any, page: int) -> np.ndarray:
        try:
            image = file.pages[page].asarray()
        except Exception as error:  # tifffile and the codecs raise whatever damaged bytes trip
            if "imagecodecs" in str(error):
                raise InputError(
                    f"{self.path}: its compression needs imagecodecs: pip install '.[tiff]' in a checkout"
                ) from None
            raise InputError(
                f"{self.path}: page {page} cannot be read ({type(error).__name__}: {error})"
            ) from None
        if image.shape != self.shape:
            raise InputError(f"{self.path}: page {page} has shape {image.shape}, expected {self.shape}")
        return image

    def _open(self) -> Any:
        tifffile = needed("tifffile", "tiff", f"{self.path}: reading it")
        with reading(self.path, "TIFF"):
            # Read page by page and ignore series in OME metadata, which may refer to other files. In ScanImage's
            # classic TIFF, tifffile guesses the positions of pages and misses the last one; above 2 GB offsets may
            # have overflowed, so the guess is needed.
            guessed = {} if self.path.stat().st_size >= 1 << 31 else {"is_scanimage": False}
            return tifffile.TiffFile(self.path, is_ome=False, **guessed)


def _natural(path: Path) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]
