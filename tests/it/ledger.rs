//! The ledger of the real binary: every finished call once, to the nano-dollar.
use crate::client::{Answer, Call, chat, chat_stream, get, post};
use crate::proxy::{KEY, Proxy, bare, with};
use crate::upstream::{Upstream, json as answer, stream};
use crate::wire::{Message, PATIENCE};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// So often a proxy is killed; `.ci/deep` says more.
const ROUNDS: usize = 20;

pub(crate) fn config(base: &str, more: &str) -> String {
    format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o-mini, api_base: {base}, api_key: sk-up, num_retries: 0,
      cooldown_time: 0, input_cost_per_token: 0.000000153, output_cost_per_token: 0.0000006}}
    model_info: {{id: first}}
  - model_name: other
    litellm_params: {{model: openai/gpt-4o, api_base: {base}, api_key: sk-up, num_retries: 0,
      cooldown_time: 0, input_cost_per_token: 0.0000025, output_cost_per_token: 0.00001}}
    model_info: {{id: second}}
general_settings:
  master_key: {KEY}
{more}"
    )
}

/// A provider whose answers differ in length.
pub(crate) async fn upstream() -> Upstream {
    let count = Mutex::new(0_u64);
    Upstream::start(move |request| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let usage = format!(
            r#""usage":{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":0}}"#,
            3 + *count % 7,
            1 + *count % 5
        );
        if is_stream(request) {
            let said = r#"{"id":"s","choices":[{"index":0,"delta":{"content":"ok"}}]}"#;
            let stop = r#"{"id":"s","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
            let last = format!(r#"{{"id":"s","choices":[],{usage}}}"#);
            return stream(&[said, stop, &last, "[DONE]"]);
        }
        answer(200, format!(
            r#"{{"id":"c{count}","object":"chat.completion","model":"up","choices":[{{"index":0,"message":{{"role":"assistant","content":"ok"}},"finish_reason":"stop"}}],{usage}}}"#
        ))
    })
    .await
}

fn is_stream(request: &Message) -> bool {
    String::from_utf8_lossy(&request.body).contains("\"stream\":true")
}

async fn proxy(base: &str, state: &Path) -> Proxy {
    proxy_with(base, state, "").await
}

async fn proxy_with(base: &str, state: &Path, more: &str) -> Proxy {
    let state = state.to_str().unwrap();
    with(&config(base, more)).arg("--state-dir").arg(state).start().await
}

pub(crate) async fn read(proxy: &Proxy, target: &str) -> Value {
    proxy.call(get(target)).await.expect(200).json()
}

async fn key(proxy: &Proxy, fields: &str) -> String {
    let made = proxy.call(post("/key/generate", fields)).await.expect(200).json();
    made["key"].as_str().unwrap().to_owned()
}

/// Billionths of a dollar of a JSON number.
pub(crate) fn nanos(value: &Value) -> i64 {
    (value.as_f64().unwrap_or_else(|| panic!("no number: {value}")) * 1e9).round() as i64
}

pub(crate) fn cost(answer: &Answer) -> i64 {
    let dollars = answer.header("x-litellm-response-cost").expect("a cost");
    (dollars.parse::<f64>().unwrap() * 1e9).round() as i64
}

pub(crate) fn call_id(answer: &Answer) -> String {
    answer.header("x-litellm-call-id").expect("an id").to_owned()
}

pub(crate) fn rows(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn sum<'a>(rows: impl IntoIterator<Item = &'a Value>) -> i64 {
    rows.into_iter().map(|row| nanos(&row["spend"])).sum()
}

