"""The shape of a platform that swaps one variable, without `/v1`, and restarts its containers."""

import os
import pathlib
import subprocess
import sys

from harness import KEY, ROOT, json_answer
from test_openai import CHAT

# What such a platform does at its start and for each of its blocks, in a process of its own.
JOB = """
import openai, os, urllib.request

base = os.environ["OPENAI_BASE_URL"]
assert urllib.request.urlopen(base + "/health").status == 200
client = openai.OpenAI(max_retries=0)
vectors = client.embeddings.create(model="embed", input=["one", "two"]).data
answer = client.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "hi"}])
print(len(vectors), answer.choices[0].message.content)
"""


def script(path, body, _):
    if path.endswith("/embeddings"):
        data = [
            {"object": "embedding", "index": at, "embedding": [0.5]}
            for at, _ in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 2, "total_tokens": 2}
        return json_answer({"object": "list", "data": data, "model": "m", "usage": usage})
    return json_answer(CHAT)


def variables():
    """The variables of the recorded shape, else the same ones as they are known."""
    beside = os.environ.get("BARTIZAN_CONFIGS") or ROOT.parent / "shared" / "configs"
    path = pathlib.Path(beside) / "autogpt.env"
    text = path.read_text() if path.exists() else "OPENAI_BASE_URL=x\nOPENAI_API_KEY=sk-x\n"
    lines = [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_a_base_url_without_a_version_serves_embeddings_and_chat(front):
    proxy, upstream = front(script)
    swapped = variables()
    assert not swapped["OPENAI_BASE_URL"].endswith("/v1")
    swapped |= {"OPENAI_BASE_URL": proxy.url, "OPENAI_API_KEY": KEY, "PATH": os.environ["PATH"]}
    job = subprocess.run(
        [sys.executable, "-c", JOB], env=swapped, capture_output=True, text=True, timeout=60
    )
    assert job.stdout.strip() == "2 Hello", job.stderr
    assert [path for path, _, _ in upstream.requests] == ["/v1/embeddings", "/v1/chat/completions"]
