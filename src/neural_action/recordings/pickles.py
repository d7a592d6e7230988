"""Read arrays and nested containers of arrays from pickles and .npy files, without executing their code.

Every global that a pickle names is looked up in a table of this module and never imported. The table holds stand-ins
for the few forms in which NumPy 1 and 2 pickle a plain array of numbers.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Literal, cast

import numpy as np

from neural_action.errors import InputError, reading
from neural_action.files import check_zip

# Maximum size of a file (our choice; an hour of 42 angles at 100 /s is 60 MB). No form below allocates more than the
# file holds.
MAX_BYTES = 1 << 30
# A pickle may refer to one part several times; it may unpack to this, or to 16 times its size (our choice).
_LEAST = 64 << 20
_NUMBERS = re.compile(r"[<>|=]?[biuf](1|2|4|8)")


class _Type:
    """Stands for numpy.dtype."""

    def __init__(self, name: Any, align: Any = False, copy: Any = True):
        self.name = _text(name)
        self.order: Literal["<", ">", "=", "|"] = "<"

    def __setstate__(self, state: tuple) -> None:
        # In a broken pickle this can be any text; NumPy then refuses it.
        self.order = cast(Literal["<", ">", "=", "|"], _text(state[1]))

    def dtype(self) -> np.dtype:
        if not _NUMBERS.fullmatch(self.name):
            raise InputError(f"holds values of type {self.name!r}, expected plain numbers")
        return np.dtype(self.name).newbyteorder(self.order)


class Array:
    """Stands for numpy.ndarray."""

    value: np.ndarray | None = None
    #: The entries of an array of Python objects: a list, or the single object of a 0-d array.
    objects: Any = None

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        if isinstance(data, list):
            self.objects = data[0] if shape == () and data else data
        else:
            self.value = _array(data, dtype, shape, "F" if fortran else "C")


def _reconstruct(kind: Any, shape: Any, code: Any) -> Array:
    return Array()


def _frombuffer(data: Any, dtype: _Type, shape: tuple[int, ...], order: Literal["C", "F"]) -> Array:
    array = Array()
    array.value = _array(data, dtype, shape, order)
    return array


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise InputError(f"encodes bytes as {encoding!r}, expected a plain NumPy array")
    return text.encode("latin1")


def _array(data: Any, dtype: _Type, shape: tuple[int, ...], order: Literal["C", "F"]) -> np.ndarray:
    values = np.frombuffer(data.encode("latin1") if isinstance(data, str) else data, dtype.dtype())
    values = values.reshape(shape, order=order)
    return values.astype(values.dtype.newbyteorder("="))


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _scalar(dtype: _Type, data: Any = b"") -> Any:
    return _array(data, dtype, (), "C").item()


class _Opaque:
    """Stands for any other name in a pickle: accepts all arguments and ignores them."""

    def __new__(cls, *arguments: Any, **named: Any) -> _Opaque:
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **named: Any):
        pass

    def _ignore(self, *arguments: Any) -> None:
        pass

    __setstate__ = __setitem__ = append = extend = add = update = _ignore


#: Stand-in for each name that a pickled array needs.
ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
    # Old protocols write empty bytes this way.
    ("__builtin__", "bytes"): bytes,
} | {
    (f"{package}.{module}", name): stand_in
    for package in ("numpy.core", "numpy._core")
    for module, name, stand_in in (
        ("multiarray", "_reconstruct", _reconstruct),
        ("multiarray", "scalar", _scalar),
        ("numeric", "_frombuffer", _frombuffer),
    )
}


# The Python unpickler instead of the C one: its memo is a dictionary, which a forged index cannot inflate.
class Unpickler(pickle._Unpickler):
    """Looks up every name in ``allowed``. InputError, with what was ``expected``, for another name.

    With ``opaque``, an unknown name becomes an object that does nothing.
    """

    def __init__(
        self,
        stream: IO[bytes],
        allowed: Mapping[tuple[str, str], Any],
        expected: str,
        *,
        opaque: bool = False,
    ):
        super().__init__(stream, encoding="latin1")
        self.allowed, self.expected, self.opaque = allowed, expected, opaque

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name."""
        if (module, name) in self.allowed:
            return self.allowed[module, name]
        if self.opaque:
            return _Opaque
        raise InputError(f"names {module}.{name}, expected {self.expected}; it was not executed")


