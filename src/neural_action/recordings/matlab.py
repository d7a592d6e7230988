"""MATLAB files (version 5, which MATLAB saves up to ``-v7``): check every element, then read them with SciPy.

SciPy (1.17) uses the type of an element as an index into a table, and the number of cells in a header, without checking
either; its documentation warns of untrusted files. A damaged byte can crash the process. So every element of the wanted
variables is checked here first. Layout: MathWorks, *MAT-File Format*, chapter 1.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neural_action.errors import InputError, reading
from neural_action.files import most_bytes

Order = Literal["little", "big"]
Element = tuple[int, memoryview]  # type and content
_NOTHING: Element = (0, memoryview(b""))
_ORDERS: dict[bytes, Order] = {b"IM": "little", b"MI": "big"}
#: Types of elements: integers and other numbers, text, and containers.
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_NUMBERS = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13}
_TEXTS = {*_NUMBERS, 16, 17, 18}
#: Classes of arrays; 6 to 15 are numbers. Functions (16) and objects (3, 17) are refused.
_CELL, _STRUCT, _CHAR, _SPARSE = 1, 2, 4, 5
_COMPLEX = 0x0800
#: Maximum nesting, because SciPy reads recursively (our choice; recordings nest two or three deep).
_DEEPEST = 32
#: Bytes at the start of a variable that are enough for its name.
_HEAD = 1 << 12


def load_mat(path: Path, *names: str) -> dict[str, Any]:
    """The variables among ``names`` that the file has; fields of structures are attributes.

    InputError naming the file if it is missing, has another version, is damaged, or unpacks to far more than its size.
    """
    from scipy.io import loadmat

    if not path.is_file():
        raise InputError(f"{path}: no such file, expected a MATLAB file (.mat)")
    with reading(path, "a MATLAB file"):
        _check(path, names)
        return loadmat(path, squeeze_me=True, struct_as_record=False, variable_names=names)


def variable(path: Path, content: Any, name: str) -> Any:
    """A variable of ``load_mat``, or a field of a structure in it. InputError if there is none."""
    value = content.get(name) if isinstance(content, dict) else getattr(content, name, None)
    if value is None:
        raise InputError(f"{path}: has no variable {name!r}, expected one")
    return value


def numbers(path: Path, content: Any, name: str) -> np.ndarray:
    """A variable, as ``variable``, as float64. InputError if it is missing or no numbers."""
    values = np.asarray(variable(path, content, name))
    if values.dtype.kind not in "biuf":
        raise InputError(f"{path}: {name} is {values.dtype} of shape {values.shape}, expected numbers")
    return values.astype(np.float64)


def _check(path: Path, names: tuple[str, ...]) -> None:
    """ValueError if SciPy cannot safely read the variables ``names``."""
    left, end = most_bytes(path), path.stat().st_size
    with path.open("rb") as file:
        order = _ORDERS.get(file.read(128)[126:128])
        if order is None:
            raise ValueError("no header of version 5, which MATLAB saves with -v7")
        while tag := file.read(8):
            kind, size = (int.from_bytes(part, order) for part in (tag[:4], tag[4:]))
            start = file.tell()
            if len(tag) < 8 or start + size > end:
                raise ValueError("ends in the middle of a variable")
            head = file.read(min(size, _HEAD))
            _, _, name = _header(_elements(_matrix(kind, head, order, _HEAD), order, whole=False), order)
            if name in names:
                data = head + file.read(size - len(head))
                left -= _unpacked_size(data, left) if kind == _COMPRESSED else size
                if left < 0:
                    raise ValueError(f"unpacks to more than {most_bytes(path)} bytes")
                _check_matrix(_matrix(kind, data, order), order, 0)
            file.seek(start + size)


def _unpacked_size(data: bytes, most: int) -> int:
    """Decompressed size in bytes, counted up to about ``most``; pieces are decompressed and dropped."""
    unpack, size = zlib.decompressobj(), 0
    while data and size <= most:
        size += len(unpack.decompress(data, 1 << 20))
        data = unpack.unconsumed_tail
    return size


def _matrix(kind: int, data: bytes, order: Order, most: int = 0) -> memoryview:
    """The content of a variable, decompressed if needed, up to ``most`` bytes (0: all)."""
    content = memoryview(data)
    if kind == _COMPRESSED:
        unpacked = memoryview(zlib.decompressobj().decompress(data, most))
        kind, content = next(_elements(unpacked, order, whole=not most), _NOTHING)
    if kind != _MATRIX:
        raise ValueError(f"an element of type {kind} where a variable is expected")
    return content


def _elements(data: memoryview, order: Order, whole: bool = True) -> Iterator[Element]:
    """Type and content of each element. ValueError if ``data`` is ``whole`` and an element ends beyond it."""
    at = 0
    while at < len(data):
        kind, size = (int.from_bytes(data[place : place + 4], order) for place in (at, at + 4))
        start = at + 8
        if kind >> 16:  # up to four bytes lie in the tag itself
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
            if size > 4:
                raise ValueError(f"a short element of {size} bytes")
        if whole and start + size > len(data):
            raise ValueError(f"an element of {size} bytes in {len(data) - start}")
        yield kind, data[start : start + size]
        at = at + 8 if start == at + 4 else start + size + (-size) % 8


def _header(elements: Iterator[Element], order: Order) -> tuple[int, list[int], str]:
    """Flags, sides and name at the start of every matrix."""
    parts = [next(elements, _NOTHING) for _ in range(3)]
    (flags_kind, flags), (sides_kind, sides), (name_kind, name) = parts
    if (flags_kind, len(flags)) != (_UINT32, 8) or sides_kind != _INT32 or name_kind != _INT8:
        raise ValueError(f"a variable begins with elements of types {[kind for kind, _ in parts]}")
    counts = [int.from_bytes(sides[at : at + 4], order, signed=True) for at in range(0, len(sides), 4)]
    if not 2 <= len(counts) <= 32 or len(sides) % 4 or min(counts) < 0:
        raise ValueError(f"a variable of sides {counts}")
    return int.from_bytes(flags[:4], order), counts, bytes(name).decode("latin1")


def _check_matrix(data: memoryview, order: Order, depth: int) -> None:
    """ValueError unless a matrix has the elements that its class and sides require."""
    if depth > _DEEPEST:
        raise ValueError(f"variables in variables, deeper than {_DEEPEST}")
    elements = _elements(data, order)
    flags, sides, _ = _header(elements, order)
    kind, count = flags & 0xFF, math.prod(sides)
    if kind == _STRUCT:
        (length_kind, length), (names_kind, names) = next(elements, _NOTHING), next(elements, _NOTHING)
        each = int.from_bytes(length, order, signed=True)
        if (length_kind, len(length), names_kind) != (_INT32, 4, _INT8) or each < 1 or len(names) % each:
            raise ValueError("a structure without names of its fields")
        count *= len(names) // each
    rest = list(elements)
    if kind in (_CELL, _STRUCT):
        expected, allowed = count, {_MATRIX}
    elif kind in (_CHAR, _SPARSE, *range(6, 16)):
        expected = (3 if kind == _SPARSE else 1) + bool(flags & _COMPLEX)
        allowed = _TEXTS if kind == _CHAR else _NUMBERS
    else:
        raise ValueError(f"a variable of class {kind}, expected numbers, text, cells or structures")
    if len(rest) != expected or not {part for part, _ in rest} <= allowed:
        raise ValueError(
            f"a variable of class {kind} and sides {sides} holds {len(rest)} elements, expected {expected}"
        )
    if kind in (_CELL, _STRUCT):
        for _, content in rest:
            # An empty matrix may be written without content.
            if content:
                _check_matrix(content, order, depth + 1)
