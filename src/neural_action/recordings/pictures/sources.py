"""Read the files of a folder, a tar or a zip archive by name; nothing is unpacked to disk."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from neural_action.errors import InputError, reading
from neural_action.files import most_bytes
from neural_action.recordings.pickles import bounded

ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")


@dataclass(frozen=True)
class FileTree:
    """Files below a folder or inside an archive.

    Attributes:
        where: the folder or archive, for messages.
        names: sorted names relative to ``where``, with ``/`` (keys); hidden files are left out.
    """

    where: Path
    names: dict[str, None]
    _read: Callable[[str], bytes]

    def read(self, name: str) -> bytes:
        """The content of the file called ``name``. InputError if it cannot be read or is not there."""
        if name not in self.names:
            raise InputError(f"{self.where}: has no file {name}")
        with reading(self.path(name), "a file", nameless=True):
            return self._read(name)

    def path(self, name: str) -> str:
        """The path of a file for messages, also inside an archive."""
        return f"{self.where}/{name}"

    def text(self, name: str) -> list[str]:
        """The non-empty lines of a text file, stripped. InputError if it is not UTF-8."""
        try:
            lines = self.read(name).decode("utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.path(name)}: not UTF-8 text ({error.reason} at byte {error.start})"
            ) from None
        return [line.strip() for line in lines if line.strip()]

    def find(self, name: str) -> str | None:
        """The first file called ``name``, in any folder."""
        return next((path for path in self.names if path.rsplit("/", 1)[-1] == name), None)


def open_tree(path: Path) -> FileTree:
    """The files of a folder or archive (``ARCHIVES``). InputError if there is none, or it is damaged or too large."""
    path = Path(path)
    if path.is_dir():
        found = [p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()]
        return _tree(path, found, lambda name: bounded(path / name))
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    if not path.name.lower().endswith(ARCHIVES):
        raise InputError(f"{path}: expected a folder or an archive ({', '.join(ARCHIVES)})")
    with reading(path, "an archive, it is damaged or cut off", nameless=True):
        return _zip(path) if path.name.lower().endswith(".zip") else _tar(path)


def _tree(where: Path, names: list[str], read: Callable[[str], bytes]) -> FileTree:
    shown = [
        name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    ]
    return FileTree(where, dict.fromkeys(sorted(shown, key=lambda name: name.split("/"))), read)


def _zip(path: Path) -> FileTree:
    # Kept open, because otherwise the list of files would be read again for each picture.
    archive = zipfile.ZipFile(path)
    sizes = {entry.filename: entry.file_size for entry in archive.infolist() if not entry.is_dir()}
    _check_size(path, sum(sizes.values()))
    return _tree(path, list(sizes), archive.read)


def _tar(path: Path) -> FileTree:
    """Read the whole archive in one pass, because a compressed tar can only be read in order."""
    content: dict[str, bytes] = {}
    total = 0
    with tarfile.open(path, "r|*") as archive:
        for entry in archive:
            total += entry.size
            _check_size(path, total)
            stream = archive.extractfile(entry) if entry.isfile() else None
            if stream is None:  # folders and links
                continue
            data = stream.read()
            if len(data) != entry.size:
                raise InputError(
                    f"{entry.name} has {len(data)} bytes of {entry.size}, the archive is cut off"
                )
            content[entry.name.removeprefix("./")] = data
    return _tree(path, list(content), content.__getitem__)


def _check_size(path: Path, size: int) -> None:
    if size > most_bytes(path):
        raise InputError(f"unpacks to {size} bytes or more, expected at most {most_bytes(path)}")
