"""One training loop for every model of the book, a plain one, around Accelerate.

Accelerate moves the model to the device there is, and averages gradients when
`accelerate launch` starts several processes; the loop is the same on one core.
"""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import send_to_device
from torch import Tensor, nn
from tqdm.auto import tqdm

from explainers import checks


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn: AdamW, a linear warm-up, then half a cosine.

    `lr` is reached after `warmup_steps` and falls to `min_lr_ratio * lr` at the end.
    `max_grad_norm` bounds the norm of the gradient of all parameters; `math.inf` bounds
    nothing. `weight_decay` applies to matrices, not to gains and biases.

    Raises `ValueError` for a number outside its range, NaN included, and `TypeError`
    for other types.
    """

    steps: int
    lr: float = 3e-3
    warmup_steps: int = 100
    min_lr_ratio: float = 0.1
    max_grad_norm: float = 1.0
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    seed: int = 0

    def __post_init__(self) -> None:
        # a step's seed is below 2**64 for every seed below 2**32
        for name, least, end in (
            ("steps", 1, math.inf),
            ("warmup_steps", 0, math.inf),
            ("seed", 0, 2**32),
        ):
            count = getattr(self, name)
            if type(count) is not int or not least <= count < end:
                raise ValueError(
                    f"{name}: expected an integer, at least {least}"
                    f"{f' and below {end}' if end < math.inf else ''}, got {count!r}"
                )
        checks.positive("lr", self.lr)
        checks.number("min_lr_ratio", self.min_lr_ratio, least=0, most=1)
        if self.max_grad_norm != math.inf:
            checks.positive("max_grad_norm", self.max_grad_norm)
        checks.number("weight_decay", self.weight_decay, least=0)
        if not isinstance(self.betas, tuple | list) or not all(
            isinstance(beta, Real) for beta in self.betas
        ):
            raise TypeError(f"betas: expected two numbers, got {self.betas!r}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(
                f"betas: expected two numbers from 0 to below 1, got {self.betas}"
            )

    def lr_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0.

        Raises `TypeError` if `step` is not an integer, `ValueError` below 0 and above
        `steps`.
        """
        checks.integer("step", step, least=0, most=self.steps)
        if step < self.warmup_steps:
            return self.lr * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        cosine = (1 + math.cos(math.pi * done)) / 2
        return self.lr * (self.min_lr_ratio + (1 - self.min_lr_ratio) * cosine)


def train(
    model: nn.Module,
    draw_batch: Callable[[torch.Generator], Any],
    loss_fn: Callable[[nn.Module, Any], Tensor],
    plan: Plan,
    *,
    checkpoint: Path | str | None = None,
    save_steps: int = 200,
    fingerprint: str = "",
    progress: bool = False,
) -> list[float]:
    """Train `model` in place; the loss of every step, before its update.

    `draw_batch(generator)` gives a batch, `loss_fn(model, batch)` its mean loss. A
    step's random numbers follow from seed, step and process alone: with `checkpoint`, a
    file written every `save_steps` and at the end, a run that was killed goes on to the
    same weights.

    A checkpoint belongs to its run: the plan, the names and shapes of the model's
    tensors and `fingerprint` have to be the same. What `draw_batch` and `loss_fn`
    compute cannot be compared; `fingerprint` is the caller's word for it, such as a
    hash of the data and the name of the loss.

    Raises `FloatingPointError` at the first loss or gradient that is not finite, before
    the weights change; `ValueError` for a checkpoint that is broken, contradicts itself
    or is of another run, before the model changes, and for arguments that make no
    sense; `TypeError` for those of other types.
    """
    checks.instance("model", model, nn.Module)
    checks.function("draw_batch", draw_batch)
    checks.function("loss_fn", loss_fn)
    checks.instance("plan", plan, Plan)
    checks.instance("checkpoint", checkpoint, Path | str | None)
    checks.integer("save_steps", save_steps, least=1)
    checks.instance("fingerprint", fingerprint, str)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and not path.absolute().parent.is_dir():
        raise ValueError(f"checkpoint: there is no folder {path.parent}")
    accelerator = Accelerator()
    matrices = [w for w in model.parameters() if w.ndim > 1]
    others = [w for w in model.parameters() if w.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": matrices},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(
        groups, lr=plan.lr, betas=plan.betas, weight_decay=plan.weight_decay
    )
    bare = model
    model, optimizer = accelerator.prepare(model, optimizer)
    run = {"plan": asdict(plan), "fingerprint": fingerprint}
    losses: list[float] = []
    if path is not None and path.exists():
        losses = _resume(path, run, bare, optimizer)
    generator = torch.Generator()
    model.train()
    steps = range(len(losses), plan.steps)
    bar = tqdm(steps, disable=not (progress and accelerator.is_main_process))
    for step in bar:
        step_seed = (plan.seed * 1_000_003 + step) * 1_009 + accelerator.process_index
        generator.manual_seed(step_seed)
        torch.manual_seed(step_seed)  # for what the model draws itself
        batch = send_to_device(draw_batch(generator), accelerator.device)
        loss = loss_fn(model, batch)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise ValueError(
                "loss_fn: expected it to return a tensor of one number, got "
                f"{tuple(loss.shape) if isinstance(loss, Tensor) else loss!r}"
            )
        mean = accelerator.reduce(loss.detach(), reduction="mean").item()
        if not math.isfinite(mean):
            raise FloatingPointError(f"loss: {mean} at step {step}")
        for group in optimizer.param_groups:
            group["lr"] = plan.lr_at(step)
        accelerator.backward(loss)
        norm = accelerator.clip_grad_norm_(model.parameters(), plan.max_grad_norm)
        if not math.isfinite(norm):  # a finite loss may have a gradient that is not
            optimizer.zero_grad()
            raise FloatingPointError(f"gradient: a norm of {norm} at step {step}")
        optimizer.step()
        optimizer.zero_grad()
        losses.append(mean)
        bar.set_postfix(loss=f"{mean:.3f}")
        due = (step + 1) % save_steps == 0 or step + 1 == plan.steps
        if path is not None and due:
            if accelerator.is_main_process:
                _save(path, run, losses, bare, optimizer)
            accelerator.wait_for_everyone()
    bare.eval()
    return losses


