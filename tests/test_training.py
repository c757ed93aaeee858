"""The training loop: the same numbers each time, through kills, on two processes, and only finite ones."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explainers.training import Plan, train

ROOT = Path(__file__).parents[1]
PLAN = Plan(steps=30, lr=0.05, warmup_steps=5, seed=3)


def small() -> nn.Module:
    """With dropout, so that the model's own random numbers count too."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Tanh(), nn.Linear(8, 1))


def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    x = torch.randn(16, 4, generator=generator)
    return x, x.prod(-1, keepdim=True)


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    x, y = batch
    return F.mse_loss(model(x), y)


def weights(model: nn.Module) -> Tensor:
    return torch.cat([w.detach().flatten() for w in model.parameters()])


class KilledError(Exception):
    """What ends a run from outside."""


def killed_at(step: int, fun: Callable[..., Any]) -> Callable[..., Any]:
    calls = 0

    def called(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > step:
            raise KilledError
        return fun(*arguments)

    return called


def test_a_model_learns() -> None:
    model = nn.Linear(4, 1)
    truth = torch.tensor([1.0, -2.0, 3.0, 0.5])

    def line(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randn(64, 4, generator=generator)
        return x, x @ truth[:, None]

    losses = train(model, line, loss, Plan(steps=300, lr=0.1, warmup_steps=10, weight_decay=0.0))
    assert len(losses) == 300
    assert losses[0] > 1
    assert losses[-1] < 1e-3
    torch.testing.assert_close(model.weight.detach()[0], truth, rtol=0, atol=0.05)
    assert not model.training


def test_the_same_seed_gives_the_same_weights_and_another_others() -> None:
    models = [small() for _ in range(3)]
    runs = [train(m, draw, loss, replace(PLAN, seed=seed)) for m, seed in zip(models, (3, 3, 4), strict=True)]
    assert runs[0] == runs[1] != runs[2]
    assert torch.equal(weights(models[0]), weights(models[1]))


@pytest.mark.parametrize("step", [4, 10, 17, 29])
def test_a_killed_run_goes_on_to_the_same_weights(step: int, tmp_path: Path) -> None:
    whole, broken, resumed = small(), small(), small()
    expected = train(whole, draw, loss, PLAN)
    file = tmp_path / "run.checkpoint"
    with pytest.raises(KilledError):
        train(broken, killed_at(step, draw), loss, PLAN, checkpoint=file, save_steps=5)
    steps = []

    def counted(generator: torch.Generator) -> Any:
        steps.append(1)
        return draw(generator)

    losses = train(resumed, counted, loss, PLAN, checkpoint=file, save_steps=5)
    assert len(steps) == 30 - step // 5 * 5
    assert losses == expected
    assert torch.equal(weights(resumed), weights(whole))


def test_a_finished_run_is_only_read(tmp_path: Path) -> None:
    first, again = small(), small()
    file = tmp_path / "run.checkpoint"
    losses = train(first, draw, loss, PLAN, checkpoint=file, save_steps=100)
    assert train(again, killed_at(0, draw), loss, PLAN, checkpoint=file, save_steps=100) == losses
    assert torch.equal(weights(first), weights(again))


def test_it_stops_at_the_first_loss_that_is_not_finite() -> None:
    model, before = small(), []

    def breaks(model: nn.Module, batch: Any) -> Tensor:
        before.append(weights(model))
        value = loss(model, batch)
        return value * float("nan") if len(before) == 8 else value

    with pytest.raises(FloatingPointError, match="loss: nan at step 7"):
        train(model, draw, breaks, PLAN)
    assert torch.equal(weights(model), before[-1])


def test_long_gradients_are_cut() -> None:
    def steep(model: nn.Module, batch: Any) -> Tensor:
        return 1e6 * loss(model, batch)

    lengths = []

    class Watched(nn.Linear):
        pass

    model = Watched(4, 1)
    model.weight.register_post_accumulate_grad_hook(  # type: ignore[no-untyped-call]  # torch has no types here
        lambda w: lengths.append(w.grad.norm().item())
    )
    before = weights(model)
    train(model, draw, steep, Plan(steps=1, lr=1.0, warmup_steps=0, max_grad_norm=1e-9, weight_decay=0.0))
    assert lengths[0] > 1e3
    # AdamW divides a gradient by its own size: only one far below its epsilon makes a small step
    assert 0 < (weights(model) - before).abs().max() < 0.2


def test_the_learning_rate_rises_and_falls() -> None:
    plan = Plan(steps=1000, lr=2.0, warmup_steps=100, min_lr_ratio=0.1)
    rates = [plan.lr_at(step) for step in range(1000)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[99] == rates[100] == max(rates) == 2.0
    assert rates[:100] == sorted(rates[:100])
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[550] == pytest.approx(1.1)
    assert rates[-1] == pytest.approx(0.2, rel=1e-3)


def test_gains_and_biases_do_not_decay() -> None:
    def still(model: nn.Module, batch: Any) -> Tensor:
        return 0.0 * loss(model, batch)

    model = nn.Sequential(nn.Linear(4, 1), nn.RMSNorm(1))
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    train(model, draw, still, Plan(steps=10, lr=0.1, warmup_steps=0, weight_decay=1.0))
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name]) == (name != "0.weight"), name


class Bent(torch.autograd.Function):
    """A finite value whose gradient is not: like the square root at 0."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, gradient: float) -> Tensor:
        ctx.gradient = gradient
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0] * ctx.gradient, None


def bent(value: Tensor, gradient: float) -> Tensor:
    return Bent.apply(value, gradient)  # type: ignore[no-untyped-call]  # torch has no types here


@pytest.mark.parametrize("steps", [1, 2, 3, 30])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_it_stops_at_the_first_gradient_that_is_not_finite(steps: int, bad: float, tmp_path: Path) -> None:
    model, file, before = small(), tmp_path / "run.checkpoint", [weights(small())]

    def breaks(model: nn.Module, batch: Any) -> Tensor:
        before.append(weights(model))
        value = loss(model, batch)
        return bent(value, bad) if len(before) == steps + 1 else value

    with pytest.raises(FloatingPointError, match=f"gradient: a norm of .* at step {steps - 1}$"):
        train(model, draw, breaks, Plan(steps=steps), checkpoint=file, save_steps=1)
    assert torch.equal(weights(model), before[-1])
    assert all(weight.grad is None for weight in model.parameters())
    if steps > 1:  # what was saved is from before, too
        assert len(torch.load(file)["losses"]) == steps - 1


def test_a_checkpoint_is_of_one_run(tmp_path: Path) -> None:
    file = tmp_path / "run.checkpoint"
    train(small(), draw, loss, PLAN, checkpoint=file, fingerprint="cubes")

    def refuses(words: str, model: nn.Module, plan: Plan = PLAN, fingerprint: str = "cubes") -> None:
        before = weights(model)
        with pytest.raises(ValueError, match=words):
            train(model, draw, loss, plan, checkpoint=file, fingerprint=fingerprint)
        assert torch.equal(weights(model), before)

    refuses(r"of another plan, it differs in \['lr', 'seed'\]", small(), replace(PLAN, lr=0.1, seed=5))
    refuses("of another run, its fingerprint is 'cubes' and not 'squares'", small(), fingerprint="squares")
    refuses("of another run, its fingerprint is 'cubes' and not ''", small(), fingerprint="")
    refuses("is of another model", nn.Linear(4, 1))
    wider = nn.Sequential(nn.Linear(4, 9), nn.Dropout(0.2), nn.Tanh(), nn.Linear(9, 1))
    refuses("is of another model", wider)
    assert len(train(small(), draw, loss, PLAN, checkpoint=str(file), fingerprint="cubes")) == 30


def test_a_checkpoint_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.checkpoint"
    train(small(), draw, loss, PLAN, checkpoint=file, save_steps=10)
    whole = file.read_bytes()
    generator = torch.Generator().manual_seed(0)
    junk = [bytes(torch.randint(256, (size,), generator=generator).tolist()) for size in range(1, 200)]
    # the first byte says how pickle reads on: each leads to an error of its own
    starts = [bytes([first]) + b"\x01\x02(K.]q" for first in range(256)]
    cut = [whole[: len(whole) * part // 8] for part in range(8)]
    for content in (*cut, b"hello", bytes(1000), b"\x80\x02" + b"G123", *junk, *starts):
        file.write_bytes(content)
        with pytest.raises(ValueError, match="cannot be read; without it the run starts anew"):
            train(small(), draw, loss, PLAN, checkpoint=file)
    for thing in ([1, 2], {"step": 3}, {"plan": 3, "losses": []}, torch.zeros(3)):
        torch.save(thing, file)
        with pytest.raises(ValueError, match="cannot be read; without it the run starts anew"):
            train(small(), draw, loss, PLAN, checkpoint=file)


CONTRADICTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "9 losses for 10 steps": lambda c: c | {"losses": c["losses"][:9]},
    "13 losses for 10 steps": lambda c: c | {"losses": [*c["losses"], 1.0, 1.0, 1.0]},
    "it is of step 31 of 30": lambda c: c | {"losses": c["losses"] * 3 + [1.0], "step": 31},
    "it is of step 0 of 30": lambda c: c | {"losses": [], "step": 0},
    "it is of step 'ten' of 30": lambda c: c | {"step": "ten"},
    "a loss is not a finite number": lambda c: c | {"losses": [*c["losses"][:9], float("nan")]},
    "0.weight is not finite": lambda c: c | {"model": {n: w / 0 for n, w in c["model"].items()}},
    "the optimizer has no state": lambda c: c | {"optimizer": c["optimizer"] | {"state": {}}},
    "parameter 0 was not updated once to 9 times": lambda c: c | {"losses": c["losses"][:9], "step": 9},
    "the optimizer knows no parameter 4": lambda c: with_state(c, 4, {}),
    "exp_avg of parameter 1 has another shape": lambda c: with_state(c, 1, {"exp_avg": torch.zeros(3)}),
    "exp_avg_sq of parameter 1 is not finite": lambda c: with_state(
        c, 1, {"exp_avg_sq": torch.full((1, 8), float("inf"))}
    ),
}


def with_state(content: dict[str, Any], number: int, changes: dict[str, Any]) -> dict[str, Any]:
    state = content["optimizer"]["state"]
    state = state | {number: state.get(number, {}) | changes}
    return content | {"optimizer": content["optimizer"] | {"state": state}}


@pytest.mark.parametrize("words", CONTRADICTIONS)
def test_a_checkpoint_that_contradicts_itself_is_refused(words: str, tmp_path: Path) -> None:
    file, model = tmp_path / "run.checkpoint", small()
    with pytest.raises(KilledError):
        train(small(), killed_at(10, draw), loss, PLAN, checkpoint=file, save_steps=10)
    torch.save(CONTRADICTIONS[words](torch.load(file)), file)
    before = weights(model)
    with pytest.raises(ValueError, match=f"contradicts itself: .*{words}"):
        train(model, draw, loss, PLAN, checkpoint=file)
    assert torch.equal(weights(model), before)


def test_a_parameter_without_a_gradient_in_some_steps_goes_on_too(tmp_path: Path) -> None:
    def alternate(model: nn.Module, batch: Any) -> Tensor:
        value = model[len(calls) % 2](batch[0]).square().mean()  # type: ignore[index]
        calls.append(1)
        return value

    def pair() -> nn.Module:
        torch.manual_seed(0)
        return nn.ModuleList([nn.Linear(4, 1), nn.Linear(4, 1)])

    calls: list[int] = []
    file, whole, resumed = tmp_path / "run.checkpoint", pair(), pair()
    train(whole, draw, alternate, PLAN)
    with pytest.raises(KilledError):
        train(pair(), killed_at(20, draw), alternate, PLAN, checkpoint=file, save_steps=10)
    train(resumed, draw, alternate, PLAN, checkpoint=file)
    assert torch.equal(weights(resumed), weights(whole))


def test_arguments_of_a_run_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    for save_steps in (0, -5):
        with pytest.raises(ValueError, match=f"save_steps: expected an integer from 1 up, got {save_steps}"):
            train(small(), draw, loss, PLAN, save_steps=save_steps)
    with pytest.raises(ValueError, match=r"checkpoint: there is no folder .*nowhere"):
        train(small(), draw, loss, PLAN, checkpoint=tmp_path / "nowhere/run.checkpoint")


NAN, INF = float("nan"), float("inf")


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("steps", (0, -1, 1.5, NAN, INF, True, "5", None), "expected an integer, at least 1, got"),
        ("warmup_steps", (-1, 0.5, NAN, INF, False), "expected an integer, at least 0, got"),
        ("seed", (-1, 2**32, 0.0, NAN), "expected an integer, at least 0 and below 4294967296, got"),
        ("lr", (0.0, -1e-3, NAN, INF), "expected a positive number, got"),
        ("max_grad_norm", (0.0, -1.0, NAN), "expected a positive number, got"),
        ("weight_decay", (-0.1, NAN, INF), "expected a finite number from 0 up, got"),
        ("min_lr_ratio", (-0.1, 1.1, NAN), "expected a finite number from 0 to 1, got"),
        (
            "betas",
            ((0.9, 1.0), (NAN, 0.9), (-0.1, 0.9), (0.9,)),
            "expected two numbers from 0 to below 1, got",
        ),
    ],
)
def test_a_plan_without_sense_is_refused(name: str, values: tuple[Any, ...], words: str) -> None:
    for value in values:
        with pytest.raises(ValueError, match=f"^{name}: {words}"):
            Plan(**({"steps": 5} | {name: value}))


def test_the_ends_of_what_a_plan_allows_work() -> None:
    plan = Plan(steps=3, warmup_steps=0, min_lr_ratio=0, weight_decay=0, max_grad_norm=INF, seed=2**32 - 1)
    assert len(train(small(), draw, loss, plan)) == 3


TWO = """
import torch
from explainers.training import Plan, train
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
model = nn.Linear(2, 1)

def draw(generator):
    return torch.randn(8, 2, generator=generator)

losses = train(model, draw, lambda model, x: (model(x) - x.sum(-1, keepdim=True)).square().mean(),
               Plan(steps=40, lr=0.1, warmup_steps=0, weight_decay=0.0), progress=True)
import os
from pathlib import Path
Path(f"rank{os.environ['RANK']}.txt").write_text(f"{losses} {model.weight.tolist()}")
"""


@pytest.mark.slow
def test_two_processes_learn_one_model(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(TWO)
    launch(["two.py"], tmp_path)
    first, second = ((tmp_path / f"rank{rank}.txt").read_text() for rank in (0, 1))
    assert first == second


def launch(words: list[str], folder: Path, **environment: str) -> str:
    """`accelerate launch` with two processes of one thread each, on this machine alone: what they print."""
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes=2"]
    command += ["--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no", "--main_process_port=0"]
    here = {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    there = os.environ | here | environment
    done = subprocess.run(
        [*command, *words], cwd=folder, env=there, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
