"""A small language model of bytes, trained on the standard library's source.

What the chapters on attention start from: it predicts better than a model of 5-grams,
and it copies. `load(seed)` gives the recorded models.
"""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from jaxtyping import Float, Int, UInt8
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional as F

from explainers import data, resources, training
from explainers.decoder import Config, Decoder, num_parameters
from explainers.experiments import Experiment, Preset, load_record
from explainers.ngrams import KneserNey

CONFIG = Config(
    num_hidden_layers=4,
    hidden_size=128,
    num_attention_heads=4,
    num_key_value_heads=4,
    intermediate_size=344,
    max_position_embeddings=1024,
)
COPY_LENGTH = 128  # bytes


def random_windows(
    text: UInt8[Tensor, " bytes"],
    num_windows: int,
    length: int,
    generator: torch.Generator,
) -> Int[Tensor, "windows length"]:
    """Windows of `text` that start at random, as int64.

    Raises `ValueError` for a text that is shorter than a window.
    """
    if len(text) < length:
        raise ValueError(f"text: {len(text)} bytes hold no window of {length}")
    starts = torch.randint(
        len(text) - length + 1, (num_windows, 1), generator=generator
    )
    return text[starts + torch.arange(length)].long()


def training_batch(
    text: UInt8[Tensor, " bytes"],
    batch_size: int,
    length: int,
    num_periodic: int,
    generator: torch.Generator,
) -> Int[Tensor, "batch length"]:
    """Random windows to train on; the first `num_periodic` repeat their own beginning,
    with a period from an eighth of the length to half of it.

    Files repeat themselves too, but too seldom for a small model to learn copying in
    half an hour: without these it did not.
    """
    batch = random_windows(text, batch_size, length, generator)
    periods = torch.randint(
        length // 8, length // 2 + 1, (num_periodic, 1), generator=generator
    )
    batch[:num_periodic] = batch[:num_periodic].gather(
        1, torch.arange(length) % periods
    )
    return batch


def bits_per_byte(
    model: nn.Module, text: Int[Tensor, "batch length"]
) -> Float[Tensor, "batch scored"]:
    """The cross-entropy of each byte but the first, given those before it, in bits."""
    logits = model(text[:, :-1])
    nats = F.cross_entropy(logits.transpose(1, 2), text[:, 1:], reduction="none")
    return nats / math.log(2)


def evaluation_windows(
    text: UInt8[Tensor, " bytes"], length: int = 256, num_windows: int = 2048
) -> UInt8[Tensor, "windows longer"]:
    """Windows of `length + 1` bytes, evenly spaced over the text."""
    starts = torch.linspace(0, len(text) - length - 1, num_windows).long()
    return text[starts[:, None] + torch.arange(length + 1)]


@torch.no_grad()
def evaluate(model: nn.Module, windows: UInt8[Tensor, "windows bytes"]) -> float:
    """Mean bits per byte over the latter half of each window: every byte that counts
    has at least half a window as its context."""
    half = windows.shape[1] // 2
    bits = [
        bits_per_byte(model, part.long())[:, -half:]
        for part in torch.split(windows, 64)
    ]
    return torch.cat(bits).mean().item()


def evaluate_ngrams(model: KneserNey, windows: UInt8[Tensor, "windows bytes"]) -> float:
    """Mean bits per byte of an n-gram model, over the bytes that `evaluate` takes."""
    half = windows.shape[1] // 2
    bits = [-model.log2_probabilities(text)[-half:].mean() for text in windows]
    return torch.stack(bits).mean().item()


@torch.no_grad()
def evaluate_copying(
    model: nn.Module, text: UInt8[Tensor, " bytes"], num_windows: int = 512
) -> tuple[float, float]:
    """Mean bits per byte of random windows of 128 bytes, each repeated once: of the
    first copy and of the second."""
    once = random_windows(
        text, num_windows, COPY_LENGTH, torch.Generator().manual_seed(0)
    )
    twice = torch.cat([once, once], dim=1)
    bits = torch.cat([bits_per_byte(model, part) for part in torch.split(twice, 64)])
    return bits[:, : COPY_LENGTH - 1].mean().item(), bits[
        :, COPY_LENGTH - 1 :
    ].mean().item()


