"""Files of all kinds with the newest `openai` client: uploads, and objects of an account."""

import http.server
import json
import re
import threading
import urllib.request

import openai
import pytest
from harness import CREDENTIAL, KEY, Proxy, config

FILE = {
    "id": "file-1",
    "object": "file",
    "bytes": 3,
    "created_at": 1,
    "filename": "in.jsonl",
    "purpose": "batch",
    "status": "processed",
}
BATCH = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "input_file_id": "file-1",
    "completion_window": "24h",
    "status": "validating",
    "created_at": 1,
}
JOB = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "created_at": 1,
    "model": "gpt-4o-mini",
    "fine_tuned_model": None,
    "organization_id": "org",
    "hyperparameters": {"n_epochs": 1},
    "result_files": [],
    "seed": 0,
    "status": "queued",
    "trained_tokens": None,
    "training_file": "file-1",
    "validation_file": None,
    "error": None,
    "finished_at": None,
}
STORE = {
    "id": "vs_1",
    "object": "vector_store",
    "created_at": 1,
    "name": "s",
    "usage_bytes": 0,
    "status": "completed",
    "last_active_at": None,
    "metadata": {},
    "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
}
TOKENS = {"type": "tokens", "input_tokens": 14, "output_tokens": 5, "total_tokens": 19}
AUDIO = bytes(range(256)) * 40


def page(item):
    return {"object": "list", "data": [item], "has_more": False}


ANSWERS = [
    ("GET", r"/v1/files", page(FILE)),
    ("POST", r"/v1/files", FILE),
    ("GET", r"/v1/files/file-1/content", b"\x00\xff{}\n"),
    ("GET", r"/v1/files/file-1", FILE),
    ("DELETE", r"/v1/files/file-1", {"id": "file-1", "object": "file", "deleted": True}),
    ("POST", r"/v1/batches", BATCH),
    ("GET", r"/v1/batches/batch_1", BATCH),
    ("POST", r"/v1/batches/batch_1/cancel", {**BATCH, "status": "cancelling"}),
    ("POST", r"/v1/fine_tuning/jobs", JOB),
    ("GET", r"/v1/fine_tuning/jobs", page(JOB)),
    ("GET", r"/v1/fine_tuning/jobs/ftjob-1", JOB),
    ("POST", r"/v1/vector_stores", STORE),
    ("GET", r"/v1/vector_stores/vs_1", STORE),
    ("POST", r"/v1/audio/transcriptions", {"text": "hello", "usage": TOKENS}),
    ("POST", r"/v1/audio/translations", {"text": "hello"}),
    ("POST", r"/v1/images/(generations|edits|variations)", {"created": 1, "data": [{"b64_json": "AA=="}]}),
    ("POST", r"/v1/audio/speech", AUDIO),
]


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers OpenAI's paths in the shapes of its reference."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.body()
        self.server.requests.append((self.command, self.path, self.headers, body))
        path = self.path.split("?")[0]
        found = (a for method, p, a in ANSWERS if method == self.command and re.fullmatch(p, path))
        answer = next(found, None)
        is_bytes = isinstance(answer, bytes)
        data = answer if is_bytes else json.dumps(answer or {"error": {"message": path}}).encode()
        self.send_response(404 if answer is None else 200)
        kind = "application/octet-stream" if is_bytes else "application/json"
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = answer

    def body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def provider():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.daemon_threads = True
    server.requests = []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def proxy(provider):
    proxy = Proxy(config(f"http://127.0.0.1:{provider.server_port}"))
    yield proxy
    proxy.stop()


@pytest.fixture
def client(proxy):
    return openai.OpenAI(base_url=proxy.url + "/v1", api_key=KEY, max_retries=0)


def last(provider):
    method, path, headers, body = provider.requests[-1]
    assert headers["authorization"] == f"Bearer {CREDENTIAL}"
    assert KEY not in str(headers)
    return method, path, headers, body


def test_files(client, provider):
    made = client.files.create(file=("in.jsonl", b"{}\n"), purpose="batch")
    assert made.id == "file-1"
    _, _, headers, body = last(provider)
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'filename="in.jsonl"' in body and b"{}\n" in body
    assert [file.id for file in client.files.list()] == ["file-1"]
    assert client.files.retrieve("file-1").purpose == "batch"
    assert client.files.content("file-1").read() == b"\x00\xff{}\n"
    assert client.files.delete("file-1").deleted


def test_batches(client, provider):
    batch = client.batches.create(
        input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h"
    )
    assert batch.status == "validating"
    assert json.loads(last(provider)[3])["input_file_id"] == "file-1"
    assert client.batches.retrieve("batch_1").id == "batch_1"
    assert client.batches.cancel("batch_1").status == "cancelling"


