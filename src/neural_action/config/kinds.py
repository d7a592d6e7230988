"""Kinds of values of a configuration: what a name, a path, a number of anything or a section may be."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from neural_action.text import plain

# Text that is shown: one line.
Text = Annotated[str, AfterValidator(plain)]
# Names become names of files, which end at 255 bytes.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
Dataset = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
#: What NumPy, scikit-learn and torch all take.
Seed = Annotated[int, Field(ge=0, lt=2**32)]


#: Every seed is a run of every row and fold, every fold and split one of every row and seed (our choice).
MOST_SEEDS, MOST_FOLDS, MOST_SPLITS = 1000, 1000, 10_000


def _once(values: list) -> list:
    seen: set = set()
    for value in values:
        if value in seen:
            raise ValueError(f"entries that differ, {value!r} is there twice")
        seen.add(value)
    return values


def _unbraced(path: str) -> str:
    if not path or set(path) & set("{}"):
        raise ValueError("a path without braces, which Snakemake takes for wildcards")
    return path


def _stays(path: str) -> str:
    if ".." in PurePosixPath(path).parts:
        raise ValueError("a folder, not one above it (..)")
    return path


#: A path that rules name.
File = Annotated[Text, AfterValidator(_unbraced)]
#: Where results go: a folder, never one above the one it is named from.
Folder = Annotated[File, AfterValidator(_stays)]
#: Classes are counted in int8, below 0 being unlabelled.
MOST_CLASSES = 128
Classes = Annotated[list[Text], Field(min_length=2, max_length=MOST_CLASSES)]
#: Of a list whose entries differ: a run that is asked for twice would be counted twice.
Each = AfterValidator(_once)


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, numbers are not made from strings and are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
