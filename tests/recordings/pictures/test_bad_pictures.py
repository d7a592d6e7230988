"""What is wrong with a set of pictures is one line that names the file, the value and what was expected."""

import os
import pickle
import tarfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_pictures import cifar10, cifar100, folders, packed, picture, pixels, png, tiny_imagenet

from neural_action.errors import InputError
from neural_action.recordings.pictures import Pictures, decode
from neural_action.recordings.pictures.read import read_pictures


def refused(path, says: str) -> None:
    with pytest.raises(InputError, match=says) as raised:
        read_pictures(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["c.tar.gz", "c.tar.xz", "c.tar.bz2", "c.zip"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_truncated_archive(tmp_path, name, part):
    archive = packed(cifar10(tmp_path), name)
    archive.write_bytes(archive.read_bytes()[: int(part * archive.stat().st_size)])
    refused(archive, rf"{name}: cannot be read as an archive, it is damaged or cut off")


def test_a_truncated_tar_that_is_not_compressed(tmp_path):
    root = cifar10(tmp_path)
    with tarfile.open(tmp_path / "c.tar", "w:") as file:
        file.add(root, root.name)
    data = (tmp_path / "c.tar").read_bytes()
    for part in (0.3, 0.6):
        (tmp_path / "c.tar").write_bytes(data[: int(part * len(data))])
        refused(tmp_path / "c.tar", r"c\.tar: .*(cut off|has no file)")


def test_truncated_records_and_pickles(tmp_path):
    file = cifar10(tmp_path / "a", binary=True) / "data_batch_2.bin"
    file.write_bytes(file.read_bytes()[:-1])
    refused(
        file.parent, r"data_batch_2\.bin: 18437 bytes, expected whole records of 3073; the file is cut off"
    )
    file = cifar100(tmp_path / "b") / "train"
    file.write_bytes(file.read_bytes()[:-100])
    refused(file.parent, r"train: cannot be read as a pickle")


def change(path: Path, **entries) -> None:
    content = pickle.loads(path.read_bytes(), encoding="latin1")
    for key, value in entries.items():
        content.pop(key) if value is None else content.__setitem__(key, value)
    path.write_bytes(pickle.dumps(content, protocol=2))


@pytest.mark.parametrize(
    ("name", "entries", "says"),
    [
        ("train", {"fine_labels": [0] * 11}, "train: 11 fine_labels, expected 12, one for each picture"),
        ("train", {"fine_labels": None}, "train: has no fine_labels, found"),
        (
            "train",
            {"fine_labels": [0.5] * 12},
            "train: fine_labels are list, expected a list of whole numbers",
        ),
        ("train", {"fine_labels": [0, 1, 2, 4] * 3}, "labels hold 4 at picture 3, expected 0 to 3"),
        ("train", {"coarse_labels": [0, 1] * 6}, "class 'apple' is in groups flowers, fruit, expected one"),
        ("test", {"data": np.zeros((8, 3071), np.uint8)}, r"test: data is uint8 of shape \(8, 3071\)"),
        ("test", {"data": np.zeros((8, 3072))}, "test: data is float64"),
        ("test", {"data": "x"}, "test: data is str"),
        ("meta", {"fine_label_names": 3}, "meta: fine_label_names is int, expected a list of names"),
        ("meta", {"fine_label_names": ["apple"] * 4}, "two classes have the same name"),
    ],
)
def test_what_is_wrong_in_a_pickle_is_named(tmp_path, name, entries, says):
    root = cifar100(tmp_path)
    change(root / name, **entries)
    refused(root, says)


def test_a_batch_that_is_missing(tmp_path):
    root = cifar10(tmp_path)
    (root / "data_batch_3").unlink()
    refused(root, "has no file data_batch_3")


def test_a_pickle_executes_nothing(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    root = cifar10(tmp_path)
    (root / "data_batch_1").write_bytes(pickle.dumps({"data": Attack()}))
    refused(root, "data_batch_1: names .*mkdir.* not executed")
    assert not (tmp_path / "made").exists()
    (root / "data_batch_1").write_bytes(pickle.dumps(OrderedDict(data=1)))
    refused(root, "data_batch_1: names collections.OrderedDict")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no picture", r"1\.png: cannot be read as PNG or JPEG, its content is neither$"),
        (b"", r"1\.png: cannot be read as PNG or JPEG, its content is neither$"),
        (png(pixels(1)[0])[:-400], r"1\.png: cannot be read as PNG or JPEG"),
        (
            png(pixels(1)[0, ..., 0]),
            r"1\.png: shape \(32, 32, 1\) \(y, x, channel\), expected \(32, 32, 3\) as in .*0\.png",
        ),
        (png(pixels(1)[0, :16]), r"1\.png: shape \(16, 32, 3\)"),
        (
            png(np.zeros((32, 32, 4), np.uint8)),
            r"1\.png: mode RGBA of size \(32, 32\), expected 8-bit grey or RGB",
        ),
        (png(np.zeros((32, 32), np.uint16)), r"1\.png: mode I;16"),
    ],
)
def test_a_picture_that_is_none_or_another(tmp_path, content, says):
    root = folders(tmp_path)
    (root / "train" / "cat" / "1.png").write_bytes(content)
    refused(root, says)


def test_pictures_that_claim_more_than_memory(tmp_path, monkeypatch):
    root = folders(tmp_path)
    monkeypatch.setattr(decode, "MOST_BYTES", 20_000)
    refused(root, r"12 pictures of shape \(32, 32, 3\), expected at most 20000 bytes")
    monkeypatch.setattr(decode, "MOST_BYTES", 3000)
    refused(root, r"0\.png: mode RGB of size \(32, 32\)")


def test_folders_that_are_no_classes(tmp_path):
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "0 files, none of a known set of pictures; expected data_batch_1")
    for at, values in enumerate(pixels(3)):
        picture(tmp_path / "flat" / f"{at}.png", values)
    refused(tmp_path / "flat", r"0\.png: is in no folder of a class, expected a folder for each class")
    refused(
        folders(tmp_path / "one", classes=("cat",)), "1 folders of pictures, expected a folder for each class"
    )
    root = folders(tmp_path / "mixed")
    picture(root / "bird" / "0.png", pixels(1)[0])
    refused(root, r"bird/0\.png: is beside train")