def train_and_evaluate(
    seed: int,
    copying: Mapping[str, Any],
    reading: Mapping[str, Any],
    lr: float,
) -> dict[str, Any]:
    """Train one model on the standard library's source, evaluate it and store it.

    Two phases: `copying` trains on short periodic windows, at a constant learning rate;
    `reading` mostly on plain text. Each names `steps`, `batch`, `length`, how many
    windows of a batch are `repeated` (periodic), and `min_lr_ratio`. Of each phase the
    mean training loss of every hundredth part is kept, in bits per byte.
    """
    corpus = data.standard_library()
    torch.manual_seed(seed)
    model = Decoder(CONFIG)
    metrics: dict[str, Any] = {
        "corpus": corpus.name,
        "num_parameters": num_parameters(model),
    }
    checkpoints = []
    for name, phase in {"copying": copying, "reading": reading}.items():

        def draw_batch(generator: torch.Generator, phase: Any = phase) -> Tensor:
            sizes = phase["batch"], phase["length"] + 1, phase["repeated"]
            return training_batch(corpus.train, *sizes, generator)

        plan = training.Plan(
            phase["steps"], lr=lr, min_lr_ratio=phase["min_lr_ratio"], seed=seed
        )
        folder = resources.folder("results")
        checkpoints.append(folder / f".byte_lm-{seed}-{name}.checkpoint")
        losses = training.train(
            model,
            draw_batch,
            lambda model, text: bits_per_byte(model, text).mean(),
            plan,
            checkpoint=checkpoints[-1],
            fingerprint=f"{corpus.name}: {name} {dict(phase)}",
        )
        curve = torch.tensor(losses)[: plan.steps // 100 * 100].view(100, -1).mean(1)
        metrics[f"{name}_curve"] = [round(value, 4) for value in curve.tolist()]
    windows = evaluation_windows(corpus.validation)
    metrics["held_out"] = evaluate(model, windows)
    metrics["five_grams"] = evaluate_ngrams(KneserNey(corpus.train, 5), windows)
    metrics["first_copy"], metrics["second_copy"] = evaluate_copying(
        model, corpus.validation
    )
    metrics["weights"] = _save(model, seed)
    for checkpoint in checkpoints:
        checkpoint.unlink(missing_ok=True)
    return metrics


def load(seed: int = 0) -> Decoder:
    """The recorded model of a seed, in evaluation mode.

    Raises `ValueError` if its weights are missing or not the recorded ones.
    """
    row = load_record("byte_lm").where(seed=seed)[0]
    path = _weights(seed)
    if not path.is_file() or _digest(path.read_bytes()) != row["weights"]:
        raise ValueError(f"{path.name}: missing, or not the weights that are recorded")
    model = Decoder(CONFIG)
    weights = load_file(path).items()
    model.load_state_dict(
        {_current_name(name): weight.float() for name, weight in weights}
    )
    return model.eval()


# weights that were recorded before the decoder's modules got Llama's names
_FORMER_NAMES = {
    "embedding.": "embed_tokens.",
    "blocks.": "layers.",
    ".attention_norm.": ".input_layernorm.",
    ".attention.query.": ".self_attn.q_proj.",
    ".attention.key.": ".self_attn.k_proj.",
    ".attention.value.": ".self_attn.v_proj.",
    ".attention.output.": ".self_attn.o_proj.",
    ".feed_forward_norm.": ".post_attention_layernorm.",
    ".feed_forward.gate.": ".mlp.gate_proj.",
    ".feed_forward.up.": ".mlp.up_proj.",
    ".feed_forward.down.": ".mlp.down_proj.",
}


def _current_name(name: str) -> str:
    """The name of a weight in `Decoder`; current names stay as they are."""
    for former, current in _FORMER_NAMES.items():
        name = name.replace(former, current)
    return name


def _weights(seed: int) -> Path:
    return resources.folder("results") / f"byte_lm-{seed}.safetensors"


def _save(model: nn.Module, seed: int) -> str:
    """Store the weights and return their digest; of several processes the main one
    writes. In half precision: a test allows it to move `held_out` by 0.002 bits."""
    half = {name: w.half().contiguous() for name, w in model.state_dict().items()}
    content = save(half)
    if PartialState().is_main_process:
        _weights(seed).write_bytes(content)
    return _digest(content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


COPYING = {"steps": 800, "batch": 16, "length": 96, "repeated": 16, "min_lr_ratio": 1.0}
READING = {"steps": 2400, "batch": 8, "length": 256, "repeated": 2, "min_lr_ratio": 0.1}

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "byte_lm",
        train_and_evaluate,
        {
            "cpu": Preset(
                seeds=range(3),
                fixed={"copying": COPYING, "reading": READING, "lr": 3e-3},
            )
        },
    ),
)
