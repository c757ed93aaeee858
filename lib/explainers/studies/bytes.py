"""A small model of bytes, learnt from the standard library's source.

What the chapters on attention start from: it predicts better than counts of five bytes
do, and it copies. `load(seed)` gives the recorded models.
"""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from explainers import data, resources, training
from explainers.decoder import Config, Decoder, parameters
from explainers.experiments import Experiment, Preset, experiment
from explainers.ngrams import KneserNey

CONFIG = Config(layers=4, width=128, heads=4, kv_heads=4, hidden=344, length=1024)
EXCERPT = 128  # bytes that are shown twice


def windows(
    text: UInt8[Tensor, " bytes"],
    count: int,
    length: int,
    generator: torch.Generator,
) -> Int[Tensor, "count length"]:
    """Excerpts that start anywhere."""
    if len(text) < length:
        raise ValueError(f"text: {len(text)} bytes hold no excerpt of {length}")
    starts = torch.randint(len(text) - length + 1, (count, 1), generator=generator)
    return text[starts + torch.arange(length)].long()


def lesson(
    text: UInt8[Tensor, " bytes"],
    count: int,
    length: int,
    repeated: int,
    generator: torch.Generator,
) -> Int[Tensor, "count length"]:
    """Excerpts to learn from; the first `repeated` hold a part of themselves over and
    over, of any size from an eighth of the length to half of it.

    Files repeat themselves too, but too seldom for a small model to learn copying in
    half an hour: without these it did not.
    """
    found = windows(text, count, length, generator)
    parts = torch.randint(
        length // 8, length // 2 + 1, (repeated, 1), generator=generator
    )
    found[:repeated] = found[:repeated].gather(1, torch.arange(length) % parts)
    return found


def cost(
    model: nn.Module, text: Int[Tensor, "batch length"]
) -> Float[Tensor, "batch scored"]:
    """Bits of each byte but the first, given those before it."""
    logits = model(text[:, :-1])
    nats = F.cross_entropy(logits.transpose(1, 2), text[:, 1:], reduction="none")
    return nats / math.log(2)


def excerpts(
    text: UInt8[Tensor, " bytes"], length: int = 256, count: int = 2048
) -> UInt8[Tensor, "count bytes_each"]:
    """Excerpts to judge by, evenly spread over the text."""
    starts = torch.linspace(0, len(text) - length - 1, count).long()
    return text[starts[:, None] + torch.arange(length + 1)]


@torch.no_grad()
def held_out(model: nn.Module, judged: UInt8[Tensor, "count bytes"]) -> float:
    """Mean bits per byte of the latter half of each excerpt: at least half an excerpt
    stands before every byte that counts."""
    half = judged.shape[1] // 2
    bits = [cost(model, part.long())[:, -half:] for part in torch.split(judged, 64)]
    return torch.cat(bits).mean().item()


def held_out_by_counts(model: KneserNey, judged: UInt8[Tensor, "count bytes"]) -> float:
    """The same of the same bytes, for a model that counts."""
    half = judged.shape[1] // 2
    bits = [-model.log2_probabilities(text)[-half:].mean() for text in judged]
    return torch.stack(bits).mean().item()


@torch.no_grad()
def copied(
    model: nn.Module, text: UInt8[Tensor, " bytes"], count: int = 512
) -> tuple[float, float]:
    """Bits per byte of excerpts of 128 bytes that stand twice in a row: first and
    second copy."""
    once = windows(text, count, EXCERPT, torch.Generator().manual_seed(0))
    twice = torch.cat([once, once], dim=1)
    bits = torch.cat([cost(model, part) for part in torch.split(twice, 64)])
    return bits[:, : EXCERPT - 1].mean().item(), bits[:, EXCERPT - 1 :].mean().item()


def learn(
    seed: int,
    copying: Mapping[str, Any],
    reading: Mapping[str, Any],
    rate: float,
) -> dict[str, Any]:
    """Train one model on the standard library's source, judge it and keep its weights.

    Two lessons: `copying` holds nothing but repetitions, in short excerpts, at a
    constant rate; `reading` mostly plain text. Each names steps, batch, length, how
    many excerpts of a batch are `repeated`, and the final share of the rate. Of each
    the mean training cost of every hundredth part is kept, in bits per byte.
    """
    corpus = data.standard_library()
    torch.manual_seed(seed)
    model = Decoder(CONFIG)
    found: dict[str, Any] = {"corpus": corpus.name, "parameters": parameters(model)}
    done = []
    for name, given in {"copying": copying, "reading": reading}.items():

        def draw(generator: torch.Generator, given: Any = given) -> Tensor:
            size = given["batch"], given["length"] + 1, given["repeated"]
            return lesson(corpus.train, *size, generator)

        plan = training.Plan(given["steps"], rate=rate, final=given["final"], seed=seed)
        done.append(resources.folder("results") / f".bytes-{seed}-{name}.checkpoint")
        losses = training.train(
            model,
            draw,
            lambda model, text: cost(model, text).mean(),
            plan,
            checkpoint=done[-1],
        )
        curve = torch.tensor(losses)[: plan.steps // 100 * 100].view(100, -1).mean(1)
        found[f"{name}_curve"] = [round(value, 4) for value in curve.tolist()]
    judged = excerpts(corpus.validation)
    found["held_out"] = held_out(model, judged)
    found["five_grams"] = held_out_by_counts(KneserNey(corpus.train, 5), judged)
    found["first_copy"], found["second_copy"] = copied(model, corpus.validation)
    found["weights"] = _save(model, seed)
    for checkpoint in done:
        checkpoint.unlink(missing_ok=True)
    return found


def load(seed: int = 0) -> Decoder:
    """The recorded model of a seed; `ValueError` if its weights are other ones."""
    row = experiment("bytes").where(seed=seed)[0]
    path = _weights(seed)
    if not path.is_file() or _digest(path) != row["weights"]:
        raise ValueError(f"{path.name}: missing, or not the weights that are recorded")
    model = Decoder(CONFIG)
    model.load_state_dict({name: w.float() for name, w in load_file(path).items()})
    return model.eval()


def _weights(seed: int) -> Path:
    return resources.folder("results") / f"bytes-{seed}.safetensors"


def _save(model: nn.Module, seed: int) -> str:
    """In half precision: a test allows it to move the cost by 0.002 bits."""
    half = {name: w.half().contiguous() for name, w in model.state_dict().items()}
    save_file(half, _weights(seed))
    return _digest(_weights(seed))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


COPYING = {"steps": 800, "batch": 16, "length": 96, "repeated": 16, "final": 1.0}
READING = {"steps": 2400, "batch": 8, "length": 256, "repeated": 2, "final": 0.1}

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "bytes",
        learn,
        {
            "cpu": Preset(
                seeds=range(3),
                fixed={"copying": COPYING, "reading": READING, "rate": 3e-3},
            )
        },
    ),
)
