"""Training steps per second of MYOW on spikes, beside a plain loop written as the reference implementation is.

Run by ``make bench``. The plain loop has the same model, data, batch and optimizer: a DataLoader that takes one
sample at a time, views sample by sample, both views through the online and the target network, mining over the batch.
A second plain loop gathers and changes a batch at once, which leaves only the model to be faster at. Blocks of steps
are taken in turn in one process on one thread, so that a machine whose speed drifts does not matter; quartiles say how
noisy it was.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from neural_action.augmentations.augmentation import AugmentationContext
from neural_action.config.settings import (
    AugmentationSettings,
    ComponentConfig,
    EncoderSettings,
    TrainingSettings,
)
from neural_action.datasets.windows import Windows
from neural_action.encoders.shapes import Shapes
from neural_action.training.batches import BatchSampler
from neural_action.training.loop import optimizer_of
from neural_action.training.model import create

# A monkey's session: 143 of 159 trials of 5 to 6 bins, 174 units.
UNITS, TRIALS, BINS, BATCH = 174, 143, 6, 512
MINED = {"weight": 0.5, "warmup": 0.0, "neighbors": 5}


def main() -> None:
    """Print steps per second of all three and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=15)
    parser.add_argument("--steps", type=int, default=20, help="steps a block")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rates = torch.from_numpy(10.0 * np.random.default_rng(0).poisson(0.3, (TRIALS * BINS, UNITS))).float()
    trial = torch.arange(TRIALS).repeat_interleave(BINS)
    loops = {
        "this package": ours(rates, trial),
        "sample by sample": plain(rates, trial, batches_by_sample),
        "batch at once": plain(rates, trial, batches_at_once),
    }
    for loop in loops.values():
        for _ in range(10):
            next(loop)
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(options.blocks):
        for name, loop in loops.items():
            began = time.perf_counter()
            for _ in range(options.steps):
                next(loop)
            seconds[name].append((time.perf_counter() - began) / options.steps)
    print(f"MYOW, {UNITS} units, batch {BATCH}, one thread; {options.blocks} blocks of {options.steps} steps")
    own = np.array(seconds.pop("this package"))
    print(f"{'this package':18} {1e3 * np.median(own):6.2f} ms a step")
    for name, times in seconds.items():
        low, middle, high = np.quantile(np.array(times) / own, [0.25, 0.5, 0.75])
        print(
            f"{name:18} {1e3 * np.median(times):6.2f} ms a step: this package makes {middle:.2f} times its steps "
            f"(quartiles {low:.2f} to {high:.2f})"
        )


