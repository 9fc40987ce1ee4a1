#!/usr/bin/env python3
import json
import sys

input_data = json.load(sys.stdin)
print(json.dumps({"content": "no object"}))
