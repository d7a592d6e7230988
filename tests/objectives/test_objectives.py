"""Losses against slow loops written from the equations."""

import math

import pytest
import torch

from neural_action.config.settings import ComponentConfig, EncoderSettings
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.objectives.infonce import infonce
from neural_action.training.model import create, load_model, save_model

ENCODERS = EncoderSettings(
    neural=ComponentConfig(name="image_cnn", width=4, layers=2),
    behavior=ComponentConfig(name="pose_cnn", width=8),
)
SHAPES = Shapes(6, (8, 8), 4, 5)


class Batch:
    """A fixed batch of 7 windows."""

    def __init__(self):
        state = torch.Generator().manual_seed(0)
        self.n, self.b = torch.rand(7, 6, 64, generator=state), torch.rand(7, 4, 5, generator=state)

    def neural(self):
        return self.n

    def behavior(self):
        return self.b


def equation_1(z_b, z_n, temperature):
    """Equation 1, term by term, divided by N."""

    def similarity(a, b):
        return float(a @ b / (a.norm() * b.norm())) / temperature

    total, count = 0.0, len(z_b)
    for i in range(count):
        total += math.log(
            math.exp(similarity(z_b[i], z_n[i]))
            / sum(math.exp(similarity(z_b[i], z_n[k])) for k in range(count))
        )
        total += math.log(
            math.exp(similarity(z_n[i], z_b[i]))
            / sum(math.exp(similarity(z_n[i], z_b[k])) for k in range(count))
        )
    return -total / count


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_infonce_is_equation_1(temperature):
    z_b, z_n = torch.randn(2, 9, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert infonce(z_b, z_n, temperature).item() == pytest.approx(equation_1(z_b, z_n, temperature))


def test_infonce_of_indistinguishable_pairs_is_chance():
    same = torch.ones(8, 3)
    assert infonce(same, same, 0.1).item() == pytest.approx(2 * math.log(8), rel=1e-5)


def test_regression_is_the_mean_squared_error_of_the_poses():
    model = create(ComponentConfig(name="regression_conv"), ENCODERS, SHAPES, 0)
    batch = Batch()
    model.eval()
    with torch.no_grad():
        predicted = model.decoder(model.f_n(batch.neural()))
        slow = sum(
            float((predicted[i, f, t] - batch.b[i, t, f]) ** 2)
            for i in range(7)
            for t in range(4)
            for f in range(5)
        )
        assert model.loss(model.encode(batch), batch).item() == pytest.approx(slow / (7 * 4 * 5), rel=1e-5)


def test_a_linear_decoder_makes_each_pose_from_the_encoding_alone():
    model, batch = create(ComponentConfig(name="regression_linear"), ENCODERS, SHAPES, 0), Batch()
    model.eval()
    with torch.no_grad():
        h = model.f_n(batch.neural())
        weight, bias = model.decoder.weight.view(4, 5, -1), model.decoder.bias.view(4, 5)
        slow = sum(
            float((weight[t, f] @ h[i] + bias[t, f] - batch.b[i, t, f]) ** 2)
            for i in range(7)
            for t in range(4)
            for f in range(5)
        )
        assert model.loss(model.encode(batch), batch).item() == pytest.approx(slow / (7 * 4 * 5), rel=1e-5)


@pytest.mark.parametrize("name", ["infonce", "regression_conv", "regression_linear"])
def test_objectives_learn_embed_and_survive_a_file(name, tmp_path):
    part = ComponentConfig(name=name)
    model, batch = create(part, ENCODERS, SHAPES, 0), Batch()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        loss = model.loss(model.encode(batch), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    save_model(model, part, ENCODERS, SHAPES, tmp_path / "model.safetensors", {"seed": 0})
    again = load_model(tmp_path / "model.safetensors")
    model.eval()
    for key, value in model.embed(batch.neural()).items():
        assert value.shape[0] == 7
        assert torch.equal(value, again.embed(batch.neural())[key])


def test_the_seed_fixes_the_weights():
    one, same, other = (
        create(ComponentConfig(name="infonce"), ENCODERS, SHAPES, seed).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


def test_a_broken_model_file_is_one_clear_line(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(
        create(ComponentConfig(name="infonce"), ENCODERS, SHAPES, 0),
        ComponentConfig(name="infonce"),
        ENCODERS,
        SHAPES,
        path,
        {},
    )
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be loaded as a model"):
        load_model(path)


def test_images_are_asked_for():
    with pytest.raises(InputError, match="needs images"):
        create(ComponentConfig(name="infonce"), ENCODERS, Shapes(6, (8,), 4, 5), 0)
