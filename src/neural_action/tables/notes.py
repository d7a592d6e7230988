"""The notes below a table: data, protocol, probes, metrics, chance, intervals, differences, published numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from neural_action.config.evaluation_settings import OWN, ProbeConfig
from neural_action.config.sections import Sections
from neural_action.config.settings import MethodSettings
from neural_action.config.signatures import needs
from neural_action.datasets.protocols import animals_of
from neural_action.evaluation.columns import SHARED
from neural_action.tables.document import interval
from neural_action.tables.page import LEVEL
from neural_action.tables.published import Published
from neural_action.tables.scores import UNBOUNDED, Column, Scores

PROTOCOLS = {
    "transductive": "pretraining sees unlabelled data of every animal and trial, also of tested trials (the paper "
    "assumes this)",
    "new_trials": "pretraining sees other trials of the tested animals and never the tested trials",
    "new_animal": "pretraining never sees the tested animal",
    "published": "one split: the published parts, or each animal's trials in the order of time, as in the authors' "
    "release. Pretraining sees training and validation trials, without labels",
    "repeated": "random splits of each animal's trials, or of blocks of time with gaps between them. Pretraining sees "
    "training trials, without labels",
}
TASKS = {
    "within": "Within animals",
    "across_sessions": "Across sessions",
    "across": "Across animals",
    "identity": "Identity",
    "decoding": "Decoding",
    "continuous_within": "Within animals",
    "continuous_across_sessions": "Across sessions",
    "continuous_across": "Across animals",
    "clusters": "Behaviour clusters",
}
METRICS = {
    "accuracy": "accuracy, the share of windows whose class is predicted",
    "balanced_accuracy": "balanced accuracy, the mean recall over classes",
    "macro_f1": "macro F1, the mean over classes of F1, the harmonic mean of precision and recall",
    "weighted_f1": "weighted F1, the mean over classes of F1, weighted by the number of windows",
    "delta_accuracy": "delta accuracy, the share of windows whose angle is less than 3 pi / 16 off",
    "true_class_score": "score of the true class, the mean score that the probe gives to it. For nearest neighbours it "
    "is the share of neighbours of that class",
    "auroc": "AUROC, the area under the ROC curve, averaged over classes",
    "log_loss": "log loss in nats, lower is better",
    "r2": "R2, the share of variance explained. R2 over all variables is weighted by their variance",
}
_OVER = {
    "animals": "t over animals. If all animals are read from the same encoders, the variance that they share is added "
    "(two-way random effects)",
    "splits": "corrected resampled t over splits (Nadeau and Bengio 2003), because splits share trials. These "
    "intervals say nothing about other recordings",
    "units": "t over the test trials of the single split, weighted by their windows. These intervals say nothing about "
    "another split or another training",
    "nothing": "a single score of a single split has no interval",
}

Note = tuple[str, str]


def opening(sections: Sections) -> str:
    """One line: the title and name of the dataset, and whether it was recorded or simulated."""
    kind = "real recordings" if sections.real else "simulated, not recorded"
    name = "" if sections.title == sections.dataset else f" ({sections.dataset})"
    return f"{sections.title}{name}: {kind}"


def shared_notes(
    sections: Sections, scores: Scores, methods: Mapping[str, MethodSettings], columns: Sequence[Column]
) -> list[Note]:
    """Notes of a table on its protocol, rows trained with labels, choices, sizes, probes, metrics and intervals."""
    protocol, table = sections.split.protocol, scores.table
    counts = (
        (len(scores.animals), "animal" if sections.split.animal_of_session is None else "session"),
        (table["split"].nunique(), "split"),
        (table["seed"].nunique(), "seed"),
    )
    # With a single animal, session or set of pictures, the columns already name it.
    told = counts if len(scores.animals) > 1 else counts[1:]
    sizes = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in told)
    return [
        ("Protocol", f"{protocol}: {PROTOCOLS[protocol]}"),
        *sessions_note(sections, scores),
        *supervised_note(sections, methods),
        *units_note(scores, methods, columns),
        *split_note(scores, methods),
        *chosen_note(sections, methods),
        ("Sizes", sizes),
        *probe_note(scores, columns),
        ("Metrics", "; ".join(METRICS.get(name, name) for name in _once(c.metric for c in columns))),
        *interval_note(scores, columns),
    ]


def sessions_note(sections: Sections, scores: Scores) -> list[Note]:
    """Note on animals that are sessions, and on the animals that they are of; none where each is an animal."""
    if sections.split.animal_of_session is None:
        return []
    owners = list(dict.fromkeys(animals_of(scores.animals, sections.split).values()))
    said = (
        "every animal of this page is a session: within animals is within sessions, and identity names the session. "
        "Across sessions: the probe is trained on all other sessions, of the same animal too. Across animals: on "
        "sessions of other animals"
    )
    if len(owners) == 1:
        return [
            ("Sessions", f"{said}. All sessions are of {owners[0]}, so nothing is measured across animals")
        ]
    return [("Sessions", f"{said}. The animals are {', '.join(owners)}")]


def supervised_note(sections: Sections, methods: Mapping[str, MethodSettings]) -> list[Note]:
    """Note on the rows whose encoder is trained with labels; none if there are no such rows."""
    labels = []
    for row in methods.values():
        objective = row.objective
        if row.model is not None and row.model in sections.methods:
            objective = sections.methods[row.model].objective
        if objective is not None and "labels" in needs("objectives", objective.name):
            labels.append(row.label)
    if not labels:
        return []
    said = (
        f"{', '.join(labels)}: the encoder is trained with the labels of the training trials. These rows are left out "
        "of tests on an animal whose labels they used, and of columns with fewer labels"
    )
    return [("Trained with labels", said)]


def chosen_note(sections: Sections, methods: Mapping[str, MethodSettings]) -> list[Note]:
    """Note on the recordings on which our own rows were chosen, for the rows of the table; none without any."""
    chosen = sections.tables.chosen_on
    if isinstance(chosen, str):
        said = chosen.rstrip(".")
    else:
        parts = []
        for one in chosen:
            labels = [methods[name].label for name in one.rows if name in methods]
            if labels or not one.rows:
                parts.append(f"{', '.join(labels)}{', ' if labels else ''}{one.recordings.rstrip('.')}")
        said = "; ".join(parts)
    return [("Chosen on", said)] if said else []


def units_note(
    scores: Scores, methods: Mapping[str, MethodSettings], columns: Sequence[Column]
) -> list[Note]:
    """Note on raw rows with empty cells, which occur where each animal has its own units; none without such rows."""
    apart = [column for column in columns if column.task not in OWN]
    empty = [
        row.label
        for name, row in methods.items()
        if row.representation == "raw"
        and row.tasks is None
        and any(scores.cell(name, column) is None for column in apart)
    ]
    if not empty:
        return []
    return [
        ("Units", f"each animal has its own units, so {', '.join(empty)} can only be read within animals")
    ]


def split_note(scores: Scores, methods: Mapping[str, MethodSettings]) -> list[Note]:
    """Note on what probes read of a split embedding; none without such rows."""
    table = scores.table
    found = set(table.loc[table["layer"] == SHARED, "method"])
    labels = [row.label for name, row in methods.items() if name in found]
    if not labels:
        return []
    said = (
        "the embedding has a shared and a private part. Probes within an animal read both, all other probes the "
        "shared part alone. The task decides, never a score"
    )
    return [("Split embedding", f"{', '.join(labels)}: {said}")]


def probe_note(scores: Scores, columns: Sequence[Column]) -> list[Note]:
    """Note on how each probe reads frozen representations; none without columns."""
    names = _once(column.probe for column in columns)
    if not names:
        return []
    said = [f"{scores.probe_label(name)}: {_probe(scores.probes[name])}" for name in names]
    last = "Every probe reads every row"
    if any(scores.probes[name].solver == "epochs" for name in names):
        last += ". Learning rate and epoch are chosen on validation windows"
    if any(_has_penalty(scores.probes[name]) for name in names):
        last += (
            ". Penalties are chosen on validation windows, or on held-out training trials if a split has none"
        )
    return [("Probes", f"{'; '.join(said)}. {last}")]


def _has_penalty(probe: ProbeConfig) -> bool:
    return probe.kind in ("angle", "ridge") or (probe.kind == "softmax" and probe.solver == "exact")


def _probe(probe: ProbeConfig) -> str:
    solvers = {
        "sgd": f"a linear layer trained for {probe.steps} steps",
        "exact": "multinomial logistic regression",
        "epochs": f"a linear layer trained for up to {probe.epochs} epochs",
    }
    kinds = {
        "softmax": solvers[probe.solver],
        "angle": "ridge regression of (cos, sin) of the direction",
        "ridge": "ridge regression of values of behaviour",
        "knn": f"the share of the {probe.neighbors} nearest training windows of each class",
        "mlp": f"a network with hidden layers of {', '.join(map(str, probe.hidden))} units",
    }
    votes = {
        "neighbors": f", scores averaged over {2 * probe.vote_windows + 1} neighbouring windows",
        "trial": ", scores averaged over the trial",
    }
    weighted = ", classes weighted equally" if probe.class_weight == "balanced" else ""
    return kinds[probe.kind] + weighted + votes.get(probe.vote, "")


def chance_note(
    scores: Scores, methods: Mapping[str, MethodSettings], columns: Sequence[Column]
) -> list[Note]:
    """Note on chance, measured by the rows that guess."""
    found = []
    for column in columns:
        for name, row in methods.items():
            if row.representation == "none" and (cell := scores.cell(name, column)) is not None:
                nan = float("nan")
                value = interval(cell.mean, nan, nan, metric=column.metric)
                where = ", ".join(
                    part for part in (TASKS[column.task].lower(), scores.probe_label(column.probe)) if part
                )
                found.append(f"{value} ({row.label}; {where})")
    if not found:
        return [("Chance", "not measured, because no row of this configuration guesses")]
    return [("Chance", f"measured by rows that guess: {'; '.join(_once(found))}")]


def interval_note(scores: Scores, columns: Sequence[Column]) -> list[Note]:
    """Note on what the intervals of these columns generalise over; none without scores."""
    over = set().union(*(scores.over(column) for column in columns)) if columns else set()
    said = [text for name, text in _OVER.items() if name in over]
    unit = ", in percent" if any(column.metric not in UNBOUNDED for column in columns) else ""
    return [("Intervals", f"mean [95 % interval]{unit}: {'; '.join(said)}")] if said else []


def difference_note(sections: Sections, *, stars: bool = False) -> Note:
    """Note on how differences are paired and tested; ``stars`` if stars mark small p."""
    said = (
        "row minus reference, paired by animal, split, seed and test trial, always with the same probe, task and "
        "label budget. p is corrected for all differences of its block (Holm); the intervals are not corrected"
    )
    if stars:
        said += f". A star marks p < {LEVEL:g}"
    if not sections.tables.references:
        said += (
            f". The figure method is {sections.method(sections.tables.figure_method).label}. The best baseline is the "
            "one with the highest mean in the same column, which favours the baseline"
        )
    return "Differences", said


def paper_notes(papers: Sequence[Published]) -> list[Note]:
    """Notes on the source of each published table and its limits."""
    said = (
        "accuracy in percent as published ({}) for {}. It is shown for orientation only: "
        "it is not comparable across recordings, classes, splits or metrics"
    )
    return [(paper.heading, said.format(paper.source, paper.recordings)) for paper in papers]


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
