"""One training loop for every model of the book, a plain one, around Accelerate.

Accelerate moves the model to the device there is, and averages gradients when
`accelerate launch` starts several processes; the loop is the same on one core.
"""

import math
import os
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device
from torch import Tensor, nn
from tqdm.auto import tqdm


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn: AdamW, a linear warm-up, then half a cosine.

    `rate` is reached after `warmup` steps and falls to `final * rate`. `clip` bounds
    the length of the gradient. `decay` shrinks matrices, and no gains or biases.
    """

    steps: int
    rate: float = 3e-3
    warmup: int = 100
    final: float = 0.1
    clip: float = 1.0
    decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "rate", "clip"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected a positive number")
        for name in ("warmup", "final", "decay"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected no negative number")

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (
            self.final + (1 - self.final) * (1 + math.cos(math.pi * done)) / 2
        )


def train(
    model: nn.Module,
    draw: Callable[[torch.Generator], Any],
    loss: Callable[[nn.Module, Any], Tensor],
    plan: Plan,
    *,
    checkpoint: Path | None = None,
    every: int = 200,
    progress: bool = False,
) -> list[float]:
    """Train `model` in place; the loss of every step, before its update.

    `draw(generator)` gives a batch, `loss(model, batch)` its mean loss. A step's random
    numbers follow from seed, step and process alone: with `checkpoint`, a file written
    after every so many steps and at the end, a run that was killed goes on to the same
    weights.

    Raises `FloatingPointError` at the first loss that is not finite, before the weights
    change; `ValueError` for a checkpoint that is broken or of another run.
    """
    accelerator = Accelerator()
    matrices = [w for w in model.parameters() if w.ndim > 1]
    others = [w for w in model.parameters() if w.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(
        groups, lr=plan.rate, betas=plan.betas, weight_decay=plan.decay
    )
    bare = model
    model, optimizer = accelerator.prepare(model, optimizer)
    losses: list[float] = []
    if checkpoint is not None and checkpoint.exists():
        losses = _resume(checkpoint, plan, bare, optimizer)
    generator = torch.Generator()
    model.train()
    steps = range(len(losses), plan.steps)
    bar = tqdm(steps, disable=not (progress and accelerator.is_main_process))
    for step in bar:
        own = (plan.seed * 1_000_003 + step) * 1_009 + accelerator.process_index
        generator.manual_seed(own)
        torch.manual_seed(own)  # for what the model draws itself
        batch = send_to_device(draw(generator), accelerator.device)
        value = loss(model, batch)
        mean = accelerator.reduce(value.detach(), reduction="mean").item()
        if not math.isfinite(mean):
            raise FloatingPointError(f"loss: {mean} at step {step}")
        for group in optimizer.param_groups:
            group["lr"] = plan.rate_at(step)
        accelerator.backward(value)
        accelerator.clip_grad_norm_(model.parameters(), plan.clip)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(mean)
        bar.set_postfix(loss=f"{mean:.3f}")
        due = (step + 1) % every == 0 or step + 1 == plan.steps
        if checkpoint is not None and due:
            if accelerator.is_main_process:
                _save(checkpoint, plan, losses, bare, optimizer)
            accelerator.wait_for_everyone()
    bare.eval()
    return losses


def _save(
    path: Path, plan: Plan, losses: list[float], model: nn.Module, optimizer: Any
) -> None:
    content = {
        "plan": asdict(plan),
        "losses": losses,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    new = path.with_name(f".{path.name}.new")
    torch.save(content, new)
    os.replace(new, path)


def _resume(path: Path, plan: Plan, model: nn.Module, optimizer: Any) -> list[float]:
    try:
        found = dict(torch.load(path, map_location="cpu", weights_only=True))
        theirs, losses = dict(found["plan"]), list(found["losses"])
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError, LookupError,
            TypeError, ValueError) as error:  # fmt: skip
        raise ValueError(
            f"checkpoint: {path} cannot be read; without it the run starts anew"
        ) from error
    ours = asdict(plan)
    other = [key for key in ours if theirs.get(key) != ours[key]]
    if other:
        raise ValueError(
            f"checkpoint: {path} is of another plan, it differs in {other}"
        )
    try:
        model.load_state_dict(found["model"])
        optimizer.load_state_dict(found["optimizer"])
    except (RuntimeError, ValueError, LookupError) as error:
        raise ValueError(f"checkpoint: {path} is of another model: {error}") from error
    return losses
