"""Stage: adapt a trained model to an animal left out of its pretraining."""

from __future__ import annotations

from pathlib import Path

from neural_action.config.sections import Sections
from neural_action.datasets.dataset import Source
from neural_action.errors import InputError
from neural_action.files import atomic_write
from neural_action.inference.windows import save_windows
from neural_action.stages.training import Inputs, training_data
from neural_action.training.adapt import adapt
from neural_action.training.description import describe
from neural_action.training.loop import write_log
from neural_action.training.model import load_model, model_names, save_model
from neural_action.training.sessions import with_animal


def run(
    config: str,
    method: str,
    source: Source,
    seed: int,
    weights: Path,
    kernel: Path | None,
    swaps: Path | None,
    syllables: Path | None,
    threads: int,
    output: Path,
    log: Path,
    representation: Path | None = None,
) -> None:
    """Adapt ``weights`` to the test animal of the split (``training.adapt``), without its test data.

    InputError if the method is not trained, or the split does not test exactly one animal.
    """
    sections = Sections(config)
    row = sections.method(method)
    if row.objective is None:
        raise InputError(f"method {method!r} is not trained")
    inputs = Inputs(source, kernel, swaps, syllables)
    pieces = source.table().inputs(source.names, source.animal)
    tested = {animal for (animal, _), own in pieces.items() if any(piece.role == "test" for piece in own)}
    if len(tested) != 1:
        raise InputError(
            f"split {', '.join(source.names)}: tests {len(tested)} animals, expected 1, the one to adapt to"
        )
    animal = tested.pop()
    # A row that trains with labels has one model for each fold that leaves the animal out.
    start = source.names[0].replace("adapted-", "without-", 1)
    model = load_model(weights, part=start if model_names(weights) else None)
    known = [name for name, _ in model.shapes.units]
    layers = [*known, animal] if known else []
    data = training_data(sections, inputs, source.names, threads, layers=layers)
    number = data.dataset.animals.index(animal)
    if known:
        seen = data.context.take(data.context.animal_frames[number])[:, : data.shapes.units[-1][1]]
        model = with_animal(model, animal, seen.cpu(), seed)
    model = model.to(data.device)
    checkpoint = output.with_name("checkpoint.pt")
    rows = adapt(
        model,
        data.context,
        data.windows,
        row.augmentations,
        number,
        sections.adapt,
        sections.training,
        checkpoint,
        matched=row.batches == "matched",
        seed=seed,
        fingerprint=inputs.fingerprint([config, method, *source.names, seed], weights),
    )
    with atomic_write(log) as partial:
        write_log([rows], partial)
    about = {"method": method, "run": output.parent.parent.name, "seed": seed, "label": row.label}
    about |= describe(
        sections, row, data.layout, seen=data.seen, kernel=kernel, swaps=swaps, sessions=data.shapes.units
    )
    save_model(model, row.objective, sections.encoders, data.shapes, output, about)
    if representation is not None:
        save_windows({"": model}, data.dataset, sections.windows, representation)
    checkpoint.unlink(missing_ok=True)
