"""Variants of InfoNCE and the other baselines against slow loops, and that every objective learns."""

import dataclasses
import math

import pytest
import torch

from neural_action.config.settings import ComponentConfig, EncoderSettings
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.objectives.infonce import infonce, mix, neighbor_infonce
from neural_action.training.model import create, load_model, save_model

ENCODERS = EncoderSettings(
    neural=ComponentConfig(name="image_cnn", width=4, layers=2),
    behavior=ComponentConfig(name="pose_cnn", width=8),
    dimension=16,
)
SHAPES = Shapes(6, (8, 8), 4, 5, 3)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


class Batch:
    """A fixed batch of 3 groups of one window of each of 3 animals."""

    animal = torch.tensor([0, 1, 2] * 3)
    group = torch.arange(3).repeat_interleave(3)

    def __init__(self):
        state = generator()
        self.n, self.b = torch.rand(9, 6, 64, generator=state), torch.rand(9, 4, 5, generator=state)
        self.s = torch.softmax(2 * torch.randn(9, 4, 3, generator=state), dim=-1)
        self.state = generator(1)

    def neural(self):
        return self.n

    def behavior(self):
        return self.b

    def syllables(self):
        return self.s

    def uniform(self, *shape):
        return torch.rand(shape, generator=self.state)


def projections(count=9):
    return torch.randn(2, count, 4, generator=generator(1), dtype=torch.float64)


def cosine(a, b):
    return float(a @ b / (a.norm() * b.norm()))


def share(own, others, temperature):
    """log of the softmax of ``own`` among itself and ``others``."""
    return own / temperature - math.log(sum(math.exp(value / temperature) for value in [own, *others]))


def behavior_of_neural(z_b, z_n, temperature, animal):
    """For each neural window, its behaviour window among all that the animals allow."""
    total, count = 0.0, len(z_n)
    for i in range(count):
        others = [cosine(z_n[i], z_b[k]) for k in range(count) if k != i and animal[k] == animal[i]]
        total += share(cosine(z_n[i], z_b[i]), others, temperature)
    return -total / count


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_the_posters_loss_looks_for_the_behaviour_of_each_neural_window(temperature):
    z_b, z_n = projections()
    expected = behavior_of_neural(z_b, z_n, temperature, [0] * 9)
    assert infonce(z_b, z_n, temperature, symmetric=False).item() == pytest.approx(expected)
    assert behavior_of_neural(z_n, z_b, temperature, [0] * 9) != pytest.approx(expected)


@pytest.mark.parametrize("symmetric", [True, False])
def test_with_animals_only_windows_of_the_same_animal_are_negatives(symmetric):
    z_b, z_n = projections()
    animal = [0, 1, 1, 0, 2, 0, 1, 1, 0]  # animal 2 has one window: no negatives, no loss
    expected = behavior_of_neural(z_b, z_n, 0.5, animal)
    if symmetric:
        expected += behavior_of_neural(z_n, z_b, 0.5, animal)
    found = infonce(z_b, z_n, 0.5, torch.tensor(animal), symmetric=symmetric)
    assert found.item() == pytest.approx(expected)
    assert infonce(z_b, z_n, 0.5, symmetric=symmetric).item() > found.item() + 0.1


def test_gradients_with_same_animal_negatives_are_finite():
    z_b, z_n = projections().requires_grad_()
    found = infonce(z_b, z_n, 0.1, torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 4]))
    for gradient in torch.autograd.grad(found, (z_b, z_n)):
        assert gradient.isfinite().all()
        assert gradient.any()


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_neighbor_infonce_is_its_equation(temperature):
    z, animal, group = projections()[0], [0, 1, 2, 1, 1, 0, 2, 0, 1], [0, 0, 0, 1, 1, 1, 2, 2, 2]
    terms = []
    for i in range(9):
        negatives = [cosine(z[i], z[k]) for k in range(9) if group[k] != group[i]]
        for j in range(9):
            if group[i] == group[j] and animal[i] != animal[j]:
                terms.append(share(cosine(z[i], z[j]), negatives, temperature))
    assert len(terms) == 6 + 4 + 6
    found = neighbor_infonce(z, torch.tensor(animal), torch.tensor(group), temperature)
    assert found.item() == pytest.approx(-sum(terms) / len(terms))


def test_neighbor_infonce_falls_to_0_when_groups_are_told_apart_and_animals_are_not():
    alike = torch.eye(3).repeat_interleave(3, 0)
    told = torch.eye(3).repeat(3, 1)
    assert neighbor_infonce(alike, Batch.animal, Batch.group, 0.05).item() < 1e-6
    assert neighbor_infonce(told, Batch.animal, Batch.group, 0.05).item() > 10


