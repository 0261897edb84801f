"""The built binary and a scripted upstream, for tests with real clients."""

import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading

KEY = "sk-test-of-the-front-door"
CREDENTIAL = "sk-credential-for-upstream"
ROOT = pathlib.Path(__file__).parents[3]


class Proxy:
    """The binary in a directory of its own, on a free port, until `stop`."""

    def __init__(self, config=None, env=None):
        self.home = tempfile.TemporaryDirectory(prefix="bartizan-sdk-")
        self.ops = f"127.0.0.1:{free_port()}"
        arguments = [binary(), "--port", "0", "--ops-listen", self.ops]
        if config is not None:
            path = pathlib.Path(self.home.name, "config.yaml")
            path.write_text(config)
            arguments += ["--config", str(path)]
        clean = {"PATH": os.environ["PATH"], "HOME": self.home.name}
        clean["XDG_STATE_HOME"] = self.home.name
        self.child = subprocess.Popen(
            arguments,
            cwd=self.home.name,
            env=clean | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output = []
        self._found = threading.Event()
        self.url = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._found.wait(20) or self.url is None:
            self.stop()
            raise RuntimeError("no address was printed:\n" + "".join(self.output))

    def _read(self):
        for line in self.child.stdout:
            self.output.append(line)
            match = re.search(r"https?://127\.0\.0\.1:(\d+)", line)
            if match and self.url is None:
                self.url = match.group(0)
                self._found.set()
        self._found.set()

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self._reader.join()
        self.home.cleanup()


class Upstream:
    """Answers every POST with what `script(path, body, headers)` returns.

    A script returns `(status, headers, body)`, with a body of `bytes`, or of a list of `bytes`
    that are sent as chunks.
    """

    def __init__(self, script):
        self.requests = []
        # Their bodies as they came, for what is signed.
        self.bodies = []
        self.script = script
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("content-length") or 0)
                text = self.rfile.read(length)
                body = json.loads(text or b"null")
                upstream.bodies.append(text)
                upstream.requests.append((self.path, body, self.headers))
                self.answer(*upstream.script(self.path, body, self.headers))

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if isinstance(body, bytes):
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    return
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in [*body, b""]:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def binary():
    path = os.environ.get("BARTIZAN_BIN") or str(ROOT / "target" / "debug" / "bartizan")
    if not os.path.exists(path):
        raise RuntimeError(f"no binary at {path}: build it, or name it with BARTIZAN_BIN")
    return path


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def config(origin):
    """A config with a deployment for each dialect, all at `origin`.

    What fails is not tried again and does not rest: a test sees each request that it makes.
    """
    rows = [
        ("gpt", "openai/gpt-4o-mini", origin + "/v1"),
        ("compatible", "openai_like/gpt-4o-mini", origin + "/v1"),
        ("embed", "openai/text-embedding-3-small", origin + "/v1"),
        ("claude", "anthropic/claude-sonnet-4-5", origin),
        # By a name that Codex knows.
        ("gpt-5.6-sol", "anthropic/claude-sonnet-4-5", origin),
        ("flash", "gemini/gemini-2.5-flash", origin + "/v1beta"),
        ("command", "cohere/command-a-03-2025", origin),
        ("llama", "ollama/gpt-oss:20b", origin),
    ]
    params = [
        {"model_name": name, "litellm_params": {"model": m, "api_base": b, "api_key": CREDENTIAL}}
        for name, m, b in rows
    ]
    once = {"num_retries": 0, "disable_cooldowns": True}
    sections = {"general_settings": {"master_key": KEY}, "router_settings": once}
    return json.dumps({"model_list": params, **sections})


def json_answer(value, status=200, **headers):
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return status, {"content-type": "application/json", **headers}, json.dumps(value).encode()


def sse(events, named=False):
    """An event stream; each event is JSON, or text that is sent as it is."""
    pieces = []
    for event in events:
        data = event if isinstance(event, str) else json.dumps(event)
        name = f"event: {event['type']}\n" if named else ""
        pieces.append(f"{name}data: {data}\n\n".encode())
    return 200, {"content-type": "text/event-stream"}, pieces


def fixtures():
    """The folder of recorded exchanges, or `None`."""
    beside = ROOT.parent / "shared" / "fixtures"
    folder = pathlib.Path(os.environ.get("BARTIZAN_FIXTURES") or beside)
    return folder if folder.is_dir() else None


def recorded(exchange):
    """A recorded answer as a script's answer."""
    response = exchange["response"]
    kind = response["headers"].get("content-type", "application/json")
    headers = {"content-type": kind}
    if "body_text" in response:
        text = response["body_text"].encode()
        return response["status"], headers, [text[i : i + 97] for i in range(0, len(text), 97)]
    return response["status"], headers, json.dumps(response["body"]).encode()
