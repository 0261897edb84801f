"""LangChain, pointed at us by its own variables and by its parameters."""

import json

from harness import KEY, json_answer, sse
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel
from test_anthropic import MESSAGE
from test_openai import CHAT, chunk


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return "sun in " + city


class City(BaseModel):
    """A city."""

    name: str


def chat(proxy, **options):
    options = {"max_retries": 0, "api_key": KEY, **options}
    return ChatOpenAI(model="gpt", base_url=proxy.url + "/v1", **options)


def answering(message, finish):
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return lambda *_: json_answer({**CHAT, "choices": [choice]})


def test_a_chain_is_answered_with_its_usage(front):
    proxy, upstream = front(lambda *_: json_answer(CHAT))
    answer = chat(proxy, temperature=0.5).invoke([("system", "be brief"), ("user", "hi")])
    assert answer.content == "Hello"
    assert answer.usage_metadata["total_tokens"] == 11
    _, body, _ = upstream.requests[0]
    assert body["model"] == "gpt-4o-mini"
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_a_stream_comes_in_pieces_and_with_usage(front):
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    events = [chunk({"content": "Hel"}), chunk({"content": "lo"}), chunk({}, "stop")]
    last = {**chunk({}), "choices": [], "usage": usage}
    proxy, _ = front(lambda *_: sse([*events, last, "[DONE]"]))
    pieces = list(chat(proxy, stream_usage=True).stream("hi"))
    assert "".join(piece.content for piece in pieces) == "Hello"
    assert sum((piece.usage_metadata or {}).get("total_tokens", 0) for piece in pieces) == 11


def test_a_tool_call_reaches_its_tool(front):
    call = {"id": "call_1", "type": "function"}
    call["function"] = {"name": "weather", "arguments": json.dumps({"city": "Ulm"})}
    proxy, upstream = front(answering({"content": None, "tool_calls": [call]}, "tool_calls"))
    answer = chat(proxy).bind_tools([weather]).invoke("weather in Ulm?")
    assert weather.invoke(answer.tool_calls[0]["args"]) == "sun in Ulm"
    assert upstream.requests[0][1]["tools"][0]["function"]["name"] == "weather"


def test_structured_output_is_parsed(front):
    proxy, upstream = front(answering({"content": '{"name": "Ulm"}'}, "stop"))
    answer = chat(proxy).with_structured_output(City, method="json_schema").invoke("a city")
    assert answer == City(name="Ulm")
    assert upstream.requests[0][1]["response_format"]["type"] == "json_schema"


def test_embeddings_come_as_floats(front):
    def script(_, body, __):
        rows = [
            {"object": "embedding", "index": at, "embedding": [0.5, -0.25]}
            for at, _ in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 2, "total_tokens": 2}
        return json_answer({"object": "list", "data": rows, "model": "m", "usage": usage})

    proxy, upstream = front(script)
    options = {"base_url": proxy.url + "/v1", "api_key": KEY, "max_retries": 0}
    embeddings = OpenAIEmbeddings(model="embed", check_embedding_ctx_length=False, **options)
    assert embeddings.embed_documents(["a", "b"]) == [[0.5, -0.25], [0.5, -0.25]]
    assert upstream.requests[0][1]["model"] == "text-embedding-3-small"


def test_claude_is_called_in_its_own_dialect(front):
    proxy, upstream = front(lambda *_: json_answer(MESSAGE))
    model = ChatAnthropic(model="claude", base_url=proxy.url, api_key=KEY, max_retries=0)
    assert model.invoke("hi").content == MESSAGE["content"][0]["text"]
    assert upstream.requests[0][0] == "/v1/messages"


def test_variables_alone_point_it_at_us(front, monkeypatch):
    proxy, _ = front(lambda *_: json_answer(CHAT))
    monkeypatch.setenv("OPENAI_BASE_URL", proxy.url + "/v1")
    monkeypatch.setenv("OPENAI_API_BASE", proxy.url + "/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert ChatOpenAI(model="gpt", max_retries=0).invoke("hi").content == "Hello"
