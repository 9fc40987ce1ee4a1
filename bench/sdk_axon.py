# SPDX-License-Identifier: MIT
"""The Python SDK's axon with a forward function that answers at once; prints "PORT HOTKEY" and serves until killed."""
import pathlib
import sys
import threading
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "sdk"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import bittensor.utils.networking  # noqa: E402

bittensor.utils.networking.get_external_ip = lambda: "127.0.0.1"  # nothing outside is asked

from bittensor import Axon  # noqa: E402
from bittensor_wallet import Keypair  # noqa: E402

import harness  # noqa: E402
from story_synapse import StoryGenerationSynapse  # noqa: E402


def forward(synapse: StoryGenerationSynapse) -> StoryGenerationSynapse:
    synapse.output_data = {"title": "The Sea", "genre": "adventure", "setting": "a harbour", "core_conflict": "a storm",
                           "themes": ["courage"], "tone": "calm", "target_audience": "all"}
    synapse.model_info = {"mode": "custom", "name": "sdk", "version": None, "provider": None, "parameters": {}}
    return synapse


key = Keypair.create_from_uri("//Bob")
port = harness.Miner.free_port()
axon = Axon(wallet=types.SimpleNamespace(hotkey=key, coldkeypub=key), port=port, ip="127.0.0.1",
            external_ip="127.0.0.1")
axon.attach(forward_fn=forward)
axon.start()
print(port, key.ss58_address, flush=True)
threading.Event().wait()
