"""BYOL and MYOW on pictures: trials of one frame, mined among candidates of their own, against brute-force loops."""

import numpy as np
import pytest
import torch

from neural_action.config.settings import (
    AugmentationSettings,
    ComponentConfig,
    EncoderSettings,
    TrainingSettings,
    WindowSettings,
)
from neural_action.datasets.dataset import Dataset, TrialRows
from neural_action.datasets.windows import window_table
from neural_action.encoders.shapes import Shapes
from neural_action.errors import InputError
from neural_action.objectives.mining import mine
from neural_action.recordings.pictures.read import read_pictures
from neural_action.training.batches import BatchSampler, augmentation_context
from neural_action.training.loop import pretrain
from neural_action.training.mined import MinedPairs
from neural_action.training.model import create

COUNT, HIDDEN = 40, 4  # pictures, and how many of them pretraining does not see
ENCODERS = EncoderSettings(
    neural=ComponentConfig(name="image_cnn", width=4, layers=2),
    behavior=ComponentConfig(name="pose_cnn"),
    dimension=6,
)
SHAPES = Shapes(1, (3, 8, 8), 1, 1)
VIEWS = {
    "neural": [
        ComponentConfig(name="resized_crop", least=0.2),
        ComponentConfig(name="color_jitter"),
        ComponentConfig(name="grayscale"),
    ],
    "mined": [ComponentConfig(name="resized_crop", least=0.8)],
}
MYOW = {
    "name": "myow",
    "projection": 5,
    "mined_hidden": 7,
    "mined_dimension": 3,
    "views": "own",
    "hidden": 9,
}


def pictures(neural: np.ndarray | None = None) -> Dataset:
    """40 pictures of one animal, each a trial of one frame; the last four are not seen."""
    rng, clock = np.random.default_rng(0), np.arange(COUNT, dtype=np.float64)
    if neural is None:
        neural = rng.random((COUNT, 3, 8, 8)).astype(np.float32)
    trials = tuple(
        TrialRows("A", f"{k:02}", slice(k, k + 1), slice(k, k + 1), sees_input=k < COUNT - HIDDEN)
        for k in range(COUNT)
    )
    pose = np.zeros((COUNT, 1), np.float32)
    return Dataset(
        animals=("A",),
        trials=trials,
        neural=neural,
        neural_time=clock,
        pose=pose,
        pose_raw=pose,
        pose_time=clock,
        labels=(np.arange(COUNT) % 2).astype(np.int8),
        class_names=("cat", "dog"),
        behavior_names=("none",),
        behavior_shape=(1,),
        neural_rate=1.0,
    )


def sampler_of(augmentations=None, batch=12, neural=None, **options) -> BatchSampler:
    dataset = pictures(neural)
    windows = window_table(dataset, WindowSettings(frames=1, poses=1, behavior_stride=1, stride=1), stride=1)
    context = augmentation_context(dataset, windows, torch.device("cpu"))
    return BatchSampler(
        context, windows, AugmentationSettings(**(augmentations or VIEWS)), batch, 0, **options
    )


def cosine(a, b):
    return float(a @ b / (a.norm() * b.norm()))


def distances(one, other):
    return [1 - cosine(a, b) for a, b in zip(one, other, strict=True)]


def test_a_pool_is_drawn_apart_from_the_batch_and_each_clip_once():
    sampler = sampler_of()
    shared = []
    for step in range(200):
        batch = sampler(step)
        pool = batch.pool(20)
        assert len(set(pool.tolist())) == 20
        assert 0 <= int(pool.min()) <= int(pool.max()) < COUNT - HIDDEN
        shared.append(torch.isin(batch.windows, pool).double().mean().item())
    assert abs(np.mean(shared) - 20 / (COUNT - HIDDEN)) < 0.03
    assert torch.equal(sampler(3).windows, sampler(3).windows)
    with pytest.raises(InputError, match=r"objective\.pool: 37 windows, expected at most the 36"):
        batch.pool(37)


