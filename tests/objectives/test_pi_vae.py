"""pi-VAE: product of Gaussians, divergence and ELBO against closed forms."""

import math

import pytest
import torch
from spikes import ENCODERS, SHAPES, sampler_of, spikes
from torch.distributions import Normal, Poisson, kl_divergence

from neural_action.config.settings import ComponentConfig
from neural_action.objectives.pi_vae import divergence, product
from neural_action.training.model import create


def gaussian(seed):
    state = torch.Generator().manual_seed(seed)
    return torch.randn(7, 4, generator=state), torch.randn(7, 4, generator=state)


def normal(part):
    return Normal(part[0], torch.exp(0.5 * part[1]))


def test_the_product_of_gaussians_is_proportional_to_the_product_of_densities():
    one, other = gaussian(0), gaussian(1)
    both = normal(product(one, other))
    ratios = [
        normal(one).log_prob(z) + normal(other).log_prob(z) - both.log_prob(z)
        for z in torch.linspace(-2, 2, 5).view(5, 1, 1)
    ]
    for ratio in ratios[1:]:
        assert torch.allclose(ratio, ratios[0], atol=1e-4)


def test_the_divergence_is_the_closed_form():
    one, other = gaussian(0), gaussian(1)
    assert torch.allclose(divergence(one, other), kl_divergence(normal(one), normal(other)).sum(1), atol=1e-4)
    assert torch.allclose(divergence(one, one), torch.zeros(7), atol=1e-6)


@pytest.mark.parametrize("observation", ["poisson", "gaussian"])
def test_the_loss_is_the_negative_elbo(observation):
    sampler = sampler_of(spikes())
    model = create(ComponentConfig(name="pi_vae", observation=observation), ENCODERS, SHAPES, 0)
    context = sampler.context
    model.fit_scales(context.neural, torch.cat(context.animal_frames))
    model.eval()
    batch = sampler(0)
    label = batch.label.clone()
    label[:4] = -1
    sampler.label[batch.windows[:4]] = -1
    with torch.no_grad():
        encodings = model.encode(batch)
        loss = model.loss(encodings, batch)

        noise = sampler(
            0
        )  # the same step anew: one draw before was none, so the generator stands where it stood
        one, other = noise.uniform(2, 32, 6)
        epsilon = torch.sqrt(-2 * torch.log(1 - one)) * torch.cos(2 * math.pi * other)
        total = 0.0
        label = sampler.label[batch.windows]
        x = batch.recorded()[:, 0]
        for i in range(32):
            mean = model.f_n(x[i][None, None])[0]
            prior_mean, prior_variance = torch.zeros(6), torch.ones(6)
            if label[i] >= 0:
                prior_mean = model.prior_mean[label[i]]
                prior_variance = torch.exp(model.prior_log_variance[label[i]])
            variance = torch.exp(model.log_variance(mean))
            post_variance = 1 / (1 / variance + 1 / prior_variance)
            post_mean = post_variance * (mean / variance + prior_mean / prior_variance)
            z = post_mean + post_variance.sqrt() * epsilon[i]
            decoded = model.decoder(z[None])[0, 0]
            if observation == "poisson":
                counts = x[i] * 0.1
                fit = (Poisson(torch.exp(decoded)).log_prob(counts) + torch.lgamma(counts + 1)).sum()
            else:
                target = (x[i] - model.target_scale.mean) * model.target_scale.gain
                fit = (Normal(decoded, 1).log_prob(target) + 0.5 * math.log(2 * math.pi)).sum()
            apart = kl_divergence(
                Normal(post_mean, post_variance.sqrt()), Normal(prior_mean, prior_variance.sqrt())
            )
            total += float(apart.sum() - fit)
    assert loss.item() == pytest.approx(total / 32 / 12, rel=1e-4)


def test_the_noise_is_standard_normal():
    model = create(ComponentConfig(name="pi_vae"), ENCODERS, SHAPES, 0)
    numbers = model._normal(sampler_of(spikes())(0), torch.Size([200, 200]))
    assert numbers.mean().item() == pytest.approx(0, abs=0.02)
    assert numbers.std().item() == pytest.approx(1, abs=0.02)
    assert numbers.abs().max() < 7
