//! What is said about mistakes in a config, and what is kept from being said.
use super::{Config, Env, Options, Problems, Refused, Severity, load, parse_str};
use proptest::prelude::*;
use std::path::Path;

/// A file with one good model.
const GOOD: &str = "model_list:\n  - model_name: m\n    litellm_params:\n      model: openai/gpt-4o\n      api_key: sk-up\n";

/// Text (`@` is [`GOOD`]), severity, line and column, a part of the message, a part of the help.
type Mistake = (&'static str, Severity, (usize, usize), &'static str, &'static str);

fn parsed(text: &str) -> (Option<Config>, Problems) {
    match parse_str(text) {
        Ok((config, problems)) => (Some(config), problems),
        Err(Refused(problems)) => (None, problems),
    }
}

fn config(text: &str) -> Config {
    let (config, problems) = parsed(text);
    assert_eq!(problems.errors(), 0, "{}", problems.render(false));
    config.expect("a config without errors is finished")
}

fn loaded(dir: &Path, text: &str, env: Env, options: Options) -> (Config, Problems) {
    let file = dir.join("config.yaml");
    std::fs::write(&file, text).unwrap();
    let options = Options { config: Some(file), ..options };
    load(&options, env).unwrap_or_else(|Refused(problems)| panic!("{}", problems.render(false)))
}

/// A model with `line` among its parameters.
fn with_param(line: &str) -> String {
    format!("{GOOD}      {line}\n")
}

const MISTAKES: &[Mistake] = &[
    ("model_list: [", Severity::Error, (1, 14), "not valid YAML", "indentation"),
    ("- a\n", Severity::Error, (1, 1), "not a list", "model_list:"),
    ("model_list: 5\n", Severity::Error, (1, 13), "must be a list", "- model_name"),
    ("model_list:\n  - text\n", Severity::Error, (2, 5), "must be a map", "- model_name"),
    (
        "model_list:\n  - model_name: a\n",
        Severity::Error,
        (2, 5),
        "`litellm_params` is missing",
        "model:",
    ),
    (
        "model_list:\n  - litellm_params: {model: a}\n",
        Severity::Error,
        (2, 5),
        "`model_name`",
        "clients ask",
    ),
    (
        "model_list:\n  - model_name: a\n    litellm_params: {api_key: k}\n",
        Severity::Error,
        (3, 21),
        "`model` is missing",
        "provider/model",
    ),
    (
        "model_list:\n  - model_name: a\n    litellm_params:\n      model: groc/llama\n",
        Severity::Error,
        (4, 14),
        "no provider is known",
        "`groq/",
    ),
    (
        "@      custom_llm_provider: antropic\n",
        Severity::Error,
        (6, 28),
        "unknown provider",
        "`anthropic`",
    ),
    ("@      api_base: localhost:11434\n", Severity::Error, (6, 17), "not a URL", "http://HOST"),
    ("@      api_base: ftp://h/v1\n", Severity::Error, (6, 17), "not a URL", "http://HOST"),
    (
        "@      api_base: http://localhost:4000/v1\n",
        Severity::Error,
        (6, 17),
        "back to this proxy",
        "provider's own URL",
    ),
    ("@      timeout: soon\n", Severity::Error, (6, 16), "number of seconds", "timeout"),
    ("@      timeout: -1\n", Severity::Error, (6, 16), "number of seconds", "timeout"),
    ("@      rpm: 1.5\n", Severity::Error, (6, 12), "whole number", "rpm"),
    ("@      weight: heavy\n", Severity::Error, (6, 15), "a number", "weight"),
    ("@      weight: -1\n", Severity::Error, (6, 15), "a number", "weight"),
    ("@      order: [1]\n", Severity::Error, (6, 14), "whole number", "order"),
    ("@      extra_headers: a\n", Severity::Error, (6, 22), "must be a map", "indent"),
    (
        "@      extra_headers: {\"b ad\": x}\n",
        Severity::Error,
        (6, 23),
        "not a valid header",
        "dashes",
    ),
    ("@      extra_body: [1]\n", Severity::Error, (6, 19), "must be a map", "indent"),
    ("@      input_cost_per_token: cheap\n", Severity::Error, (6, 29), "a number", "cost"),
    ("@      organization: os.file/no/such\n", Severity::Error, (6, 21), "no/such", "path"),
    (
        "@    model_info: {id: 1}\n  - {model_name: n, litellm_params: {model: openai/x}, model_info: {id: 1}}\n",
        Severity::Warning,
        (7, 5),
        "`1` stands twice",
        "model_info.id",
    ),
    (
        "@general_settings: {max_request_size_mb: big}\n",
        Severity::Error,
        (6, 41),
        "a number",
        "max_request_size_mb",
    ),
    ("@general_settings: 7\n", Severity::Error, (6, 19), "must be a map", "indent"),
    ("@general_settings: {compat: clasic}\n", Severity::Error, (6, 28), "clasic", "`classic`"),
    (
        "@general_setings: {}\n",
        Severity::Warning,
        (6, 1),
        "`general_setings`",
        "`general_settings`",
    ),
    (
        "@general_settings: {master_ky: x}\n",
        Severity::Warning,
        (6, 20),
        "general_settings.master_ky",
        "`master_key`",
    ),
    (
        "@router_settings: {model_group_alias: {al: mm}}\n",
        Severity::Warning,
        (6, 43),
        "leads to `mm`",
        "`m`",
    ),
    (
        "@litellm_settings: {request_timeout: true}\n",
        Severity::Error,
        (6, 37),
        "number of seconds",
        "request_timeout",
    ),
];

#[test]
fn every_mistake_has_its_place_and_its_mend() {
    let mut wrong = String::new();
    for (text, severity, place, message, help) in MISTAKES {
        let text = text.replace('@', GOOD);
        let (_, problems) = parsed(&text);
        let told = problems.found().iter().any(|one| {
            one.severity == *severity
                && (one.at() == Some(*place) || text.starts_with("model_list: ["))
                && one.message.contains(message)
                && one.help.as_ref().is_some_and(|told| told.contains(help))
        });
        if !told {
            wrong +=
                &format!("--- {place:?} {message} / {help}\n{text}{}\n", problems.render(false));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn all_mistakes_are_told_at_once_and_a_bad_entry_costs_only_itself() {
    let text = format!(
        "{GOOD}  - model_name: b\n    litellm_params: {{model: nobody/x}}\n  - model_name: c\n    \
         litellm_params: {{model: openai/x, timeout: soon, api_key: k}}\n"
    );
    let (config, problems) = parsed(&text);
    assert_eq!(problems.errors(), 2, "{}", problems.render(false));
    let groups: Vec<_> =
        config.unwrap().routing.deployments.into_iter().map(|one| one.group).collect();
    assert_eq!(groups, ["m", "c"]);
}

#[test]
fn no_secret_is_shown_by_a_report_or_by_debug() {
    let secret = "sk-S3CR3T";
    let texts = [
        with_param(&format!("timeout: soon\n      api_key: {secret}"))
            .replace("      api_key: sk-up\n", ""),
        format!(
            "model_list:\n  - {{model_name: a, litellm_params: {{model: x/y, api_key: {secret}}}}}\n"
        ),
        format!(
            "model_list:\n  - model_name: a\n    litellm_params: {{model: nobody/y, api_key: \"{secret}\"}}\n"
        ),
        format!("{GOOD}general_settings: {{master_key: {secret}, max_request_size_mb: x}}\n"),
        format!(
            "{GOOD}general_settings:\n  master_key: {secret} # or os.environ/KEY\n  compat: x\n"
        ),
        format!("{GOOD}general_settings: {{compat: x, master_key: >-\n      {secret}\n  }}\n"),
        format!("general_settings:\n  master_key: >-\n    {secret}\n  compat: x\n{GOOD}"),
        format!(
            "x-key: &k {secret}\nmodel_list:\n  - model_name: a\n    litellm_params: {{model: nobody/y, api_key: *k}}\n"
        ),
        format!("environment_variables: {{OPENAI_API_KEY: {secret}}}\ngeneral_settings: 5\n{GOOD}"),
        with_param(&format!("extra_headers: {{x-tenant: {secret}, \"b ad\": y}}")),
        with_param(&format!("api_base: https://user:{secret}@host/v1")),
        with_param(&format!("api_base: ftp://user:{secret}@host/v1")),
        format!("general_settings:\n  master_key: {secret}\n bad\n"),
        format!("general_settings: {{master_key: {secret}: 1}}\n"),
        format!("{GOOD}general_settings:\n  master_key: [{secret}]\n"),
        with_param("api_key=S3CR3T\n      x: y"),
        with_param("timeout: soon # S3CR3T"),
        with_param("api_base: \"https://h/v1?key=S3CR3T\""),
        with_param("api_base: ftp://h/v1?token=S3CR3T"),
        with_param("api_kye: S3CR3T"),
        format!("{GOOD}environment_variables:\n\tMYTHING: S3CR3T\n"),
        format!("{GOOD}environment_variables:\nMYTHING: S3CR3T\n"),
        format!("{GOOD}environment_variables: S3CR3T\n"),
        format!("{GOOD}credential_list: [- S3CR3T]\n"),
        format!("{GOOD}credential_list:\n- S3CR3T\n"),
        format!("{GOOD}credential_list: S3CR3T\n"),
        format!("{GOOD}credential_list:\n- credential_name: a\n  credential_value: S3CR3T\n"),
        format!(
            "{GOOD}general_settings: {{alerting_args: {{slack_webhook: S3CR3T}}, compat: x}}\n"
        ),
        format!("{GOOD}general_settings: master_key=S3CR3T\n"),
        format!("{GOOD}general_settings:\n  master_key:S3CR3T\n"),
    ];
    for text in texts {
        let (config, problems) = parsed(&text);
        let shown = format!("{}\n{problems:?}\n{config:?}", problems.render(false));
        let shown_report = problems.render(false);
        assert!(!shown_report.contains("S3CR3T"), "report of:\n{text}\n{shown_report}");
        assert!(!shown.contains("S3CR3T"), "debug of:\n{text}\n{shown}");
        for deployment in config.iter().flat_map(|config| &config.routing.deployments) {
            let listed = format!("{:?}{:?}", deployment.params, deployment.info);
            assert!(!listed.contains("S3CR3T"), "{listed}");
        }
    }
}

#[test]
fn what_looks_like_a_credential_is_hidden_in_messages_wherever_it_stands() {
    let secret = "sk-S3CR3T";
    let texts = [
        format!("{GOOD}general_settings: {{compat: {secret}, completion_model: {secret}}}\n"),
        format!("{GOOD}general_settings: {{allowed_ips: [{secret}], ui_access_mode: {secret}}}\n"),
        format!(
            "{GOOD}litellm_settings: {{callbacks: [{secret}], cache_params: {{type: {secret}}}}}\n"
        ),
        format!(
            "{GOOD}router_settings: {{routing_strategy: {secret}, fallbacks: [{{{secret}: [{secret}]}}]}}\n"
        ),
        format!("{GOOD}router_settings: {{model_group_alias: {{{secret}: {secret}}}}}\n"),
        GOOD.replace("openai/gpt-4o", secret),
        format!("{GOOD}{secret}: 1\ngeneral_settings: {{{secret}: 1}}\n"),
        format!("include: [\"http://u:S3CR3T@h/x\"]\n{GOOD}"),
    ];
    for text in texts {
        let (_, problems) = parsed(&text);
        let shown = format!("{}\n{problems:?}", problems.render(false));
        assert!(!shown.contains("S3CR3T"), "{shown}");
    }
}

#[test]
fn parameters_are_kept_whatever_their_names_sound_like() {
    let text = with_param(
        "prompt_cache_key: a\n      stop_token_ids: [1]\n      max_tokens: 5\n      thinking: {type: enabled, budget_tokens: 9}",
    );
    let config = config(&text);
    let defaults = &config.routing.deployments[0].defaults;
    let names: Vec<_> = defaults.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["prompt_cache_key", "stop_token_ids", "max_tokens", "thinking"]);
    assert_eq!(defaults[3].1.as_ref(), br#"{"type":"enabled","budget_tokens":9}"#);
}

#[test]
fn a_wrong_price_is_named_once() {
    let text = with_param("input_cost_per_token: free\n      cache_read_input_token_cost: 1");
    let (_, problems) = parsed(&text);
    let [problem] = problems.found() else { panic!("{}", problems.render(false)) };
    assert!(problem.message.contains("`input_cost_per_token` must be a number"));
}

#[test]
fn entries_that_differ_in_unset_variables_only_are_all_there() {
    let entry = |key: &str| {
        format!("  - {{model_name: m, litellm_params: {{model: openai/x, api_key: {key}}}}}\n")
    };
    let all = ["os.environ/ONE", "os.environ/TWO", "os.environ/TWO"].map(entry).concat();
    let (config, problems) = parsed(&format!("model_list:\n{all}"));
    assert_eq!(config.unwrap().routing.deployments.len(), 2, "{}", problems.render(false));
    let same = "this is the same as another entry of `m`";
    assert_eq!(problems.found().iter().filter(|one| one.message == same).count(), 1);
}

#[test]
fn numbers_and_switches_may_be_texts() {
    let text = format!(
        "{}general_settings: {{max_request_size_mb: \"2\"}}\nlitellm_settings: {{json_logs: yes, ssl_verify: False}}\nrouter_settings: {{timeout: '300'}}\n",
        with_param("timeout: '30'\n      rpm: '7'")
    );
    let config = config(&text);
    assert_eq!(config.server.max_body, 2 << 20);
    assert_eq!(config.telemetry.json, Some(true));
    assert!(!config.outbound.tls.verify);
    assert_eq!(config.routing.timeouts.total.as_secs(), 300);
    let deployment = &config.routing.deployments[0];
    assert_eq!(deployment.timeout.unwrap().as_secs(), 30);
    assert_eq!(deployment.rpm, Some(7));
}

#[test]
fn switches_are_words_without_quotes() {
    let config = config(&with_param("a: True\n      b: \"off\"\n      c: n\n      d: [no, y]"));
    let defaults = config.routing.deployments[0].defaults.iter();
    let values: Vec<_> = defaults.map(|(_, json)| str::from_utf8(json).unwrap()).collect();
    assert_eq!(values, ["true", "\"off\"", "\"n\"", "[false,\"y\"]"]);
}

#[test]
fn a_key_that_stands_twice_is_taken_as_litellm_takes_it() {
    let text = format!("{GOOD}general_settings: {{completion_model: a, completion_model: b}}\n");
    let (config, problems) = parsed(&text);
    let config = config.unwrap_or_else(|| panic!("{}", problems.render(false)));
    assert_eq!(config.routing.default_model.as_deref(), Some("b"));
}

#[test]
fn anchors_merge_keys_and_windows_line_ends_are_read() {
    let text = "\u{feff}x-base: &b\n  model: openai/gpt-4o\n  api_key: k\nmodel_list:\n  - model_name: m\n    litellm_params:\n      <<: *b\n      timeout: 5\n".replace('\n', "\r\n");
    let config = config(&text);
    assert_eq!(config.routing.deployments[0].model, "gpt-4o");
    assert_eq!(config.routing.deployments[0].timeout.unwrap().as_secs(), 5);
}

#[test]
fn alias_bombs_and_deep_nests_are_refused() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..9 {
        let last = level - 1;
        let ten = vec![format!("*a{last}"); 10].join(",");
        bomb += &format!("a{level}: &a{level} [{ten}]\n");
    }
    assert!(parse_str(&bomb).is_err());
    let deep = "a: ".to_owned() + &"[".repeat(20_000);
    assert!(parse_str(&deep).is_err());
}

#[test]
fn ids_are_stable_and_change_with_the_key() {
    let id = |key: &str| config(&GOOD.replace("sk-up", key)).routing.deployments[0].id.clone();
    assert_eq!(id("a"), id("a"));
    assert_ne!(id("a"), id("b"));
    assert_eq!(id("a").len(), 64);
}

#[test]
fn the_environment_wins_over_env_files_and_the_config_over_both() {
    let dir = tempfile::tempdir().unwrap();
    let dotenv = "A_KEY=file\nB_KEY=file\nC_KEY=file\n=broken\nD_KEY='d d'\n";
    std::fs::write(dir.path().join(".env"), dotenv).unwrap();
    let model = |name: &str| {
        format!(
            "  - model_name: {name}\n    litellm_params: {{model: openai/x, api_key: os.environ/{name}}}\n"
        )
    };
    let names = ["A_KEY", "B_KEY", "C_KEY", "D_KEY"];
    let text = format!(
        "environment_variables: {{C_KEY: config}}\ngeneral_settings: {{master_key: k}}\nmodel_list:\n{}",
        names.map(model).concat()
    );
    let env = Env::from_iter([("A_KEY", "process")]);
    let (config, problems) = loaded(dir.path(), &text, env, Options::default());
    let keys: Vec<_> =
        config.routing.deployments.iter().map(|one| one.api_key.clone().unwrap()).collect();
    let keys: Vec<_> = keys.iter().map(|key| key.expose().as_str()).collect();
    assert_eq!(keys, ["process", "file", "config", "d d"]);
    let notices = problems.notices().join("\n");
    assert!(notices.contains(".env:4"), "{notices}");
    assert!(notices.contains("C_KEY"), "{notices}");
}

#[test]
fn in_production_mode_no_env_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".env"), "LITELLM_MASTER_KEY=file\n").unwrap();
    let load = |env: Env| loaded(dir.path(), GOOD, env, Options::default()).0.access.master_key;
    assert!(load(Env::default()).is_some());
    assert!(load(Env::from_iter([("LITELLM_MODE", "PRODUCTION")])).is_none());
}

