"""What Prometheus' own parser reads from us, held against the names that dashboards ask for."""

import urllib.request

import openai
from harness import KEY, json_answer
from prometheus_client.parser import text_string_to_metric_families
from test_openai import CHAT, HI, chunk, sse

OWNER = {"hashed_api_key", "api_key_alias", "team", "team_alias"}
PROVIDER = {"model_id", "api_provider"}
CLIENT = {"client_ip", "user_agent"}
DEPLOYMENT = {"litellm_model_name", "model_id", "api_base", "api_provider"}
TOKENS = OWNER | PROVIDER | {"end_user", "model", "user", "user_email", "requested_model"}
LATENCY = OWNER | PROVIDER | {"end_user", "requested_model", "user", "model"}
LATENCY |= {"model_group", "service_tier"}
REQUESTS = OWNER | PROVIDER | CLIENT | {"end_user", "requested_model", "user", "user_email", "route"}
TRIES = OWNER | DEPLOYMENT | CLIENT | {"requested_model", "model_group"}
FAILURE = {"exception_status", "exception_class"}

# Type and labels of contract 9.1, in the newer generation's form.
FAMILIES = {
    "litellm_proxy_total_requests_metric": ("counter", REQUESTS | {"status_code", "org_id", "org_alias"}),
    "litellm_proxy_failed_requests_metric": ("counter", REQUESTS | FAILURE),
    "litellm_total_tokens_metric": ("counter", TOKENS),
    "litellm_input_tokens_metric": ("counter", TOKENS),
    "litellm_output_tokens_metric": ("counter", TOKENS),
    "litellm_request_total_latency_metric": ("histogram", LATENCY),
    "litellm_llm_api_latency_metric": ("histogram", LATENCY),
    "litellm_llm_api_time_to_first_token_metric": ("histogram", LATENCY),
    "litellm_deployment_total_requests": ("counter", TRIES),
    "litellm_deployment_success_responses": ("counter", TRIES),
    "litellm_deployment_failure_responses": ("counter", TRIES | FAILURE),
}


def scrape(proxy):
    with urllib.request.urlopen(f"http://{proxy.ops}/metrics") as answer:
        kind = answer.headers["content-type"]
        text = answer.read().decode()
    assert kind.startswith("text/plain")
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_families_have_the_names_types_and_labels_that_dashboards_ask_for(front):
    events = [chunk({"content": "Hi"}, "stop"), "[DONE]"]
    answers = iter([json_answer(CHAT), sse(events), json_answer({"error": {"message": "x"}}, 500)])
    proxy, _ = front(lambda *_: next(answers))
    some = openai.OpenAI(base_url=proxy.url + "/v1", api_key=KEY, max_retries=0)
    some.chat.completions.create(model="gpt", messages=HI)
    list(some.chat.completions.create(model="gpt", messages=HI, stream=True))
    try:
        some.chat.completions.create(model="gpt", messages=HI)
    except openai.InternalServerError:
        pass
    families = scrape(proxy)
    for name, (kind, labels) in FAMILIES.items():
        assert name in families, f"{name} is not among {sorted(families)}"
        assert families[name].type == kind, name
        ending = "_total" if kind == "counter" else "_count"
        samples = [s for s in families[name].samples if s.name == name + ending]
        assert samples, name
        assert set(samples[0].labels) == labels, name


def test_counters_say_when_they_were_created(front):
    proxy, _ = front(lambda *_: json_answer(CHAT))
    some = openai.OpenAI(base_url=proxy.url + "/v1", api_key=KEY, max_retries=0)
    some.chat.completions.create(model="gpt", messages=HI)
    families = scrape(proxy)
    name = "litellm_proxy_total_requests_metric"
    created = [s for family in families.values() for s in family.samples if s.name == name + "_created"]
    assert created and created[0].value > 1_700_000_000


def test_our_own_families_are_there(front):
    proxy, _ = front(lambda *_: json_answer(CHAT))
    some = openai.OpenAI(base_url=proxy.url + "/v1", api_key=KEY, max_retries=0)
    some.chat.completions.create(model="gpt", messages=HI)
    names = set(scrape(proxy))
    assert len([name for name in names if name.startswith("bartizan_")]) >= 8, sorted(names)
