"""The recording store: written whole or not at all, and never trusted unverified."""

from __future__ import annotations

import json
import os
import threading
import warnings
from dataclasses import fields, replace
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray
import zarr
from numcodecs import Zstd

from neural_action.errors import InputError
from neural_action.recordings import store as module
from neural_action.recordings.recording import Recording
from neural_action.recordings.store import (
    copy_neural,
    open_neural,
    read_manifest,
    read_recording,
    write_store,
)

FRAMES, SAMPLES = 50, 130


def make(neural=None, behavior_shape=(38, 2)) -> Recording:
    rng = np.random.default_rng(0)
    neural = rng.standard_normal((FRAMES, 8, 8)).astype(np.float32) if neural is None else neural
    return Recording(
        animal="Fly1",
        trial="001",
        neural=neural,
        neural_time=np.arange(FRAMES) / 16,
        behavior=rng.standard_normal((SAMPLES, *behavior_shape)).astype(np.float32),
        behavior_time=np.arange(SAMPLES) / 100,
        labels=(np.arange(SAMPLES) % 4 - 1).astype(np.int16),
        neural_index=(np.arange(SAMPLES) * FRAMES // SAMPLES).astype(np.int32),
        class_names=("a", "b", "c"),
        behavior_names=tuple(f"name_{number}" for number in range(behavior_shape[0])),
        neural_rate=16.0,
        behavior_rate=100.0,
        units={"neural": "dF/F", "behavior": "mm"},
        sources={"raw.mm": "ab" * 32},
    )


def write(folder: Path, recording: Recording, chunk_mb: float = 2048 / 2**20, **options) -> Path:
    """Eight frames of 8 x 8 float32 a chunk: seven chunks, the last of two frames."""
    manifest = folder / "Fly1" / "001.manifest.json"
    path = folder / "Fly1" / "001.zarr"
    write_store(recording, path, manifest, dataset="test", steps={"resize": 8}, chunk_mb=chunk_mb, **options)
    return manifest


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_same(one: Recording, other: Recording) -> None:
    for field in fields(Recording):
        here, there = getattr(one, field.name), getattr(other, field.name)
        if isinstance(there, np.ndarray):
            assert (here.dtype, here.shape) == (there.dtype, there.shape), field.name
            np.testing.assert_array_equal(here, there)
        else:
            assert here == there, field.name


SHAPES = {
    "images": ((FRAMES, 8, 8), (38, 2)),
    "traces": ((FRAMES, 12), (3,)),
}


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("lazy", [False, True])
def test_roundtrip(tmp_path, kind, dtype, lazy):
    shape, behavior_shape = SHAPES[kind]
    values = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    recording = make(values, behavior_shape)
    manifest = write(
        tmp_path,
        replace(recording, neural=da.from_array(values, chunks=(3, *shape[1:]))) if lazy else recording,
        threads=2,
    )
    assert_same(read_recording(manifest), recording)
    small = read_recording(manifest, with_neural=False)
    assert small.neural.shape == (0, *shape[1:])
    assert_same(replace(small, neural=values), recording)
    np.testing.assert_array_equal(np.asarray(open_neural(manifest)), values)
    for out_type in (np.float16, np.float32, np.float64):
        out = np.empty(shape, out_type)
        copy_neural(manifest, out)
        np.testing.assert_array_equal(out, values.astype(out_type))


@pytest.mark.parametrize("kind", SHAPES)
def test_xarray_opens_it(tmp_path, kind):
    shape, behavior_shape = SHAPES[kind]
    recording = make(np.zeros(shape, np.float32) + 1, behavior_shape)
    path = read_manifest(write(tmp_path, recording)).store
    # As Snakemake leaves it.
    (path / ".snakemake_timestamp").touch()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened = xarray.open_zarr(path)
        loaded = opened.load()
        opened.close()
    assert loaded.neural.dims == (("neural_time", "y", "x") if kind == "images" else ("neural_time", "unit"))
    for name in ("behavior", "labels", "neural_index"):
        assert loaded[name].dims[0] == "behavior_time"
    assert set(loaded.coords) == {
        "neural_time",
        "behavior_time",
        "keypoint" if len(behavior_shape) == 2 else "feature",
    }
    assert loaded.labels.dtype == np.int16
    assert loaded.neural_index.dtype == np.int32
    np.testing.assert_array_equal(loaded.labels, recording.labels)
    assert loaded.labels.attrs["flag_values"] == [-1, 0, 1, 2]
    assert loaded.labels.attrs["flag_meanings"] == "unlabelled a b c"
    assert (loaded.neural.attrs["units"], loaded.behavior.attrs["units"]) == ("dF/F", "mm")
    assert loaded.neural_time.attrs["units"] == loaded.behavior_time.attrs["units"] == "s"
    assert all(loaded[name].attrs["long_name"] for name in loaded.data_vars)
    assert loaded.attrs["dataset"] == "test"
    assert json.loads(loaded.attrs["units"]) == {"neural": "dF/F", "behavior": "mm"}
    assert json.loads(loaded.attrs["sources"]) == {"raw.mm": "ab" * 32}
    assert json.loads(loaded.attrs["steps"]) == {"resize": 8}
    assert loaded.attrs["class_names"] == ["a", "b", "c"]
    assert loaded.attrs["version"]
    assert loaded.attrs["Conventions"] == "CF-1.11"
    assert zarr.open_group(path, mode="r").metadata.zarr_format == 3
    near = loaded.sel(neural_time=1.0, method="nearest")
    assert near.neural.shape == shape[1:]
    assert loaded.sel(behavior_time=slice(0.5, 0.6)).labels.shape == (11,)
    if kind == "images":
        assert loaded.behavior.sel(keypoint="name_3").shape == (SAMPLES, 2)


@pytest.mark.parametrize("lazy", [False, True])
def test_a_store_becomes_netcdf(tmp_path, lazy):
    path = read_manifest(write(tmp_path, make())).store
    opened = xarray.open_zarr(path)
    (opened if lazy else opened.load()).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as again:
        xarray.testing.assert_equal(again.load(), opened.load())
        assert again.labels.attrs["flag_meanings"] == "unlabelled a b c"
        assert again.neural.attrs["units"] == "dF/F"


def test_old_stores_are_made_anew(written):
    manifest, _ = written
    _edit(manifest, lambda content: content.update(schema=1))
    with pytest.raises(InputError, match=r"001\.manifest\.json: schema 1, expected 3; rerun rule convert"):
        read_manifest(manifest)


def test_a_memory_mapped_target_is_filled(tmp_path):
    recording = make()
    manifest = write(tmp_path, recording)
    out = np.lib.format.open_memmap(tmp_path / "all.npy", "w+", np.float32, (2 * FRAMES, 8, 8))
    copy_neural(manifest, out[FRAMES:])
    np.testing.assert_array_equal(out[FRAMES:], recording.neural)
    assert not out[:FRAMES].any()
    with pytest.raises(ValueError, match="out has shape"):
        copy_neural(manifest, out)


def test_nan_signed_zeros_and_empty_chunks_are_kept(tmp_path):
    values = np.zeros((FRAMES, 8, 8), np.float32)
    values[8:16] = -0.0
    values[17] = np.nan
    manifest = write(tmp_path, make(values))
    assert read_recording(manifest).neural.tobytes() == values.tobytes()
    # Zeros are files as well: losing one is damage.
    (read_manifest(manifest).store / "neural" / "c" / "0" / "0" / "0").stat()


def test_a_second_write_replaces_the_first(tmp_path):
    write(tmp_path, make(), chunk_mb=1)
    manifest = write(tmp_path, make(np.ones((FRAMES, 4), np.float32)))
    assert read_recording(manifest).neural.shape == (FRAMES, 4)
    assert sorted(path.name for path in (tmp_path / "Fly1").iterdir()) == ["001.manifest.json", "001.zarr"]


def test_a_moved_dataset_is_still_read(tmp_path):
    write(tmp_path / "here", make())
    (tmp_path / "here").rename(tmp_path / "there")
    assert_same(read_recording(tmp_path / "there" / "Fly1" / "001.manifest.json"), make())


def failing(block_info=None) -> np.ndarray:
    place = block_info[None]["array-location"]
    if place[0][0] >= 24:
        raise InputError("raw.mm: NaN")
    return np.ones([stop - start for start, stop in place], np.float32)


@pytest.mark.parametrize("existing", [False, True])
def test_a_failure_leaves_what_was_there(tmp_path, existing):
    if existing:
        write(tmp_path, make())
    before = contents(tmp_path)
    neural = da.map_blocks(
        failing, chunks=((8,) * 6 + (2,), (8,), (8,)), dtype=np.float32, meta=np.empty((0, 0, 0))
    )
    with pytest.raises(InputError, match=r"raw\.mm: NaN"):
        write(tmp_path, replace(make(), neural=neural))
    assert contents(tmp_path) == before
    assert len(list((tmp_path / "Fly1").iterdir())) == (2 if existing else 0)


def test_an_inconsistent_recording_is_not_written(tmp_path):
    with pytest.raises(InputError, match="Fly1/001: labels has 3 entries"):
        write(tmp_path, replace(make(), labels=np.zeros(3, np.int8)))
    assert contents(tmp_path) == {}


def test_a_chunk_that_is_written_wrong_is_noticed(tmp_path, monkeypatch):
    write_chunk = zarr.Array.__setitem__
    monkeypatch.setattr(
        zarr.Array, "__setitem__", lambda array, rows, block: write_chunk(array, rows, block * 0)
    )
    with pytest.raises(OSError, match="read back differ from what was written"):
        write(tmp_path, make())
    assert contents(tmp_path) == {}


def test_a_chunk_that_is_not_written_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(da, "store", lambda *arguments, **options: None)
    with pytest.raises(OSError, match="chunk 0 was not written"):
        write(tmp_path, replace(make(), neural=da.ones((FRAMES, 8, 8), dtype=np.float32)))


def test_leftovers_of_killed_jobs_are_cleared_and_not_trusted(tmp_path):
    left = tmp_path / "Fly1" / ".001.zarr.0123456789ab.part"
    left.mkdir(parents=True)
    (left / "zarr.json").write_text("half")
    assert_same(read_recording(write(tmp_path, make())), make())
    assert not left.exists()


def test_memory_is_bounded_by_chunks_in_flight(tmp_path):
    lock, alive, most = threading.Lock(), [0], [0]

    def block(block_info=None):
        with lock:
            alive[0] += 1
            most[0] = max(most[0], alive[0])
        place = block_info[None]["array-location"]
        return np.ones([stop - start for start, stop in place], np.float32)

    written = module._Checked.__setitem__

    def count(target, region, values):
        written(target, region, values)
        if values.ndim == 3 and values.shape[1:] == (8, 8):
            with lock:
                alive[0] -= 1

    neural = da.map_blocks(
        block, chunks=((8,) * 6 + (2,), (8,), (8,)), dtype=np.float32, meta=np.empty((0, 0, 0))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Checked, "__setitem__", count)
        write(tmp_path, replace(make(), neural=neural), threads=2)
    assert most[0] <= 2


@pytest.fixture
def written(tmp_path):
    manifest = write(tmp_path, make())
    return manifest, read_manifest(manifest).store


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _edit(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def _bomb(path: Path, size: bool = True) -> None:
    """16 MiB of zeros in half a KB, which a frame may say or not."""
    packer = Zstd(level=19)
    packed = packer.encode(bytes(1 << 24))
    # Without its size: a window instead of a single segment (RFC 8878, 3.1.1.1).
    path.write_bytes(packed if size else packed[:4] + b"\x00\x58" + packed[9:])


def _larger_chunks(meta: dict) -> None:
    meta["chunk_grid"]["configuration"]["chunk_shape"] = [1 << 40]


DAMAGE = [
    (lambda store: (store / "neural/c/3/0/0").unlink(), "chunk 3 of neural"),
    (lambda store: _flip(store / "neural/c/3/0/0"), "chunk 3 of neural"),
    (lambda store: (store / "neural/c/3/0/0").write_bytes(b""), "chunk 3 of neural"),
    (
        lambda store: (store / "neural/c/3/0/0").replace(store / "neural/c/2/0/0"),
        "chunk 2 of neural does not match",
    ),
    (lambda store: _fifo(store / "neural/c/3/0/0"), "chunk 3 of neural .*is no file"),
    (lambda store: _link(store / "neural/c/3/0/0", "/dev/zero"), "chunk 3 of neural .*is no file"),
    (lambda store: _fifo(store / "behavior/zarr.json"), "array behavior cannot be opened .*is no file"),
    (lambda store: _link(store / "zarr.json", "/dev/zero"), "cannot be opened as Zarr .*is no file"),
    (lambda store: _bomb(store / "neural/c/3/0/0"), "unpacks to 16777216 bytes, expected 2048"),
    (lambda store: _bomb(store / "neural/c/3/0/0", size=False), "unpacks to unknown bytes, expected 2048"),
    (
        lambda store: _edit(store / "labels/zarr.json", _larger_chunks),
        r"array labels has chunks \(1099511627776,\) with codecs bytes, zstd",
    ),
    (
        lambda store: _edit(store / "labels/zarr.json", lambda meta: meta.update(codecs=meta["codecs"][:1])),
        "array labels has chunks .* with codecs bytes,",
    ),
    (lambda store: (store / "labels/c/0").unlink(), "chunk 0 of labels does not match"),
    (lambda store: zarr.open_group(store)["labels"].__setitem__(5, 1), "chunk 0 of labels does not match"),
    (lambda store: (store / "behavior/zarr.json").unlink(), "array behavior cannot be opened"),
    (lambda store: (store / "behavior/zarr.json").write_text("{"), "array behavior cannot be opened"),
    (
        lambda store: zarr.open_group(store)["neural_index"].resize(3),
        r"neural_index is int32 \(3,\), expected int32 \(130,",
    ),
    (
        lambda store: zarr.open_group(store).attrs.put({"animal": "Fly2"}),
        "attribute .* differs from the manifest",
    ),
    (lambda store: zarr.open_group(store).update_attributes({"trial": "9"}), "attribute trial differs"),
    (lambda store: zarr.open_group(store).update_attributes({"more": 1}), "attribute more differs"),
    (lambda store: (store / "zarr.json").unlink(), "cannot be opened as Zarr"),
    (lambda store: store.rename(store.with_name("moved")), "cannot be opened as Zarr"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGE)
def test_damage_is_named_with_what_to_do(written, damage, says):
    manifest, store = written
    damage(store)
    with pytest.raises(InputError, match=rf"001\.zarr: .*{says}.*delete its manifest and rerun") as error:
        read_recording(manifest)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("number", [0, 6])
def test_neural_damage_is_seen_by_every_way_of_reading_it(written, number):
    manifest, store = written
    _flip(store / f"neural/c/{number}/0/0")
    lazy = open_neural(manifest)
    read_recording(manifest, with_neural=False)
    for read in (lambda: copy_neural(manifest, np.empty((FRAMES, 8, 8), np.float32)), lazy.compute):
        with pytest.raises(InputError, match=f"chunk {number} of neural"):
            read()
    np.asarray(lazy[16:24])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda content: content.update(schema=99), "schema 99, expected 3; rerun rule convert"),
        (lambda content: content.pop("schema"), "cannot be read as a manifest"),
        (lambda content: content["arrays"].pop("labels"), "cannot be read as a manifest"),
        (lambda content: content["attributes"].pop("animal"), "cannot be read as a manifest"),
        (lambda content: content.update(arrays=[]), "cannot be read as a manifest"),
        (lambda content: content["attributes"].update(animal="Fly9"), "attribute animal differs"),
        (
            lambda content: content["arrays"]["neural"].update(sha256=["00"] * 7),
            "chunk 0 of neural does not match",
        ),
    ],
)
def test_a_changed_manifest(written, change, says):
    manifest, _ = written
    _edit(manifest, change)
    with pytest.raises(InputError, match=says):
        read_recording(manifest)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff\xfe", b"3", b"[" * 100_000])
def test_what_is_not_a_manifest(tmp_path, data):
    path = tmp_path / "x.manifest.json"
    with pytest.raises(InputError, match=r"x\.manifest\.json: cannot be read"):
        read_manifest(path)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"x\.manifest\.json: cannot be read as a manifest"):
        read_manifest(path)


def test_the_manifest_describes_the_store(written):
    manifest = read_manifest(written[0])
    assert (manifest.animal, manifest.trial, manifest.neural_rate) == ("Fly1", "001", 16.0)
    assert manifest.class_names == ("a", "b", "c")
    assert len(manifest.behavior_names) == 38
    neural = manifest.arrays["neural"]
    assert (neural.shape, neural.dtype, neural.chunk, len(neural.sha256)) == ((FRAMES, 8, 8), "float32", 8, 7)
    assert json.loads(written[0].read_text())["store"] == "001.zarr"