def ours(rates: Tensor, trial: Tensor) -> Iterator[float]:
    """The steps of ``training.loop.pretrain``, one a turn."""
    count = np.arange(len(rates))
    nothing = np.zeros(len(rates), np.int64)
    windows = Windows(
        start=count,
        pose=count[:, None],
        animal=nothing,
        role=np.full(len(rates), "train"),
        sees_input=nothing == 0,
        sees_label=nothing == 0,
        label=nothing,
        trial=trial.numpy(),
        time=nothing + 0.0,
        frames=1,
    )
    context = AugmentationContext(
        neural=rates,
        pose=torch.zeros(len(rates), 1),
        kernel=None,
        animal_frames=(torch.arange(len(rates)),),
        swap_targets=None,
        swap_domains=None,
        frames=1,
    )
    views = AugmentationSettings(
        neural=[
            ComponentConfig(name="dropout"),
            ComponentConfig(name="pepper"),
            ComponentConfig.model_validate({"name": "noise", "sd": 1.5, "apply": 0.5}),
        ],
        shift=2,
    )
    encoders = EncoderSettings(
        neural=ComponentConfig(name="mlp"), behavior=ComponentConfig(name="pose_cnn"), dimension=64
    )
    model = create(ComponentConfig(name="myow", **MINED), encoders, Shapes(1, (UNITS,), 1, 1), 0)
    model.fit_scales(rates, torch.arange(len(rates)))
    sampler = BatchSampler(context, windows, views, BATCH, 0)
    settings = TrainingSettings(batch=BATCH, learning_rate=2e-4, weight_decay=2e-5)
    optimizer = optimizer_of(model, settings)
    step = 0
    while True:
        batch = sampler(step)
        loss = model.loss(model.encode(batch), batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        model.follow()
        step += 1
        yield loss.item()


class Samples(Dataset):
    """Two views of a bin and the trial it is of."""

    def __init__(self, rates: Tensor, trial: Tensor):
        self.rates, self.trial = rates, trial
        self.mean, self.sd = rates.mean(0), rates.std(0)

    def __len__(self) -> int:
        return len(self.rates)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        later = min(number + int(torch.randint(3, ())), len(self.rates) - 1)
        if self.trial[later] != self.trial[number]:
            later = number
        return self.view(self.rates[number]), self.view(self.rates[later]), self.trial[number]

    def view(self, rates: Tensor) -> Tensor:
        """Dropout, pepper, noise, z-score of (unit,) or (B, unit) rates."""
        some = (*rates.shape[:-1], 1)
        rates = rates * (torch.rand(rates.shape) >= 0.2 * torch.rand(some))
        rates = rates + 1.5 * (torch.rand(rates.shape) < 0.3) * (torch.rand(some) < 0.5)
        rates = rates + 1.5 * torch.randn(rates.shape) * (torch.rand(some) < 0.5)
        return (rates - self.mean) / self.sd


def batches_by_sample(samples: Samples) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Epochs of a DataLoader."""
    loader = DataLoader(samples, BATCH, shuffle=True, drop_last=True)
    while True:
        yield from loader


def batches_at_once(samples: Samples) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The same batches, gathered and changed at once."""
    while True:
        rows = torch.randperm(len(samples))[:BATCH]
        later = torch.minimum(rows + torch.randint(3, (BATCH,)), torch.tensor(len(samples) - 1))
        later = torch.where(samples.trial[later] == samples.trial[rows], later, rows)
        yield samples.view(samples.rates[rows]), samples.view(samples.rates[later]), samples.trial[rows]


def head(size: int, hidden: int, out: int) -> nn.Sequential:
    """A projector or predictor."""
    return nn.Sequential(
        nn.Linear(size, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(True), nn.Linear(hidden, out)
    )


def plain(rates: Tensor, trial: Tensor, batches) -> Iterator[float]:
    """MYOW as one would write it down."""
    layers, size = [], UNITS
    for _ in range(3):
        layers += [nn.Linear(size, 64, bias=False), nn.BatchNorm1d(64), nn.PReLU()]
        size = 64
    encoder = nn.Sequential(*layers, nn.Linear(64, 64, bias=False))
    predictor, projector_m, predictor_m = head(64, 256, 64), head(64, 256, 32), head(32, 256, 32)
    target, target_m = copy.deepcopy(encoder), copy.deepcopy(projector_m)
    for parameter in (*target.parameters(), *target_m.parameters()):
        parameter.requires_grad_(False)
    trained = nn.ModuleList([encoder, predictor, projector_m, predictor_m])
    optimizer = torch.optim.AdamW(trained.parameters(), lr=2e-4, weight_decay=2e-5)
    for one, other, which in batches(Samples(rates, trial)):
        y, y_other = encoder(one), encoder(other)
        with torch.no_grad():
            t, t_other = target(one), target(other)
            v = target_m(t)
        forth = F.cosine_similarity(predictor(y), t_other, dim=-1).mean()
        back = F.cosine_similarity(predictor(y_other), t, dim=-1).mean()
        distance = -F.normalize(y, dim=-1) @ F.normalize(t, dim=-1).T
        distance[which[:, None] == which[None]] = torch.finfo(distance.dtype).max
        nearest = distance.topk(5, largest=False).indices
        mined = nearest[torch.arange(BATCH), torch.randint(5, (BATCH,))]
        again = F.cosine_similarity(predictor_m(projector_m(y)), v[mined], dim=-1).mean()
        loss = 0.5 * (1 - 0.5 * forth - 0.5 * back) + 0.5 * (1 - again)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for online, follower in ((encoder, target), (projector_m, target_m)):
                for new, old in zip(online.parameters(), follower.parameters(), strict=True):
                    old.data.mul_(0.98).add_(new.data, alpha=0.02)
        yield loss.item()


if __name__ == "__main__":
    main()
