"""An autoregressive hidden Markov model: hmmlearn with linear-Gaussian dynamics as emissions."""

from __future__ import annotations

from typing import Any

import numpy as np
from hmmlearn.base import BaseHMM, ConvergenceMonitor
from scipy.linalg import solve
from sklearn.cluster import KMeans

from neural_action.progress import Progress

#: Added to the regression and to the noise covariance, in units of the data (about 1 after whitening; our choice).
_RIDGE = 1e-3
#: Initial probability that a state is kept from one sample to the next (our choice).
_STICKY = 0.9

#: Pseudo-count of transitions between any two states (our choice, far below one transition). With probabilities of 0, a
#: stray sample could make the forward-backward passes divide by 0.
_PSEUDO_COUNT = 1e-6


class AutoregressiveHmm(BaseHMM):
    """x_t = W_k (x_{t-1}, ..., x_{t-L}, 1) + e, e ~ N(0, Q_k), k a Markov chain.

    Each row of the data has a sample and the samples it depends on, see ``with_lags``. The forward-backward passes and
    the EM loop of hmmlearn are thus unchanged. This class adds the likelihood of a row for each state, and the weighted
    regression that maximises it.

    Attributes:
        weights_: (states, lags * d + 1, d) float64.
        covars_: (states, d, d) float64.
        startprob_, transmat_: see hmmlearn.
    """

    def __init__(self, n_components: int = 8, dimensions: int = 1, random_state: int = 0, n_iter: int = 30):
        super().__init__(
            n_components,
            startprob_prior=1 + _PSEUDO_COUNT,
            transmat_prior=1 + _PSEUDO_COUNT,
            random_state=random_state,
            n_iter=n_iter,
            tol=1.0,
            implementation="scaling",
        )
        self.dimensions = dimensions
        self._log_factor = 0.0

    def _init(self, x: np.ndarray, lengths: np.ndarray | None = None) -> None:
        super()._init(x, lengths)
        states = self.n_components
        self.startprob_ = np.full(states, 1 / states)
        self.transmat_ = np.full((states, states), (1 - _STICKY) / (states - 1))
        np.fill_diagonal(self.transmat_, _STICKY)
        # The initial states are clusters of poses and their changes.
        y, z = self._split(x)
        change = y - z[:, : self.dimensions]
        spread = np.maximum(change.std(0), 1e-6)
        parts = np.concatenate([y, change / spread * y.std(0)], axis=1)
        labels = KMeans(states, n_init=1, random_state=self.random_state).fit_predict(parts)
        stats = self._initialize_sufficient_statistics()
        self._gather(stats, x, np.eye(states)[labels])
        self._regress(stats)

    def _get_n_fit_scalars_per_param(self) -> None:
        return None

    def _split(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x[:, : self.dimensions], np.concatenate(
            [x[:, self.dimensions :], np.ones((len(x), 1))], axis=1
        )

    def _compute_log_likelihood(self, x: np.ndarray) -> np.ndarray:
        """(row, state) float64, for all states at once: one product predicts, one whitens the residuals."""
        y, z = self._split(x)
        states, d = self.n_components, self.dimensions
        predicted = z @ self.weights_.transpose(1, 0, 2).reshape(-1, states * d)
        roots = np.linalg.cholesky(self.covars_)
        whiten = np.linalg.inv(roots).transpose(0, 2, 1)
        left = (y[:, None] - predicted.reshape(-1, states, d)).transpose(1, 0, 2)
        squared = np.square(left @ whiten).sum(2).T
        log_det = 2 * np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(1)
        return -0.5 * (squared + log_det + d * np.log(2 * np.pi))

    def _compute_likelihood(self, x: np.ndarray) -> np.ndarray:
        """Densities divided by the largest of each row, so that they are never all 0; posteriors do not change."""
        log_likelihood = self._compute_log_likelihood(x)
        largest = log_likelihood.max(1, keepdims=True)
        self._log_factor += float(largest.sum())
        return np.exp(log_likelihood - largest)

    def _fit_scaling(self, x: np.ndarray) -> tuple:
        self._log_factor = 0.0
        lattice, log_prob, *passes = super()._fit_scaling(x)
        return lattice, log_prob + self._log_factor, *passes

    def _score_scaling(self, **given: Any) -> tuple:
        self._log_factor = 0.0
        log_prob, posteriors = super()._score_scaling(**given)
        return log_prob + self._log_factor, posteriors

    def _initialize_sufficient_statistics(self) -> dict:
        stats = super()._initialize_sufficient_statistics()
        states, d, lagged = self.n_components, self.dimensions, self.n_features - self.dimensions + 1
        stats["count"] = np.zeros(states)
        stats["zz"] = np.zeros((states, lagged, lagged))
        stats["zy"] = np.zeros((states, lagged, d))
        stats["yy"] = np.zeros((states, d, d))
        return stats

    def _accumulate_sufficient_statistics(
        self,
        stats: dict,
        x: np.ndarray,
        lattice: np.ndarray,
        posteriors: np.ndarray,
        fwdlattice: np.ndarray,
        bwdlattice: np.ndarray,
    ) -> None:
        super()._accumulate_sufficient_statistics(stats, x, lattice, posteriors, fwdlattice, bwdlattice)
        self._gather(stats, x, posteriors)

    def _gather(self, stats: dict, x: np.ndarray, posteriors: np.ndarray) -> None:
        y, z = self._split(x)
        stats["count"] += posteriors.sum(0)
        for state, share in enumerate(posteriors.T):
            weighted = z * share[:, None]
            stats["zz"][state] += weighted.T @ z
            stats["zy"][state] += weighted.T @ y
            stats["yy"][state] += (y * share[:, None]).T @ y

    def _do_mstep(self, stats: dict) -> None:
        super()._do_mstep(stats)
        self._regress(stats)

    def _regress(self, stats: dict) -> None:
        """Weighted least squares for each state, slightly regularised."""
        lagged = stats["zz"].shape[1]
        self.weights_ = np.stack(
            [
                solve(zz + _RIDGE * np.eye(lagged), zy, assume_a="pos")
                for zz, zy in zip(stats["zz"], stats["zy"], strict=True)
            ]
        )
        covars = []
        for state, weights in enumerate(self.weights_):
            zy = stats["zy"][state]
            residual = (
                stats["yy"][state]
                - weights.T @ zy
                - zy.T @ weights
                + weights.T @ stats["zz"][state] @ weights
            )
            count = max(stats["count"][state], 1.0)
            covars.append(0.5 * (residual + residual.T) / count + _RIDGE * np.eye(self.dimensions))
        self.covars_ = np.stack(covars)


class ShownMonitor(ConvergenceMonitor):
    """hmmlearn's monitor, which updates the progress ``shown`` after every iteration."""

    def __init__(self, monitor: ConvergenceMonitor, shown: Progress):
        super().__init__(monitor.tol, monitor.n_iter, monitor.verbose)
        self.shown = shown

    def report(self, log_prob: float) -> None:
        """Record an iteration with its log-likelihood."""
        super().report(log_prob)
        self.shown.update()


def with_lags(sequence: np.ndarray, lags: int) -> np.ndarray:
    """(time, d) to (time - lags, (1 + lags) d): every sample with the ``lags`` samples before it, latest first."""
    count = len(sequence) - lags
    return np.concatenate([sequence[lags - lag : lags - lag + count] for lag in range(lags + 1)], axis=1)