def test_a_class_with_one_picture(tmp_path):
    root = folders(tmp_path)
    for at in (1, 2):
        (root / "train" / "dog" / f"{at}.png").unlink()
    refused(root, "class 'dog' has 1 pictures outside the test part, expected at least two")


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda root: (root / "wnids.txt").write_text("n02\n"), "class n01 is not in .*wnids.txt"),
        (lambda root: (root / "wnids.txt").write_text("n02\nn01\nn02\n"), "names a class twice"),
        (lambda root: (root / "wnids.txt").write_bytes(b"\xff\xfe"), "wnids.txt: not UTF-8 text"),
        (lambda root: (root / "wnids.txt").write_text("n02\nn01\nn03\n"), "train/n03: no pictures"),
        (lambda root: (root / "val/val_annotations.txt").unlink(), "has no file val/val_annotations.txt"),
        (
            lambda root: (root / "val/val_annotations.txt").write_text("val_0.JPEG n02\n"),
            "line 1 is 'val_0.JPEG n02'",
        ),
        (
            lambda root: (root / "val/images/val_2.JPEG").unlink(),
            "val_2.JPEG: is annotated, but there is no such",
        ),
        (
            lambda root: picture(root / "val/images/val_9.JPEG", pixels(1)[0]),
            "val_9.JPEG: is not in val_annotations",
        ),
    ],
)
def test_tiny_imagenet_whose_files_disagree(tmp_path, break_it, says):
    root = tiny_imagenet(tmp_path)
    break_it(root)
    refused(root, says)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"pictures": pixels(4)}, "has no array 'labels', found pictures"),
        (
            {"pictures": pixels(4), "labels": np.zeros(3, int)},
            r"labels are int16 of shape \(3,\), expected 4",
        ),
        ({"pictures": pixels(4) / 255, "labels": np.arange(4) % 2}, "pictures are float64"),
        (
            {"pictures": pixels(4)[..., :2], "labels": np.arange(4) % 2},
            r"shape \(4, 32, 32, 2\), expected uint8",
        ),
        (
            {"pictures": pixels(4), "labels": np.arange(4) % 2 / 1.0},
            "labels is float64 .*, expected whole numbers",
        ),
        ({"pictures": pixels(4), "labels": np.array([0, 1, 1, -5])}, "labels hold -5 to 1"),
        (
            {"pictures": pixels(4), "labels": np.array([0, 0, 0, 0])},
            r"1 classes \(0\), expected at least two",
        ),
        ({"pictures": np.array([{}], object), "labels": np.zeros(1, int)}, "cannot be read as .npz"),
        ({"x_train": pixels(4), "y_train": np.arange(4) % 2}, "has no array 'x_test' beside x_train"),
        (
            {
                "x_train": pixels(4),
                "y_train": np.zeros(4, int),
                "x_test": pixels(2)[:, :8],
                "y_test": np.zeros(2, int),
            },
            r"x_test is uint8 of shape \(2, 8, 32, 3\)",
        ),
        (
            {
                "x_train": pixels(4),
                "y_train": np.zeros(3, int),
                "x_test": pixels(2),
                "y_test": np.zeros(2, int),
            },
            r"y_train has shape \(3,\), expected 4 labels",
        ),
        (
            {"pictures": pixels(4), "labels": np.arange(4) % 2, "part": np.array(["new"] * 4)},
            "expected 4 of train",
        ),
        (
            {"pictures": pixels(4), "labels": np.arange(4) % 2, "class_names": np.arange(2)},
            "class_names is int64",
        ),
    ],
)
def test_what_is_wrong_in_npz_is_named(tmp_path, arrays, says):
    np.savez(tmp_path / "a.npz", **arrays)
    refused(tmp_path / "a.npz", rf"a\.npz: .*{says}")


