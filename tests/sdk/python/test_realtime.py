"""The realtime WebSocket: the newest `openai` client and a browser's way, through us."""

import asyncio
import json
import re
import threading
import time
import urllib.request

import openai
import pytest
import websockets.exceptions
import websockets.sync.client
import websockets.sync.server
from harness import CREDENTIAL, KEY, Proxy, config

USAGE = {
    "total_tokens": 275,
    "input_tokens": 127,
    "output_tokens": 148,
    "input_token_details": {"cached_tokens": 64, "text_tokens": 119, "audio_tokens": 8},
    "output_token_details": {"text_tokens": 36, "audio_tokens": 112},
}


class Realtime:
    """Answers each `response.create` with the text "Hello", and closes when asked to."""

    def __init__(self):
        self.requests = []
        self.server = websockets.sync.server.serve(
            self.talk,
            "127.0.0.1",
            0,
            subprotocols=["realtime"],
            select_subprotocol=self.choose,
            process_request=self.refuse,
        )
        port = self.server.socket.getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def choose(self, _connection, subprotocols):
        return "realtime" if "realtime" in subprotocols else None

    def refuse(self, connection, request):
        self.requests.append(request)
        if "refused=yes" in request.path:
            return connection.respond(403, "not for you\n")
        return None

    def talk(self, connection):
        connection.send(json.dumps({"type": "session.created", "event_id": "e0", "session": {}}))
        for message in connection:
            event = json.loads(message)
            if event["type"] == "input_audio_buffer.clear":
                return
            if event["type"] != "response.create":
                continue
            for text in ["Hel", "lo"]:
                delta = {"type": "response.output_text.delta", "event_id": "e1", "delta": text}
                place = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
                connection.send(json.dumps(delta | place))
            response = {"id": "r", "object": "realtime.response", "output": [], "usage": USAGE}
            done = {"type": "response.done", "event_id": "e2", "response": response}
            connection.send(json.dumps(done))

    def stop(self):
        self.server.shutdown()


@pytest.fixture
def realtime():
    upstream = Realtime()
    proxy = Proxy(config(upstream.origin), env={"JSON_LOGS": "true"})
    yield proxy, upstream
    proxy.stop()
    upstream.stop()


def records(proxy, count):
    """The log lines of so many calls, once they are there."""
    for _ in range(1000):
        lines = [json.loads(line) for line in proxy.output if '"route":"/realtime"' in line]
        if len(lines) >= count:
            return lines
        time.sleep(0.01)
    raise AssertionError("no record in:\n" + "".join(proxy.output))


async def converse(proxy, turns):
    client = openai.AsyncOpenAI(base_url=proxy.url + "/v1", api_key=KEY)
    said, usage = "", []
    async with client.realtime.connect(model="gpt") as connection:
        for _ in range(turns):
            await connection.response.create()
            async for event in connection:
                if event.type == "response.output_text.delta":
                    said += event.delta
                if event.type == "response.done":
                    usage.append(event.response.usage.total_tokens)
                    break
    return said, usage


def test_a_conversation(realtime):
    proxy, upstream = realtime
    said, usage = asyncio.run(converse(proxy, 2))
    assert said == "HelloHello"
    assert usage == [275, 275]
    request = upstream.requests[0]
    assert request.path == "/v1/realtime?model=gpt-4o-mini"
    assert request.headers["authorization"] == f"Bearer {CREDENTIAL}"
    (record,) = records(proxy, 1)
    assert record["status"] == 101
    assert record["message"] == "Call answered"
    assert (record["input_tokens"], record["output_tokens"]) == (254, 296)
    metrics = urllib.request.urlopen(f"http://{proxy.ops}/metrics").read().decode()
    found = re.search(r'litellm_total_tokens_metric_total{[^}]*"gpt"[^}]*} (\S+)', metrics)
    assert float(found[1]) == 550


def test_many_conversations_at_once(realtime):
    proxy, _ = realtime

    async def all_of_them():
        return await asyncio.gather(*(converse(proxy, 3) for _ in range(20)))

    for said, usage in asyncio.run(all_of_them()):
        assert (said, len(usage)) == ("Hello" * 3, 3)
    assert {record["input_tokens"] for record in records(proxy, 20)} == {381}


def test_a_wrong_key_is_refused(realtime):
    proxy, upstream = realtime

    async def wrong():
        client = openai.AsyncOpenAI(base_url=proxy.url + "/v1", api_key="sk-wrong")
        async with client.realtime.connect(model="gpt"):
            pass

    with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
        asyncio.run(wrong())
    assert caught.value.response.status_code == 401
    assert upstream.requests == []


def browser(proxy, query="model=gpt", key=KEY):
    protocols = ["realtime", f"openai-insecure-api-key.{key}", "openai-beta.realtime-v1"]
    url = proxy.url.replace("http:", "ws:") + "/v1/realtime?" + query
    return websockets.sync.client.connect(url, subprotocols=protocols)


def test_a_browser_names_its_key_among_the_subprotocols(realtime):
    proxy, upstream = realtime
    with browser(proxy) as connection:
        assert connection.subprotocol == "realtime"
        assert json.loads(connection.recv())["type"] == "session.created"
    assert KEY not in str(upstream.requests[0].headers)
    assert upstream.requests[0].headers["authorization"] == f"Bearer {CREDENTIAL}"


def test_a_refusal_of_the_provider_is_passed_on(realtime):
    proxy, _ = realtime
    with pytest.raises(websockets.exceptions.InvalidStatus) as caught, browser(
        proxy, "model=gpt&refused=yes"
    ):
        pass
    assert caught.value.response.status_code == 403
    assert caught.value.response.body == b"not for you\n"


def test_the_provider_may_close_first(realtime):
    proxy, _ = realtime
    with browser(proxy) as connection:
        connection.recv()
        connection.send(json.dumps({"type": "input_audio_buffer.clear"}))
        with pytest.raises(websockets.exceptions.ConnectionClosedOK):
            connection.recv()
    (record,) = records(proxy, 1)
    assert record["message"] == "Call answered"


def test_pings_reach_the_provider(realtime):
    proxy, _ = realtime
    with browser(proxy) as connection:
        assert connection.ping().wait(20)
