"""Linear readouts of single bins, for every weight decay at once.

The paper trains its readout anew for each of twenty weight decays. (cos, sin) with a squared error has a closed form:
one decomposition serves all. The softmax has none, but all weight decays descend together, as one array, by a step
that needs one decomposition too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_action.evaluation.probes import class_weights, softmax

# Whether logits still move is looked at every so many steps; by less than this, root mean square, is not at all.
_CHECKED, _STILL = 10, 1e-4


@dataclass(frozen=True)
class Standard:
    """Centring and scaling, from training bins: each feature by its own standard deviation, or all by one."""

    mean: np.ndarray
    spread: np.ndarray | float

    @classmethod
    def of(cls, train: np.ndarray, scaling: str) -> Standard:
        """Of (n, feature) bins; ``one`` divides by the root mean square deviation. Constant features become 0."""
        mean, sd = train.mean(0, dtype=np.float64), train.std(0, dtype=np.float64)
        if scaling == "one":
            return cls(mean, max(1e-12, float(np.sqrt(np.mean(sd**2)))))
        return cls(mean, np.where(sd > 1e-6 * max(1e-6, float(sd.max())), sd, np.inf))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """float64 of the same shape."""
        return (values - self.mean) / self.spread


def angle_path(
    train: np.ndarray, labels: np.ndarray, others: np.ndarray, classes: int, decays: np.ndarray
) -> np.ndarray:
    """(decay, n, 2) predicted (cos, sin) of ``others`` for each weight decay.

    Minimises the mean over training bins of ``|(cos, sin) - x W - b|^2 / 2`` plus ``decay |W|^2 / 2`` exactly. The
    paper's AdamW with as many weight decays comes as close as its 100 epochs bring it.

    Args:
        train: (n, feature) standardised training bins.
        labels: (n,) classes; class k is the direction 2 pi k / ``classes``.
        others: (m, feature) bins to predict.
        classes: number of directions on the circle.
        decays: (decay,), positive.
    """
    angles = 2 * np.pi * labels / classes
    target = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centre, offset = train.mean(0), target.mean(0)
    left, size, right = np.linalg.svd(train - centre, full_matrices=False)
    shrunk = size / (size**2 + len(train) * decays[:, None])
    along = shrunk[:, :, None] * (left.T @ (target - offset))[None]
    return (((others - centre) @ right.T) @ along) + offset


def softmax_path(
    train: np.ndarray,
    labels: np.ndarray,
    others: np.ndarray,
    classes: int,
    decays: np.ndarray,
    weighting: str,
    steps: int,
) -> np.ndarray:
    """(decay, n, class) predicted probabilities of ``others`` for each weight decay.

    Minimises the weighted mean cross-entropy plus ``decay |W|^2 / 2``, the bias free. The Hessian of the cross-entropy
    is at most half the second moment of the features for each class (Böhning 1992), so that a step against the gradient
    divided by that bound never overshoots; with Nesterov's momentum, begun anew where a decay's loss would rise.

    Args:
        train: (n, feature) standardised training bins.
        labels: (n,) classes.
        others: (m, feature) bins to predict.
        classes: number of classes.
        decays: (decay,), positive.
        weighting: of the classes, see ``probes.class_weights``.
        steps: of the descent.
    """
    weights = class_weights(labels, classes, weighting)[labels]
    weights = weights / weights.sum()
    centre = weights @ train
    # In the principal axes of the features the bound is diagonal, whatever the decay.
    moment = (train - centre).T @ ((train - centre) * weights[:, None])
    variance, axes = np.linalg.eigh(moment)
    keep = variance > 1e-10 * max(1e-300, variance[-1])
    variance, axes = np.append(variance[keep], 1.0), axes[:, keep]
    x, probe = (np.column_stack([(part - centre) @ axes, np.ones(len(part))]) for part in (train, others))
    x32 = x.astype(np.float32)
    penalty = np.repeat(decays[:, None], len(variance), axis=1)
    penalty[:, -1] = 0.0
    step = 1 / (0.5 * variance + penalty)

    onehot = np.eye(classes, dtype=np.float32)[labels]
    scaled = (x32 * weights[:, None].astype(np.float32)).T
    final = np.zeros((len(decays), len(variance), classes))
    # Decays whose logits stand still are done.
    active = np.arange(len(decays))
    layer, speed = final, np.zeros(len(decays))
    ahead = layer
    for number in range(steps):
        count = len(active)
        flat = ahead.transpose(1, 0, 2).reshape(len(variance), -1).astype(np.float32)
        error = softmax((x32 @ flat).reshape(len(x), count, classes))
        error -= onehot[:, None]
        gradient = (scaled @ error.reshape(len(x), -1)).reshape(len(variance), count, classes)
        gradient = gradient.transpose(1, 0, 2) + penalty[:, :, None] * ahead
        moved = ahead - step[:, :, None] * gradient
        # Momentum that points uphill is given up (O'Donoghue and Candes 2015).
        uphill = (gradient * (moved - layer)).sum((1, 2)) > 0
        speed = np.where(uphill, 0.0, speed + 1)
        ahead = moved + (speed / (speed + 3))[:, None, None] * (moved - layer)
        change, layer = moved - layer, moved
        final[active] = layer
        if number % _CHECKED == _CHECKED - 1:
            moving = np.sqrt((variance[:, None] * change**2).sum((1, 2))) > _STILL
            if not moving.any():
                break
            active, layer, ahead, speed = active[moving], layer[moving], ahead[moving], speed[moving]
            step, penalty = step[moving], penalty[moving]
    return softmax(np.einsum("nf,dfc->dnc", probe, final, optimize=True))


def angles_of(directions: np.ndarray) -> np.ndarray:
    """(...,) angles in [0, 2 pi) of (..., 2) cosines and sines."""
    return np.arctan2(directions[..., 1], directions[..., 0]) % (2 * np.pi)


def direction_classes(angles: np.ndarray, classes: int) -> np.ndarray:
    """The class whose direction is nearest to each angle."""
    return np.rint(angles * classes / (2 * np.pi)).astype(np.int64) % classes


def angle_errors(angles: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Absolute difference to the direction of the true class, in [0, pi]."""
    difference = np.abs(angles - 2 * np.pi * labels / classes) % (2 * np.pi)
    return np.minimum(difference, 2 * np.pi - difference)
