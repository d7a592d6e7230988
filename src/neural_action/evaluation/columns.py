"""Columns of the scores: the one long table that users and tables rely on."""

COLUMNS = [
    "dataset",
    "protocol",
    "method",
    "layer",
    "task",
    "probe",
    "label_budget",
    "split",
    "animal",
    "seed",
    "unit",
    "metric",
    "value",
    "n_train",
    "n_test",
]
