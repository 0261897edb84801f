"""Gemini's contents."""

from harness import CREDENTIAL, json_answer, sse

from .chat import INPUT, OUTPUT, OpenAi, halves, plain

# What Google takes where the signature of a call is not known.
# A proof as Google makes them; those of others do not go back to it.
GOOGLES = "AXNpZ25hdHVyZQ=="
UNSIGNED = "skip_thought_signature_validator"


class Gemini(OpenAi):
    name, model = "flash", "gemini-2.5-flash"

    def __init__(self):
        base = f"/v1beta/models/{self.model}"
        self.path = f"{base}:generateContent"
        self.streamed = f"{base}:streamGenerateContent?alt=sse"

    def credential(self, headers):
        return headers["x-goog-api-key"] == CREDENTIAL

    def answer(self, parts, finish=None):
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        counts = {"promptTokenCount": INPUT, "candidatesTokenCount": OUTPUT}
        usage = counts | {"totalTokenCount": INPUT + OUTPUT}
        head = {"modelVersion": self.model, "responseId": "r1"}
        return head | {"candidates": [candidate], "usageMetadata": usage}

    def called(self, calls):
        for index, (_, name, arguments) in enumerate(calls):
            part = {"functionCall": {"name": name, "args": arguments}}
            # Of calls at once, the first one has the signature.
            yield part | ({"thoughtSignature": GOOGLES} if index == 0 else {})

    def whole(self, text=None, thought=None, calls=()):
        parts = [{"text": thought, "thought": True}] if thought else []
        parts += [{"text": text}] if text else []
        return json_answer(self.answer([*parts, *self.called(calls)], "STOP"))

    def stream(self, text=None, thought=None, calls=(), cut=False):
        parts = [{"text": piece, "thought": True} for piece in halves(thought)]
        parts += [{"text": piece} for piece in halves(text)]
        parts += self.called(calls)
        events = [self.answer([part]) for part in parts]
        if not cut:
            events[-1]["candidates"][0]["finishReason"] = "STOP"
        return sse(events)

    def plays(self, path, body):
        return self.stream if path == self.streamed else self.whole

    def asked(self, body):
        roles = {"model": "assistant", "user": "user"}
        said = [(roles[c["role"]], plain(c["parts"])) for c in body["contents"]]
        system = body.get("systemInstruction")
        return ([("system", plain(system["parts"]))] if system else []) + said

    def limit(self, body):
        return body["generationConfig"]["maxOutputTokens"]

    def tools(self, body):
        offered = [tool for tools in body["tools"] for tool in tools["functionDeclarations"]]
        schemas = [t.get("parametersJsonSchema") or t.get("parameters") for t in offered]
        return {tool["name"]: schema for tool, schema in zip(offered, schemas, strict=True)}

    def round(self, body):
        parts = [part for content in body["contents"] for part in content["parts"]]
        calls = [part["functionCall"] for part in parts if "functionCall" in part]
        assert set(self.proofs(body)) <= {GOOGLES, UNSIGNED, None}
        results = [p["functionResponse"] for p in parts if "functionResponse" in p]
        assert [call["name"] for call in calls] == [result["name"] for result in results]
        texts = [next(iter(result["response"].values())) for result in results]
        return [(call["name"], call["args"]) for call in calls], texts

    def proofs(self, body):
        parts = [part for content in body["contents"] for part in content["parts"]]
        return [part.get("thoughtSignature") for part in parts if "functionCall" in part]

    def picture(self, body):
        data = next(p["inlineData"] for p in body["contents"][-1]["parts"] if "inlineData" in p)
        assert data["mimeType"] == "image/png"
        return data["data"]

    def schema(self, body):
        config = body["generationConfig"]
        assert config["responseMimeType"] == "application/json"
        return config["responseJsonSchema"]
