"""Types of configuration values: names, paths, numbers, lists and sections."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from neural_action.config.signatures import one_line
from neural_action.errors import InputError
from neural_action.text import plain

# One line of text that is shown.
Text = Annotated[str, AfterValidator(plain)]
# Names become file names, which are limited to 255 bytes.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
Dataset = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$", max_length=100)]


def _whole(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]+", value) else value


#: Snakemake's command line gives numbers in lists and mappings as text: ``--config seeds=[0,1]``.
FromText = BeforeValidator(_whole)
Fraction = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1), FromText]
Positive = Annotated[float, Field(gt=0)]
#: Range that NumPy, scikit-learn and torch all accept.
Seed = Annotated[int, Field(ge=0, lt=2**32), FromText]


#: Upper limits, because each seed, fold and split multiplies the number of jobs (our choice).
MOST_SEEDS, MOST_FOLDS, MOST_SPLITS = 1000, 1000, 10_000


def _once(values: list) -> list:
    seen: set = set()
    for value in values:
        if value in seen:
            raise ValueError(f"a list without duplicates, {value!r} is there twice")
        seen.add(value)
    return values


def _unbraced(path: str) -> str:
    if not path or set(path) & set("{}"):
        raise ValueError("a path without braces, because Snakemake takes them for wildcards")
    return path


def _stays(path: str) -> str:
    if ".." in PurePosixPath(path).parts:
        raise ValueError("a folder without .. in its path")
    return path


#: A path used in rules.
File = Annotated[Text, AfterValidator(_unbraced)]
#: Folder of the results, never above the working folder.
Folder = Annotated[File, AfterValidator(_stays)]
#: Labels are int16, and -1 means unlabelled. As many classes as ImageNet has (our choice).
MOST_CLASSES = 1000
#: Classes of a file of actions, at most: more are values, such as a column of times (our choice).
MOST_ACTIONS = 128
Classes = Annotated[list[Text], Field(min_length=2, max_length=MOST_CLASSES)]
#: List without duplicates.
Each = AfterValidator(_once)


class Section(BaseModel):
    """A section of the configuration. Errors: unknown keys, infinite numbers, text for a number that is not whole."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @classmethod
    def parse(cls, content: Any, where: str) -> Self:
        """The section in ``content``. InputError with the key below ``where``, the value and what was expected."""
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise InputError(f"configuration {one_line(error, where)}") from None
