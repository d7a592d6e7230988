"""The pretraining loop, with checkpoints and a log."""

from __future__ import annotations

import csv
import io
import math
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from neural_action.adaptation.adaptation import Adaptation
from neural_action.config.settings import TrainingSettings
from neural_action.errors import InputError
from neural_action.files import atomic_write, check_zip
from neural_action.objectives.objective import Objective
from neural_action.training.batches import BatchSampler
from neural_action.training.mined import MinedPairs

LOG_COLUMNS = ("step", "loss", "learning_rate", "windows_per_second")
_LOG_EVERY = 20


@dataclass
class TrainingState:
    """State in a checkpoint beside the weights."""

    step: int
    log: list[tuple[float, ...]]
    #: Sum of the losses since the last row of the log.
    running: float = 0.0


def learning_rate(step: int, settings: TrainingSettings) -> float:
    """Learning rate of a step: linear warm-up, then a cosine to zero (our choice)."""
    warmup = max(1, round(settings.warmup * settings.steps))
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    return (
        settings.learning_rate
        * 0.5
        * (1 + math.cos(math.pi * (step - warmup) / max(1, settings.steps - warmup)))
    )


def pretrain(
    objective: Objective,
    sampler: BatchSampler,
    settings: TrainingSettings,
    checkpoint: Path,
    *,
    adaptation: Adaptation | None = None,
    fingerprint: str = "",
    keep_last: bool = False,
    mined: MinedPairs | None = None,
    interrupt: Callable[[int], None] = lambda step: None,
) -> list[tuple[float, ...]]:
    """Train ``objective`` in place; return the rows of the log (``LOG_COLUMNS``).

    An existing checkpoint is resumed. Batches and views depend only on (seed, step), so an interrupted run ends with
    the same weights. On CUDA, encoders run under autocast (``cuda_precision``; float16 with loss scaling), the loss is
    computed in float32, and nothing within a step waits for the device.

    Args:
        objective: the objective, on the device of the sampler's data.
        sampler: draws the batch of each step.
        settings: steps, optimizer, checkpoints.
        checkpoint: file to resume from, written every ``checkpoint_every`` steps.
        adaptation: a term added to the loss; its parameters are trained with those of the objective.
        fingerprint: fingerprint of configuration and inputs; a checkpoint with another fingerprint is not resumed.
        keep_last: whether a checkpoint is also written at the end, for jobs that train several models in turn.
        mined: counts the classes of mined pairs; part of the checkpoint.
        interrupt: called after each step with the number of steps done; tests stop a run with it.

    Raises:
        InputError: the loss is not finite.
    """
    device = sampler.context.neural.device
    trained = nn.ModuleDict({"objective": objective})
    if adaptation is not None:
        trained["adaptation"] = adaptation
    optimizer = optimizer_of(trained, settings)
    precision = settings.cuda_precision if device.type == "cuda" else "float32"
    autocast = nullcontext() if precision == "float32" else torch.autocast("cuda", getattr(torch, precision))
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
    state = _resume(checkpoint, fingerprint, trained, optimizer, scaler, mined)
    for part in objective.modules():
        # Frozen modules keep their running statistics.
        part.training = any(parameter.requires_grad for parameter in part.parameters())
    for name in objective.followers:
        getattr(objective, name).train()
    progress = tqdm(total=settings.steps, initial=state.step, unit="step", disable=not sys.stderr.isatty())
    running = torch.tensor(state.running, device=device)
    logged, since, began = int(state.log[-1][0]) if state.log else 0, state.step, time.perf_counter()
    for step in range(state.step, settings.steps):
        rate = learning_rate(step, settings)
        for group in optimizer.param_groups:
            group["lr"] = rate
        objective.progress = step / settings.steps

        batch = sampler(step)
        # Only encoders: losses sum over many similarities, for which bfloat16 is too imprecise.
        with autocast:
            encodings = objective.encode(batch)
        encodings = {
            name: value.float() if value.is_floating_point() else value for name, value in encodings.items()
        }
        loss = objective.loss(encodings, batch)
        if adaptation is not None:
            loss = loss + adaptation(encodings, batch.animal, step / settings.steps)
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        objective.follow()

        running += loss.detach()
        done = step + 1
        progress.update()
        if done % _LOG_EVERY == 0 or done == settings.steps:
            seconds = time.perf_counter() - began
            state.log.append(
                (done, running.item() / (done - logged), rate, (done - since) * sampler.batch / seconds)
            )
            if not math.isfinite(state.log[-1][1]):
                raise InputError(
                    f"training.learning_rate: {settings.learning_rate:g} led to a loss of {state.log[-1][1]} by step "
                    f"{done}, expected finite numbers; try a smaller rate, or scale the neural data (convert.scale)"
                )
            if progress.disable:
                print(
                    "step {:.0f} loss {:.4f} rate {:.2e} windows/s {:.0f}".format(*state.log[-1]),
                    file=sys.stderr,
                )
            running.zero_()
            logged, since, began = done, done, time.perf_counter()
        if mined is not None:
            mined.add(objective.mined, done)
        state.step = done
        if keep_last if done == settings.steps else done % settings.checkpoint_every == 0:
            state.running = running.item()
            _save(checkpoint, fingerprint, trained, optimizer, scaler, state, mined)
        interrupt(done)
    progress.close()
    return state.log