@pytest.mark.parametrize("pool", [0, 20])
@pytest.mark.parametrize("exclude", ["trial", "none"])
def test_the_mined_term_is_a_brute_force_loop(pool, exclude):
    model = create(
        ComponentConfig(**MYOW, pool=pool, exclude=exclude, neighbors=2, weight=0.4, scale=2.0),
        ENCODERS,
        SHAPES,
        0,
    ).eval()
    model.progress = 0.5
    batch = sampler_of()(0)
    encodings = model.encode(batch)
    # What the objective will draw, and which of the neighbours by the uniform numbers.
    asked, chance = [], torch.rand(12, generator=torch.Generator().manual_seed(1))
    drawn_pool, mined_of = batch.pool, batch.mined_of
    batch.pool = lambda count: asked.append(drawn_pool(count)) or asked[-1]
    seen = []
    batch.mined_of = lambda windows: seen.append((windows, mined_of(windows).clone())) or seen[-1][1]
    batch.uniform = lambda *shape: chance
    loss = model.loss(encodings, batch).item()

    (anchors, anchor_views), (candidates, candidate_views) = seen
    assert torch.equal(anchors, batch.windows)
    assert torch.equal(candidates, asked[0] if pool else batch.windows)
    with torch.no_grad():
        online, target = model.f_n(anchor_views), model.target["f_n"](candidate_views)
        v = model.target["mined_projector"](model.target["g_n"](target))
        r = model.mined_predictor(model.mined_projector(model.g_n(online)))
        z = [model.target["g_n"](encodings[key]) for key in ("target", "target_again")]
        q = [model.predictor(model.g_n(encodings[key])) for key in ("neural", "neural_again")]
    mined = []
    for i in range(12):
        allowed = [j for j in range(len(v)) if exclude == "none" or anchors[i] != candidates[j]]
        best = sorted(allowed, key=lambda j, i=i: -cosine(online[i], target[j]))[:2]
        mined.append(1 - cosine(r[i], v[best[int(chance[i] * len(best))]]))
    byol = (np.mean(distances(q[0], z[1])) + np.mean(distances(q[1], z[0]))) / 2
    assert loss == pytest.approx(2 * (0.6 * byol + 0.4 * np.mean(mined)), rel=1e-4)


def test_a_picture_never_mines_itself_and_as_released_it_does():
    for exclude, least, most in (("trial", 0, 0), ("none", 0.9, 1)):
        model = create(ComponentConfig(**MYOW, exclude=exclude, neighbors=1), ENCODERS, SHAPES, 0).eval()
        model.progress = 0.5
        sampler, found = sampler_of({**VIEWS, "mined": []}), []
        for step in range(20):
            batch = sampler(step)
            batch.windows = torch.arange(12) + step  # each picture once
            h, target, candidates = model._searched({}, batch)
            excluded = batch.excluded(None, candidates)
            excluded = excluded if exclude == "trial" else torch.zeros_like(excluded)
            index, _ = mine(h, target, excluded, 1, torch.zeros(12))
            found += (candidates[index] == batch.windows).tolist()
        assert least <= np.mean(found) <= most


def test_the_term_is_off_until_it_starts_and_then_rises():
    # Epochs 100 to 110 of 800.
    model = create(ComponentConfig(**MYOW, start=100 / 800, warmup=110 / 800), ENCODERS, SHAPES, 0)
    batch = sampler_of()(0)
    batch.mined_of = None  # nothing is encoded for a term that is off
    for epoch, weight in ((0, 0), (99, 0), (100, 0), (105, 0.25), (110, 0.5), (500, 0.5)):
        model.progress = epoch / 800
        assert model.mined_weight == pytest.approx(weight)
    model.progress = 99 / 800
    encodings = model.encode(batch)
    assert model.loss(encodings, batch).item() == super(type(model), model).loss(encodings, batch).item()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"pool": 4, "neighbors": 5}, r"objective\.pool: 4 with neighbors 5"),
        ({"pool": 8, "views": "batch"}, r"objective\.pool: 8 .* views batch, expected .* views own"),
        ({"start": 0.2, "warmup": 0.1}, r"objective\.start: 0\.2, expected from 0 to warmup 0\.1"),
    ],
)
def test_what_cannot_be_mined_is_refused(changed, says):
    with pytest.raises(InputError, match=says):
        create(ComponentConfig(**{**MYOW, **changed}), ENCODERS, SHAPES, 0)


def test_fewer_candidates_than_neighbours_are_one_line():
    model = create(ComponentConfig(**MYOW, neighbors=13), ENCODERS, SHAPES, 0)
    model.progress, batch = 0.5, sampler_of()(0)
    with pytest.raises(InputError, match=r"objective\.neighbors: 13, expected at most the 12 candidates"):
        model.loss(model.encode(batch), batch)


