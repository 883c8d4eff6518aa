#!/usr/bin/env python3
"""Loads a model folder with Hugging Face transformers and compares it with `trit`.

    pip install torch transformers accelerate safetensors      # from PyPI; nothing else needs them
    Scripts/check_with_transformers.py [FOLDER...] [--trit .build/release/trit] [--tokens 200]

For every folder (default: the built-in storyteller): the tokenizer's ids for awkward texts, the logits of
`trit logits` against those of transformers in float32 and float64 on 200 tokens, and the greedy
continuation. Ends with code 1 where something differs by more than it may:

- ids: not at all;
- logits: mean KL(float64 || trit) of at most 3e-4, or 4 times that of transformers' own float32,
  since a last-bit difference before int8 rounding moves a whole step (full precision: 1e-3 absolute);
- greedy continuation: the same tokens, or a first difference where transformers' two best logits are
  closer than the largest difference of logits.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXTS = [
    "a", " ", "  ", "\n", "\r\n", "\t\t", " a", "a ", "  a  b  ", "Hello world", "don't I'VE it's 'S",
    "1 12 123 1234 12345678", "½ Ⅷ ２ ٣٤", "naïve e\u0301 é", "中文字 日本語 한국어", "العربية हिन्दी ไทย",
    "🚀🚀", "👩‍👩‍👧‍👦 🏳️‍🌈", "x=$3.14; y={[(<>)]}", "a\u00a0b\u3000c\u2028d",
    "  def f(x):\n\treturn x**2\n", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \U0010ffff", "a" * 300, " " * 100, "ab " * 100,
    "<|endoftext|> <s> </s> <0x41>", "Once upon a time there was a little dog.",
]
STORY = (
    "Once upon a time there was a little girl named Lily. She had a red ball and a kind friend. "
    "One day they went to the park. Lily gave the ball to her friend, and they played until the sun "
    "went down. "
)


class Trit:
    """Runs the command."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, *words):
        done = subprocess.run([self.program, *words], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"trit {words[0]} failed: {done.stderr.strip()}")
        return done.stdout

    def encode(self, text):
        """Ids with the model's template, control tokens read as such, as transformers does."""
        out = self.run("tokenize", "-m", self.folder, "--ids", "-p", text, "--no-escape",
                       "--parse-special")
        return [int(word) for word in out.strip().strip("[]").replace(",", " ").split()]

    def logits(self, tokens):
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "logits.safetensors")
            self.run("logits", "-m", self.folder, "--tokens", ",".join(map(str, tokens)), "-o", path)
            with safe_open(path, "pt") as file:
                return file.get_tensor("logits")


def divergence(truth, other):
    """Mean over positions of KL(truth || other), in nats."""
    p, q = (torch.log_softmax(x.double(), -1) for x in (truth, other))
    return (p.exp() * (p - q)).sum(-1).mean().item()


def load(folder, dtype):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


@torch.no_grad()
def run(model, tokens):
    return model(torch.tensor([tokens])).logits[0]


@torch.no_grad()
def greedy(model, tokens, count):
    """`count` further tokens by argmax, each from a whole forward pass."""
    tokens = list(tokens)
    for _ in range(count):
        tokens.append(int(run(model, tokens)[-1].argmax()))
    return tokens


def check(folder, arguments):
    """Compares one folder; true where all is well."""
    trit = Trit(arguments.trit, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    wrong = [text for text in TEXTS if tokenizer.encode(text) != trit.encode(text)]
    print(f"{folder}\n  ids of {len(TEXTS)} texts: {'equal' if not wrong else f'differ: {wrong!r}'}")

    single, double = load(folder, torch.float32), load(folder, torch.float64)
    config = single.config
    quantized = getattr(config, "quantization_config", None) is not None
    kinds = sorted({type(m).__name__ for m in single.modules() if "Linear" in type(m).__name__})
    print(f"  {type(single).__name__} of {', '.join(kinds)}; {'quantized' if quantized else 'dense'}")
    count = min(arguments.tokens, config.max_position_embeddings)
    tokens = tokenizer.encode(STORY * 10)[:count]
    ours = trit.logits(tokens)
    truth, same = run(double, tokens), run(single, tokens)
    noise, ours_kl = divergence(truth, same), divergence(truth, ours)
    worst = (ours.double() - truth).abs().max().item()
    print(f"  logits of {count} tokens: mean KL(f64 || trit) {ours_kl:.2e}, largest difference {worst:.2e}; "
          f"transformers' own float32: {noise:.2e}, {(same.double() - truth).abs().max().item():.2e}")
    fine = ours_kl <= max(4 * noise, 3e-4) if quantized else worst <= 1e-3

    prompt, new = tokens[:16], min(64, count - 16)
    expected = greedy(double, prompt, new)
    found = list(prompt)
    with_trit = trit.logits(expected)
    for position in range(len(prompt) - 1, len(expected) - 1):
        best = int(with_trit[position].argmax())
        if best != expected[position + 1]:
            logits = run(double, expected[: position + 1])[-1].topk(2).values
            gap = (logits[0] - logits[1]).item()
            print(f"  greedy: differs at token {position + 1 - len(prompt)} of {new}, "
                  f"where the two best logits are {gap:.2e} apart")
            fine = fine and gap <= 2 * max(worst, 1e-6)
            break
        found.append(best)
    else:
        print(f"  greedy: the same {new} tokens")
    fine = fine and not wrong
    print(f"  {'PASS' if fine else 'FAIL'}")
    return fine


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*",
                        default=[os.path.join(root, "Sources/TritModel/Resources/storyteller")])
    parser.add_argument("--trit", default=os.path.join(root, ".build/release/trit"))
    parser.add_argument("--tokens", type=int, default=200)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    results = [check(folder, arguments) for folder in arguments.folders]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
