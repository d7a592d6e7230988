"""Read and validate a configuration; every error is one line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from neural_action.config.evaluation_settings import ACROSS_SESSIONS
from neural_action.config.output_settings import TableSettings
from neural_action.config.renamed import check_renamed, check_row_names
from neural_action.config.settings import EncoderSettings, MethodSettings, Settings
from neural_action.config.signatures import check_parameters
from neural_action.errors import InputError, reading
from neural_action.files import read_regular

#: Largest number of values of a configuration, with aliases expanded; the shipped ones have about 1000 (our choice).
MOST_VALUES = 100_000
#: Largest size of a YAML file in bytes. Parsing takes seconds for a megabyte (our choice).
MOST_BYTES = 1 << 20
#: Top-level key with which Snakemake runs expressions in the file as Python.
_PROGRAM = "__use_yte__"


class _Loader(yaml.SafeLoader):
    """Loads plain values only, and refuses duplicate keys, because YAML silently keeps only the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Like ``SafeLoader``. Raises ConstructorError for a duplicate key."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if (key.tag, key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key.value!r} is there twice", key.start_mark
                    )
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. InputError if it cannot be read, is no mapping, is too large or is a program."""
    with reading(path, "YAML", OSError, ValueError, RecursionError, yaml.YAMLError):
        content = yaml.load(read_regular(path, MOST_BYTES).decode("utf-8"), _Loader)
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {type(content).__name__}, expected a mapping of configuration keys")
    if _PROGRAM in content:
        raise InputError(f"{path}: key {_PROGRAM} makes it a program, expected plain values")
    check_size(content, str(path))
    return content


def check_size(content: Any, where: str) -> None:
    """Raise InputError (naming ``where``) if ``content`` has more than ``MOST_VALUES`` values, or contains itself.

    A few lines of nested YAML aliases can stand for billions of values.
    """
    sizes: dict[int, int | None] = {}

    def size(value: Any) -> int:
        if not isinstance(value, dict | list):
            return 1
        if id(value) not in sizes:
            sizes[id(value)] = None
            sizes[id(value)] = 1 + sum(map(size, value.values() if isinstance(value, dict) else value))
        found = sizes[id(value)]
        if found is None:
            raise InputError(f"{where}: a value contains itself, expected plain values")
        return found

    try:
        total = size(content)
    except RecursionError:
        raise InputError(f"{where}: nested too deeply, expected sections of keys") from None
    if total > MOST_VALUES:
        raise InputError(f"{where}: {total} values, expected at most {MOST_VALUES}")


def merged(paths: Sequence[Path]) -> dict[str, Any]:
    """The merged mappings of several files. Later files change keys of earlier ones at any depth, as in Snakemake."""
    content: dict[str, Any] = {}
    for path in paths:
        _update(content, read_yaml(path))
    return content


def as_json(content: Any) -> str:
    """Values as JSON without Snakemake wildcards: an opening brace before a letter, as in ``{title}``, is escaped.

    A brace of JSON syntax precedes a quotation mark or another brace, so only texts are escaped; they are read back
    unchanged.
    """
    return re.sub(r"\{(?=\s*\w)", r"\\u007b", json.dumps(content))


def rows_file(config: Mapping[str, Any]) -> str:
    """Path of the file of rows of a dataset, ``config/<methods_file>.yaml``. InputError if the name is not valid."""
    name = config.get("methods_file", "methods")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise InputError(
            f"configuration methods_file: {name!r}, expected the name of a file in config/, without .yaml"
        )
    return f"config/{name}.yaml"


def complete(config: Mapping[str, Any], shipped: Callable[[str], Path]) -> dict[str, Any]:
    """``config`` completed with the rows, and with the simulated default dataset if it names no dataset.

    If the user has fewer rows and no ``tables.figure_method``, it is the first of these rows that trains, or the first.

    Args:
        config: the configuration of the user; it changes keys of the files, at any depth.
        shipped: function that returns the path of a file of ``config/``.

    Raises:
        InputError: a file cannot be read.
    """
    content = {} if "dataset" in config else read_yaml(shipped("config.yaml"))
    _update(content, config)
    rows = read_yaml(shipped(Path(rows_file(content)).name))
    given = content.get("tables", {})
    _update(rows, content)
    if isinstance(given, Mapping) and "figure_method" not in given:
        _choose_figure_method(rows)
    return rows


def _choose_figure_method(content: dict[str, Any]) -> None:
    """Set ``tables.figure_method`` if the default is not among ``rows``. ``validate`` finds what is wrong otherwise."""
    rows, methods, tables = (content.get(key) for key in ("rows", "methods", "tables"))
    tables = tables or {}
    default = tables.get("figure_method", TableSettings.model_fields["figure_method"].default)
    if not isinstance(rows, list) or not isinstance(methods, dict) or default in rows:
        return
    known = [row for row in rows if isinstance(row, str) and isinstance(methods.get(row), dict)]
    trained = [row for row in known if methods[row].get("objective")]
    if known:
        content["tables"] = {**tables, "figure_method": (trained or known)[0]}


def _update(content: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(content.get(key), dict):
            # Rows may share one mapping through a YAML alias, so the mapping is copied before it is changed.
            content[key] = dict(content[key])
            _update(content[key], value)
        else:
            content[key] = value


def validate(config: Mapping[str, Any]) -> Settings:
    """The validated configuration. InputError with the key, the value and what was expected."""
    check_size(config, "configuration")
    check_renamed(config)
    check_row_names(config)
    settings = Settings.parse(dict(config), "")
    _check_encoders(settings.encoders, "encoders")
    chosen = settings.methods if settings.rows is None else settings.rows
    about = settings.tables.chosen_on
    chosen_on = [] if isinstance(about, str) else [name for one in about for name in one.rows]
    for key, names in (
        ("rows", chosen),
        ("tables.references", settings.tables.references),
        ("tables.chosen_on", chosen_on),
        ("tables.curves", settings.tables.curves),
    ):
        if unknown := [name for name in names if name not in settings.methods]:
            raise InputError(
                f"configuration {key}: {unknown[0]!r} is not one of {', '.join(settings.methods)}"
            )
    if settings.tables.figure_method not in chosen:
        raise InputError(
            f"configuration tables.figure_method: {settings.tables.figure_method!r} is not one of rows, "
            f"{', '.join(chosen)}"
        )
    if beyond := [fold for fold in settings.split.test_folds or () if fold >= settings.split.folds]:
        raise InputError(
            f"configuration split.test_folds: {beyond[0]}, expected numbers below split.folds = {settings.split.folds}"
        )
    for section, rows in (("explore", settings.explore.rows or ()), ("adapt", settings.adapt.rows)):
        for row in rows:
            if row not in chosen or settings.methods[row].objective is None:
                raise InputError(
                    f"configuration {section}.rows: {row!r} is not a shown row with its own objective"
                )
    if settings.adapt.rows and settings.split.protocol != "new_trials":
        raise InputError(
            "configuration adapt.rows: needs split.protocol new_trials, with which unseen animals are compared, "
            f"found {settings.split.protocol!r}"
        )
    for task in ACROSS_SESSIONS:
        if task in settings.evaluation.tasks and settings.split.animal_of_session is None:
            raise InputError(
                f"configuration evaluation.tasks: {task!r} needs split.animal_of_session, which says of which animal "
                "a session is"
            )
    partitioned = settings.split.protocol in ("published", "repeated")
    _check_probes(settings)
    for row, method in settings.methods.items():
        _check_method(settings, row, method)
        if partitioned and row in chosen and method.batches == "matched":
            raise InputError(
                f"configuration methods.{row}: matched batches need several animals, but split.protocol "
                f"{settings.split.protocol!r} reads each animal separately; leave the row out of rows"
            )
        if settings.split.protocol == "new_animal" and row in chosen and method.external is not None:
            raise InputError(
                f"configuration methods.{row}: {method.external.name} has an encoder for each animal that it is "
                "trained on, but split.protocol 'new_animal' tests animals that training does not see; leave the row "
                "out of rows"
            )
    if settings.raw is None and settings.simulation is None:
        raise InputError(
            "configuration raw: missing; name the folder of raw recordings with --config raw=<folder>, "
            "or give a simulation section"
        )
    return settings


def effective(settings: Settings, method: MethodSettings, row: str) -> Settings:
    """The configuration with the changes of a row (``methods.<row>.settings``). InputError if it is not valid."""
    content = settings.model_dump(mode="json")
    for section, changes in method.settings.items():
        content[section] = {**content[section], **changes}
    changed = Settings.parse(content, f"methods.{row}.settings")
    _check_encoders(changed.encoders, f"methods.{row}.settings.encoders")
    return changed


def _check_probes(settings: Settings) -> None:
    """Raise InputError if a task has no probe, or a probe cannot read a task."""
    evaluation = settings.evaluation
    for task in evaluation.tasks:
        readers = [name for name, probe in settings.probes.items() if task in probe.tasks]
        if not readers:
            raise InputError(
                f"configuration probes: no probe reads evaluation.tasks {task!r}, expected at least one"
            )
    for name, probe in settings.probes.items():
        probe.check_tasks(f"configuration probes.{name}")


def _check_encoders(encoders: EncoderSettings, where: str) -> None:
    for modality in ("neural", "behavior"):
        part = getattr(encoders, modality)
        check_parameters("encoders", part.name, part.parameters, f"{where}.{modality}")


def _check_method(settings: Settings, row: str, method: MethodSettings) -> None:
    for room, part in (("objectives", method.objective), ("adaptation", method.adaptation)):
        if part is not None:
            key = "objective" if room == "objectives" else room
            check_parameters(room, part.name, part.parameters, f"methods.{row}.{key}")
    for modality in ("neural", "mined", "behavior"):
        for at, view in enumerate(getattr(method.augmentations, modality)):
            check_parameters(
                "augmentations", view.name, view.parameters, f"methods.{row}.augmentations.{modality}.{at}"
            )
    changed = effective(settings, method, row) if method.settings else settings
    if method.sessions == "together":
        _check_together(changed, row, method)
    if method.model is not None:
        source = settings.methods.get(method.model)
        if source is None or source.objective is None:
            raise InputError(
                f"configuration methods.{row}.model: {method.model!r} is not a row with its own objective"
            )


def _check_together(settings: Settings, row: str, method: MethodSettings) -> None:
    where, encoder = f"configuration methods.{row}.sessions", settings.encoders.neural
    if settings.split.protocol not in ("published", "repeated"):
        raise InputError(
            f"{where}: 'together' needs split.protocol published or repeated; expected 'apart' with split.protocol "
            f"{settings.split.protocol!r}"
        )
    if encoder.name != "mlp" or encoder.parameters.get("scale") == "none":
        raise InputError(f"{where}: 'together' needs the neural encoder mlp with a scale other than none")
    if method.objective is not None and method.objective.name == "pi_vae":
        raise InputError(
            f"{where}: 'together', expected 'apart': pi_vae models the counts of the units of one session"
        )


def load(path: Path) -> Settings:
    """``validate`` the configuration file ``path``."""
    return validate(read_yaml(path))
