"""Any set of pictures, its layout found from its files."""

from __future__ import annotations

from pathlib import Path

from neural_action.errors import InputError
from neural_action.recordings.pictures import Pictures, cifar, class_folders, digits, npz, tiny_imagenet
from neural_action.recordings.pictures.sources import ARCHIVES, open_tree

#: In the order in which they are tried: pictures in folders are also in Tiny ImageNet.
LAYOUTS = (cifar, tiny_imagenet, class_folders)
DIGITS = "digits"
EXPECTED = "; or ".join([*(layout.EXPECTED for layout in LAYOUTS), f".npz with {npz.EXPECTED}"])


def read_pictures(path: Path | str) -> Pictures:
    """The pictures of a folder, an archive or an ``.npz``; ``digits`` are those that scikit-learn brings.

    A folder that holds nothing but one archive or ``.npz`` stands for it. Raises InputError: a path that is not there,
    is damaged or has no known layout; two archives; and as the readers.
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
    """The one archive in a folder without other folders, or the path itself. InputError for two."""
    if not path.is_dir():
        return path
    inside = [one for one in path.iterdir() if not one.name.startswith(".")]
    packed = sorted(one for one in inside if one.name.lower().endswith((*ARCHIVES, ".npz")))
    if not packed or any(one.is_dir() for one in inside):
        return path
    if len(packed) > 1:
        raise InputError(
            f"{path}: {', '.join(one.name for one in packed)}, expected one set; name the one that is meant"
        )
    return packed[0]
