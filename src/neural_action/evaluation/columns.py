"""Columns of the scores, one long table for users and tables."""

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