#[test]
fn the_env_file_beside_a_config_named_by_the_environment_is_read() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".env"), "LITELLM_MASTER_KEY=file\n").unwrap();
    let file = dir.path().join("config.yaml");
    std::fs::write(&file, GOOD).unwrap();
    let env = Env::from_iter([("CONFIG_FILE_PATH", file.to_str().unwrap())]);
    let (config, _) = load(&Options::default(), env).unwrap();
    assert!(config.access.master_key.is_some());
}

#[test]
fn neither_of_our_listeners_is_taken_for_an_upstream() {
    let dir = tempfile::tempdir().unwrap();
    let options = || Options {
        port: Some(4700),
        ops_listen: Some("127.0.0.1:4701".into()),
        ..Options::default()
    };
    for (base, ours) in [
        ("http://localhost:4700/v1", true),
        ("http://127.0.0.1:4700", true),
        ("http://[::1]:4700/v1", true),
        ("http://127.0.0.1:4701/v1", true),
        ("http://127.0.0.1:4702/v1", false),
    ] {
        let env = Env::from_iter([("OPENAI_BASE_URL", base)]);
        let (config, problems) = loaded(dir.path(), GOOD, env, options());
        let used = config.routing.deployments[0].api_base.clone().unwrap().to_string();
        assert_eq!(used.starts_with("https://api.openai.com"), ours, "{base}: {used}");
        let told = problems.notices().iter().any(|notice| notice.contains("OPENAI_BASE_URL"));
        assert_eq!(told, ours, "{base}");
    }
}