def test_paths_that_lead_nowhere(tmp_path):
    refused(tmp_path / "none", "none: no such file or folder")
    refused(tmp_path / "none.npz", "none.npz: no such file or folder")
    (tmp_path / "a.txt").write_text("x")
    refused(tmp_path / "a.txt", r"expected a folder or an archive")
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(b"x")
    refused(tmp_path, "a.zip, b.zip, expected one set; name one of them")


def test_labels_of_another_length():
    with pytest.raises(
        InputError, match=r"^here: labels are int16 of shape \(3,\), expected 4 whole numbers"
    ):
        Pictures(pixels(4), np.zeros(3, np.int16), ("a", "b"), np.full(4, "all")).check("here")


def test_an_archive_that_unpacks_to_more_than_memory(tmp_path, monkeypatch):
    archive = packed(cifar10(tmp_path, 60), "c.tar.xz")
    monkeypatch.setattr("neural_action.recordings.pictures.sources.most_bytes", lambda path: 100_000)
    refused(archive, "unpacks to .* bytes or more, expected at most 100000")
    refused(packed(cifar10(tmp_path / "b"), "c.zip"), "unpacks to .* bytes or more")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([cifar10, cifar100, tiny_imagenet, folders]),
    st.sampled_from([None, "x.tar.gz", "x.zip"]),
    st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=4),
    st.floats(0, 0.999),
    st.floats(0.2, 1),
)
def test_any_damage_is_one_line_or_harmless(tmp_path_factory, make, archive, changes, which, kept):
    root = target = make(tmp_path_factory.mktemp("set") / "raw")
    if archive:
        root = target = packed(root, archive)
    else:
        files = sorted(path for path in root.rglob("*") if path.is_file())
        target = files[int(which * len(files))]
    content = bytearray(target.read_bytes())
    for at, value in changes:
        content[int(at * len(content))] = value
    target.write_bytes(bytes(content[: int(kept * len(content))]))
    said = ""
    try:
        read_pictures(root)
    except InputError as error:
        said = str(error)
    assert "\n" not in said
