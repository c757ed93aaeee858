"""A small model of bytes, learnt from the standard library's source.

What the chapters on attention start from: it predicts better than counts of five bytes
do, and it copies. `load(seed)` gives the recorded models.
"""

import hashlib
import math
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

CONFIG = Config(layers=4, width=192, heads=6, kv_heads=2, hidden=512, length=1024)
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


def cost(
    model: nn.Module, text: Int[Tensor, "batch length"]
) -> Float[Tensor, "batch scored"]:
    """Bits of each byte but the first, given those before it."""
    logits = model(text[:, :-1])
    nats = F.cross_entropy(logits.transpose(1, 2), text[:, 1:], reduction="none")
    return nats / math.log(2)


def excerpts(
    text: UInt8[Tensor, " bytes"], length: int = 256, count: int = 1024
) -> UInt8[Tensor, "count length+1"]:
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
    seed: int, steps: int, batch: int, length: int, rate: float, keep: bool = True
) -> dict[str, Any]:
    """Train one model on the standard library's source, judge it and keep its weights.

    `curve` holds the mean training cost of each hundredth of the run, in bits per byte.
    """
    corpus = data.standard_library()
    torch.manual_seed(seed)
    model = Decoder(CONFIG)
    plan = training.Plan(steps, rate=rate, seed=seed)
    checkpoint = resources.folder("results") / f".bytes-{seed}.checkpoint"
    losses = training.train(
        model,
        lambda generator: windows(corpus.train, batch, length + 1, generator),
        lambda model, text: cost(model, text).mean(),
        plan,
        checkpoint=checkpoint,
    )
    curve = torch.tensor(losses)[: steps // 100 * 100].view(100, -1).mean(1)
    judged = excerpts(corpus.validation)
    first, second = copied(model, corpus.validation)
    found: dict[str, Any] = {
        "corpus": corpus.name,
        "parameters": parameters(model),
        "held_out": held_out(model, judged),
        "five_grams": held_out_by_counts(KneserNey(corpus.train, 5), judged),
        "first_copy": first,
        "second_copy": second,
        "curve": [round(value, 4) for value in curve.tolist()],
    }
    if keep:
        found["weights"] = _save(model, seed)
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
    """Half precision is enough: it moves a cost by less than 0.001 bits."""
    half = {name: w.half().contiguous() for name, w in model.state_dict().items()}
    save_file(half, _weights(seed))
    return _digest(_weights(seed))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "bytes",
        learn,
        {
            "cpu": Preset(
                seeds=range(3),
                fixed={"steps": 2000, "batch": 16, "length": 256, "rate": 3e-3},
            )
        },
    ),
)
