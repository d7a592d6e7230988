"""Every published layout, made up small, gives the pictures that were put in."""

import numpy as np
import pytest
from made_up_pictures import (
    CLASSES,
    COARSE,
    FINE,
    GROUP,
    cifar10,
    cifar100,
    folders,
    packed,
    pixels,
    tiny_imagenet,
)
from sklearn.datasets import load_digits

from neural_action.recordings.pictures.class_folders import read as read_folders
from neural_action.recordings.pictures.read import read_pictures
from neural_action.recordings.pictures.sources import open_tree


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("archive", [None, "c.tar.gz", "c.tgz", "c.tar.xz", "c.zip"])
def test_cifar10(tmp_path, binary, archive):
    root = cifar10(tmp_path / "raw", binary=binary)
    found = read_pictures(root if archive is None else packed(root, archive))
    expected = np.concatenate([pixels(6, seed) for seed in (1, 2, 3, 4, 5, 9)])
    assert np.array_equal(found.pictures, expected)
    assert found.pictures.flags["C_CONTIGUOUS"]
    assert found.labels.tolist() == [0, 1, 2] * 12
    assert found.class_names == tuple(CLASSES)
    assert found.part.tolist() == ["train"] * 30 + ["test"] * 6
    assert found.coarse is None


@pytest.mark.parametrize("binary", [False, True])
def test_cifar100_has_coarse_labels(tmp_path, binary):
    found = read_pictures(cifar100(tmp_path, binary=binary))
    assert np.array_equal(found.pictures, np.concatenate([pixels(12, 1), pixels(8, 2)]))
    assert found.labels.tolist() == [0, 1, 2, 3] * 5
    assert np.array_equal(found.coarse, GROUP[found.labels])
    assert (found.class_names, found.coarse_names) == (tuple(FINE), tuple(COARSE))
    assert (found.part == "test").sum() == 8


@pytest.mark.parametrize("archive", [None, "t.zip", "t.tar.gz"])
def test_tiny_imagenet(tmp_path, archive):
    root = tiny_imagenet(tmp_path / "raw")
    found = read_pictures(root if archive is None else packed(root, archive))
    assert found.pictures.shape == (8, 32, 32, 3)
    assert found.class_names == ("n02", "n01")
    assert found.labels.tolist() == [0, 0, 1, 1] * 2
    assert found.part.tolist() == ["train"] * 4 + ["test"] * 4
    grey = found.pictures[5]
    assert (grey[..., 0] == grey[..., 1]).all()
    assert not (found.pictures[4][..., 0] == found.pictures[4][..., 1]).all()


def test_tiny_imagenet_has_words_where_they_are(tmp_path):
    root = tiny_imagenet(tmp_path)
    (root / "words.txt").write_text("n01\tcrane, bird\nn02\tcrane, machine\nn03\tother\n")
    assert read_pictures(root).class_names == ("crane (n02)", "crane (n01)")


def test_folders_of_classes(tmp_path):
    root = folders(tmp_path / "set")
    found = read_pictures(root)
    assert np.array_equal(found.pictures, np.concatenate([pixels(3, seed) for seed in range(4)]))
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1] * 2
    assert found.class_names == ("cat", "dog")
    assert found.part.tolist() == ["train"] * 6 + ["test"] * 6
    assert np.array_equal(read_pictures(packed(root, "set.tar.xz")).pictures, found.pictures)


def test_folders_without_parts_and_hidden_files(tmp_path):
    root = folders(tmp_path, parts=("",))
    (root / "cat" / "._0.png").write_bytes(b"not a picture")
    (root / ".cache").mkdir()
    (root / ".cache" / "x.png").write_bytes(b"nor this")
    assert set(read_pictures(root).part) == {"all"}


def test_grey_pictures_have_one_channel_unless_they_are_repeated(tmp_path):
    root = folders(tmp_path)
    for at, path in enumerate(sorted(root.rglob("*.png"))):
        from made_up_pictures import picture

        picture(path, pixels(1, at)[0, ..., 0])
    assert read_pictures(root).pictures.shape == (12, 32, 32, 1)
    assert read_folders(open_tree(root), grey="repeat").pictures.shape == (12, 32, 32, 3)


def test_npz_of_pictures_and_of_parts(tmp_path):
    values, labels = pixels(6), np.array([0, 1, 1, 0, 1, 0])
    np.savez(tmp_path / "a.npz", pictures=values, labels=labels, class_names=np.array(["no", "yes"]))
    found = read_pictures(tmp_path / "a.npz")
    assert np.array_equal(found.pictures, values)
    assert (found.class_names, set(found.part)) == (("no", "yes"), {"all"})
    np.savez(
        tmp_path / "b.npz",
        x_train=values[:4, :, :, 0],
        y_train=labels[:4, None],
        x_test=values[4:, :, :, 0],
        y_test=labels[4:],
    )
    found = read_pictures(tmp_path / "b.npz")
    assert found.pictures.shape == (6, 32, 32, 1)
    assert found.labels.tolist() == labels.tolist()
    assert (found.part == "test").tolist() == [False] * 4 + [True] * 2
    assert found.class_names == ("0", "1")


def test_a_folder_with_one_archive_stands_for_it(tmp_path):
    archive = packed(cifar10(tmp_path / "made"), "cifar-10-python.tar.gz")
    (tmp_path / "raw").mkdir()
    archive.rename(tmp_path / "raw" / archive.name)
    assert len(read_pictures(tmp_path / "raw").labels) == 36


def test_digits_need_no_file():
    found, original = read_pictures("digits"), load_digits()
    assert found.pictures.shape == (1797, 8, 8, 1)
    assert np.array_equal(np.rint(found.pictures[..., 0] / (255 / 16)), original.images)
    assert np.array_equal(found.labels, original.target)
    assert (found.part == "train").sum() == 1297


@pytest.mark.real_data
def test_real_cifar10(real_recordings):
    found = read_pictures(real_recordings("images/cifar10_jpeg.tar.xz"))
    assert found.pictures.shape == (60000, 32, 32, 3)
    assert found.class_names[:2] == ("airplane", "automobile")
    for part, each in (("train", 5000), ("test", 1000)):
        assert np.bincount(found.labels[found.part == part]).tolist() == [each] * 10
    # What torchvision and others normalise CIFAR-10 with; JPEG moves it a little.
    mean = found.pictures[found.part == "train"].mean((0, 1, 2)) / 255
    assert np.allclose(mean, [0.4914, 0.4822, 0.4465], atol=0.003)


@pytest.mark.real_data
def test_real_tiny_imagenet(real_recordings):
    found = read_pictures(real_recordings("images/tiny_imagenet_10_classes.tar.xz"))
    assert found.pictures.shape == (500, 64, 64, 3)
    assert np.bincount(found.labels[found.part == "train"]).tolist() == [40] * 10
    assert np.bincount(found.labels[found.part == "test"]).tolist() == [10] * 10
