"""SmolLM2-135M in the book's decoder beside the Transformers library, the same weights, float32.

    python benchmarks/decoder.py

Prefill: the logits of a whole text at once, 128 and 1,024 tokens. Generation: 32 greedy tokens after 64, with
each library's own cache. Both read the same file; logits have to agree to 1e-3.
"""

import time

import harness  # first: it sets the threads
import torch
from transformers import AutoModelForCausalLM

from explainers import data, decoder, pretrained


def main() -> None:
    """Run and record."""
    started = time.perf_counter()
    torch.set_num_threads(2)
    ours, tokenizer = pretrained.load_smollm2()
    folder = str(pretrained._source().parent)
    theirs = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=pretrained._FILE, dtype=torch.float32
    ).eval()
    text = data.as_text(data.standard_library().validation[:8000])
    ids = torch.tensor([tokenizer.encode(text).ids[:1024]])
    assert ids.shape[1] == 1024
    measured = []
    with torch.inference_mode():
        off = (ours(ids) - theirs(ids).logits).abs().max().item()
        assert off < 1e-3, f"logits differ by {off}"
        for length in (128, 1024):
            part = ids[:, :length]
            cases = {
                "transformers": lambda part=part: theirs(part, use_cache=False).logits,
                "Decoder": lambda part=part: ours(part),
            }
            rows = harness.rows(f"logits of {length} tokens", harness.compare(cases, 7), "transformers")
            measured += [row | {"tokens_per_second": length / row["ms"] * 1e3} for row in rows]
        prompt = ids[:, :64]
        settings = {"max_new_tokens": 32, "min_new_tokens": 32, "do_sample": False, "pad_token_id": 0}
        cases = {
            "transformers": lambda: theirs.generate(prompt, **settings),
            "Decoder": lambda: decoder.generate(ours, prompt, 32),
        }
        rows = harness.rows("32 tokens after 64", harness.compare(cases, 7), "transformers")
        measured += [row | {"tokens_per_second": 32 / row["ms"] * 1e3} for row in rows]
    harness.record("decoder", measured, "explainers.pretrained", time.perf_counter() - started)


if __name__ == "__main__":
    main()
