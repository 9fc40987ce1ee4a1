# SPDX-License-Identifier: MIT
"""Hugging Face Transformers on the CPU, the way of the Python original: a line of JSON in, a line out.
usage: transformers_peer.py MODEL.gguf"""
import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

path = pathlib.Path(sys.argv[1])
out = sys.stdout
sys.stdout = sys.stderr
tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
model.eval()
print("ready", file=out, flush=True)
for line in sys.stdin:
    call = json.loads(line)
    ids = tokenizer.apply_chat_template(call["messages"], add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        made = model.generate(**ids, max_new_tokens=call["max_new_tokens"], do_sample=True, temperature=0.8, top_p=0.95)
    new = made[0][ids["input_ids"].shape[1]:]
    print(json.dumps({"text": tokenizer.decode(new, skip_special_tokens=True), "tokens": len(new)}), file=out, flush=True)
