#!/usr/bin/env python3
"""Makes Tests/TritTrainingTests/Fixtures: losses and gradients of small random models by PyTorch.

For every family a folder with config.json, model.safetensors (float32) and expected.safetensors:
`tokens` (int32; each is to be predicted from those before it), `loss` and `grad.NAME`, computed in float64 by
transformers' own classes. For some, `ste.loss` and `ste.grad.NAME` as well: linear layers of the blocks see
absmean trits of their weights (Ma et al. 2024, arXiv:2402.17764, eq. 1-3), behind which a gradient goes straight
through (Bengio et al. 2013, arXiv:1308.3432).

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 transformers==5.24.0 safetensors
    venv/bin/python Scripts/make_training_golden.py
"""

import json
import pathlib

import torch
import transformers
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests/TritTrainingTests/Fixtures"
SIZES = dict(
    hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=8, vocab_size=32, max_position_embeddings=64, rms_norm_eps=1e-5,
)
TOKENS = 25
FAMILIES = {
    "llama": dict(
        architectures=["LlamaForCausalLM"], model_type="llama", attention_bias=True, mlp_bias=True,
        tie_word_embeddings=False, rope_theta=10000.0,
        rope_scaling=dict(
            rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=32)),
    "bitnet": dict(
        architectures=["BitNetForCausalLM"], model_type="bitnet", hidden_act="relu2", head_dim=4,
        tie_word_embeddings=True, rope_theta=10000.0),
    "qwen3": dict(
        architectures=["Qwen3ForCausalLM"], model_type="qwen3", tie_word_embeddings=False,
        rope_theta=1000000.0),
    "qwen2": dict(
        architectures=["Qwen2ForCausalLM"], model_type="qwen2", head_dim=4, tie_word_embeddings=True,
        rope_theta=10000.0),
    "gemma3": dict(
        architectures=["Gemma3ForCausalLM"], model_type="gemma3_text", tie_word_embeddings=True,
        hidden_activation="gelu_pytorch_tanh", query_pre_attn_scalar=5, sliding_window=7,
        layer_types=["sliding_attention", "full_attention"], rope_theta=50000.0,
        rope_local_base_freq=2000.0, final_logit_softcapping=3.5),
    "gemma2": dict(
        architectures=["Gemma2ForCausalLM"], model_type="gemma2", tie_word_embeddings=True,
        hidden_activation="gelu_pytorch_tanh", query_pre_attn_scalar=5, sliding_window=7,
        layer_types=["sliding_attention", "full_attention"], rope_theta=10000.0,
        final_logit_softcapping=3.5, attn_logit_softcapping=0.7),
    "granite": dict(
        architectures=["GraniteForCausalLM"], model_type="granite", head_dim=4,
        tie_word_embeddings=True, rope_theta=10000.0, embedding_multiplier=7.0,
        residual_multiplier=0.4, logits_scaling=2.5, attention_multiplier=0.2),
    "mistral": dict(
        architectures=["MistralForCausalLM"], model_type="mistral", tie_word_embeddings=False,
        sliding_window=6, rope_theta=10000.0),
}
TERNARY = {"qwen3", "gemma3", "gemma2", "granite"}


class Absmean(torch.autograd.Function):
    """Trits of a matrix times their scale; the gradient is that of the trits."""

    @staticmethod
    def forward(context, weight):
        scale = weight.abs().mean()
        return (weight / scale).round().clamp(-1, 1) * scale

    @staticmethod
    def backward(context, gradient):
        return gradient


def loss_and_gradients(model, tokens):
    model.zero_grad()
    logits = model(input_ids=tokens[None, :-1], use_cache=False).logits[0]
    loss = torch.nn.functional.cross_entropy(logits.double(), tokens[1:].long())
    loss.backward()
    return loss.detach(), {name: p.grad.float().clone() for name, p in model.named_parameters()}


def make(name, own, seed):
    config = {**SIZES, **own}
    torch.manual_seed(seed)
    kind = transformers.AutoConfig.for_model(config["model_type"])
    parsed = type(kind).from_dict(config)
    parsed._attn_implementation = "eager"
    model = getattr(transformers, config["architectures"][0])(parsed).double().eval()
    stored = {}
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            values = torch.randn(parameter.shape)
            if parameter.dim() == 1:
                values = 0.2 * values + (0 if key.endswith("bias") or name.startswith("gemma") else 1)
            else:
                values = 0.3 * values
            parameter.copy_(values.double())
            stored[key] = values.float().contiguous()
    tokens = torch.randint(0, config["vocab_size"], (TOKENS,))
    expected = {"tokens": tokens.int()}
    loss, gradients = loss_and_gradients(model, tokens)
    expected["loss"] = loss[None]
    expected |= {"grad." + key: value for key, value in gradients.items()}
    if name in TERNARY:
        for module in model.model.layers.modules():
            if isinstance(module, torch.nn.Linear):
                module.forward = lambda x, m=module: torch.nn.functional.linear(
                    x, Absmean.apply(m.weight), m.bias)
        loss, gradients = loss_and_gradients(model, tokens)
        expected["ste.loss"] = loss[None]
        expected |= {"ste.grad." + key: value for key, value in gradients.items()}
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    save_file(expected, folder / "expected.safetensors")
    print(name, float(expected["loss"][0]), len(gradients), "parameters")


for index, (name, own) in enumerate(FAMILIES.items()):
    make(name, own, 100 + index)