def test_mixing_with_probability_0_changes_nothing():
    h = torch.randn(9, 4, generator=generator())
    assert torch.equal(mix(h, Batch.group, 0.0, torch.rand(3, 9, generator=generator(1))), h)


def test_mixing_moves_each_encoding_at_most_half_way_to_another_of_its_group():
    h, group = torch.randn(12, 6, generator=generator(), dtype=torch.float64), torch.arange(3)
    group = group.repeat_interleave(4)
    partners, weights = [set() for _ in range(12)], []
    for seed in range(60):
        mixed = mix(h, group, 1.0, torch.rand(3, 12, generator=generator(seed), dtype=torch.float64))
        for i in range(12):
            found = []
            for j in range(12):
                if j == i or group[j] != group[i]:
                    continue
                way = h[j] - h[i]
                weight = float((mixed[i] - h[i]) @ way / (way @ way))
                if torch.allclose(mixed[i], h[i] + weight * way, rtol=0, atol=1e-12):
                    found.append((j, weight))
            assert len(found) == 1
            partners[i].add(found[0][0])
            weights.append(found[0][1])
    assert all(len(seen) == 3 for seen in partners)
    assert 0 <= min(weights) < 0.01
    assert 0.49 < max(weights) <= 0.5
    assert sum(weights) / len(weights) == pytest.approx(0.25, abs=0.02)


def test_mixing_leaves_about_1_minus_probability_alone():
    h = torch.randn(3000, 2, generator=generator())
    group = torch.arange(1000).repeat_interleave(3)
    mixed = mix(h, group, 0.3, torch.rand(3, 3000, generator=generator(1)))
    assert (mixed != h).any(1).float().mean().item() == pytest.approx(0.3, abs=0.03)


def test_infonce_adds_what_is_configured_beside_it():
    batch = Batch()
    part = ComponentConfig(
        name="infonce", negatives="same_animal", direction="behavior_of_neural", neighbor_weight=0.5
    )
    model = create(part, ENCODERS, SHAPES, 0).double().eval()
    encodings = {name: z.repeat(1, 4) for name, z in zip(("behavior", "neural"), projections(), strict=True)}
    with torch.no_grad():
        z_b, z_n = model.g_b(encodings["behavior"]), model.g_n(encodings["neural"])
        expected = infonce(z_b, z_n, 0.1, batch.animal, symmetric=False)
        expected += 0.5 * neighbor_infonce(z_n, batch.animal, batch.group, 0.1)
        assert model.loss(encodings, batch).item() == pytest.approx(expected.item(), rel=1e-4)


def test_without_a_head_the_loss_is_of_the_encodings():
    batch, model = Batch(), create(ComponentConfig(name="infonce", head=False), ENCODERS, SHAPES, 0).eval()
    encodings = {"neural": projections()[0].float(), "behavior": projections()[1].float()}
    expected = infonce(encodings["behavior"], encodings["neural"], 0.1).item()
    assert model.loss(encodings, batch).item() == pytest.approx(expected, rel=1e-6)
    assert set(model.embed(batch.neural())) == {"encoder"}


def test_mixing_changes_the_neural_encodings_of_the_loss_alone():
    model = create(ComponentConfig(name="infonce", mixing=1.0, head=False), ENCODERS, SHAPES, 0).eval()
    h_b, h_n = projections().float()
    mixed = mix(h_n, Batch.group, 1.0, Batch().uniform(3, 9))
    assert not torch.equal(mixed, h_n)
    found = model.loss({"behavior": h_b, "neural": h_n}, Batch())
    assert found.item() == pytest.approx(infonce(h_b, mixed, 0.1).item(), rel=1e-6)


def gru(cell, x, state):
    """One step of a gated recurrent unit, gate by gate (reset, update, new)."""
    of_x = (cell.weight_ih @ x + cell.bias_ih).chunk(3)
    of_state = (cell.weight_hh @ state + cell.bias_hh).chunk(3)
    reset, update = (torch.sigmoid(a + b) for a, b in zip(of_x[:2], of_state[:2], strict=True))
    return (1 - update) * torch.tanh(of_x[2] + reset * of_state[2]) + update * state


def test_the_recurrent_decoder_feeds_its_own_poses_back():
    model = create(ComponentConfig(name="regression_recurrent", width=7), ENCODERS, SHAPES, 0)
    h = torch.randn(3, 16, generator=generator())
    with torch.no_grad():
        found = model.decode(h)
        assert found.shape == (3, 4, 5)
        for b in range(3):
            state, pose = torch.tanh(model.start.weight @ h[b] + model.start.bias), torch.zeros(5)
            for t in range(4):
                state = gru(model.cell, pose, state)
                pose = model.pose.weight @ state + model.pose.bias
                assert torch.allclose(found[b, t], pose, atol=1e-5)