def test_once_a_batch_needs_views_that_can():
    sampler = sampler_of({**VIEWS, "draws": "batch"})
    batch = sampler(0)
    windows = torch.full((12,), 5)
    one, other = batch.neural_of(windows).clone(), batch.neural_of(windows).clone()
    assert torch.allclose(one, one[:1].expand_as(one), atol=1e-6)
    assert not torch.allclose(one, other)
    with pytest.raises(
        InputError, match=r"augmentations\.draws: batch, but noise draws numbers for each window"
    ):
        sampler_of({"neural": [ComponentConfig(name="noise")], "draws": "batch"})


@pytest.mark.parametrize("name", ["byol", "myow"])
def test_training_resumes_exactly(tmp_path, name):
    objective = (
        ComponentConfig(**MYOW, pool=20, start=0.2, warmup=0.4)
        if name == "myow"
        else ComponentConfig(name="byol", projection=5)
    )
    training = TrainingSettings(steps=20, batch=12, checkpoint_every=5, optimizer="sgd", learning_rate=0.1)

    class StopError(Exception):
        pass

    def stop(step):
        if step == 13:
            raise StopError

    def run(folder, interrupt=lambda step: None):
        model, sampler = create(objective, ENCODERS, SHAPES, 0), sampler_of()
        mined = MinedPairs(sampler.label, 2, training.steps)
        pretrain(model, sampler, training, tmp_path / f"{folder}.pt", mined=mined, interrupt=interrupt)
        return model.state_dict(), mined.rows

    whole, pairs = run("whole")
    with pytest.raises(StopError):
        run("cut", stop)
    again, pairs_again = run("cut")
    assert all(torch.equal(whole[key], again[key]) for key in whole)
    assert pairs == pairs_again
    # 12 pairs in each step from step 4 of 20 on, when the term starts.
    assert sum(row[3] for row in pairs) == (12 * 16 if name == "myow" else 0)


def test_labels_are_recorded_and_train_nothing(tmp_path):
    objective = ComponentConfig(**MYOW, pool=20, warmup=0.1)
    training = TrainingSettings(steps=10, batch=12)
    found = []
    for label in (None, torch.zeros(COUNT, dtype=torch.int64), torch.full((COUNT,), -1)):
        model, sampler = create(objective, ENCODERS, SHAPES, 0), sampler_of()
        mined = None if label is None else MinedPairs(label, 2, training.steps)
        pretrain(model, sampler, training, tmp_path / f"{len(found)}.pt", mined=mined)
        found.append((model.state_dict(), [] if mined is None else mined.rows))
    (weights, _), *others = found
    for other, _ in others:
        assert all(torch.equal(weights[key], other[key]) for key in weights)
    assert {row[1:3] for row in found[1][1]} == {(0, 0)}
    assert sum(row[4] for row in found[1][1]) == 0  # never the picture itself
    assert found[2][1] == []


@pytest.mark.real_data
def test_real_pictures_through_the_whole_step(tmp_path, real_recordings):
    found = read_pictures(real_recordings("images/cifar10_jpeg.tar.xz"))
    neural = found.pictures[:: len(found.pictures) // COUNT][:COUNT].transpose(0, 3, 1, 2)
    sampler = sampler_of(batch=8, neural=np.ascontiguousarray(neural, np.float32) / 255, epochs=True)
    encoders = ENCODERS.model_copy(update={"neural": ComponentConfig(name="resnet"), "dimension": 512})
    model = create(
        ComponentConfig(**MYOW, pool=16, neighbors=1, warmup=0.0), encoders, Shapes(1, (3, 32, 32), 1, 1), 0
    )
    context = sampler.context
    model.fit_scales(context.neural, torch.cat(context.animal_frames))
    training = TrainingSettings(
        steps=2, batch=8, optimizer="sgd", learning_rate=0.1, decayed="weights", checkpoint_every=5
    )
    before = model.f_n.conv1.weight.detach().clone()
    log = pretrain(model, sampler, training, tmp_path / "c.pt")
    assert 0 < log[-1][1] < 2
    assert not torch.equal(before, model.f_n.conv1.weight)
    assert model.embed(context.neural[:4, None])["encoder"].shape == (4, 512)
