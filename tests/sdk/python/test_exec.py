"""`bartizan exec`: a program finds its proxy through the environment alone."""

import os
import pty
import re
import subprocess
import sys
import tempfile

import pytest
from harness import CREDENTIAL, KEY, Upstream, binary, config, json_answer
from test_anthropic import MESSAGE
from test_gemini import part

COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1204, "completion_tokens": 310, "total_tokens": 1514},
}

OPENAI = """
import sys
import openai
client = openai.OpenAI(max_retries=0)
answer = client.chat.completions.create(
    model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
print(answer.choices[0].message.content)
sys.exit(7)
"""

MODERATION = """
import openai
print(openai.OpenAI(max_retries=0).moderations.create(input="x").model)
"""

ANTHROPIC = """
import anthropic
answer = anthropic.Anthropic(max_retries=0).messages.create(
    model="claude-sonnet-4-5", max_tokens=16, messages=[{"role": "user", "content": "hi"}])
print(answer.content[0].text)
"""

GEMINI = """
from google import genai
client = genai.Client()
print(client.models.generate_content(model="gemini-2.5-flash", contents="hi").text)
"""

# Counts interrupts until no more come.
INTERRUPTED = """
import signal, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
while not seen:
    time.sleep(0.01)
time.sleep(0.3)
print(f"interrupts: {len(seen)}", flush=True)
"""


@pytest.fixture
def empty():
    with tempfile.TemporaryDirectory(prefix="bartizan-exec-") as folder:
        yield folder


@pytest.fixture
def upstream():
    def script(path, body, _headers):
        if path.endswith("/messages"):
            return json_answer(MESSAGE)
        if path.endswith("/moderations"):
            return json_answer({"id": "m", "model": body["model"], "results": []})
        return json_answer(part("Hello", "STOP") if "generateContent" in path else COMPLETION)

    upstream = Upstream(script)
    yield upstream
    upstream.stop()


def run(folder, program, env, *flags):
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [binary(), "exec", *flags, "--", sys.executable, "-c", program],
        cwd=folder,
        env=clean | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_program_with_a_providers_key_alone(empty, upstream):
    env = {"OPENAI_API_KEY": CREDENTIAL, "OPENAI_BASE_URL": upstream.origin + "/v1"}
    ran = run(empty, OPENAI, env)
    assert (ran.returncode, ran.stdout) == (7, "Hello\n"), ran.stderr
    line = r"bartizan: 1 call, 1,204 tokens in, 310 out, \$0\.000\d+, \d+\.\d s\n"
    assert re.fullmatch(line, ran.stderr), ran.stderr
    assert os.listdir(empty) == [], "nothing is written"
    path, _, headers = upstream.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {CREDENTIAL}"


def test_a_moderation_names_no_model(empty, upstream):
    env = {"OPENAI_API_KEY": CREDENTIAL, "OPENAI_BASE_URL": upstream.origin + "/v1"}
    ran = run(empty, MODERATION, env)
    assert (ran.returncode, ran.stdout) == (0, "omni-moderation-latest\n"), ran.stderr
    path, body, _ = upstream.requests[0]
    assert (path, body["input"]) == ("/v1/moderations", "x")


def test_anthropics_client_finds_the_proxy(empty, upstream):
    env = {
        "ANTHROPIC_API_KEY": CREDENTIAL,
        "ANTHROPIC_BASE_URL": upstream.origin,
        "ANTHROPIC_AUTH_TOKEN": "would win",
    }
    ran = run(empty, ANTHROPIC, env)
    assert (ran.returncode, ran.stdout) == (0, "Hello\n"), ran.stderr
    assert upstream.requests[0][2]["x-api-key"] == CREDENTIAL


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_googles_client_finds_the_proxy(empty, upstream, name):
    env = {name: CREDENTIAL, "GOOGLE_GEMINI_BASE_URL": upstream.origin}
    ran = run(empty, GEMINI, env)
    assert (ran.returncode, ran.stdout) == (0, "Hello\n"), ran.stderr
    path, _, headers = upstream.requests[0]
    assert path == "/v1beta/models/gemini-2.5-flash:generateContent"
    assert headers["x-goog-api-key"] == CREDENTIAL


def test_a_config_and_its_key(empty, upstream):
    path = os.path.join(empty, "config.yaml")
    with open(path, "w") as file:
        file.write(config(upstream.origin))
    program = OPENAI.replace("gpt-4o-mini", "gpt") + f'\nassert client.api_key == "{KEY}"'
    ran = run(empty, program, {}, "--config", "config.yaml", "--quiet")
    assert (ran.returncode, ran.stdout, ran.stderr) == (7, "Hello\n", "")


def test_the_terminals_interrupt_reaches_the_program_once(empty):
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(empty)
        words = [binary(), "exec", "--", sys.executable, "-c", INTERRUPTED]
        os.execve(words[0], words, {"PATH": os.environ["PATH"], "HOME": empty})
    output = b""
    while True:
        try:
            read = os.read(terminal, 4096)
        except OSError:
            read = b""
        if not read:
            break
        output += read
        if b"ready" in output and b"^C" not in output:
            os.write(terminal, b"\x03")
            output += b"^C"
    _, status = os.waitpid(child, 0)
    assert b"interrupts: 1" in output, output
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"bartizan: no calls, " in output, "we are still there after it"
