"""Group TIFF files of a folder that make one movie: consecutive parts, or one file for each image."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from neural_action.recordings.formats import tiff

#: Minimum number of single-image files that count as a movie (our choice).
LEAST = 8
#: Numbered files: ``scan_00001_00002.tif``, ``run_MMStack_1.ome.tif``, ``stack@0001.tif``, ``movie_X2.tif``.
_NUMBERED = re.compile(r"(?P<start>.*?)[_@-]?X?\d+(?P<end>\D*)")


def movies(paths: Iterable[Path], many: set[Path]) -> list[tuple[Path, str, list[Path]]]:
    """Folder, pattern and ordered files of each movie that consists of several files.

    Files whose ScanImage frame numbers start again at 1 are separate acquisitions, not one movie.

    Args:
        paths: TIFF files.
        many: the files that hold several images.
    """
    groups: dict[tuple[Path, str, str], list[Path]] = {}
    by_name = {path: path for path in paths}
    for path in by_name:
        if match := _NUMBERED.fullmatch(path.name):
            groups.setdefault((path.parent, match["start"], match["end"]), []).append(path)
    found = []
    for (folder, start, end), members in groups.items():
        # The first part may have no number.
        members = [*members, *filter(by_name.get, [folder / f"{start}{end}"])]
        pattern = f"{glob.escape(start)}*{glob.escape(end)}"
        if len(members) < 2 or sorted(folder.glob(pattern)) != sorted(members):
            continue
        ordered = tiff.files(folder, pattern)
        parts = ordered[0] in many
        if (parts and not _begin_again(ordered)) or (
            not parts and len(members) >= LEAST and not many & set(members)
        ):
            found.append((folder, pattern, ordered))
    return found


def _begin_again(paths: list[Path]) -> bool:
    numbers = [tiff.Pages(path).number for path in paths]
    return any(number is not None and number <= (numbers[0] or 0) for number in numbers[1:])