def optimizer_of(trained: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """The configured optimizer of the trainable parameters of ``trained``."""
    parameters = [parameter for parameter in trained.parameters() if parameter.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    spared = [one for one in parameters if one.ndim < 2] if settings.decayed == "weights" else []
    groups: list[dict[str, Any]] = [{"params": parameters}]
    if spared:
        left = {id(one) for one in spared}
        decays = [one for one in parameters if id(one) not in left]
        groups = [{"params": decays}, {"params": spared, "weight_decay": 0.0}]
    if settings.optimizer == "sgd":
        sgd = torch.optim.SGD(groups, lr=rate, momentum=settings.momentum, weight_decay=decay, fused=True)
        # Start from zero momentum for all parameters: the fused step fails if only some have a momentum buffer, as when
        # a term of the loss starts later.
        for one in parameters if settings.momentum > 0 else []:
            sgd.state[one]["momentum_buffer"] = torch.zeros_like(one)
        return sgd
    return torch.optim.AdamW(groups, lr=rate, weight_decay=decay, fused=True)


def write_log(logs: list[list[tuple[float, ...]]], path: Path) -> None:
    """Write the log of a run as CSV; logs of several models follow one another."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(LOG_COLUMNS)
        writer.writerows((int(row[0]), *(f"{value:.6g}" for value in row[1:])) for log in logs for row in log)


def _save(
    path: Path,
    fingerprint: str,
    trained: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    state: TrainingState,
    mined: MinedPairs | None,
) -> None:
    content = {
        "fingerprint": fingerprint,
        "trained": trained.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scaler": scaler.state_dict(),
        "step": state.step,
        "log": state.log,
        "running": state.running,
        "mined": None if mined is None else mined.state(),
    }
    # Through memory, because torch reports a full disk as an internal error.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with atomic_write(path) as partial:
        partial.write_bytes(buffer.getbuffer())


def _resume(
    path: Path,
    fingerprint: str,
    trained: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    mined: MinedPairs | None,
) -> TrainingState:
    if not path.exists():
        return TrainingState(0, [])
    device = next(trained.parameters()).device
    try:
        check_zip(path)
        content = torch.load(path, map_location=device, weights_only=True)
        other = content["fingerprint"] != fingerprint
    except Exception as error:  # a damaged or foreign file may raise any exception
        print(f"{path}: damaged ({type(error).__name__}), starting from step 0", file=sys.stderr)
        return TrainingState(0, [])
    if other:
        print(f"{path}: of another configuration or other inputs, starting from step 0", file=sys.stderr)
        return TrainingState(0, [])
    trained.load_state_dict(content["trained"])
    optimizer.load_state_dict(content["optimizer"])
    scaler.load_state_dict(content["scaler"])
    if mined is not None:
        mined.resume(content["mined"])
    print(f"resumed {path} at step {content['step']}", file=sys.stderr)
    return TrainingState(content["step"], [tuple(row) for row in content["log"]], content["running"])
