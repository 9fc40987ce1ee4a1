#!/usr/bin/env python3
import json
import sys

# Read input from stdin
input_data = json.load(sys.stdin)

# Your generation logic here
result = your_generate_function(input_data)

# Output JSON to stdout
output = {
    "content": result
}
print(json.dumps(output))
