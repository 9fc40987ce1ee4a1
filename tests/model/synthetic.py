# SPDX-License-Identifier: MIT
"""Models of random weights, one layer each: loaded, and every task answered validly. In the long form of the tests."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from harness import check, run  # noqa: E402

for shape in ("llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b", "qwen2.5-7b"):
    r = run("bench", "--synthetic", shape, "--layers", 1, "--rounds", 1, "--deadline", 100, "--json")
    tasks = json.loads(r.stdout)["tasks"] if r.stdout.startswith("{") else []
    check(f"synthetic: {shape} answers all four tasks", len(tasks) == 4 and all(t["valid"] == 1 for t in tasks), (r.stdout, r.stderr))
r = run("bench", "--synthetic", "nobody", "--rounds", 1)
check("synthetic: an unknown shape is told with those that there are", r.returncode == 1 and "llama-3.1-8b" in r.stdout, r.stdout)
r = run("bench", "--synthetic", "qwen2.5-7b", "--layers", 99, "--rounds", 1)
check("synthetic: too many layers are told", r.returncode == 1 and "1 to 28 layers" in r.stdout, r.stdout)
sys.exit(1 if harness.failed else 0)