def load_array_pickle(path: Path) -> np.ndarray:
    """The NumPy array of numbers in a pickle, in native byte order, read through an allow-list.

    InputError if the file cannot be read, is larger than ``MAX_BYTES``, holds something else, or refers to a name that
    a plain array does not need. That name is in the message; nothing is imported or executed.
    """
    with reading(path, "a pickled array", nameless=True):
        data = bounded(path)
        array = Unpickler(io.BytesIO(data), ALLOWED, "a plain NumPy array").load()
    if not isinstance(array, Array):
        raise InputError(f"{path}: holds {type(array).__name__}, expected a NumPy array of numbers")
    if array.value is None:
        raise InputError(f"{path}: holds no values or Python objects, expected plain numbers")
    return array.value


def load_object_pickle(path: Path, *, opaque: bool = False) -> Any:
    """The dictionaries, lists, numbers, strings and NumPy arrays in a pickle or in a pickled .npy.

    With ``opaque``, an unknown name becomes an object that does nothing, instead of an InputError; use it to read a few
    plain entries of a file. Nothing is imported or executed in either case. InputError as ``load_array_pickle``.
    """
    with reading(path, "a pickle", OSError, nameless=True):
        data = bounded(path)
    return object_pickle(data, path, npy=Path(path).suffix == ".npy", opaque=opaque)


def object_pickle(data: bytes, where: Path | str, *, npy: bool = False, opaque: bool = False) -> Any:
    """As ``load_object_pickle``, from bytes; messages name ``where``. With ``npy``, skip the header of an .npy file."""
    with reading(where, "a pickle", nameless=True):
        stream = io.BytesIO(data)
        if npy:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0
            if version != (1, 0):
                read = np.lib.format.read_array_header_2_0
            read(stream)
        unpickler = Unpickler(stream, ALLOWED, "containers of plain NumPy arrays", opaque=opaque)
        return _plain(unpickler.load(), max(_LEAST, 16 * len(data)))


def _plain(value: Any, most: int) -> Any:
    """``value`` with stand-ins replaced by arrays, at any depth. InputError if it unpacks to more than ``most`` bytes.

    Nested references to one part let a few bytes stand for any number of values, so sizes are summed while walking.
    """
    made: dict[int, tuple[Any, int]] = {}

    def walk(value: Any) -> tuple[Any, int]:
        if not isinstance(value, Array | dict | list | tuple):
            return value, 8
        if id(value) not in made:
            made[id(value)] = unpack(value)
            if made[id(value)][1] > most:
                raise InputError(f"unpacks to more than {most} bytes, expected at most that")
        return made[id(value)]

    def unpack(value: Any) -> tuple[Any, int]:
        if isinstance(value, Array):
            if value.objects is not None:
                return walk(value.objects)
            if value.value is None:
                raise InputError("holds an array without values")
            return value.value, value.value.nbytes
        parts = [walk(part) for part in (value.values() if isinstance(value, dict) else value)]
        size = 8 + sum(size for _, size in parts)
        entries = [entry for entry, _ in parts]
        return (
            dict(zip(value, entries, strict=True)) if isinstance(value, dict) else type(value)(entries)
        ), size

    return walk(value)[0]


def load_npy(path: Path) -> np.ndarray:
    """The array in a .npy file, never unpickled. InputError if it cannot be read or exceeds ``MAX_BYTES``."""
    with reading(path, ".npy", nameless=True):
        return np.load(io.BytesIO(bounded(path)), allow_pickle=False)


def load_npz(path: Path) -> dict[str, np.ndarray]:
    """Name -> array in a .npz file, never unpickled. InputError if it cannot be read or unpacks to too much."""
    with reading(path, ".npz", nameless=True):
        check_zip(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}


def bounded(path: Path) -> bytes:
    """The bytes of a file. InputError if it has more than ``MAX_BYTES``, or is no regular file."""
    path = Path(path)
    if path.exists() and not path.is_file():
        raise InputError("is not a file, expected a file")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise InputError(f"{size} bytes, expected at most {MAX_BYTES}")
    return path.read_bytes()
