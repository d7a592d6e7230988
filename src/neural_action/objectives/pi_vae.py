"""pi-VAE (Zhou and Wei 2020): a variational autoencoder whose prior depends on the label."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from neural_action.config.build import build
from neural_action.config.settings import EncoderSettings
from neural_action.encoders.shapes import Shapes
from neural_action.encoders.standardise import Standardise
from neural_action.errors import InputError
from neural_action.objectives.objective import Batch, Encodings, Objective

#: Mean and logarithm of the variance of independent Gaussians, each (N, dimension).
Gaussian = tuple[Tensor, Tensor]


def product(one: Gaussian, other: Gaussian) -> Gaussian:
    """The Gaussian proportional to the product of two Gaussians: precisions add, and weight the means."""
    (mean_1, log_1), (mean_2, log_2) = one, other
    log_variance = -torch.logaddexp(-log_1, -log_2)
    mean = mean_1 * torch.exp(log_variance - log_1) + mean_2 * torch.exp(log_variance - log_2)
    return mean, log_variance


def divergence(one: Gaussian, other: Gaussian) -> Tensor:
    """(N,): KL(one || other), in nats."""
    (mean_1, log_1), (mean_2, log_2) = one, other
    ratio = torch.exp(log_1 - log_2) + (mean_1 - mean_2) ** 2 * torch.exp(-log_2)
    return 0.5 * (ratio - 1 + log_2 - log_1).sum(1)


class PiVae(Objective):
    """-ELBO = -E_q[log p(x | z)] + KL(q(z | x, u) || p(z | u)), q(z | x, u) proportional to q(z | x) p(z | u).

    u is the class, and p(z | u) a learned Gaussian for each class; windows without a label have a standard normal prior
    (our choice). q(z | x) is Gaussian. p(x | z) is Poisson for counts in frames of ``bin_seconds``, or Gaussian with
    variance 1 for standardised frames. Its mean is a network with two hidden layers, where the paper has a normalising
    flow (our choice). The representation is the mean of q(z | x), which uses no label. Raises InputError if animals
    have their own units.
    """

    name = "pi_vae"
    needs = ("labels",)

    def __init__(
        self,
        encoders: EncoderSettings,
        shapes: Shapes,
        *,
        width: int = 64,
        observation: Literal["poisson", "gaussian"] = "poisson",
        bin_seconds: float = 0.1,
    ):
        super().__init__(encoders, shapes)
        if shapes.units:
            raise InputError("objective pi_vae: animals have their own units, expected common units to model")
        dimension = encoders.dimension
        self.poisson, self.bin_seconds = observation == "poisson", bin_seconds
        self.f_n = build("encoders", encoders.neural, shapes, dimension)
        self.log_variance = nn.Linear(dimension, dimension)
        self.target_scale = Standardise(shapes, "none" if self.poisson else "zscore")
        # ``prior`` appends a row for windows without a label.
        self.prior_mean = nn.Parameter(torch.randn(shapes.classes, dimension))
        self.prior_log_variance = nn.Parameter(torch.zeros(shapes.classes, dimension))
        self.decoder = nn.Sequential(
            nn.Linear(dimension, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            nn.Linear(width, shapes.frames * shapes.pixels),
            nn.Unflatten(1, (shapes.frames, shapes.pixels)),
        )

    def prior(self, label: Tensor) -> Gaussian:
        """p(z | u) of (N,) labels, -1 for unlabelled."""
        # Label -1 indexes the last row.
        standard = self.prior_mean.new_zeros(1, self.prior_mean.shape[1])
        return (
            torch.cat([self.prior_mean, standard])[label],
            torch.cat([self.prior_log_variance, standard])[label],
        )

    def loss(self, encodings: Encodings, batch: Batch) -> Tensor:
        """-ELBO with one sample of z, in nats per window and unit, up to a constant of the data."""
        mean = encodings["neural"]
        prior = self.prior(batch.label)
        posterior = product((mean, self.log_variance(mean)), prior)
        z = posterior[0] + torch.exp(0.5 * posterior[1]) * self._normal(batch, mean.shape)
        recorded = self.target_scale(batch.recorded())
        error = self.negative_log_likelihood(self.decoder(z), recorded)
        return (error + divergence(posterior, prior)).mean() / self.shapes.pixels

    def negative_log_likelihood(self, decoded: Tensor, recorded: Tensor) -> Tensor:
        """(N,): -log p(x | z) without terms independent of z; ``decoded`` is the log rate per frame, or the mean."""
        if self.poisson:
            counts = recorded * self.bin_seconds
            return (torch.exp(decoded) - counts * decoded).flatten(1).sum(1)
        return 0.5 * ((recorded - decoded) ** 2).flatten(1).sum(1)

    @staticmethod
    def _normal(batch: Batch, shape: torch.Size) -> Tensor:
        """Standard normal numbers from uniform numbers of the batch (Box and Muller)."""
        one, other = batch.uniform(2, *shape)
        return torch.sqrt(-2 * torch.log1p(-one)) * torch.cos(2 * torch.pi * other)
