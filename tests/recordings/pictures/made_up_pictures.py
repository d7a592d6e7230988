"""Small sets of pictures in the published layouts."""

import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ["airplane", "automobile", "bird"]
FINE, COARSE = ["apple", "pear", "rose", "tulip"], ["flowers", "fruit"]
GROUP = np.array([1, 1, 0, 0])


def pixels(count: int, seed: int = 0) -> np.ndarray:
    """(count, 32, 32, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), np.uint8)


def rows(pictures: np.ndarray) -> np.ndarray:
    """(n, 3072) as CIFAR keeps them: channel, y, x."""
    return pictures.transpose(0, 3, 1, 2).reshape(len(pictures), -1)


def cifar10(folder: Path, each: int = 6, *, binary: bool = False) -> Path:
    """CIFAR-10 with few pictures a batch; batch ``i`` has the pictures of seed ``i``, the test batch of seed 9."""
    root = folder / ("cifar-10-batches-bin" if binary else "cifar-10-batches-py")
    root.mkdir(parents=True)
    labels = np.arange(each) % len(CLASSES)
    for seed, name in [*((at, f"data_batch_{at}") for at in range(1, 6)), (9, "test_batch")]:
        data = rows(pixels(each, seed))
        if binary:
            records = np.concatenate([labels.astype(np.uint8)[:, None], data], 1)
            (root / f"{name}.bin").write_bytes(records.tobytes())
        else:
            content = {b"batch_label": b"x", b"labels": labels.tolist(), b"data": data, b"filenames": []}
            (root / name).write_bytes(pickle.dumps(content, protocol=2))
    if binary:
        (root / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n\n")
    else:
        (root / "batches.meta").write_bytes(pickle.dumps({b"label_names": CLASSES}, protocol=2))
    return root


def cifar100(folder: Path, *, binary: bool = False) -> Path:
    """CIFAR-100 with 12 training pictures (seed 1) and 8 test pictures (seed 2) of four classes in two groups."""
    root = folder / ("cifar-100-binary" if binary else "cifar-100-python")
    root.mkdir(parents=True)
    for seed, name, count in ((1, "train", 12), (2, "test", 8)):
        fine = np.arange(count) % len(FINE)
        coarse, data = GROUP[fine], rows(pixels(count, seed))
        if binary:
            heads = np.stack([coarse, fine], 1).astype(np.uint8)
            (root / f"{name}.bin").write_bytes(np.concatenate([heads, data], 1).tobytes())
        else:
            content = {"fine_labels": fine.tolist(), "coarse_labels": coarse.tolist(), "data": data}
            (root / name).write_bytes(pickle.dumps(content, protocol=2))
    if binary:
        (root / "fine_label_names.txt").write_text("\n".join(FINE))
        (root / "coarse_label_names.txt").write_text("\n".join(COARSE))
    else:
        names = {"fine_label_names": FINE, "coarse_label_names": COARSE}
        (root / "meta").write_bytes(pickle.dumps(names, protocol=2))
    return root


def picture(path: Path, values: np.ndarray) -> None:
    """Write (y, x, 3) or (y, x) uint8 in the format of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, "PNG" if path.suffix.lower() == ".png" else "JPEG")


def folders(folder: Path, parts=("train", "test"), classes=("cat", "dog"), each: int = 3) -> Path:
    """PNG files ``<part>/<class>/<k>.png``."""
    for number, (part, name) in enumerate((part, name) for part in parts for name in classes):
        for at, values in enumerate(pixels(each, number)):
            picture(folder / part / name / f"{at}.png", values)
    return folder


def tiny_imagenet(folder: Path) -> Path:
    """Two classes of two pictures, two validation pictures of each, one of them grey."""
    root = folder / "tiny-imagenet-200"
    wnids, lines = ["n02", "n01"], []
    for number, wnid in enumerate(wnids):
        for at, values in enumerate(pixels(2, number)):
            picture(root / "train" / wnid / "images" / f"{wnid}_{at}.JPEG", values)
            picture(root / "val" / "images" / f"val_{2 * number + at}.JPEG", values[..., 0] if at else values)
            lines.append(f"val_{2 * number + at}.JPEG\t{wnid}\t0\t0\t9\t9\n")
        (root / "train" / wnid / f"{wnid}_boxes.txt").write_text("boxes")
    picture(root / "test" / "images" / "test_0.JPEG", pixels(1)[0])
    (root / "val" / "val_annotations.txt").write_text("".join(lines))
    (root / "wnids.txt").write_text("\n".join(wnids) + "\n")
    return root


def packed(root: Path, name: str) -> Path:
    """An archive of a folder, its name at the head of every path."""
    archive = root.parent / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(root.rglob("*")):
                file.write(path, path.relative_to(root.parent).as_posix())
    else:
        with tarfile.open(archive, "w:" + name.rsplit(".", 1)[1].replace("tgz", "gz")) as file:
            file.add(root, root.name)
    return archive


def png(values: np.ndarray) -> bytes:
    """The bytes of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()
