"""Atomic writing of files, and safe reading of archives."""

from __future__ import annotations

import csv
import errno
import glob
import hashlib
import math
import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from neural_action.errors import InputError, reading
from neural_action.processes import orphaned

if TYPE_CHECKING:
    import numpy as np


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` to write to. It is renamed to ``path`` at the end, and removed after an error.

    Temporary files of killed writers of ``path`` are removed first. If the workflow of a job has ended,
    InterruptedError is raised instead of renaming, because the result might disturb a new run.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part{glob.escape(path.suffix)}"):
        left.unlink(missing_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        yield partial
        if orphaned():
            raise InterruptedError(
                errno.EINTR, "not written, because the workflow that started this job has ended", str(path)
            )
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8 atomically."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


#: Maximum decompressed size of a file: the larger of _UNPACKED bytes and _TIMES its size (our choice). Our archives are
#: compressed less than 60 times, and recorded numbers never a hundred times.
_UNPACKED, _TIMES = 1 << 30, 100


def most_bytes(path: Path) -> int:
    """Maximum decompressed size of a file in bytes; a larger size is taken for damage or an attack."""
    return max(_UNPACKED, _TIMES * Path(path).stat().st_size)


def check_zip(path: Path) -> None:
    """Raise ValueError if the archive at ``path`` (.npz, a checkpoint) claims more memory than its content can fill.

    This is so if its members unpack to more than ``most_bytes``, or if the header of an array has more entries than the
    member has bytes. Raises BadZipFile or OSError if the file is no archive.
    """
    size = Path(path).stat().st_size
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if unpacked > most_bytes(path):
            raise ValueError(f"unpacks to {unpacked} bytes, too many for a file of {size} bytes")
        for member in members:
            if member.filename.endswith(".npy"):
                with archive.open(member) as file:
                    _check_npy(file, member)


def load_npz(path: Path, *names: str) -> dict[str, np.ndarray]:
    """The arrays ``names`` of a .npz file, without pickle. ValueError or OSError for any error in the file."""
    import numpy as np

    try:
        check_zip(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (OSError, ValueError):
        raise
    except Exception as error:  # forged headers and streams may raise any exception
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _check_npy(file: IO[bytes], member: zipfile.ZipInfo) -> None:
    import numpy as np

    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise ValueError(
            f"{member.filename} has {member.file_size} bytes, its header says {dtype} of shape {shape}"
        )


def read_regular(path: Path, most: int) -> bytes:
    """The content of a file. OSError if it is no regular file (a pipe, a device), or larger than ``most`` bytes."""
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "is no file", str(path))
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"has more than {most} bytes", str(path))
    return content


def csv_lines(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The lines of a CSV with a header. InputError if it cannot be read, or lacks one of ``columns``."""
    with (
        reading(path, "CSV", OSError, UnicodeDecodeError, csv.Error),
        Path(path).open(newline="", encoding="utf-8-sig") as file,
    ):
        reader = csv.DictReader(file, strict=True)
        if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
            found = ", ".join(reader.fieldnames or ()) or "none"
            raise InputError(f"{path}: column {missing[0]!r} is missing, found {found}")
        return list(reader)


def zstd_size(head: bytes) -> int | None:
    """Decompressed size of a Zstandard frame in bytes, from its header; None if it has none (RFC 8878)."""
    if len(head) < 6 or head[:4] != b"\x28\xb5\x2f\xfd":
        return None
    flags = head[4]
    single = flags >> 5 & 1
    width = (single, 2, 4, 8)[flags >> 6]
    start = 5 + (1 - single) + (0, 1, 2, 4)[flags & 3]
    field = head[start : start + width]
    if not width or len(field) < width:
        return None
    return int.from_bytes(field, "little") + (256 if width == 2 else 0)


def writable(path: Path) -> bool:
    """Whether ``path``, or the nearest folder above it that exists, can be written to."""
    path = Path(path).absolute()
    while not path.exists():
        path = path.parent
    return os.access(path, os.W_OK)
