"""Align principal components of animals with different units at moments of similar behaviour (Safaie et al. 2023).

Each animal's units are reduced to a few principal components. Canonical correlation over matched moments then maps one
animal's components to another's. The paper matches trials of one task, averaged and cut to one length. For animals that
behave freely, moments are matched by behaviour instead (our choice).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import qr, solve_triangular

from neural_action.datasets.dataset import Dataset
from neural_action.datasets.frames import frames_by_animal
from neural_action.datasets.ragged import RaggedFrames
from neural_action.errors import InputError
from neural_action.evaluation.scaling import Standard
from neural_action.neighbors.index import ExactIndex

#: Components of each animal: those of Safaie et al. for motor cortex [recalled].
COMPONENTS = 10


def principal_components(neural: np.ndarray, visible: np.ndarray, most: int) -> np.ndarray:
    """(frame, at most ``most``) float64 components of z-scored units, fitted to the visible frames.

    Constant units become 0. Raises InputError if no visible frame differs from another.
    """
    scored = Standard.of(neural[visible], "zscore")(neural)
    _, size, axes = np.linalg.svd(scored[visible], full_matrices=False)
    rank = int((size > 1e-10 * max(1e-300, float(size[0]))).sum())
    if not rank:
        raise InputError(f"{neural.shape[1]} units in {int(visible.sum())} frames never change")
    return scored @ axes[: min(rank, most)].T


def matched_moments(reference: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of moments with similar behaviour: for each moment of either animal, the nearest moment of the other.

    Args:
        reference: (n, feature) behaviour of one animal, z-scored for the animal.
        other: (m, feature) behaviour of the other animal.

    Returns:
        (pair,) int64 rows of ``reference`` and of ``other``.
    """
    one, two = (np.ascontiguousarray(moves, np.float32) for moves in (reference, other))
    there, here = ExactIndex(one).query(two, 1)[0][:, 0], ExactIndex(two).query(one, 1)[0][:, 0]
    first = np.concatenate([there, np.arange(len(one))])
    second = np.concatenate([np.arange(len(two)), here])
    return first.astype(np.int64), second.astype(np.int64)


def canonical_alignment(reference: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The map from one animal's components to another's, by canonical correlation over matched moments.

    With Q and R of each animal's centred moments and U S V' the singular values of Q_ref' Q_other, it is
    R_other^-1 V U' R_ref (Safaie et al.: M_other M_ref^-1).

    Args:
        reference: (pair, component) components of the target animal.
        other: (pair, component) components of the other animal, at the same moments.

    Returns:
        (component, component) float64 map, multiplied from the right, and (component,) canonical correlations.

    Raises:
        InputError: too few pairs, or components that are linearly dependent over the pairs.
    """
    centred = [values - values.mean(0) for values in (reference, other)]
    if len(reference) <= reference.shape[1]:
        raise InputError(
            f"{len(reference)} matched moments, expected more than {reference.shape[1]} components"
        )
    (q_reference, r_reference), (q_other, r_other) = (qr(values, mode="economic") for values in centred)
    for triangle in (r_reference, r_other):
        diagonal = np.abs(np.diag(triangle))
        if diagonal.min() <= 1e-10 * diagonal.max():
            raise InputError(
                "components are linearly dependent over the matched moments, expected more moments or fewer components"
            )
    left, correlation, right = np.linalg.svd(q_reference.T @ q_other)
    return solve_triangular(r_other, right.T @ left.T @ r_reference), np.clip(correlation, 0.0, 1.0)


def aligned_components(
    neural: Sequence[np.ndarray],
    behavior: Sequence[np.ndarray],
    visible: Sequence[np.ndarray],
    most: int = COMPONENTS,
    names: Sequence[str] = (),
) -> tuple[list[np.ndarray], np.ndarray]:
    """Components of every animal, aligned to those of the first animal.

    Args:
        neural: (frame, unit) for each animal.
        behavior: (frame, feature) for each animal, z-scored for the animal; NaN where unknown.
        visible: (frame,) bool for each animal; components and alignment are fitted to these frames.
        most: number of components, unless an animal has fewer: then all have as few.
        names: of the animals, for errors; without them, their indices.

    Returns:
        (frame, count) float64 of each animal, and (animal, count) canonical correlations, 1 for the first.

    Raises:
        InputError: as the functions above, with the animal.
    """
    components, moments = [], []
    called = names or [f"animal {at}" for at in range(len(neural))]
    for animal, (units, moves, seen) in enumerate(zip(neural, behavior, visible, strict=True)):
        try:
            components.append(principal_components(units, seen, most))
        except InputError as error:
            raise InputError(f"{called[animal]}: {error}") from None
        moments.append(np.flatnonzero(seen & np.isfinite(moves).all(1)))
    count = min(part.shape[1] for part in components)
    components = [part[:, :count] for part in components]
    out = components[:1]
    correlations = np.ones((len(neural), count))
    for animal in range(1, len(neural)):
        try:
            first, second = matched_moments(behavior[0][moments[0]], behavior[animal][moments[animal]])
            pair = components[0][moments[0][first]], components[animal][moments[animal][second]]
            turn, correlations[animal] = canonical_alignment(*pair)
        except InputError as error:
            raise InputError(f"{called[animal]}: {error}") from None
        # The means over matched moments are aligned as well.
        out.append((components[animal] - pair[1].mean(0)) @ turn + pair[0].mean(0))
    return out, correlations


def canonical_frames(dataset: Dataset, neural: np.ndarray | RaggedFrames) -> np.ndarray:
    """(frame, component) float32: components of every frame, aligned to the first animal with trials to fit.

    Components and alignment are fitted to visible trials, or to those outside the test of an animal that pretraining
    does not see. NaN for animals without such trials.

    Args:
        dataset: the dataset, with behaviour.
        neural: its neural frames, (frame, ...).

    Raises:
        InputError: as ``aligned_components``, with the name of the animal.
    """
    every = frames_by_animal(dataset, neural)
    aligned, _ = aligned_components(
        [own.neural for own in every.values()],
        [own.behavior for own in every.values()],
        [own.fitted for own in every.values()],
        names=list(every),
    )
    out = np.full((len(dataset.neural_time), aligned[0].shape[1]), np.nan, np.float32)
    for own, values in zip(every.values(), aligned, strict=True):
        out[own.rows] = values
    return out