#[tokio::test]
async fn each_finished_call_is_booked_once_and_all_sums_are_those_of_the_answers() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path()).await;
    proxy.call(post("/team/new", r#"{"team_id":"red"}"#)).await.expect(200);
    let keys = [
        key(&proxy, r#"{"key_alias":"one","user_id":"ann","team_id":"red"}"#).await,
        key(&proxy, r#"{"key_alias":"two","user_id":"bob","team_id":"red"}"#).await,
    ];
    let calls = (0..40).map(|at| {
        let model = if at % 3 == 0 { "other" } else { "gpt" };
        let (key, addr) = (&keys[at % 2], proxy.addr());
        async move { (at, model, chat(model).key(key).send(addr).await.expect(200)) }
    });
    let answers = join_all(calls).await;
    let total: i64 = answers.iter().map(|(.., answer)| cost(answer)).sum();

    let logs = read(&proxy, "/spend/logs").await;
    let booked: Vec<_> = rows(&logs).iter().map(|row| row["litellm_call_id"].clone()).collect();
    let expected: BTreeSet<_> = answers.iter().map(|(.., answer)| call_id(answer)).collect();
    let once: BTreeSet<_> = booked.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    assert_eq!((booked.len(), &once), (40, &expected));
    assert_eq!(sum(rows(&logs)), total);

    // By key, by user, by model, by team, of the proxy.
    for (at, key) in keys.iter().enumerate() {
        let own = answers.iter().filter(|(number, ..)| number % 2 == at);
        let own: i64 = own.map(|(.., answer)| cost(answer)).sum();
        assert_eq!(sum(rows(&read(&proxy, &format!("/spend/logs?api_key={key}")).await)), own);
        let user = ["ann", "bob"][at];
        assert_eq!(sum(rows(&read(&proxy, &format!("/spend/logs?user_id={user}")).await)), own);
    }
    let spent = read(&proxy, "/spend/keys").await;
    assert_eq!(sum(rows(&spent)), total);
    let models = read(&proxy, "/global/spend/models").await;
    let models: BTreeMap<_, _> = rows(&models)
        .iter()
        .map(|row| (row["model"].as_str().unwrap(), nanos(&row["total_spend"])))
        .collect();
    for (group, model) in [("gpt", "gpt-4o-mini"), ("other", "gpt-4o")] {
        let own = answers.iter().filter(|(_, asked, _)| *asked == group);
        assert_eq!(models[model], own.map(|(.., answer)| cost(answer)).sum::<i64>());
    }
    let teams = read(&proxy, "/global/spend/teams").await;
    assert_eq!(nanos(&teams["total_spend_per_team"][0]["total_spend"]), total);
    assert_eq!(nanos(&read(&proxy, "/global/spend").await["spend"]), total);
    let team = read(&proxy, "/team/info?team_id=red").await;
    assert_eq!(nanos(&team["team_info"]["spend"]), total);
    let activity = read(&proxy, "/global/activity").await;
    assert_eq!(activity["sum_api_requests"], 40);
}

#[tokio::test]
async fn a_stream_is_booked_before_its_end_is_seen() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let mut proxy = proxy(&upstream.base(), state.path()).await;
    let streamed = proxy.call(chat_stream("gpt")).await.expect(200);
    let whole = proxy.call(chat("gpt")).await.expect(200);
    assert!(streamed.is_whole() && whole.is_whole());
    // No batch can have been taken over by then.
    proxy.kill();
    let proxy = self::proxy(&upstream.base(), state.path()).await;
    let logs = read(&proxy, "/spend/logs").await;
    assert_eq!(rows(&logs).len(), 2, "{logs}");
    for answer in [&streamed, &whole] {
        let of = format!("/spend/logs?request_id={}", call_id(answer));
        let found = read(&proxy, &of).await;
        assert_eq!(rows(&found).len(), 1);
        assert_eq!(found[0]["call_type"], "acompletion");
        assert_eq!(found[0]["model_group"], "gpt");
        assert_eq!(found[0]["custom_llm_provider"], "openai");
        assert_eq!(found[0]["metadata"]["status"], "success");
        let tokens = &found[0]["total_tokens"];
        assert!(tokens.as_i64() > Some(0), "{found}");
    }
}

#[tokio::test]
async fn refused_calls_leave_rows_that_cost_nothing_unless_nobody_wants_them() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path()).await;
    let refused = proxy.call(chat("nope")).await.expect(400);
    let logs = read(&proxy, "/spend/logs").await;
    let [row] = &rows(&logs)[..] else { panic!("{logs}") };
    assert_eq!(row["request_id"], call_id(&refused).as_str());
    assert_eq!((&row["spend"], &row["total_tokens"]), (&Value::from(0.0), &Value::from(0)));
    assert_eq!(row["metadata"]["status"], "failure");
    assert_eq!(row["metadata"]["error_information"]["error_code"], "400");

    let state = TempDir::new().unwrap();
    let more = "  disable_error_logs: true\n";
    let proxy = proxy_with(&upstream.base(), state.path(), more).await;
    proxy.call(chat("nope")).await.expect(400);
    proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(rows(&read(&proxy, "/spend/logs").await).len(), 1);
}

