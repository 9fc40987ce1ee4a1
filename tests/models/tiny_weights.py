# SPDX-License-Identifier: MIT
"""tiny_weights.py FOLDER: a small Llama with random weights and a sentencepiece vocabulary, in the files that Hugging
Face keeps. Runs in the Python environment of `make setup CONVERT=1`."""
import json
import pathlib
import sys

import numpy as np
import sentencepiece as spm
from safetensors.numpy import save_file

WIDTH, LAYERS, HEADS, CONTEXT = 256, 2, 4, 2048
WORDS = "the sea keeper of a light house wrote letters to nobody and somebody answered every night in blue ink".split()


def vocabulary(folder, rng):
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(" ".join(rng.choice(WORDS, 12)) for _ in range(400)))
    spm.SentencePieceTrainer.train(input=str(corpus), model_prefix=str(folder / "tokenizer"), vocab_size=300,
                                   model_type="bpe", byte_fallback=True, minloglevel=2, hard_vocab_limit=False)
    corpus.unlink()
    return spm.SentencePieceProcessor(model_file=str(folder / "tokenizer.model")).vocab_size()


def weights(n, rng):
    def matrix(*shape):
        return (rng.standard_normal(shape) * 0.05).astype(np.float16)
    ones = np.ones(WIDTH, np.float16)
    all_of_it = {"model.embed_tokens.weight": matrix(n, WIDTH), "model.norm.weight": ones, "lm_head.weight": matrix(n, WIDTH)}
    for i in range(LAYERS):
        for part in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
                     "mlp.up_proj", "mlp.down_proj"):
            all_of_it[f"model.layers.{i}.{part}.weight"] = matrix(WIDTH, WIDTH)
        all_of_it[f"model.layers.{i}.input_layernorm.weight"] = ones
        all_of_it[f"model.layers.{i}.post_attention_layernorm.weight"] = ones
    return all_of_it


def main():
    folder, rng = pathlib.Path(sys.argv[1]), np.random.default_rng(1)
    folder.mkdir(parents=True)
    n = vocabulary(folder, rng)
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH, "intermediate_size": WIDTH,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "vocab_size": n,
        "max_position_embeddings": CONTEXT, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "torch_dtype": "float16",
        "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu"}))
    save_file(weights(n, rng), folder / "model.safetensors")


main()
