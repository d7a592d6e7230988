"""Movies in TIFF: one multi-page file, or a folder of them in the order of their names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.formats import FormatOptions, Neural, needs

EXPECTED = "a multi-page TIFF, or a folder of TIFF files"


class Options(FormatOptions):
    """Options of this format.

    Attributes:
        pattern: of the files, where ``path`` is a folder.
        planes: pages that are one volume; a frame is their mean.
        plane: one plane of each volume instead of the mean, from 0.
        channels: channels that alternate page by page.
        channel: the one that is read, from 0.
        rate: volumes (or frames) per second.
        unit: of the pixels.
    """

    pattern: str = "*.tif*"
    planes: Annotated[int, Field(ge=1)] = 1
    plane: Annotated[int, Field(ge=0)] | None = None
    channels: Annotated[int, Field(ge=1)] = 1
    channel: Annotated[int, Field(ge=0)] = 0
    rate: Annotated[float, Field(gt=0)] | None = None
    unit: str = "raw fluorescence"


def recognise(path: Path) -> str | None:
    """A TIFF with several pages."""
    if path.suffix.lower() not in (".tif", ".tiff") or not path.is_file():
        return None
    try:
        pages = len(_Pages(path))
    except InputError:
        return None
    return f"a TIFF of {pages} pages" if pages > 1 else None


def files(path: Path, pattern: str = "*.tif*") -> list[Path]:
    """The file, or those of the folder, in the order of the numbers in their names."""
    if path.is_dir():
        return sorted(path.glob(pattern), key=_natural)
    return [path]


def neural(path: Path, options: Options) -> Neural:
    """(frame, y, x), lazy: the pages of a frame are read when it is computed.

    Raises InputError naming the file: no TIFF, pages that do not make whole frames or differ in size, a compression
    that needs imagecodecs.
    """
    found = files(path, options.pattern)
    if not found or not found[0].is_file():
        raise InputError(f"{path}: no TIFF found, expected {EXPECTED}")
    return Neural(movie(found, options), options.unit, rate=options.rate)


def movie(found: list[Path], options: Options) -> Any:
    """The lazy (frame, y, x) array of TIFF files, end to end."""
    import dask.array as da

    each = options.planes * options.channels
    if options.channel >= options.channels or (options.plane or 0) >= options.planes:
        raise InputError(
            f"configuration channel {options.channel}, plane {options.plane}: expected below channels "
            f"{options.channels} and planes {options.planes}"
        )
    parts = [_Pages(file) for file in found]
    where = [(part, page) for part in parts for page in range(len(part))]
    if len(where) % each or not where:
        raise InputError(
            f"{found[0]}: {len(where)} pages in {len(found)} files, expected whole frames of {each} pages "
            f"({options.planes} planes, {options.channels} channels)"
        )
    shape, dtype = parts[0].shape, parts[0].dtype
    for part in parts:
        if part.shape != shape:
            raise InputError(
                f"{part.path}: pages of shape {part.shape}, expected {shape} as in {found[0].name}"
            )
    frames = len(where) // each
    rows = max(1, (8 << 20) // (each * int(np.prod(shape)) * dtype.itemsize))
    planes = range(options.planes) if options.plane is None else [options.plane]

    def block(block_info: Any = None) -> np.ndarray:
        first, last = block_info[None]["array-location"][0]
        out = np.zeros((last - first, *shape), np.float32)
        for at, frame in enumerate(range(first, last)):
            for plane in planes:
                part, page = where[frame * each + plane * options.channels + options.channel]
                out[at] += part.read(page)
        return out / np.float32(len(planes))

    chunks = (tuple(min(rows, frames - at) for at in range(0, frames, rows)), *((side,) for side in shape))
    return da.map_blocks(block, chunks=chunks, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32))


class _Pages:
    """The pages of a TIFF, opened for each read alone."""

    def __init__(self, path: Path):
        self.path = path
        with self._open() as file:
            self.count = len(file.pages)
            if not self.count:
                raise InputError(f"{path}: holds no page, expected {EXPECTED}")
            page = file.pages[0]
            self.shape, self.dtype = page.shape, np.dtype(page.dtype)
        if len(self.shape) != 2 or 0 in self.shape or self.dtype.kind not in "iuf":
            raise InputError(f"{path}: pages of {self.dtype} {self.shape}, expected grey images")

    def __len__(self) -> int:
        return self.count

    def read(self, page: int) -> np.ndarray:
        """One page."""
        with self._open() as file:
            try:
                image = file.pages[page].asarray()
            except Exception as error:  # tifffile and the codecs raise whatever damaged bytes trip
                if "imagecodecs" in str(error):
                    raise InputError(
                        f'{self.path}: its compression needs imagecodecs; pip install "neural-action[tiff]"'
                    ) from None
                reason = " ".join(str(error).split())
                raise InputError(
                    f"{self.path}: page {page} cannot be read ({type(error).__name__}: {reason})"
                ) from None
        if image.shape != self.shape:
            raise InputError(f"{self.path}: page {page} has shape {image.shape}, expected {self.shape}")
        return image

    def _open(self) -> Any:
        tifffile = needs("tifffile", "tiff", self.path)
        try:
            # One page after the other, whatever series its metadata speak of: those may name files elsewhere.
            return tifffile.TiffFile(self.path, is_ome=False)
        except Exception as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{self.path}: cannot be read as TIFF ({type(error).__name__}: {reason})"
            ) from None


def _natural(path: Path) -> list[Any]:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]