#[tokio::test]
async fn without_rows_the_sums_are_kept() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let more = "  disable_spend_logs: true\n";
    let proxy = proxy_with(&upstream.base(), state.path(), more).await;
    let spent = cost(&proxy.call(chat("gpt")).await.expect(200));
    assert_eq!(rows(&read(&proxy, "/spend/logs").await).len(), 0);
    assert_eq!(nanos(&read(&proxy, "/global/spend").await["spend"]), spent);
    let models = read(&proxy, "/global/spend/models").await;
    assert_eq!(nanos(&models[0]["total_spend"]), spent);
}

#[tokio::test]
async fn calls_have_pages_and_days() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path()).await;
    for _ in 0..5 {
        proxy.call(chat("gpt")).await.expect(200);
    }
    proxy.call(get("/spend/logs/ui")).await.expect(400);
    let dates = "start_date=2020-01-01%2000:00:00&end_date=2099-01-01%2000:00:00";
    let page = read(&proxy, &format!("/spend/logs/ui?{dates}&page=2&page_size=2")).await;
    assert_eq!((&page["total"], &page["total_pages"]), (&Value::from(5), &Value::from(3)));
    assert_eq!(rows(&page["data"]).len(), 2);
    let all = read(&proxy, "/spend/logs/v2?sort_by=spend&sort_order=asc").await;
    let costs: Vec<_> = rows(&all["data"]).iter().map(|row| nanos(&row["spend"])).collect();
    assert!(costs.is_sorted() && costs.len() == 5, "{costs:?}");
    proxy.call(get("/spend/logs/v2?sort_by=;drop")).await.expect(400);
    proxy.call(get("/spend/logs/v2?page=0")).await.expect(422);

    let day =
        rows(&page["data"])[0]["startTime"].as_str().unwrap().split('T').next().unwrap().to_owned();
    let days = read(&proxy, &format!("/spend/logs?start_date={day}&end_date={day}")).await;
    assert_eq!(sum(rows(&days)), costs.iter().sum::<i64>());
    assert_eq!(nanos(&days[0]["models"]["gpt-4o-mini"]), costs.iter().sum::<i64>());
    let of = format!("/user/daily/activity?start_date={day}&end_date={day}");
    let activity = read(&proxy, &of).await;
    assert_eq!(nanos(&activity["metadata"]["total_spend"]), costs.iter().sum::<i64>());
    let models = &activity["results"][0]["breakdown"]["models"]["gpt-4o-mini"];
    assert_eq!(models["metrics"]["successful_requests"], 5);
    proxy.call(get("/user/daily/activity")).await.expect(400);
}

#[tokio::test]
async fn others_see_only_what_is_their_own() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path()).await;
    let addr = proxy.addr();
    let ann = key(&proxy, r#"{"user_id":"ann"}"#).await;
    let bob = key(&proxy, r#"{"user_id":"bob"}"#).await;
    let nobody = key(&proxy, "{}").await;
    let mine = chat("gpt").key(&ann).send(addr).await.expect(200);
    let receipt = mine.header("x-bartizan-receipt").expect("a receipt").to_owned();
    for key in [&bob, &nobody] {
        chat("gpt").key(key).send(addr).await.expect(200);
        let seen = |target: &str| get(target).key(key);
        let of = format!("/receipts/{receipt}");
        seen(&of).send(addr).await.expect(404);
        seen("/spend/logs?user_id=ann").send(addr).await.expect(403);
        seen(&format!("/spend/logs?api_key={ann}&user_id=ann")).send(addr).await.expect(403);
        for route in ["/global/spend", "/spend/keys", "/spend/tags", "/global/activity"] {
            seen(route).send(addr).await.expect(401);
        }
        let reprice = r#"{"start_date":"2020-01-01","end_date":"2099-01-01"}"#;
        post("/spend/reprice", reprice).key(key).send(addr).await.expect(401);
        let logs = seen("/spend/logs").send(addr).await.expect(200).json();
        assert_eq!(rows(&logs).len(), 1, "{logs}");
    }
    get(format!("/receipts/{receipt}")).key(&ann).send(addr).await.expect(200);
}

#[tokio::test]
async fn a_receipt_proves_what_a_call_has_cost() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path()).await;
    let answer = proxy.call(chat("gpt")).await.expect(200);
    let id = answer.header("x-bartizan-receipt").expect("a receipt");
    let receipt = read(&proxy, &format!("/receipts/{id}")).await;
    assert_eq!(receipt["id"], id);
    assert_eq!(receipt["call"], call_id(&answer).as_str());
    let attempt = &receipt["attempts"][0];
    assert_eq!(attempt["cost"], cost(&answer));
    assert_eq!(attempt["price"]["base"]["input"], 153_000);
    let usage = &attempt["usage"];
    let tokens = |name: &str| usage[name].as_i64().unwrap();
    assert_eq!(tokens("input") * 153 + tokens("output") * 600, cost(&answer));
    for hash in ["hash", "previous"] {
        assert_eq!(receipt[hash].as_str().map(str::len), Some(64));
    }
    proxy.call(get("/receipts/nothing")).await.expect(404);
}