#[test]
fn without_a_config_the_keys_in_the_environment_are_served() {
    let state = tempfile::tempdir().unwrap();
    let options = || Options { state_dir: Some(state.path().into()), ..Options::default() };
    let groups = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().copied().chain([("LITELLM_MODE", "PRODUCTION")]);
        let (config, _) = load(&options(), Env::from_iter(pairs)).unwrap();
        assert!(config.access.master_key.is_some());
        config.routing.deployments.into_iter().map(|one| one.group).collect::<Vec<_>>()
    };
    assert_eq!(groups(&[]), ["echo"]);
    assert_eq!(groups(&[("GROQ_API_KEY", "k")]), ["groq/*", "*", "echo"]);
    let ollama = groups(&[("OLLAMA_API_BASE", "http://127.0.0.1:11434")]);
    assert!(ollama.contains(&"ollama/*".to_owned()), "{ollama:?}");
}

#[test]
fn ollama_may_be_written_with_and_without_v1() {
    for base in ["http://h:11434", "http://h:11434/", "http://h:11434/v1", "http://h:11434/v1/"] {
        let text =
            GOOD.replace("openai/gpt-4o", "ollama/llama2") + &format!("      api_base: {base}\n");
        let used = config(&text).routing.deployments[0].api_base.clone().unwrap().to_string();
        assert_eq!(used, "http://h:11434/v1", "{base}");
    }
}

