"""What is translated is what the providers' own schemas say.

The files of `tests/wire/<client>-<provider>` are held against schemas that are no part of this
repository: `../shared/reference/schemas`, or where `BARTIZAN_SCHEMAS` says. Without them the tests
say so and are skipped.
"""

import json
import os
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = Path(os.environ.get("BARTIZAN_SCHEMAS", ROOT.parent / "shared/reference/schemas"))
WIRE = ROOT / "tests/wire"
PAIRS = sorted(folder.name for folder in WIRE.glob("*-*"))

pytestmark = pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"no schemas at {SCHEMAS}")


@cache
def openapi(file, name):
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    components = overlapping(yaml.load((SCHEMAS / file).read_text(), loader)["components"])
    return {"$ref": f"#/components/schemas/{name}", "components": components}


def overlapping(schema):
    """Alternatives of OpenAI's are said to shut each other out, and do not; some may be null."""
    if isinstance(schema, list):
        return [overlapping(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    told = {"anyOf" if key == "oneOf" else key: overlapping(it) for key, it in schema.items()}
    return {"anyOf": [told, {"type": "null"}]} if schema.get("nullable") is True else told


@cache
def rooted(file, name):
    whole = json.loads((SCHEMAS / file).read_text())
    return {"$defs": whole["$defs"], **whole["roots"][name]}


@cache
def google(name):
    schemas = json.loads((SCHEMAS / "google-generativelanguage-v1beta.discovery.json").read_text())
    defs = {key: of_google(schema) for key, schema in schemas["schemas"].items()}
    return {"$ref": f"#/$defs/{name}", "$defs": defs}


def of_google(schema):
    """A schema of a discovery document, which is an early dialect. Names are all there are."""
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    if schema.get("format") in ("int64", "uint64"):
        return {"type": ["string", "integer"]}
    told = {key: schema[key] for key in ("type", "enum") if key in schema}
    if told.get("type") == "any":
        return {}
    if "items" in schema:
        told["items"] = of_google(schema["items"])
    if "properties" in schema:
        members = schema["properties"].items()
        told["properties"] = {key: of_google(member) for key, member in members}
        told["additionalProperties"] = False
    elif "additionalProperties" in schema:
        told["additionalProperties"] = of_google(schema["additionalProperties"])
    return told


@cache
def cohere():
    """Of requests there are only parts."""
    file = "cohere-v2.schema.json"
    part = {name: rooted(file, name) for name in ("ChatMessageV2", "ToolV2")}
    members = {key: {it: value[it] for it in value if it != "$defs"} for key, value in part.items()}
    return {
        "$defs": part["ToolV2"]["$defs"],
        "type": "object",
        "required": ["model", "messages"],
        "properties": {
            "messages": {"type": "array", "items": members["ChatMessageV2"]},
            "tools": {"type": "array", "items": members["ToolV2"]},
            "stop_sequences": {"type": "array", "items": {"type": "string"}},
            "max_tokens": {"type": "integer"},
        },
    }


@cache
def anthropic():
    file, name = "anthropic-messages.schema.json", "MessageCreateParams"
    whole, stream = (rooted(file, name + kind) for kind in ("NonStreaming", "Streaming"))
    kinds = [{key: it[key] for key in it if key != "$defs"} for it in (whole, stream)]
    return {"$defs": whole["$defs"], "anyOf": kinds}


@cache
def aws(name):
    file = "bedrock-runtime-2023-09-30.service-2.json"
    shapes = json.loads((SCHEMAS / file).read_text())["shapes"]
    return {"$ref": f"#/$defs/{name}", "$defs": {it: of_aws(shapes[it]) for it in shapes}}


def of_aws(shape):
    """A shape of AWS's models. What stands in the path or the head is no member of the body."""
    match shape["type"]:
        case "structure" if shape.get("document"):
            return {}
        case "structure":
            members = {key: it for key, it in shape["members"].items() if "location" not in it}
            required = [key for key in shape.get("required", []) if key in members]
            told = {"type": "object", "required": required, "additionalProperties": False}
            told["properties"] = {key: named(it) for key, it in members.items()}
            only = {"minProperties": 1, "maxProperties": 1} if shape.get("union") else {}
            return told | only
        case "list":
            return {"type": "array", "items": named(shape["member"])}
        case "map":
            return {"type": "object", "additionalProperties": named(shape["value"])}
        case "string" | "blob":
            words = {"enum": "enum", "min": "minLength", "max": "maxLength"}
            told = {word: shape[key] for key, word in words.items() if key in shape}
            whole = {"pattern": f"^(?:{shape['pattern']})$"} if "pattern" in shape else {}
            return {"type": "string"} | told | whole
        case "boolean":
            return {"type": "boolean"}
        case kind:
            words = {"min": "minimum", "max": "maximum"}
            told = {word: shape[key] for key, word in words.items() if key in shape}
            return {"type": "integer" if kind in ("integer", "long") else "number"} | told


def named(member):
    return {"$ref": f"#/$defs/{member['shape']}"}


REQUESTS = {
    "chat": lambda: openapi("openai.openapi.yaml", "CreateChatCompletionRequest"),
    "responses": lambda: openapi("openai.openapi.yaml", "CreateResponse"),
    "messages": anthropic,
    "gemini": lambda: google("GenerateContentRequest"),
    "cohere": cohere,
    "ollama": lambda: openapi("ollama.openapi.yaml", "ChatRequest"),
    "converse": lambda: aws("ConverseRequest"),
}

ANSWERS = {
    "chat": lambda: openapi("openai.openapi.yaml", "CreateChatCompletionResponse"),
    "completions": lambda: openapi("openai.openapi.yaml", "CreateCompletionResponse"),
    "responses": lambda: openapi("openai.openapi.yaml", "Response"),
    "messages": lambda: rooted("anthropic-messages.schema.json", "Message"),
    "gemini": lambda: google("GenerateContentResponse"),
    "cohere": lambda: rooted("cohere-v2.schema.json", "V2ChatResponse"),
    "ollama": lambda: openapi("ollama.openapi.yaml", "ChatResponse"),
    "generate": lambda: openapi("ollama.openapi.yaml", "GenerateResponse"),
}


@cache
def pieces_of_text():
    """OpenAI tells no reason before the end, which its schema of whole answers does not know."""
    schema = deepcopy(ANSWERS["completions"]())
    answer = schema["components"]["schemas"]["CreateCompletionResponse"]
    members = answer["properties"]["choices"]["items"]["properties"]
    members["finish_reason"] = {"anyOf": [members["finish_reason"], {"type": "null"}]}
    return schema


EVENTS = {
    "chat": lambda: openapi("openai.openapi.yaml", "CreateChatCompletionStreamResponse"),
    "completions": pieces_of_text,
    "responses": lambda: openapi("openai.openapi.yaml", "ResponseStreamEvent"),
    "messages": lambda: rooted("anthropic-messages.schema.json", "RawMessageStreamEvent"),
    "gemini": ANSWERS["gemini"],
    "cohere": lambda: rooted("cohere-v2.schema.json", "V2ChatStreamResponse"),
    "ollama": lambda: openapi("ollama.openapi.yaml", "ChatStreamEvent"),
    "generate": lambda: openapi("ollama.openapi.yaml", "GenerateStreamEvent"),
}


def mistakes(schema, document):
    found = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda it: it.json_path)
    return [f"{it.json_path}: {it.message[:300]}" for it in found]


def written(pair, file):
    return json.loads((WIRE / pair / file).read_text())


@pytest.mark.parametrize("pair", PAIRS)
def test_a_provider_is_asked_in_its_own_words(pair):
    schema = REQUESTS[pair.split("-")[1]]()
    assert mistakes(schema, written(pair, "request.out.json")) == []


@pytest.mark.parametrize("pair", PAIRS)
def test_a_client_is_answered_in_its_own_words(pair):
    schema = ANSWERS[pair.split("-")[0]]()
    assert mistakes(schema, written(pair, "answer.out.json")) == []


@pytest.mark.parametrize("pair", PAIRS)
def test_each_event_is_in_the_words_of_its_client(pair):
    schema = EVENTS[pair.split("-")[0]]()
    lines = (WIRE / pair / "stream.out.txt").read_text().splitlines()
    # Those of Ollama are lines of JSON.
    data = [it.removeprefix("data: ") for it in lines if it.startswith(("data: ", "{"))]
    assert data
    events = [json.loads(it) for it in data if it != "[DONE]"]
    assert [mistake for event in events for mistake in mistakes(schema, event)] == []
