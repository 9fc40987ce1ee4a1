# SPDX-License-Identifier: MIT
"""The network's own Python client against our miner, and our query against the SDK's own axon."""
import asyncio
import json
import pathlib
import sys
import threading
import time
import types
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import bittensor  # noqa: E402
import bittensor.utils.networking  # noqa: E402

bittensor.utils.networking.get_external_ip = lambda: "127.0.0.1"  # nothing outside is asked

import aiohttp  # noqa: E402
from bittensor import Axon, Dendrite  # noqa: E402
from bittensor.core.chain_data import AxonInfo  # noqa: E402
from bittensor_wallet import Keypair  # noqa: E402

import harness  # noqa: E402
from harness import check, run  # noqa: E402
from story_synapse import StoryGenerationSynapse  # noqa: E402

ALICE = Keypair.create_from_uri("//Alice")


def axon_info(miner):
    return AxonInfo(version=10005000, ip="127.0.0.1", port=miner.port, ip_type=4, hotkey=miner.hotkey,
                    coldkey=miner.hotkey)


async def four_tasks(miner):
    dendrite = Dendrite(wallet=ALICE)
    context = {}
    for task in ("blueprint", "characters", "story_arc", "chapters"):
        synapse = StoryGenerationSynapse(task_type=task, user_input="一个关于太空探险的故事",
                                         chapter_ids=[3, 1] if task == "chapters" else None, **context)
        answer = await dendrite(axon_info(miner), synapse, deserialize=False, timeout=20)
        ok = check(f"sdk: {task} is a success", answer.is_success,
                   f"{answer.dendrite.status_code} {answer.dendrite.status_message}")
        check(f"sdk: {task} has typed fields",
              isinstance(answer.output_data, dict) and isinstance(answer.generation_time, float)
              and answer.miner_version != "" and answer.model_info["mode"] == "custom"
              and answer.task_type == task and answer.axon.hotkey == miner.hotkey, answer)
        if ok and task != "chapters":
            context[task] = answer.output_data
    check("sdk: chapters come in the order asked",
          [c["id"] for c in answer.output_data["chapters"]] == [3, 1])
    ping = await dendrite(axon_info(miner), bittensor.Synapse(), deserialize=False, timeout=5)
    check("sdk: the base synapse is echoed", ping.is_success, ping.dendrite.status_message)
    wrong = await dendrite(axon_info(miner), StoryGenerationSynapse(task_type="poem", user_input="x"),
                           deserialize=False, timeout=5)
    check("sdk: an unknown task is told as 400", wrong.axon.status_code == 400, wrong.axon.status_code)
    await dendrite.aclose_session()


def signed_headers(miner, **changes):
    nonce = changes.pop("nonce", time.time_ns())
    axon_hotkey = changes.pop("axon_hotkey", miner.hotkey)
    key = changes.pop("key", ALICE)
    name = str(uuid.uuid1())
    body_hash = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"
    message = f"{nonce}.{key.ss58_address}.{axon_hotkey}.{name}.{body_hash}"
    headers = {"name": "StoryGenerationSynapse", "timeout": "12.0", "bt_header_axon_hotkey": axon_hotkey,
               "bt_header_dendrite_version": "10002000", "bt_header_dendrite_nonce": str(nonce),
               "bt_header_dendrite_uuid": name, "bt_header_dendrite_hotkey": key.ss58_address,
               "bt_header_dendrite_signature": "0x" + key.sign(message).hex(),
               "computed_body_hash": body_hash}
    headers.update(changes)
    return {k: v for k, v in headers.items() if v is not None}


BODY = json.dumps({"task_type": "blueprint", "user_input": "x"})


async def post(session, miner, headers, body=BODY, path="/StoryGenerationSynapse"):
    async with session.post(f"http://127.0.0.1:{miner.port}{path}", data=body,
                            headers={**headers, "Content-Type": "application/json"}) as r:
        text = await r.read()
        complete = (r.headers.get("bt_header_axon_status_code") == str(r.status)
                    and r.headers.get("content-type", "").startswith("application/json"))
        json.loads(text)
        return r.status, complete