#[tokio::test]
async fn the_past_is_reckoned_at_the_prices_of_today() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path()).await;
    let spent = cost(&proxy.call(chat("gpt")).await.expect(200));
    let other = cost(&proxy.call(chat("other")).await.expect(200));
    let config = config(&upstream.base(), "").replace("0.000000153", "0.000000306");
    let config = config.replace("0.0000006}", "0.0000012}");
    proxy.replace_file("config.yaml", &config);
    proxy.line(|line| line.contains("Config reloaded")).await;
    let asked = r#"{"model":"gpt","start_date":"2020-01-01","end_date":"2099-01-01"}"#;
    let done = proxy.call(post("/spend/reprice", asked)).await.expect(200).json();
    assert_eq!((&done["calls"], &done["changed"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(nanos(&done["spend_after"]), 2 * spent);
    assert_eq!(sum(rows(&read(&proxy, "/spend/logs").await)), 2 * spent + other);
    assert_eq!(nanos(&read(&proxy, "/global/spend").await["spend"]), 2 * spent + other);
    let models = read(&proxy, "/global/spend/models").await;
    let all: i64 = rows(&models).iter().map(|row| nanos(&row["total_spend"])).sum();
    assert_eq!(all, 2 * spent + other);
    let again = proxy.call(post("/spend/reprice", asked)).await.expect(200).json();
    assert_eq!(again["changed"], 0);
}

#[tokio::test]
async fn what_a_call_would_cost_is_told() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path()).await;
    let told = |body: &'static str| {
        let call = post("/spend/calculate", body);
        async { proxy.call(call).await }
    };
    let answer = r#"{"model":"gpt","completion_response":{"usage":{"prompt_tokens":10,"completion_tokens":2}}}"#;
    assert_eq!(nanos(&told(answer).await.expect(200).json()["cost"]), 10 * 153 + 2 * 600);
    let messages = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hello there"}]}"#;
    assert!(nanos(&told(messages).await.expect(200).json()["cost"]) > 0);
    told("{}").await.expect(400);
    told(r#"{"model":"nobody-knows-it","messages":[]}"#).await.expect(400);
}

#[tokio::test]
async fn two_processes_share_a_state_directory() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let one = proxy(&upstream.base(), state.path()).await;
    let mut two = proxy(&upstream.base(), state.path()).await;
    let calls = (0..60).map(|at| {
        let addr = if at % 2 == 0 { one.addr() } else { two.addr() };
        async move { chat("gpt").key(KEY).send(addr).await.expect(200) }
    });
    let answers = join_all(calls).await;
    two.kill();
    // What the dead one has left is found within its time.
    let expected: BTreeSet<_> = answers.iter().map(call_id).collect();
    let (began, mut ticks) = (Instant::now(), crate::proxy::ticks());
    let logs = loop {
        let logs = read(&one, "/spend/logs").await;
        if rows(&logs).len() >= 60 || began.elapsed() > 3 * PATIENCE {
            break logs;
        }
        ticks.tick().await;
    };
    let found: Vec<_> = rows(&logs).iter().map(|row| row["litellm_call_id"].clone()).collect();
    let once: BTreeSet<_> = found.iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    assert_eq!((found.len(), once), (60, expected));
    let total: i64 = answers.iter().map(cost).sum();
    assert_eq!(nanos(&read(&one, "/global/spend").await["spend"]), total);
}

