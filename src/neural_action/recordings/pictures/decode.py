"""Decode PNG and JPEG files to one array of pictures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Literal

import numpy as np

from neural_action.errors import InputError, reading
from neural_action.recordings.pictures import MOST_BYTES
from neural_action.recordings.pictures.sources import FileTree

SUFFIXES = (".png", ".jpg", ".jpeg")
_CHANNELS = {"L": 1, "RGB": 3}


def is_picture(name: str) -> bool:
    """Whether the name of a file is that of a picture."""
    return name.lower().endswith(SUFFIXES)


def decode(files: FileTree, names: Sequence[str], grey: Literal["refuse", "repeat"] = "refuse") -> np.ndarray:
    """(n, y, x, channel) uint8 of the files ``names``.

    ``grey: repeat`` gives grey pictures three equal channels, as torchvision's ImageFolder does; otherwise grey among
    colour is refused.

    Raises InputError naming the file: no PNG or JPEG, damaged, other than 8-bit grey or RGB, of another size or number
    of channels than the first; and for more than ``MOST_BYTES`` of pictures.
    """
    out: np.ndarray | None = None
    for at, name in enumerate(names):
        picture = _picture(files, name, grey)
        if out is None:
            if len(names) * picture.nbytes > MOST_BYTES:
                raise InputError(
                    f"{files.where}: {len(names)} pictures of shape {picture.shape}, expected at most {MOST_BYTES} "
                    "bytes"
                )
            out = np.empty((len(names), *picture.shape), np.uint8)
        if picture.shape != out.shape[1:]:
            raise InputError(
                f"{files.path(name)}: shape {picture.shape} (y, x, channel), expected {out.shape[1:]} as in {names[0]}"
            )
        out[at] = picture
    if out is None:
        raise InputError(f"{files.where}: no pictures, expected PNG or JPEG")
    return out


def _picture(files: FileTree, name: str, grey: str) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    data = files.read(name)
    where = files.path(name)
    with reading(where, "PNG or JPEG"):
        try:
            image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        except UnidentifiedImageError:  # its text names an object in memory
            raise InputError(f"{where}: cannot be read as PNG or JPEG, its content is neither") from None
        with image:
            mode = image.mode
            if mode not in _CHANNELS or image.width * image.height * 3 > MOST_BYTES:
                raise InputError(f"{where}: mode {mode} of size {image.size}, expected 8-bit grey or RGB")
            values = np.asarray(image.convert("RGB") if mode == "L" and grey == "repeat" else image)
    return values if values.ndim == 3 else values[:, :, None]
