"""Counting models against the plain definition, and as distributions."""

from collections import Counter, defaultdict
from math import log2

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explainers import data
from explainers.ngrams import KneserNey, Unigram

TEXTS = st.binary(min_size=8, max_size=80).map(lambda raw: bytes(97 + byte % 4 for byte in raw))


def plain(train: bytes, order: int, context: bytes, byte: int) -> float:
    """Interpolated Kneser-Ney with dictionaries and a recursion, as it is written."""
    counts = Counter(train[i : i + order] for i in range(len(train) - order + 1))

    def probability(counts: Counter, context: bytes, byte: int) -> float:
        length = len(next(iter(counts)))
        shorter = Counter(gram[1:] for gram in counts) if length > 1 else None
        below = probability(shorter, context[1:], byte) if shorter else 1 / 256
        following = {gram: n for gram, n in counts.items() if gram[:-1] == context}
        if not following:
            return below
        once, twice = (sum(n == k for n in counts.values()) for k in (1, 2))
        discount = once / (once + 2 * twice) if once else 0.5
        own = max(counts[context + bytes([byte])] - discount, 0)
        return (own + discount * len(following) * below) / sum(following.values())

    return probability(counts, context, byte)


@given(TEXTS, TEXTS, st.integers(1, 5))
def test_it_is_what_the_definition_says(train: bytes, text: bytes, order: int) -> None:
    log2_probabilities = KneserNey(data.as_bytes(train), order).log2_probabilities(data.as_bytes(text))
    assert len(log2_probabilities) == len(text) - order + 1
    for i, value in enumerate(log2_probabilities.tolist()):
        context, byte = text[i : i + order - 1], text[i + order - 1]
        assert value == pytest.approx(log2(plain(train, order, context, byte)), abs=1e-9)


@given(TEXTS, TEXTS, st.integers(1, 6))
def test_the_256_bytes_share_one_in_every_context(train: bytes, text: bytes, order: int) -> None:
    model, context = KneserNey(data.as_bytes(train), order), text[: order - 1]
    each_byte = [model.log2_probabilities(data.as_bytes(context + bytes([byte])))[0] for byte in range(256)]
    assert sum(2 ** value.item() for value in each_byte) == pytest.approx(1, abs=1e-9)


def test_it_learns_what_repeats() -> None:
    train, text = (data.as_bytes("the cat sat on the mat. " * times) for times in (200, 3))
    costs = [KneserNey(train, order).bits_per_byte(text) for order in range(1, 8)]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.01
    assert Unigram(train).bits_per_byte(text) == pytest.approx(costs[0], abs=0.2)


def test_a_unigram_is_the_entropy_of_its_text() -> None:
    text = data.as_bytes(b"ab" * 20_000)
    assert Unigram(text).bits_per_byte(text) == pytest.approx(1, abs=0.1)
    shares: dict[int, float] = defaultdict(float)
    for byte in b"ab" * 10 + bytes(range(256)):
        shares[byte] += 1 / 276
    assert Unigram(data.as_bytes(b"ab" * 10)).bits_per_byte(data.as_bytes(b"a?")) == pytest.approx(
        -(log2(shares[97]) + log2(shares[63])) / 2
    )


def test_bad_input_is_named() -> None:
    text = torch.zeros(10, dtype=torch.uint8)
    for order in (0, 8):
        with pytest.raises(ValueError, match=f"order: expected an integer from 1 to 7, got {order}"):
            KneserNey(text, order)
    with pytest.raises(ValueError, match="train: 4 bytes hold no 5 in a row"):
        KneserNey(text[:4], 5)
    with pytest.raises(ValueError, match="text: 4 bytes hold no 5 in a row"):
        KneserNey(text, 5).bits_per_byte(text[:4])
