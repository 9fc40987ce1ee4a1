# SPDX-License-Identifier: MIT
"""Where the benches write: bench/results/<machine>.json, a key for each bench, and its section of doc/benchmarks.md."""
import datetime
import json
import os
import pathlib
import platform
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "doc" / "benchmarks.md"


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", text)
    return {"cpu": model.group(1) if model else platform.machine(), "cpus": os.cpu_count(), "kernel": platform.release(),
            "load_average": round(os.getloadavg()[0], 1)}


def file():
    where = machine()
    name = re.sub(r"[^a-z0-9]+", "-", f"{where['cpu']}-{where['cpus']}".lower()).strip("-")
    return ROOT / "bench" / "results" / f"{name}.json"


def save(key, data):
    path = file()
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = json.loads(path.read_text()) if path.exists() else {}
    where = machine()
    where.pop("load_average")
    whole["machine"] = where
    whole[key] = {"day": datetime.date.today().isoformat(), **data}
    path.write_text(json.dumps(whole, indent=1) + "\n")


def section(key, title, lines):
    """Puts a section in the place of the one with this key, or behind all others."""
    where = machine()
    text = PAGE.read_text() if PAGE.exists() else "# Benchmarks\n"
    new = "\n".join([f"<!-- {key} -->", f"## {title}", "",
                     f"`make bench` on {where['cpu']}, {where['cpus']} CPUs, {datetime.date.today().isoformat()}; the load average was "
                     f"{where['load_average']} at the end.", "", *lines, f"<!-- /{key} -->"])
    found = re.search(rf"<!-- {key} -->.*<!-- /{key} -->", text, flags=re.S)
    text = text.replace(found[0], new) if found else text.rstrip() + "\n\n" + new + "\n"
    PAGE.write_text(text)