def test_the_recurrent_regression_is_the_mean_squared_error_of_the_poses():
    model, batch = create(ComponentConfig(name="regression_recurrent"), ENCODERS, SHAPES, 0), Batch()
    encodings = {"neural": torch.randn(9, 16, generator=generator())}
    with torch.no_grad():
        predicted = model.decode(encodings["neural"])
        slow = sum(
            float((predicted[i, t, f] - batch.b[i, t, f]) ** 2)
            for i in range(9)
            for t in range(4)
            for f in range(5)
        )
        assert model.loss(encodings, batch).item() == pytest.approx(slow / (9 * 4 * 5), rel=1e-5)


def test_behavenet_is_the_cross_entropy_of_the_syllables_in_nats_a_pose():
    model, batch = create(ComponentConfig(name="behavenet", width=8), ENCODERS, SHAPES, 0).eval(), Batch()
    with torch.no_grad():
        encodings = model.encode(batch)
        logits = model.decoder(encodings["neural"]).view(9, 4, 3).tolist()
        total = 0.0
        for i in range(9):
            for t in range(4):
                norm = sum(math.exp(value) for value in logits[i][t])
                for k in range(3):
                    total -= float(batch.s[i, t, k]) * math.log(math.exp(logits[i][t][k]) / norm)
        assert model.loss(encodings, batch).item() == pytest.approx(total / (9 * 4), rel=1e-5)


def test_behavenet_asks_for_syllables():
    with pytest.raises(InputError, match="needs syllables"):
        create(ComponentConfig(name="behavenet"), ENCODERS, dataclasses.replace(SHAPES, syllables=0), 0)


OBJECTIVES = [
    ComponentConfig(name="infonce"),
    ComponentConfig(name="infonce", head=False),
    ComponentConfig(name="infonce", negatives="same_animal", neighbor_weight=0.5, mixing=0.5),
    ComponentConfig(name="infonce", head=False, private=4),
    ComponentConfig(name="infonce_neural"),
    ComponentConfig(name="regression_recurrent"),
    ComponentConfig(name="behavenet"),
]


@pytest.mark.parametrize("part", OBJECTIVES, ids=lambda part: "-".join(map(str, part.model_dump().values())))
def test_objectives_learn_a_fixed_batch_and_survive_a_file(part, tmp_path):
    model, batch = create(part, ENCODERS, SHAPES, 0), Batch()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        encodings = model.encode(batch)
        assert tuple(encodings)[: len(model.modalities)] == model.modalities
        loss = model.loss(encodings, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    save_model(model, part, ENCODERS, SHAPES, tmp_path / "model.safetensors", {"seed": 0})
    again = load_model(tmp_path / "model.safetensors")
    model.eval()
    with torch.no_grad():
        spaces = model.embed(batch.neural())
        assert "encoder" in spaces
        for key, value in spaces.items():
            assert value.shape[0] == 9
            assert value.std(0).max() > 1e-3
            assert torch.equal(value, again.embed(batch.neural())[key])


SPLIT = ComponentConfig(name="infonce", head=False, negatives="same_animal", neighbor_weight=0.5, private=5)


def test_a_split_embedding_has_both_parts_and_the_shared_part_alone():
    layers = create(SPLIT, ENCODERS, SHAPES, 0).eval().embed(Batch().neural())
    assert {name: h.shape for name, h in layers.items()} == {"encoder": (9, 21), "shared": (9, 16)}
    assert torch.equal(layers["encoder"][:, :16], layers["shared"])


def test_a_split_embedding_adds_equation_1_of_both_parts_which_trains_the_private_part_alone():
    model, batch = create(SPLIT, ENCODERS, SHAPES, 0), Batch()
    encodings = model.encode(batch)
    assert set(model.modalities) < set(encodings)
    for name in model.modalities:
        assert torch.equal(encodings[name], encodings[f"{name}_both"][:, :16])
    h_b, h_n = (encodings[f"{name}_both"].detach().requires_grad_() for name in ("behavior", "neural"))
    shared = {"behavior": h_b[:, :16], "neural": h_n[:, :16]}
    alone = infonce(shared["behavior"], shared["neural"], 0.1, batch.animal)
    alone += 0.5 * neighbor_infonce(shared["neural"], batch.animal, batch.group, 0.1)
    both = infonce(model.private_b(h_b), model.private_n(h_n), 0.1)
    loss = model.loss({**shared, "behavior_both": h_b, "neural_both": h_n}, batch)
    assert loss.item() == pytest.approx((alone + both).item(), rel=1e-5)
    of_loss, of_alone, of_both = (
        torch.autograd.grad(one, h_n, retain_graph=True)[0] for one in (loss, alone, both)
    )
    torch.testing.assert_close(of_loss[:, :16], of_alone[:, :16])
    torch.testing.assert_close(of_loss[:, 16:], of_both[:, 16:])
    assert of_both.abs().sum(0).min() > 0