async def refusals(miner):
    async with aiohttp.ClientSession() as session:
        async def expect(name, status, headers, **kwargs):
            got, complete = await post(session, miner, headers, **kwargs)
            check(f"sdk: {name} is told as {status}", got == status and complete, (got, complete))

        good = signed_headers(miner)
        await expect("a request signed by hand", 200, good)
        await expect("a replayed nonce", 401, good)
        await expect("a wrong signature", 401, signed_headers(
            miner, bt_header_dendrite_signature="0x" + "80" * 64))
        await expect("a signature of somebody else", 401, {
            **signed_headers(miner), "bt_header_dendrite_hotkey":
            Keypair.create_from_uri("//Bob").ss58_address})
        await expect("a missing signature", 401, signed_headers(miner, bt_header_dendrite_signature=None))
        await expect("an empty signature", 401, signed_headers(miner, bt_header_dendrite_signature=""))
        await expect("a malformed signature", 400, signed_headers(miner, bt_header_dendrite_signature="0x12"))
        await expect("a stale nonce", 401, signed_headers(miner, nonce=time.time_ns() - 100 * 10**9))
        await expect("a nonce from the future", 401, signed_headers(miner, nonce=time.time_ns() + 100 * 10**9))
        await expect("a foreign axon hotkey", 401, signed_headers(miner, axon_hotkey=ALICE.ss58_address))
        await expect("another body hash", 400, signed_headers(miner, computed_body_hash="ab" * 32))
        await expect("an old version with a stale nonce", 401, signed_headers(
            miner, nonce=time.time_ns() - 100 * 10**9, bt_header_dendrite_version="7000000"))
        await expect("malformed JSON", 400, signed_headers(miner), body="{\"task_type\":")
        await expect("an array as body", 400, signed_headers(miner), body="[]")
        await expect("an empty body", 400, signed_headers(miner), body="")
        await expect("NaN in the body", 400, signed_headers(miner), body='{"x": NaN}')
        await expect("duplicate keys", 400, signed_headers(miner), body='{"x":1,"x":2}')
        await expect("a lone surrogate", 400, signed_headers(miner), body='{"x":"\\ud800"}')
        await expect("deep nesting", 400, signed_headers(miner), body="[" * 5000)
        await expect("an oversized body", 413, signed_headers(miner), body="x" * (5 << 20))
        await expect("an empty user_input", 400, signed_headers(miner),
                     body='{"task_type":"blueprint","user_input":" "}')
        await expect("a chapter out of range", 400, signed_headers(miner),
                     body='{"task_type":"chapters","user_input":"x","chapter_ids":[13]}')
        await expect("an unknown route", 404, signed_headers(miner), path="/Nonsense")
        await expect("a longer route", 404, signed_headers(miner), path="/StoryGenerationSynapse/x")
        await expect("a request after all that", 200, signed_headers(miner))


def our_query_against_their_axon():
    key = Keypair.create_from_uri("//Bob")
    seen = []

    async def forward(synapse: StoryGenerationSynapse) -> StoryGenerationSynapse:
        seen.append(synapse.task_type)
        data = pathlib.Path(__file__).parent.parent / "data" / "story" / f"{synapse.task_type}.json"
        synapse.output_data = json.loads(data.read_text())
        synapse.model_info = {"mode": "custom", "name": "sdk", "version": None, "provider": None,
                              "parameters": {}}
        return synapse

    port = harness.Miner.free_port()
    wallet = types.SimpleNamespace(hotkey=key, coldkeypub=key)
    axon = Axon(wallet=wallet, port=port, ip="127.0.0.1", external_ip="127.0.0.1")
    axon.attach(forward_fn=forward)
    axon.start()
    time.sleep(1)
    asked = run("query", "--axon", f"127.0.0.1:{port}", "--axon.hotkey", key.ss58_address, "--task",
                "blueprint", "--input", "the sea", "--throwaway")
    check("sdk: our query is accepted by the SDK's axon", asked.returncode == 0 and seen == ["blueprint"],
          asked.stderr)
    axon.stop()


def main():
    with harness.Miner(harness.script_config("stories.py")) as miner:
        asyncio.run(four_tasks(miner))
        asyncio.run(refusals(miner))
        check("sdk: the miner still serves", miner.query().returncode == 0)
        check("sdk: it ends well", miner.stop() == 0)
    our_query_against_their_axon()
    return 1 if harness.failed else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    import os
    os._exit(code)