def _save(
    path: Path,
    run: Mapping[str, Any],
    losses: list[float],
    model: nn.Module,
    optimizer: Any,
) -> None:
    content = {
        **run,
        "step": len(losses),
        "losses": losses,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    new = path.with_name(f".{path.name}.new")
    torch.save(content, new)
    os.replace(new, path)


def _resume(
    path: Path, run: Mapping[str, Any], model: nn.Module, optimizer: Any
) -> list[float]:
    """Load model and optimizer; the losses so far. `ValueError` changes nothing."""
    try:
        saved = dict(torch.load(path, map_location="cpu", weights_only=True))
        plan, losses = dict(saved["plan"]), list(saved["losses"])
        weights, state = dict(saved["model"]), dict(saved["optimizer"]["state"])
        steps, fingerprint = saved["step"], saved["fingerprint"]
    except Exception as error:  # on junk torch.load raises whatever the bytes lead to
        raise ValueError(
            f"checkpoint: {path} cannot be read; without it the run starts anew"
        ) from error
    differ = [key for key in run["plan"] if plan.get(key) != run["plan"][key]]
    if differ:
        raise ValueError(
            f"checkpoint: {path} is of another plan, it differs in {differ}"
        )
    if fingerprint != run["fingerprint"]:
        raise ValueError(
            f"checkpoint: {path} is of another run, its fingerprint is "
            f"{fingerprint!r} and not {run['fingerprint']!r}"
        )
    if _shapes(weights) != _shapes(model.state_dict()):
        raise ValueError(
            f"checkpoint: {path} is of another model: names or shapes of its weights "
            "differ"
        )
    wrong = _contradiction(losses, steps, run["plan"]["steps"], weights, model)
    wrong = wrong or _wrong_state(state, steps, optimizer)
    if wrong:
        raise ValueError(
            f"checkpoint: {path} contradicts itself: {wrong}; without it the run "
            "starts anew"
        )
    try:
        optimizer.load_state_dict(saved["optimizer"])  # checks before it changes
    except Exception as error:
        raise ValueError(f"checkpoint: {path} is of another model: {error}") from error
    model.load_state_dict(weights)
    return losses


def _shapes(tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(value, "shape", None) for name, value in tensors.items()}


def _contradiction(
    losses: list[Any],
    steps: Any,
    longest: int,
    weights: Mapping[str, Any],
    model: nn.Module,
) -> str:
    """What no run that goes on could have saved, in words, or nothing."""
    if type(steps) is not int or not 1 <= steps <= longest:
        return f"it is of step {steps!r} of {longest}"
    if len(losses) != steps:
        return f"it has {len(losses)} losses for {steps} steps"
    if not all(type(loss) is float and math.isfinite(loss) for loss in losses):
        return "a loss is not a finite number"
    for name, _ in model.named_parameters():
        if not bool(weights[name].isfinite().all()):
            return f"{name} is not finite"
    return ""


def _wrong_state(state: Mapping[Any, Any], steps: int, optimizer: Any) -> str:
    """What does not fit in the optimizer's state, which torch itself does not compare.

    A parameter may have had a gradient in fewer steps than there were, or never.
    """
    parameters = [w for group in optimizer.param_groups for w in group["params"]]
    for number, moments in state.items():
        if type(number) is not int or not 0 <= number < len(parameters):
            return f"the optimizer knows no parameter {number!r}"
        shape = parameters[number].shape
        for name in ("exp_avg", "exp_avg_sq"):
            moment = moments.get(name) if isinstance(moments, dict) else None
            if not isinstance(moment, Tensor) or moment.shape != shape:
                return f"{name} of parameter {number} has another shape than it"
            if not bool(moment.isfinite().all()):
                return f"{name} of parameter {number} is not finite"
        if not 1 <= float(moments.get("step", 0)) <= steps:
            return f"parameter {number} was not updated once to {steps} times"
    return "" if state else "the optimizer has no state"
