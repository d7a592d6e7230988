"""Read a set of pictures; its layout is found from its files."""

from __future__ import annotations

from pathlib import Path

from neural_action.errors import InputError
from neural_action.recordings.pictures import Pictures, cifar, class_folders, digits, npz, tiny_imagenet
from neural_action.recordings.pictures.sources import ARCHIVES, open_tree

#: Layouts in the order in which they are tried; Tiny ImageNet also has pictures in folders, so it comes first.
LAYOUTS = (cifar, tiny_imagenet, class_folders)
DIGITS = "digits"
EXPECTED = "; or ".join([*(layout.EXPECTED for layout in LAYOUTS), f".npz with {npz.EXPECTED}"])


def read_pictures(path: Path | str) -> Pictures:
    """The pictures of a folder, an archive or an ``.npz``; ``digits`` are those of scikit-learn.

    A folder that holds only one archive or ``.npz`` is read as that file. InputError if the path does not exist, is
    damaged or has no known layout, if there are two archives, and as the layouts.
    """
    if str(path) == DIGITS:
        return digits.read()
    path = only(Path(path))
    if path.suffix == ".npz":
        if not path.is_file():
            raise InputError(f"{path}: no such file or folder")
        return npz.read(path)
    files = open_tree(path)
    for layout in LAYOUTS:
        if layout.recognise(files):
            return layout.read(files)
    raise InputError(
        f"{path}: {len(files.names)} files, none of a known set of pictures; expected {EXPECTED}"
    )


def only(path: Path) -> Path:
    """The only archive in a folder without other folders, or the path itself. InputError for two archives."""
    if not path.is_dir():
        return path
    inside = [one for one in path.iterdir() if not one.name.startswith(".")]
    packed = sorted(one for one in inside if one.name.lower().endswith((*ARCHIVES, ".npz")))
    if not packed or any(one.is_dir() for one in inside):
        return path
    if len(packed) > 1:
        raise InputError(
            f"{path}: {', '.join(one.name for one in packed)}, expected one set; name one of them"
        )
    return packed[0]
