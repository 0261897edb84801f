"""Cohere's chat, version 2, and Ollama's own."""

import json

from harness import json_answer, sse

from .chat import INPUT, OUTPUT, OpenAi, halves

TIME = "2025-11-22T10:00:00.000000Z"


class Cohere(OpenAi):
    name, model = "command", "command-a-03-2025"

    def __init__(self):
        self.path = self.streamed = "/v2/chat"

    def whole(self, text=None, thought=None, calls=()):
        message = {"role": "assistant"}
        content = [{"type": "thinking", "thinking": thought}] if thought else []
        content += [{"type": "text", "text": text}] if text else []
        if content:
            message["content"] = content
        if calls:
            message["tool_calls"] = [self.call(*call) for call in calls]
        finish = "TOOL_CALL" if calls else "COMPLETE"
        return json_answer(
            {"id": "c1", "finish_reason": finish, "message": message, "usage": self.usage()}
        )

    def stream(self, text=None, thought=None, calls=(), cut=False):
        empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
        events = [{"type": "message-start", "id": "c1", "delta": {"message": empty}}]
        told = [(kind, it) for kind, it in [("thinking", thought), ("text", text)] if it]
        for index, (kind, words) in enumerate(told):
            start = {"type": kind, kind: ""}
            events.append(self.event("content-start", index, content=start))
            for piece in halves(words):
                events.append(self.event("content-delta", index, content={kind: piece}))
            events.append({"type": "content-end", "index": index})
        for index, (id, name, arguments) in enumerate(calls):
            start = self.call(id, name, None)
            events.append(self.event("tool-call-start", index, tool_calls=start))
            for piece in halves(json.dumps(arguments)):
                more = {"function": {"arguments": piece}}
                events.append(self.event("tool-call-delta", index, tool_calls=more))
            events.append({"type": "tool-call-end", "index": index})
        if not cut:
            delta = {"finish_reason": "TOOL_CALL" if calls else "COMPLETE", "usage": self.usage()}
            events.append({"type": "message-end", "id": "c1", "delta": delta})
        return sse(events, named=True)

    def event(self, kind, index, **message):
        return {"type": kind, "index": index, "delta": {"message": message}}

    def usage(self):
        tokens = {"input_tokens": INPUT, "output_tokens": OUTPUT}
        return {"billed_units": tokens, "tokens": tokens}

    def limit(self, body):
        return body["max_tokens"]

    def schema(self, body):
        assert body["response_format"]["type"] == "json_object"
        return body["response_format"]["json_schema"]


class Ollama(OpenAi):
    name, model = "llama", "gpt-oss:20b"

    def __init__(self):
        self.path = self.streamed = "/api/chat"

    def line(self, **message):
        message = {"role": "assistant", "content": "", **message}
        return {"model": self.model, "created_at": TIME, "message": message, "done": False}

    def called(self, calls):
        # Ollama gives no ids.
        return [{"function": {"name": name, "arguments": told}} for _, name, told in calls]

    def last(self):
        counts = {"prompt_eval_count": INPUT, "eval_count": OUTPUT, "total_duration": 1000}
        return {"done": True, "done_reason": "stop", **counts}

    def whole(self, text=None, thought=None, calls=()):
        message = {"content": text or ""}
        if thought:
            message["thinking"] = thought
        if calls:
            message["tool_calls"] = self.called(calls)
        return json_answer(self.line(**message) | self.last())

    def stream(self, text=None, thought=None, calls=(), cut=False):
        lines = [self.line(thinking=piece) for piece in halves(thought)]
        lines += [self.line(content=piece) for piece in halves(text)]
        lines += [self.line(tool_calls=[call]) for call in self.called(calls)]
        if not cut:
            lines.append(self.line() | self.last())
        pieces = [json.dumps(line).encode() + b"\n" for line in lines]
        return 200, {"content-type": "application/x-ndjson"}, pieces

    def limit(self, body):
        return body["options"]["num_predict"]

    def round(self, body):
        calls = [c["function"] for m in body["messages"] for c in m.get("tool_calls") or []]
        results = [m for m in body["messages"] if m["role"] == "tool"]
        assert [call["name"] for call in calls] == [result["tool_name"] for result in results]
        called = [(call["name"], call["arguments"]) for call in calls]
        return called, [result["content"] for result in results]

    def picture(self, body):
        return body["messages"][-1]["images"][0]

    def schema(self, body):
        return body["format"]
