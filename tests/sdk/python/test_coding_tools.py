"""Coding tools of other vendors, each with a model of a provider that speaks another dialect.

They are more than a gigabyte: BARTIZAN_CODING_TOOLS names the folder into which they are installed
from npm. Without it, and where one cannot be installed or run, they are skipped, and say so.
"""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
from harness import KEY
from wires import Anthropic, Cohere, Compatible, Gemini, Ollama, OpenAi, Renamed, named

VERSIONS = {
    "claude": "@anthropic-ai/claude-code@2.1.330",
    "codex": "@openai/codex@0.169.0",
    "gemini": "@google/gemini-cli@0.61.0",
    "opencode": "opencode-ai@1.18.33",
}
# Nothing but this machine is reached.
NOWHERE = "http://127.0.0.1:9"
LONGEST = 120


@pytest.fixture(scope="module")
def tool():
    """Finds the program of a tool, and installs it where it is not yet."""
    beside = os.environ.get("BARTIZAN_CODING_TOOLS")
    if not beside:
        pytest.skip("BARTIZAN_CODING_TOOLS names no folder for coding tools")

    def find(name):
        package = VERSIONS[name]
        folder = pathlib.Path(beside, package.replace("/", "-").lstrip("@"))
        program = folder / "node_modules" / ".bin" / name
        if not program.exists():
            install(package, folder)
        told = outcome([program, "--version"], env={"PATH": os.environ["PATH"], "HOME": folder})
        if told is None or told.returncode != 0:
            pytest.skip(f"{package} does not run here: {told and told.stderr.strip()[-300:]}")
        return str(program)

    return find


def install(package, folder):
    if not shutil.which("npm"):
        pytest.skip(f"{package} is not installed: there is no npm here")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    options = ["--no-audit", "--no-fund", "--loglevel=error"]
    told = outcome(["npm", "install", *options, package], cwd=folder, timeout=5 * LONGEST)
    if told is None or told.returncode != 0:
        shutil.rmtree(folder)
        pytest.skip(f"{package} cannot be installed: {told and told.stderr.strip()[-300:]}")


def outcome(command, timeout=LONGEST, **options):
    """A command that has ended; `None` for one that did not in time, or cannot be begun."""
    quiet = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    try:
        return subprocess.run(command, timeout=timeout, **quiet, **options)
    except (subprocess.TimeoutExpired, OSError):
        return None


def claude(url, model, home, work):
    models = ["ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL", "ANTHROPIC_SMALL_FAST_MODEL"]
    env = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_AUTH_TOKEN": KEY}
    env |= dict.fromkeys(models, model)
    env |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
    return env, ["--allowedTools", "Read", "-p"]


def codex(url, model, home, work):
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text(
        f"""
        model = "{model}"
        model_provider = "proxy"
        check_for_update_on_startup = false
        analytics.enabled = false
        [model_providers.proxy]
        name = "proxy"
        base_url = "{url}/v1"
        env_key = "PROXY_KEY"
        wire_api = "responses"
        """
    )
    free = "--dangerously-bypass-approvals-and-sandbox"
    return {"PROXY_KEY": KEY}, ["exec", "--skip-git-repo-check", free]


def gemini(url, model, home, work):
    settings = {
        "general": {"enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "telemetry": {"enabled": False},
    }
    (home / ".gemini").mkdir()
    (home / ".gemini" / "settings.json").write_text(json.dumps(settings))
    env = {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": KEY}
    return env | {"GEMINI_CLI_TRUST_WORKSPACE": "true"}, ["--yolo", "-m", model, "-p"]


def opencode(url, model, home, work):
    options = {"baseURL": f"{url}/v1", "apiKey": KEY}
    models = {model: {"name": model}}
    package = "@ai-sdk/openai-compatible"
    provider = {"npm": package, "name": "proxy", "options": options, "models": models}
    name = f"proxy/{model}"
    settings = {"autoupdate": False, "share": "disabled", "model": name, "small_model": name}
    (work / "opencode.json").write_text(json.dumps(settings | {"provider": {"proxy": provider}}))
    absent = ["AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS"]
    return {f"OPENCODE_DISABLE_{it}": "1" for it in absent}, ["run"]


# How each tool reads a file.
READING = {
    "claude": ("Read", lambda path: {"file_path": path}),
    "codex": ("exec_command", lambda path: {"cmd": f"cat {path}"}),
    "gemini": ("read_file", lambda path: {"file_path": path}),
    "opencode": ("read", lambda path: {"filePath": path}),
}
# How Codex does it with a model that it knows: in a script, which is free text, by a tool that
# stands in a namespace.
SCRIPT = "text(await tools.exec_command({cmd: 'cat %s'}))"
SCRIPTED = ("functions__exec", lambda path: {"input": SCRIPT % path})

# Every provider dialect that is not the tool's own.
PAIRS = {
    claude: [OpenAi(), Gemini(), Ollama(), Cohere()],
    codex: [Compatible(), Anthropic(), Renamed(), Gemini(), Ollama(), Cohere()],
    gemini: [OpenAi(), Anthropic(), Ollama(), Cohere()],
    opencode: [Anthropic(), Gemini(), Ollama(), Cohere()],
}


@pytest.mark.parametrize(
    ("set_up", "wire"),
    [(set_up, wire) for set_up, wires in PAIRS.items() for wire in wires],
    ids=lambda it: getattr(it, "__name__", None) or named(it),
)
def test_a_tool_reads_a_file_and_tells_of_it(front, tool, tmp_path, set_up, wire):
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    note = work / "note.txt"
    note.write_text("the word is marigold\n")
    scripted = isinstance(wire, Renamed)
    reader, arguments = SCRIPTED if scripted else READING[set_up.__name__]
    call = ("call_1", reader, arguments(str(note)))
    streamed = []

    def script(path, body, _):
        play = wire.plays(path, body)
        if "marigold" in json.dumps(body):
            streamed.append(play == wire.stream)
            return play("It is the flower.")
        # Titles and the like are asked for without tools.
        return play("I look.", calls=[call]) if body.get("tools") else play("A title")

    program = tool(set_up.__name__)
    proxy, upstream = front(script)
    env, words = set_up(proxy.url, wire.name, home, work)
    env |= {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb", "CI": "1"}
    env |= {"HTTPS_PROXY": NOWHERE, "HTTP_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1,localhost"}
    told = outcome([program, *words, "What does note.txt say?"], cwd=work, env=env)
    assert told is not None, "it did not end"
    assert told.returncode == 0, told.stderr[-2000:]
    assert "It is the flower." in told.stdout
    assert streamed and all(streamed)
    assert all(wire.credential(headers) for _, _, headers in upstream.requests)
    bodies = [body for _, body, _ in upstream.requests if "marigold" in json.dumps(body)]
    called, results = wire.round(bodies[-1])
    assert [name for name, _ in called] == [reader]
    assert "the word is marigold" in results[0]
