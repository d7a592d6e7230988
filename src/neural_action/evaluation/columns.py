"""Columns of the scores: the tidy table that users rely on, and what every score is described by."""

CONTRACT = [
    "dataset",
    "method",
    "task",
    "fraction",
    "fold",
    "animal",
    "seed",
    "metric",
    "value",
    "n_train",
    "n_test",
]
EVERY = ["dataset", "protocol", "method", "representation", "probe", *CONTRACT[2:]]
