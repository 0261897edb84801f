"""What coding tools ask, as they were seen to ask it, of providers that speak other dialects."""

import json

import anthropic
import pytest
import test_dialects_anthropic
import test_dialects_openai
from test_dialects_openai import CALLED, CALLS, CITY
from wires import Anthropic, Cohere, Gemini, Ollama, OpenAi, named

SCHEMA = {"$schema": "https://json-schema.org/draft/2020-12/schema", **CITY}
EPHEMERAL = {"cache_control": {"type": "ephemeral"}}
others = pytest.mark.parametrize("wire", [OpenAi(), Gemini(), Cohere(), Ollama()], ids=named)
foreign = pytest.mark.parametrize("wire", [Anthropic(), Gemini(), Cohere(), Ollama()], ids=named)


@others
def test_claude_code_gets_an_answer_and_its_hints_stay_here(front, wire):
    proxy, upstream = front(lambda path, body, _: wire.plays(path, body)(calls=CALLS[:1]))
    some = test_dialects_anthropic.client(proxy).beta.messages
    asked = {
        "model": wire.name,
        "max_tokens": 32000 if wire.name != "command" else 4000,
        "system": [
            {"type": "text", "text": "You are an agent."},
            {"type": "text", "text": "Be short.", **EPHEMERAL},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi", **EPHEMERAL}]},
            {"role": "system", "content": "It is noon."},
        ],
        "tools": [{"name": "weather", "description": "of a city", "input_schema": SCHEMA}],
        "thinking": {"type": "adaptive", "display": "omitted"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "high"},
        "metadata": {"user_id": '{"device_id":"d"}'},
        "betas": ["claude-code-20250219", "context-management-2025-06-27"],
    }
    with some.stream(**asked) as stream:
        answer = stream.get_final_message()
    assert answer.stop_reason == "tool_use"
    assert [(use.name, use.input) for use in answer.content] == CALLED[:1]
    path, body, headers = upstream.requests[0]
    assert path == wire.streamed
    assert "anthropic-beta" not in headers
    said = json.dumps(body)
    assert all(words in said for words in ["You are an agent.", "Be short.", "It is noon."])
    foreign_words = ["cache_control", "context_management", "clear_thinking", "adaptive"]
    assert not [word for word in foreign_words if word in said]
    if wire.name == "llama":
        assert body["think"] == "high"


@foreign
def test_codex_gets_an_answer(front, wire):
    proxy, upstream = front(lambda path, body, _: wire.plays(path, body)(calls=CALLS[:1]))
    words = [{"type": "input_text", "text": "You are an agent."}]
    helper = {"type": "function", "name": "spawn", "strict": False, "parameters": CITY}
    group = {"type": "namespace", "name": "agents", "description": "helpers", "tools": [helper]}
    weather = {"type": "function", "name": "weather", "strict": False, "parameters": CITY}
    stream = test_dialects_openai.client(proxy).responses.create(
        model=wire.name,
        input=[
            {"type": "message", "role": "developer", "content": words},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        ],
        tools=[weather, group],
        tool_choice="auto",
        parallel_tool_calls=True,
        reasoning={"summary": "auto"},
        store=False,
        stream=True,
        include=["reasoning.encrypted_content"],
        prompt_cache_key="k",
        extra_body={"client_metadata": {"session_id": "s"}},
    )
    *_, last = stream
    assert last.type == "response.completed"
    call = last.response.output[-1]
    assert (call.name, json.loads(call.arguments)) == CALLED[0]
    body = upstream.requests[0][1]
    assert wire.asked(body) == [("system", "You are an agent."), ("user", "hi")]
    assert "weather" in wire.tools(body)
    assert "client_metadata" not in body and "prompt_cache_key" not in body


@others
def test_a_long_round_of_an_agent(front, wire):
    """Thoughts of the provider before are left out or kept, and never refused."""
    proxy, upstream = front(lambda path, body, _: wire.plays(path, body)("Done"))
    use = {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Paris"}}
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmF0dXJl"}
    hidden = {"type": "redacted_thinking", "data": "aGlkZGVu"}
    content = [{"type": "text", "text": "no such city"}]
    result = {"type": "tool_result", "tool_use_id": "toolu_01", "content": content}
    failed = [result | {"is_error": True}, {"type": "text", "text": "Try again.", **EPHEMERAL}]
    said = [thought, hidden, {"type": "text", "text": "I look."}, use]
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": said},
        {"role": "user", "content": failed},
    ]
    some = test_dialects_anthropic.client(proxy)
    tools = [{"name": "weather", "input_schema": CITY}]
    try:
        answer = some.messages.create(
            model=wire.name, max_tokens=300, messages=messages, tools=tools
        )
    except anthropic.BadRequestError as error:
        pytest.fail(str(error))
    assert answer.content[0].text == "Done"
    called, results = wire.round(upstream.requests[0][1])
    assert called == CALLED[:1]
    assert "no such city" in results[0]
    said = json.dumps(upstream.requests[0][1])
    assert said.index("no such city") < said.index("Try again.")
    assert "aGlkZGVu" not in said
