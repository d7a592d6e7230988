"""Counts of mined pairs against a loop; they change no training and survive an interruption."""

import numpy as np
import pytest
import torch

from neural_action.tables.pictures.mined import matrix, read_mined, shares
from neural_action.training.mined import MinedPairs, write_mined

CLASSES, STEPS = 3, 100


def drawn(count=40):
    """Labels of 30 windows, some unknown, and for each step windows and what was mined for them, some nothing."""
    rng = np.random.default_rng(0)
    label = torch.as_tensor(rng.integers(-1, CLASSES, 30))
    pairs = []
    for _ in range(STEPS):
        window, mined = (torch.as_tensor(rng.integers(low, 30, count)) for low in (0, -1))
        mined[::5] = window[::5]
        pairs.append((window, mined))
    return label, pairs


def by_hand(label, pairs, first, stop):
    """(anchor, mined): all pairs, and those of a window with itself, after step ``first`` to ``stop``."""
    counts = {}
    for step in range(first, stop):
        if pairs[step] is None:
            continue
        for window, mined in zip(*(values.tolist() for values in pairs[step]), strict=True):
            if mined >= 0 and label[window] >= 0 and label[mined] >= 0:
                entry = counts.setdefault((int(label[window]), int(label[mined])), [0, 0])
                entry[0] += 1
                entry[1] += window == mined
    return counts


@pytest.mark.parametrize("steps", [100, 97, 7])
def test_pairs_are_those_of_a_loop(steps):
    label, pairs = drawn()
    pairs[:10] = [None] * 10
    record = MinedPairs(label, CLASSES, steps)
    for step in range(steps):
        record.add(pairs[step], step + 1)
    ends = sorted({row[0] for row in record.rows})
    last = 0
    for end in range(record.every, steps + record.every, record.every):
        end = min(end, steps)
        found = {(a, m): [n, same] for step, a, m, n, same in record.rows if step == end}
        assert found == by_hand(label, pairs, last, end)
        last = end
    assert steps <= 10 or ends[-1] == steps


def test_an_interrupted_record_goes_on():
    label, pairs = drawn()
    whole, one, other = (MinedPairs(label, CLASSES, STEPS) for _ in range(3))
    for step in range(STEPS):
        whole.add(pairs[step], step + 1)
        (one if step < 50 else other).add(pairs[step], step + 1)
        if step == 49:
            other.resume({**one.state(), "counts": one.counts.clone()})
    assert whole.rows == other.rows


def test_a_table_has_the_shares_of_a_loop(tmp_path):
    label, pairs = drawn()
    record = MinedPairs(label, CLASSES, STEPS)
    for step in range(STEPS):
        record.add(pairs[step], step + 1)
    path = tmp_path / "myow" / "published" / "seed-0" / "mined.csv"
    path.parent.mkdir(parents=True)
    write_mined({"published": record.rows}, ("NA", "dog", "car"), path)
    table = read_mined([path])
    assert set(table["method"]) == {"myow"}
    end = int(table["step"].max())
    counts = by_hand(label, pairs, (end - 1) // record.every * record.every, end)
    total = sum(n for n, _ in counts.values())
    found = shares(table).loc[end]
    assert found["same"] == pytest.approx(sum(n for (a, m), (n, _) in counts.items() if a == m) / total)
    assert found["itself"] == pytest.approx(sum(same for _, same in counts.values()) / total)
    anchors = [a for (a, _), (n, _) in counts.items() for _ in range(n)]
    equal = [anchors[i] == anchors[j] for i in range(total) for j in range(total) if i != j]
    assert found["chance"] == pytest.approx(np.mean(equal))
    drawn_matrix = matrix(table[table["step"] == end], ("NA", "dog", "car"))
    for a in range(CLASSES):
        others = [np.subtract(*counts.get((a, m), (0, 0))) for m in range(CLASSES)]
        assert np.allclose(drawn_matrix[a], np.array(others) / sum(others))
