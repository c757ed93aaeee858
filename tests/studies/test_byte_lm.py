"""The byte model: how it is windows, and that the recorded ones can carry a claim."""

import math
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from explainers import data, resources
from explainers.decoder import Config, generate
from explainers.experiments import Experiment, Preset, Record, load_record
from explainers.ngrams import KneserNey
from explainers.studies import byte_lm as study

SMALL = Config(
    num_hidden_layers=1, hidden_size=16, num_attention_heads=2, num_key_value_heads=1, intermediate_size=16
)


class Copier(nn.Module):
    """Sure of the byte that stood `back` places before the next one, and knows nothing else."""

    def __init__(self, back: int) -> None:
        super().__init__()
        self.back = back

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*ids.shape, 256)
        for at in range(self.back - 1, ids.shape[1]):
            logits[:, at].scatter_(1, ids[:, at - self.back + 1, None], 100.0)
        return logits


def test_random_windows_start_anywhere() -> None:
    text = torch.arange(200, dtype=torch.uint8)
    batch = study.random_windows(text, 500, 8, torch.Generator().manual_seed(0))
    assert batch.dtype == torch.int64
    assert torch.equal(batch - batch[:, :1], torch.arange(8).expand(500, 8))
    assert batch[:, 0].min() == 0
    assert batch[:, 0].max() == 192
    with pytest.raises(ValueError, match="text: 200 bytes hold no window of 201"):
        study.random_windows(text, 1, 201, torch.Generator())


def test_some_windows_of_a_batch_are_periodic() -> None:
    text = data.standard_library().validation
    generators = [torch.Generator().manual_seed(0) for _ in range(2)]
    plain = study.random_windows(text, 80, 257, generators[0])
    batch = study.training_batch(text, 80, 257, 20, generators[1])
    assert torch.equal(plain[20:], batch[20:])
    periods = []
    for row, original in zip(batch[:20], plain[:20], strict=True):
        period = next(p for p in range(1, 257) if torch.equal(row[p:], row[:-p]))
        assert torch.equal(row[:period], original[:period])
        periods.append(period)
    assert min(periods) >= 32
    assert max(periods) <= 128
    assert len(set(periods)) > 10


def test_a_cost_is_in_bits() -> None:
    text = data.standard_library().validation
    windows = study.evaluation_windows(text, 64, 100)
    assert study.evaluate(Copier(1000), windows) == pytest.approx(8)
    repeated = torch.arange(7, dtype=torch.uint8).repeat(20)
    assert study.evaluate(Copier(7), study.evaluation_windows(repeated, 64, 10)) == pytest.approx(0, abs=1e-6)


def test_who_copies_pays_for_the_first_copy_only() -> None:
    first, second = study.evaluate_copying(Copier(study.COPY_LENGTH), data.standard_library().validation, 50)
    assert first == pytest.approx(8)
    assert second == pytest.approx(0, abs=1e-6)


def test_evaluation_windows_are_spread_from_the_first_byte_to_the_last() -> None:
    text = torch.arange(250, dtype=torch.uint8)
    batch = study.evaluation_windows(text, 49, 5)
    assert batch.shape == (5, 50)
    assert batch[:, 0].tolist() == [0, 50, 100, 150, 200]
    assert batch[-1, -1] == 249


def test_both_kinds_of_model_are_judged_by_the_same_bytes() -> None:
    train = data.as_bytes("abcabd" * 500)
    counted, windows = KneserNey(train, 3), study.evaluation_windows(train, 32, 20)

    class Same(nn.Module):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            logits = torch.full((*ids.shape, 256), -50.0)
            for at in range(2, ids.shape[1]):
                for byte in range(97, 101):
                    grams = torch.cat([ids[:, at - 1 : at + 1], torch.full_like(ids[:, :1], byte)], 1)
                    likely = torch.stack([counted.log2_probabilities(g.to(torch.uint8))[0] for g in grams])
                    logits[:, at, byte] = (likely * math.log(2)).float()
            return logits

    assert study.evaluate(Same(), windows) == pytest.approx(study.evaluate_ngrams(counted, windows), abs=1e-3)


def test_a_killed_run_goes_on_and_its_weights_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "folder", lambda kind: tmp_path)
    monkeypatch.setattr(study, "CONFIG", SMALL)
    phase = {"steps": 100, "batch": 2, "length": 32, "repeated": 1, "min_lr_ratio": 0.5}
    settings: dict[str, Any] = {"copying": phase, "reading": phase, "lr": 1e-3}
    cell = Experiment("byte_lm", study.train_and_evaluate, {"cpu": Preset([0], fixed=settings)})
    row = {"seed": 0, **study.train_and_evaluate(0, **settings)}
    assert [path.name for path in tmp_path.iterdir()] == ["byte_lm-0.safetensors"]
    record = Record("byte_lm", "cpu", cell.presets["cpu"].config, [row], {})
    monkeypatch.setattr(study, "load_record", lambda name: record)
    with monkeypatch.context() as patch:  # another process trains the same, and writes nothing
        patch.setattr(study, "PartialState", lambda: SimpleNamespace(is_main_process=False))
        patch.setattr(study, "_weights", lambda seed: tmp_path / "elsewhere")
        assert study.train_and_evaluate(0, **settings) == {key: row[key] for key in row if key != "seed"}
    assert [path.name for path in tmp_path.iterdir()] == ["byte_lm-0.safetensors"]
    model = study.load(0)
    windows = study.evaluation_windows(data.standard_library().validation)
    assert study.evaluate(model, windows) == pytest.approx(row["held_out"], abs=2e-3)
    assert len(row["copying_curve"]) == len(row["reading_curve"]) == 100
    assert row["reading_curve"][-1] < row["copying_curve"][0]
    (tmp_path / "byte_lm-0.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"byte_lm-0\.safetensors: missing, or not the weights"):
        study.load(0)
    os.remove(tmp_path / "byte_lm-0.safetensors")
    with pytest.raises(ValueError, match=r"byte_lm-0\.safetensors: missing, or not the weights"):
        study.load(0)


@pytest.mark.parametrize("seed", range(3))
def test_a_recorded_model_beats_counts_and_copies(seed: int) -> None:
    [row] = load_record("byte_lm").where(seed=seed)
    assert row["held_out"] <= row["five_grams"] - 0.1
    assert row["second_copy"] <= row["first_copy"] / 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_stored_weights_are_the_recorded_model(seed: int) -> None:
    [row], corpus, model = load_record("byte_lm").where(seed=seed), data.standard_library(), study.load(seed)
    first, second = study.evaluate_copying(model, corpus.validation, 64)
    assert second <= first / 2
    if corpus.name == row["corpus"]:  # else another Python, whose source differs
        windows = study.evaluation_windows(corpus.validation)
        assert study.evaluate(model, windows) == pytest.approx(row["held_out"], abs=2e-3)


def test_a_recorded_model_writes_python() -> None:
    start = data.as_bytes("import os\nimport re\nimport sys\n\n\ndef main(argv").long()
    text = data.as_text(generate(study.load(0), start[None], 60)[0])
    assert "):\n    " in text
