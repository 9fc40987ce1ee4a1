# SPDX-License-Identifier: MIT
"""The network's synapse as a validator's Python code declares it."""
from typing import Any, Dict, List, Optional

import bittensor


class StoryGenerationSynapse(bittensor.Synapse):
    protocol_version: str = "3.2.0"
    task_type: str = ""
    user_input: str = ""
    blueprint: Optional[Dict[str, Any]] = None
    characters: Optional[Dict[str, Any]] = None
    story_arc: Optional[Dict[str, Any]] = None
    chapter_ids: Optional[List[int]] = None
    output_data: Optional[Dict[str, Any]] = None
    generation_time: float = 0.0
    miner_version: str = ""
    model_info: Dict[str, Any] = {"mode": "unknown", "name": "unknown", "version": None, "provider": None,
                                  "parameters": {}}
    miner_hotkey: Optional[str] = None
    validator_hotkey: Optional[str] = None
