//! `bartizan keys`, at a proxy that runs and where one keeps its keys.
use crate::client::get;
use crate::keys::setup;
use crate::proxy::{KEY, Proxy, bare, free_port};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Output;

/// Where keys are worked on, and by whom.
struct At<'a> {
    url: Option<String>,
    master: Option<&'a str>,
    state: &'a Path,
}

impl At<'_> {
    /// Runs `bartizan keys` with these words.
    fn run(&self, line: &str) -> Output {
        let words = ["keys"].into_iter().chain(line.split_whitespace());
        let setup = words.fold(bare(), crate::proxy::Setup::arg);
        let mut setup = setup.env("BARTIZAN_STATE_DIR", self.state.to_str().unwrap());
        if let Some(url) = &self.url {
            setup = setup.arg("--url").arg(url);
        }
        if let Some(master) = self.master {
            setup = setup.env("LITELLM_MASTER_KEY", master);
        }
        // Nothing listens at a port that was free a moment ago.
        setup.env("PORT", &free_port().to_string()).raw().output().unwrap()
    }

    /// The same where all goes well: what is on standard output.
    fn out(&self, line: &str) -> String {
        let ran = self.run(line);
        let err = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{line}: {err}");
        String::from_utf8(ran.stdout).unwrap()
    }

    /// Where it does not: what is on standard error.
    fn fails(&self, line: &str, code: i32) -> String {
        let ran = self.run(line);
        assert_eq!(ran.status.code(), Some(code), "{line}");
        assert!(ran.stdout.is_empty(), "{line}");
        String::from_utf8(ran.stderr).unwrap()
    }
}

async fn opens(proxy: &Proxy, key: &str) -> bool {
    get("/v1/models").key(key).send(proxy.addr()).await.status == 200
}

/// All that can be done to a key, wherever it is kept. Returns one that is left.
fn walk(at: &At<'_>) -> String {
    let line = "create --alias ci --models echo,other --max-budget 5 --budget-duration 30d --rpm 9";
    let made = at.out(line);
    let key = made.trim_end();
    assert!(key.starts_with("sk-") && made.lines().count() == 1, "the text alone: {made:?}");
    let list = at.out("list");
    let row = list.lines().nth(1).unwrap();
    for word in ["ci", "$5 / 30d", "echo,other", "active"] {
        assert!(row.contains(word), "{list}");
    }
    assert!(!list.contains(key));
    let info = at.out("info ci");
    assert!(info.contains("rpm_limit") && info.contains("max_budget"), "{info}");
    assert_eq!(at.out(&format!("info {key}")), info);
    let json: Value = serde_json::from_str(&at.out("info ci --json")).unwrap();
    assert_eq!(json["max_budget"], 5.0);
    assert!(at.out("block ci").contains("blocked                  true"));
    assert!(at.out("list").contains("blocked"));
    at.out("unblock ci");
    let second = at.out("rotate ci");
    assert_ne!(second.trim_end(), key);
    assert!(at.fails(&format!("info {key}"), 1).contains("there is no such key"));
    assert!(at.fails("info nobody", 1).contains("no key has the alias `nobody`"));
    assert!(at.fails("create --alias ci", 1).contains("already exists"));
    assert!(at.fails("create --duration soon", 1).contains("`soon` is no duration"));
    at.fails("create --max-budget much", 2);
    at.fails("delete", 2);
    at.out("create --alias spare");
    assert!(at.fails("delete spare nobody", 1).contains("nobody"));
    assert!(at.out("delete spare").contains("1 deleted"));
    let keys: Value = serde_json::from_str(&at.out("list --json")).unwrap();
    assert_eq!(keys.as_array().unwrap().len(), 1);
    second.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_proxy_that_runs_are_managed_from_the_command_line() {
    let proxy = setup("").start().await;
    let nowhere = tempfile::tempdir().unwrap();
    let url = Some(format!("http://{}", proxy.addr()));
    let at = At { url: url.clone(), master: Some(KEY), state: nowhere.path() };
    let key = walk(&at);
    assert!(opens(&proxy, &key).await);
    let stranger = At { url, master: Some("sk-wrong"), state: nowhere.path() };
    assert!(stranger.fails("list", 1).contains("LITELLM_MASTER_KEY"));
    let away = Some(format!("http://127.0.0.1:{}", free_port()));
    let away = At { url: away, master: Some(KEY), state: nowhere.path() };
    assert!(!away.fails("list", 1).is_empty());
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0, "no file is made");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_proxy_runs_the_state_directory_is_worked_on() {
    let state = tempfile::tempdir().unwrap();
    let at = At { url: None, master: None, state: state.path() };
    let key = walk(&at);
    let told = at.run("list");
    assert!(String::from_utf8_lossy(&told.stderr).contains("no proxy answers at"));
    let proxy = setup("").arg("--state-dir").arg(state.path().to_str().unwrap()).start().await;
    assert!(opens(&proxy, &key).await);
    // The proxy that runs now hears of what is done beside it.
    at.out("block ci");
    let stopped = async { while opens(&proxy, &key).await {} };
    tokio::time::timeout(crate::wire::PATIENCE, stopped).await.expect("it is stopped soon");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_proxies_and_the_command_line_write_to_one_state_directory_at_once() {
    let state = tempfile::tempdir().unwrap();
    let run = || setup("").arg("--state-dir").arg(state.path().to_str().unwrap()).start();
    let (one, two) = (run().await, run().await);
    let mut keys = Vec::new();
    for _ in 0..5 {
        let place = state.path().to_owned();
        let beside = tokio::task::spawn_blocking(move || {
            let at = At { url: None, master: None, state: &place };
            at.out("create").trim_end().to_owned()
        });
        let made = |proxy| crate::keys::made(proxy, json!({}));
        let (beside, first, second) = tokio::join!(beside, made(&one), made(&two));
        keys.extend([beside.unwrap(), first, second]);
    }
    for (key, proxy) in keys.iter().flat_map(|key| [(key, &one), (key, &two)]) {
        let heard = async { while !opens(proxy, key).await {} };
        tokio::time::timeout(crate::wire::PATIENCE, heard).await.expect("both hear of it");
    }
}