def test_fine_tuning(client, provider):
    job = client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file="file-1")
    assert job.status == "queued"
    # The provider's model: it names no group of ours.
    assert json.loads(last(provider)[3])["model"] == "gpt-4o-mini"
    assert [job.id for job in client.fine_tuning.jobs.list(limit=2)] == ["ftjob-1"]
    assert last(provider)[1] == "/v1/fine_tuning/jobs?limit=2"
    assert client.fine_tuning.jobs.retrieve("ftjob-1").model == "gpt-4o-mini"


def test_vector_stores(client, provider):
    assert client.vector_stores.create(name="s").id == "vs_1"
    assert last(provider)[2]["openai-beta"] == "assistants=v2"
    assert client.vector_stores.retrieve("vs_1").status == "completed"


def test_a_transcription_names_our_model(client, provider):
    answer = client.audio.transcriptions.create(
        file=("speech.wav", AUDIO, "audio/wav"), model="gpt", language="en"
    )
    assert (answer.text, answer.usage.input_tokens) == ("hello", 14)
    body = last(provider)[3]
    assert b'name="model"\r\n\r\ngpt-4o-mini\r\n' in body and AUDIO in body


def test_the_model_may_follow_the_file(proxy, provider):
    parts = [
        ("file", "; filename=a.wav\r\nContent-Type: audio/wav", AUDIO),
        ("model", "", b"gpt"),
    ]
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (name.encode(), head.encode(), value)
        for name, head, value in parts
    )
    kind = {"content-type": "multipart/form-data; boundary=b", "authorization": f"Bearer {KEY}"}
    url = proxy.url + "/v1/audio/transcriptions"
    request = urllib.request.Request(url, body + b"--b--\r\n", kind)
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["text"] == "hello"
    assert last(provider)[3] == body.replace(b"\r\ngpt\r\n", b"\r\ngpt-4o-mini\r\n") + b"--b--\r\n"


def test_a_translation(client):
    answer = client.audio.translations.create(file=("a.wav", AUDIO), model="gpt")
    assert answer.text == "hello"


def test_images(client, provider):
    assert client.images.generate(model="gpt", prompt="a wall").data[0].b64_json == "AA=="
    images = [("one.png", b"\x89PNG1", "image/png"), ("two.png", b"\x89PNG2", "image/png")]
    edited = client.images.edit(model="gpt", image=images, prompt="a moat")
    assert edited.data[0].b64_json == "AA=="
    body = last(provider)[3]
    assert b"gpt-4o-mini" in body and b"\x89PNG1" in body and b"\x89PNG2" in body
    assert client.images.create_variation(model="gpt", image=b"\x89PNG").created == 1


def test_speech(client, provider):
    answer = client.audio.speech.create(model="gpt", voice="alloy", input="hello")
    assert answer.read() == AUDIO
    assert json.loads(last(provider)[3])["model"] == "gpt-4o-mini"


def test_an_unknown_model_is_the_clients_mistake(client):
    with pytest.raises(openai.BadRequestError, match="model=nobody"):
        client.audio.transcriptions.create(file=("a.wav", AUDIO), model="nobody")


def test_sdks_on_a_providers_own_path(provider):
    """The real clients of Anthropic and Google, pointed at `/anthropic` and `/gemini`."""
    import anthropic
    from google import genai

    origin = f"http://127.0.0.1:{provider.server_port}"
    lent = json.loads(config(origin))
    for row in lent["model_list"]:
        row["litellm_params"]["use_in_pass_through"] = True
    proxy = Proxy(json.dumps(lent))
    try:
        claude = anthropic.Anthropic(base_url=proxy.url + "/anthropic", api_key=KEY, max_retries=0)
        with pytest.raises(anthropic.NotFoundError, match="/v1/messages"):
            claude.messages.create(
                model="claude-x", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            )
        _, path, headers, body = provider.requests[-1]
        assert (path, headers["x-api-key"]) == ("/v1/messages", CREDENTIAL)
        assert json.loads(body)["model"] == "claude-x"
        options = genai.types.HttpOptions(base_url=proxy.url + "/gemini")
        gemini = genai.Client(api_key=KEY, http_options=options)
        with pytest.raises(genai.errors.ClientError):
            gemini.models.generate_content(model="gemini-x", contents="hi")
        _, path, headers, _ = provider.requests[-1]
        assert re.fullmatch(r"/v1(beta)?/models/gemini-x:generateContent", path)
        assert headers["x-goog-api-key"] == CREDENTIAL
    finally:
        proxy.stop()
