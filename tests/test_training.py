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
PLAN = Plan(steps=30, rate=0.05, warmup=5, seed=3)


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


class Killed(Exception):
    """What ends a run from outside."""


def killed_at(step: int, fun: Callable[..., Any]) -> Callable[..., Any]:
    calls = 0

    def called(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > step:
            raise Killed
        return fun(*arguments)

    return called


def test_a_model_learns() -> None:
    model = nn.Linear(4, 1)
    truth = torch.tensor([1.0, -2.0, 3.0, 0.5])

    def line(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        x = torch.randn(64, 4, generator=generator)
        return x, x @ truth[:, None]

    losses = train(model, line, loss, Plan(steps=300, rate=0.1, warmup=10, decay=0.0))
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
    with pytest.raises(Killed):
        train(broken, killed_at(step, draw), loss, PLAN, checkpoint=file, every=5)
    steps = []

    def counted(generator: torch.Generator) -> Any:
        steps.append(1)
        return draw(generator)

    found = train(resumed, counted, loss, PLAN, checkpoint=file, every=5)
    assert len(steps) == 30 - step // 5 * 5
    assert found == expected
    assert torch.equal(weights(resumed), weights(whole))


def test_a_finished_run_is_only_read(tmp_path: Path) -> None:
    first, again = small(), small()
    file = tmp_path / "run.checkpoint"
    losses = train(first, draw, loss, PLAN, checkpoint=file, every=100)
    assert train(again, killed_at(0, draw), loss, PLAN, checkpoint=file, every=100) == losses
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
    train(model, draw, steep, Plan(steps=1, rate=1.0, warmup=0, clip=1e-9, decay=0.0))
    assert lengths[0] > 1e3
    # AdamW divides a gradient by its own size: only one far below its epsilon makes a small step
    assert 0 < (weights(model) - before).abs().max() < 0.2


def test_the_rate_rises_and_falls() -> None:
    plan = Plan(steps=1000, rate=2.0, warmup=100, final=0.1)
    rates = [plan.rate_at(step) for step in range(1000)]
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
    train(model, draw, still, Plan(steps=10, rate=0.1, warmup=0, decay=1.0))
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name]) == (name != "0.weight"), name


def test_broken_and_foreign_checkpoints_are_named(tmp_path: Path) -> None:
    file = tmp_path / "run.checkpoint"
    train(small(), draw, loss, PLAN, checkpoint=file, every=10)
    whole = file.read_bytes()
    with pytest.raises(ValueError, match=r"of another plan, it differs in \['rate', 'seed'\]"):
        train(small(), draw, loss, replace(PLAN, rate=0.1, seed=5), checkpoint=file)
    with pytest.raises(ValueError, match="is of another model"):
        train(nn.Linear(4, 1), draw, loss, PLAN, checkpoint=file)
    foreign: list[bytes] = [whole[: len(whole) // 2], b"", b"hello", bytes(1000)]
    for content in foreign:
        file.write_bytes(content)
        with pytest.raises(ValueError, match="cannot be read; without it the run starts anew"):
            train(small(), draw, loss, PLAN, checkpoint=file)
    for thing in ([1, 2], {"step": 3}, {"plan": 3, "losses": []}, torch.zeros(3)):
        torch.save(thing, file)
        with pytest.raises(ValueError, match="cannot be read; without it the run starts anew"):
            train(small(), draw, loss, PLAN, checkpoint=file)


def test_a_plan_without_sense_is_refused() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"steps": 0}, "steps: expected a positive number"),
        ({"steps": 5, "rate": float("nan")}, "rate: expected a positive number"),
        ({"steps": 5, "clip": 0.0}, "clip: expected a positive number"),
        ({"steps": 5, "warmup": -1}, "warmup: expected no negative number"),
    ]
    for settings, words in cases:
        with pytest.raises(ValueError, match=words):
            Plan(**settings)


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
               Plan(steps=40, rate=0.1, warmup=0, decay=0.0), progress=True)
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
