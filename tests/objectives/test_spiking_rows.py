"""Supervised and autoencoder rows, temporal shifts, and that every objective of spikes learns and survives a file."""

import math

import pytest
import torch
from spikes import ENCODERS, SHAPES, sampler_of, spikes

from neural_action.config.settings import AugmentationSettings, ComponentConfig, TrainingSettings
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.training.loop import learning_rate, pretrain
from neural_action.training.model import create, load_model, save_model

VIEWS = AugmentationSettings(
    neural=[
        ComponentConfig(name="dropout"),
        ComponentConfig(name="pepper"),
        ComponentConfig(name="noise", sd=1.5, apply=0.5),
    ],
    shift=2,
)
PARTS = [
    ComponentConfig(name="byol"),
    ComponentConfig(name="myow", warmup=0.2),
    ComponentConfig(name="autoencoder"),
    ComponentConfig(name="relative_position"),
    ComponentConfig(name="temporal_shuffling"),
    ComponentConfig(name="pi_vae"),
    ComponentConfig(name="supervised"),
    ComponentConfig(name="infonce_neural"),
]


class InterruptedRunError(Exception):
    """Stands for a killed job."""


def stop_at(step):
    def interrupt(done):
        if done == step:
            raise InterruptedRunError

    return interrupt


def made(part, augmentations=VIEWS):
    sampler = sampler_of(spikes(), augmentations)
    model = create(part, ENCODERS, SHAPES, 0)
    model.fit_scales(sampler.context.neural, torch.cat(sampler.context.animal_frames))
    return model, sampler


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_objective_learns_resumes_and_survives_a_file(part, tmp_path):
    settings = TrainingSettings(steps=60, batch=32, learning_rate=0.01, checkpoint_every=25, device="cpu")
    model, sampler = made(part)
    log = pretrain(model, sampler, settings, tmp_path / "a.pt")
    assert log[-1][1] < log[0][1]
    again, sampler = made(part)
    with pytest.raises(InterruptedRunError):
        pretrain(again, sampler, settings, tmp_path / "b.pt", interrupt=stop_at(41))
    resumed, sampler = made(part)
    pretrain(resumed, sampler, settings, tmp_path / "b.pt")
    for key, value in model.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
    save_model(model, part, ENCODERS, SHAPES, tmp_path / "model.safetensors", {})
    loaded = load_model(tmp_path / "model.safetensors")
    neural = sampler.context.neural[:9, None]
    model.eval()
    assert torch.equal(model.embed(neural)["encoder"], loaded.embed(neural)["encoder"])


@pytest.mark.parametrize(
    "part", [ComponentConfig(name="byol"), ComponentConfig(name="pi_vae")], ids=lambda part: part.name
)
def test_hidden_trials_do_not_influence_what_is_learned(part, tmp_path):
    settings = TrainingSettings(steps=5, batch=32, device="cpu")
    dataset = spikes()
    changed = spikes()
    for trial in changed.trials:
        if not trial.sees_input:
            changed.neural[trial.frames] = 1e4
            changed.labels[trial.samples] = 0
    states = []
    for data, name in ((dataset, "a.pt"), (changed, "b.pt")):
        sampler = sampler_of(data, VIEWS)
        model = create(part, ENCODERS, SHAPES, 0)
        model.fit_scales(sampler.context.neural, torch.cat(sampler.context.animal_frames))
        pretrain(model, sampler, settings, tmp_path / name)
        states.append(model.state_dict())
    assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


def test_sgd_is_the_heavy_ball(tmp_path):
    settings = TrainingSettings(
        steps=3, batch=32, optimizer="sgd", momentum=0.5, learning_rate=0.1, weight_decay=0.01, warmup=0.0
    )
    model, sampler = made(ComponentConfig(name="supervised"))
    slow, slow_sampler = made(ComponentConfig(name="supervised"))
    pretrain(model, sampler, settings, tmp_path / "a.pt")
    velocity = {}
    for step in range(3):
        rate = learning_rate(step, settings)
        batch = slow_sampler(step)
        slow.zero_grad()
        slow.loss(slow.encode(batch), batch).backward()
        with torch.no_grad():
            for key, parameter in slow.named_parameters():
                gradient = parameter.grad + 0.01 * parameter
                velocity[key] = gradient + (0.5 * velocity[key] if key in velocity else 0)
                parameter -= rate * velocity[key]
    for key, parameter in slow.named_parameters():
        assert torch.allclose(parameter, dict(model.named_parameters())[key], atol=1e-5), key


def test_supervised_is_the_cross_entropy_of_labelled_windows():
    model, sampler = made(ComponentConfig(name="supervised"))
    batch = sampler(0)
    sampler.label[batch.windows[:5]] = -1
    label = batch.label.tolist()
    with torch.no_grad():
        encodings = model.encode(batch)
        logits = model.classifier(encodings["neural"])
        losses = [
            -math.log(math.exp(logits[i, label[i]]) / sum(math.exp(value) for value in logits[i].tolist()))
            for i in range(32)
            if label[i] >= 0
        ]
    assert len(losses) <= 27
    assert model.loss(encodings, batch).item() == pytest.approx(sum(losses) / len(losses), rel=1e-4)
    sampler.label[:] = -1
    assert model.loss(encodings, batch).item() == 0


def test_the_autoencoder_rebuilds_the_window_as_recorded():
    model, sampler = made(ComponentConfig(name="autoencoder"))
    batch = sampler(0)
    with torch.no_grad():
        encodings = model.encode(batch)
        rebuilt = model.decoder(encodings["neural"])
        recorded = sampler.context.neural[batch.rows.start]
        standard = (recorded - model.target_scale.mean) * model.target_scale.gain
        slow = sum(float((rebuilt[i, 0, u] - standard[i, u]) ** 2) for i in range(32) for u in range(12)) / (
            32 * 12
        )
        assert model.loss(encodings, batch).item() == pytest.approx(slow, rel=1e-4)


@pytest.mark.parametrize("shift", [0, 1, 3, "trial"])
def test_the_second_view_is_a_window_later_in_the_trial(shift):
    sampler = sampler_of(spikes(), AugmentationSettings(shift=shift))
    trials = torch.empty(len(sampler.context.neural), dtype=torch.int64)
    trials[sampler.order.start] = sampler.order.trial
    apart = set()
    # Frames that tell where they are from.
    sampler.context.neural[:, 0] = torch.arange(len(sampler.context.neural))
    for step in range(30):
        batch = sampler(step)
        one, other = batch.neural()[:, 0, 0].long(), batch.neural()[:, 0, 0].long()
        assert torch.equal(one, batch.rows.start)
        assert torch.equal(trials[one], trials[other])
        apart |= set((other - one).tolist())
    if shift == "trial":
        assert min(apart) < -3
        assert max(apart) > 3
    else:
        assert apart == set(range(shift + 1))


def test_a_row_without_shift_draws_as_it_did():
    batch = sampler_of(spikes())(0)
    before = batch.generator.get_state()
    batch.neural(), batch.neural()
    assert torch.equal(before, batch.generator.get_state())


def test_supervised_needs_classes():
    with pytest.raises(InputError, match="expected at least two"):
        create(ComponentConfig(name="supervised"), ENCODERS, Shapes(1, (12,), 1, 2), 0)
