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
#: The part of a split embedding that all tasks but those within an animal read; these read ``encoder``, both parts.
SHARED = "shared"
