"""Random requests to AWS, and botocore's signatures of them."""

import json
import random
import string
import sys
from datetime import datetime, timezone
from unittest import mock

import botocore.auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

MODELS = [
    "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
    "a model/of%25 odd~letters+é",
    "amazon.titan-embed-text-v2:0",
]
HOSTS = ["bedrock-runtime.us-east-1.amazonaws.com", "localhost:8080", "vpce-1.example.com"]
LETTERS = string.ascii_letters + string.digits + "+/="


def quoted(text):
    plain = string.ascii_letters + string.digits + "-._~"
    letters = (chr(byte) if chr(byte) in plain else f"%{byte:02X}" for byte in text.encode())
    return "".join(letters)


def request(rng):
    word = lambda least, most: "".join(rng.choices(LETTERS, k=rng.randint(least, most)))
    path = f"/model/{quoted(rng.choice(MODELS))}/{rng.choice(['converse', 'converse-stream'])}"
    if rng.random() < 0.2:
        path = "/"
    if rng.random() < 0.2:
        path += f"?b={quoted(word(0, 9))}&a={quoted(word(0, 9))}&b=0"
    return {
        "method": rng.choice(["POST", "POST", "GET"]),
        "host": rng.choice(HOSTS),
        "path": path,
        "type": rng.choice(["application/json", "application/x-www-form-urlencoded; charset=utf-8", ""]),
        "body": word(0, 80) + rng.choice(["", "é🌊"]),
        "id": "AKIDTEST" + "".join(rng.choices(string.digits, k=8)),
        "secret": word(40, 40),
        "token": word(20, 200) if rng.random() < 0.5 else "",
        "region": rng.choice(["us-east-1", "eu-central-1", "us-gov-west-1"]),
        "service": rng.choice(["bedrock", "sts"]),
        "time": rng.randint(1_600_000_000, 1_900_000_000),
    }


def signed(told):
    """The request with botocore's `authorization`."""
    keys = ReadOnlyCredentials(told["id"], told["secret"], told["token"] or None)
    headers = {"content-type": told["type"]} if told["type"] else {}
    url = f"https://{told['host']}{told['path']}"
    made = AWSRequest(told["method"], url, headers, told["body"].encode())
    now = datetime.fromtimestamp(told["time"], timezone.utc).replace(tzinfo=None)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: now):
        SigV4Auth(keys, told["service"], told["region"]).add_auth(made)
    return {**told, "authorization": made.headers["Authorization"]}


def several(count, seed):
    rng = random.Random(seed)
    return [signed(request(rng)) for _ in range(count)]


if __name__ == "__main__":
    count, seed = (int(word) for word in sys.argv[1:])
    for told in several(count, seed):
        print(json.dumps(told, ensure_ascii=False))
