"""What is signed for AWS is what botocore signs: a thousand random requests, through the proxy."""

import json
import random
from datetime import datetime
from http import HTTPStatus

import httpx
from harness import KEY, Proxy, Upstream, json_answer
from signatures import MODELS, signed

SAID = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
}
CALLS = 1000


def deployments(origin, rng):
    """Deployments with other keys, sessions, regions and base paths; any model may be named."""
    for number in range(8):
        params = {
            "model": "bedrock/*",
            "aws_bedrock_runtime_endpoint": origin + rng.choice(["", "/below", "/a/b"]),
            "aws_region_name": rng.choice(["us-east-1", "eu-central-1", "us-gov-west-1"]),
            "aws_access_key_id": f"AKIDTEST{number}",
            "aws_secret_access_key": "".join(rng.choices("abcXYZ019+/", k=40)),
        }
        if number % 2:
            params["aws_session_token"] = "".join(rng.choices("abcXYZ019+/=", k=300))
        yield f"d{number}/*", params


def test_a_thousand_requests_are_signed_as_botocore_signs_them():
    rng = random.Random(20_260)
    upstream = Upstream(lambda *_: json_answer(SAID))
    rows = dict(deployments(upstream.origin, rng))
    models = [{"model_name": name, "litellm_params": params} for name, params in rows.items()]
    proxy = Proxy(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}))
    try:
        with httpx.Client(base_url=proxy.url, headers={"authorization": f"Bearer {KEY}"}) as client:
            for _ in range(CALLS):
                name = rng.choice(list(rows))
                text = "".join(rng.choices("abc é🌊\"\\\n", k=rng.randint(1, 60))) + "."
                asked = {
                    "model": name.replace("*", rng.choice(MODELS[:2] + MODELS[3:])),
                    "messages": [{"role": "user", "content": text}],
                }
                answer = client.post("/v1/chat/completions", json=asked)
                assert answer.status_code == HTTPStatus.OK, answer.text
    finally:
        proxy.stop()
        upstream.stop()
    assert len(upstream.requests) == CALLS
    by_id = {params["aws_access_key_id"]: params for params in rows.values()}
    for (path, _, headers), body in zip(upstream.requests, upstream.bodies, strict=True):
        sent = headers["authorization"]
        params = by_id[sent.split("Credential=")[1].split("/")[0]]
        when = datetime.strptime(headers["x-amz-date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
        told = {
            "method": "POST",
            "host": headers["host"],
            "path": path,
            "type": headers["content-type"],
            "body": body.decode(),
            "id": params["aws_access_key_id"],
            "secret": params["aws_secret_access_key"],
            "token": params.get("aws_session_token", ""),
            "region": params["aws_region_name"],
            "service": "bedrock",
            "time": int(when.timestamp()),
        }
        assert signed(told)["authorization"] == sent, path
        assert headers.get("x-amz-security-token", "") == told["token"]