#[tokio::test]
async fn the_command_line_shows_spend_and_checks_journals() {
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let mut proxy =
        proxy_with(&upstream.base(), state.path(), "  proxy_batch_write_at: 600\n").await;
    let costs = [proxy.call(chat("gpt")).await, proxy.call(chat("other")).await];
    let costs = costs.map(|answer| cost(&answer.expect(200)));
    proxy.kill();
    let directory = state.path().join("journal");
    let file = std::fs::read_dir(&directory).unwrap().next().unwrap().unwrap().path();
    let verify =
        |file: &Path| bare().arg("receipts").arg("verify").arg(file.to_str().unwrap()).finish();
    let found = verify(&file);
    assert!(found.status.success() && found.output.contains("2 records, 0 damaged"), "{found:?}");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = state.path().join("damaged");
    std::fs::write(&damaged, bytes).unwrap();
    let found = verify(&damaged);
    assert!(!found.status.success() && !found.output.contains(" 0 damaged"), "{found:?}");

    let state = state.path().to_str().unwrap();
    let spend = bare().env("PORT", "1").arg("spend").arg("--state-dir").arg(state);
    let shown = spend.arg("--since").arg("2d").finish();
    assert!(shown.status.success(), "{}", shown.output);
    for (model, cost) in
        [("gpt-4o-mini ", costs[0]), ("gpt-4o ", costs[1]), ("total", costs[0] + costs[1])]
    {
        let line = shown.output.lines().find(|line| line.starts_with(model));
        let line = line.unwrap_or_else(|| panic!("no {model} in {}", shown.output));
        assert!(line.ends_with(&format!("$0.{cost:09}")), "{line}");
    }
    let spend = bare().env("PORT", "1").arg("spend").arg("--by").arg("colour").arg("--state-dir");
    assert!(!spend.arg(state).finish().status.success());
}

/// Makes calls one after another until the proxy is gone; those that ended well are in `finished`.
async fn load(at: usize, addr: std::net::SocketAddr, finished: Arc<Mutex<Vec<(String, i64)>>>) {
    let streams = at.is_multiple_of(3);
    loop {
        let call: Call = if streams { chat_stream("gpt") } else { chat("gpt") };
        let Ok(io) = tokio::net::TcpStream::connect(addr).await else { return };
        let mut wire = crate::wire::Wire::new(io);
        if wire.send(call.key(KEY).bytes(addr)).await.is_err() {
            return;
        }
        let Ok(Some(message)) = wire.response().await else { return };
        let answer = Answer { status: 200, message };
        if !answer.is_whole() || answer.header("x-litellm-call-id").is_none() {
            return;
        }
        // The head of a stream goes out before its cost is known.
        let cost = answer.header("x-litellm-response-cost").filter(|_| !streams);
        let cost = cost.map_or(0, |cost| (cost.parse::<f64>().unwrap() * 1e9).round() as i64);
        finished.lock().unwrap().push((call_id(&answer), cost));
    }
}

#[tokio::test]
async fn whoever_is_killed_at_any_instant_has_booked_every_finished_call_once() {
    let rounds = std::env::var_os("BARTIZAN_KILLS");
    let rounds = rounds.and_then(|it| it.to_str()?.parse().ok());
    let (upstream, state) = (upstream().await, TempDir::new().unwrap());
    let finished = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..rounds.unwrap_or(ROUNDS) {
        let mut proxy = proxy(&upstream.base(), state.path()).await;
        let addr = proxy.addr();
        let mut clients = JoinSet::new();
        for at in 0..6 {
            clients.spawn(load(at, addr, finished.clone()));
        }
        let instant = Duration::from_micros(fastrand::u64(1_000..400_000));
        tokio::time::sleep(instant).await;
        proxy.kill();
        clients.join_all().await;
    }
    let proxy = proxy(&upstream.base(), state.path()).await;
    let mut booked: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    let (mut page, mut total) = (1, 0);
    loop {
        let part = read(&proxy, &format!("/spend/logs/v2?page={page}&page_size=1000")).await;
        for row in rows(&part["data"]) {
            let id = row["litellm_call_id"].as_str().unwrap().to_owned();
            let entry = booked.entry(id).or_default();
            *entry = (entry.0 + 1, nanos(&row["spend"]));
            total += nanos(&row["spend"]);
        }
        if page >= part["total_pages"].as_i64().unwrap() {
            break;
        }
        page += 1;
    }
    let finished = std::mem::take(&mut *finished.lock().unwrap());
    assert!(finished.len() > 100, "{} calls", finished.len());
    for (id, cost) in &finished {
        let (times, spend) = booked.get(id).copied().unwrap_or_default();
        assert_eq!(times, 1, "{id} of {}", finished.len());
        assert!(*cost == 0 || *cost == spend, "{id}: {cost} and {spend}");
    }
    assert!(booked.values().all(|(times, _)| *times == 1));
    assert_eq!(nanos(&read(&proxy, "/global/spend").await["spend"]), total);
    assert_eq!(files(&state.path().join("journal")), 0);
}

/// How many journals there are.
fn files(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    entries.filter(|name| name.to_string_lossy().ends_with(".jsonl")).count()
}
