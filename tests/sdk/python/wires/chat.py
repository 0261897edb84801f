"""OpenAI's chat completions, and what all wires share."""

import json

from harness import CREDENTIAL, json_answer, sse

SIGNED = "c2lnbmF0dXJl"
INPUT, OUTPUT = 21, 7


def halves(text):
    return [text[: len(text) // 2], text[len(text) // 2 :]] if text else []


class OpenAi:
    """Any provider that speaks OpenAI's chat completions."""

    name, model = "gpt", "gpt-4o-mini"

    def __init__(self):
        self.path = self.streamed = "/v1/chat/completions"

    def credential(self, headers):
        return headers["authorization"] == f"Bearer {CREDENTIAL}"

    def whole(self, text=None, thought=None, calls=()):
        message = {"role": "assistant", "content": text, "refusal": None}
        if thought:
            message["reasoning_content"] = thought
        if calls:
            message["tool_calls"] = [self.call(*call) for call in calls]
        finish = "tool_calls" if calls else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": self.model}
        return json_answer(head | {"choices": [choice], "usage": self.usage()})

    def stream(self, text=None, thought=None, calls=(), cut=False):
        deltas = [{"role": "assistant", "content": ""}]
        deltas += [{"reasoning_content": piece} for piece in halves(thought)]
        deltas += [{"content": piece} for piece in halves(text)]
        for index, (id, name, arguments) in enumerate(calls):
            called = self.call(id, name, None) | {"index": index}
            deltas.append({"tool_calls": [called]})
            for piece in halves(json.dumps(arguments)):
                deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        events = [self.chunk(delta) for delta in deltas]
        if not cut:
            events.append(self.chunk({}, "tool_calls" if calls else "stop"))
            events += [self.chunk({}) | {"choices": [], "usage": self.usage()}, "[DONE]"]
        return sse(events)

    def chunk(self, delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        kind = "chat.completion.chunk"
        head = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": self.model}
        return head | {"choices": [choice]}

    def call(self, id, name, arguments):
        text = "" if arguments is None else json.dumps(arguments)
        return {"id": id, "type": "function", "function": {"name": name, "arguments": text}}

    def usage(self):
        total = INPUT + OUTPUT
        return {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": total}

    def plays(self, path, body):
        """What answers this request: a stream, if it asks for one, or all at once."""
        return self.stream if body.get("stream") else self.whole

    def asked(self, body):
        assert body["model"] == self.model
        return [(m["role"], plain(m.get("content") or "")) for m in body["messages"]]

    def limit(self, body):
        return body.get("max_completion_tokens") or body.get("max_tokens")

    def tools(self, body):
        return {t["function"]["name"]: t["function"]["parameters"] for t in body["tools"]}

    def round(self, body):
        """The calls and their results in a conversation: names and arguments, then texts."""
        calls = [call for m in body["messages"] for call in m.get("tool_calls") or []]
        results = {m["tool_call_id"]: m["content"] for m in body["messages"] if m["role"] == "tool"}
        called = [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls]
        return called, [plain(results[call["id"]]) for call in calls]

    def picture(self, body):
        parts = body["messages"][-1]["content"]
        return next(p["image_url"]["url"] for p in parts if p["type"] == "image_url").split(",")[1]

    def schema(self, body):
        return body["response_format"]["json_schema"]["schema"]


class Compatible(OpenAi):
    """A provider that speaks OpenAI's chats, and has no responses."""

    name = "compatible"


def plain(content):
    """The text of a message, whether it is a string or comes in parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content