#[test]
fn callbacks_may_be_one_name_and_python_ones_are_named() {
    let text = format!("{GOOD}litellm_settings: {{callbacks: langfuse}}\n");
    assert!(parsed(&text).1.notices().join("\n").contains("langfuse"));
    let text = format!("{GOOD}litellm_settings: {{callbacks: [my_file.my_instance]}}\n");
    let (_, problems) = parsed(&text);
    assert!(problems.render(false).contains("Python"), "{}", problems.render(false));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[-a-z0-9:{}\\[\\]*&!|>%@'\"#, \t\r\n\u{e9}\u{1f511}]{0,120}") {
        let (_, problems) = parsed(&text);
        drop(problems.render(false));
    }

    #[test]
    fn no_value_makes_the_check_panic(
        section in prop::sample::select(vec!["general_settings", "litellm_settings", "router_settings", "model_list", "environment_variables"]),
        key in prop::sample::select(vec!["master_key", "timeout", "max_request_size_mb", "model_group_alias", "callbacks", "ssl_verify", "compat", "allowed_hosts"]),
        value in "[-a-z0-9:{}\\[\\]'\". \u{e9}]{0,30}",
    ) {
        let (_, problems) = parsed(&format!("{GOOD}{section}:\n  {key}: {value}\n"));
        drop(problems.render(false));
        let (_, problems) = parsed(&with_param(&format!("{key}: {value}")));
        drop(problems.render(false));
    }

    #[test]
    fn no_env_file_makes_the_start_panic(lines in "[A-Z_='\"\\\\$ {}#\n]{0,60}") {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".env"), lines).unwrap();
        drop(loaded(dir.path(), GOOD, Env::default(), Options::default()));
    }
}
