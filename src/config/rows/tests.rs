//! Providers whose rows need more than a key, and rows of the config.
use crate::config::{
    Config, Deployment, Env, Options, Problems, Refused, Secret, Severity, load, parse_str,
};

fn loaded(text: &str, env: &[(&str, &str)]) -> (Config, Problems) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yaml");
    std::fs::write(&file, text).unwrap();
    let options = Options { config: Some(file), ..Options::default() };
    let env: Env = env.iter().copied().chain([("LITELLM_MODE", "PRODUCTION")]).collect();
    load(&options, env).unwrap_or_else(|Refused(problems)| panic!("{}", problems.render(false)))
}

/// The only deployment of a model with these parameters.
fn placed(params: &str, env: &[(&str, &str)]) -> Deployment {
    let text = format!("model_list: [{{model_name: m, litellm_params: {{{params}}}}}]\n");
    let (config, problems) = loaded(&text, env);
    assert_eq!(problems.errors(), 0, "{}", problems.render(false));
    config.routing.deployments.into_iter().next().expect("a deployment")
}

fn base(deployment: &Deployment) -> String {
    deployment.api_base.as_ref().expect("an address").to_string()
}

#[test]
fn an_account_is_that_of_the_entry_else_of_the_environment() {
    let env = [("SNOWFLAKE_ACCOUNT_ID", "acme-eu")];
    let one = placed("model: snowflake/m, api_key: k", &env);
    assert_eq!(base(&one), "https://acme-eu.snowflakecomputing.com/api/v2");
    let one = placed("model: snowflake/m, api_key: k, account_id: acme-us", &env);
    assert_eq!(base(&one), "https://acme-us.snowflakecomputing.com/api/v2");
    assert!(one.defaults.is_empty(), "{:?}", one.defaults);
    let one = placed("model: snowflake/m, api_key: k, api_base: \"http://h\"", &env);
    assert_eq!(base(&one), "http://h/api/v2");
}

#[test]
fn without_its_account_a_provider_is_not_found_in_the_environment() {
    let has = |env: &[(&str, &str)]| {
        let all = env.iter().copied().chain([("LITELLM_MODE", "PRODUCTION")]);
        let (config, _) = load(&Options::default(), all.collect()).unwrap();
        config.routing.deployments.iter().any(|one| one.group == "cloudflare/*")
    };
    let (key, account) = (("CLOUDFLARE_API_KEY", "k"), ("CLOUDFLARE_ACCOUNT_ID", "a"));
    assert!(!has(&[key]) && has(&[key, account]));
}

#[test]
fn snowflake_is_told_of_which_kind_its_token_is() {
    let told = |params: &str| {
        let params = format!("model: snowflake/m, account_id: a, {params}");
        let one = placed(&params, &[]);
        let kinds: Vec<_> =
            one.headers.iter().map(|(_, value)| value.to_str().unwrap().to_owned()).collect();
        (one.api_key.as_ref().map(Secret::expose).cloned().unwrap_or_default(), kinds)
    };
    assert_eq!(told("api_key: jwt"), ("jwt".to_owned(), vec!["KEYPAIR_JWT".to_owned()]));
    let token = vec!["PROGRAMMATIC_ACCESS_TOKEN".to_owned()];
    assert_eq!(told("api_key: pat/secret"), ("secret".to_owned(), token));
    let own = "api_key: k, extra_headers: {X-Snowflake-Authorization-Token-Type: OAUTH}";
    assert_eq!(told(own), ("k".to_owned(), vec!["OAUTH".to_owned()]));
}

const ACME: &str =
    "providers: {acme: {base_url: \"https://acme.example/v1/\", api_key_env: [A, B]}}
model_list: [{model_name: m, litellm_params: {model: acme/large}}]
";

#[test]
fn a_row_that_is_read_again_is_the_same_one() {
    let row = |text: &str| loaded(text, &[("B", "k")]).0.routing.deployments[0].provider;
    let first = row(ACME);
    assert!(std::ptr::eq(first, row(ACME)));
    assert!(!std::ptr::eq(first, row(&ACME.replace("/v1/", "/v2"))));
    assert_eq!((first.name, first.title, first.base), ("acme", "Acme", "https://acme.example/v1"));
    assert_eq!((first.about().evidence(), first.key_optional), ("unverified", false));
}

#[test]
fn what_is_wrong_with_a_row_is_an_error_at_its_line() {
    for (from, to, line, words) in [
        ("api_key_env", "api_key_var", 1, "`providers.acme.api_key_var`"),
        ("acme:", "\"a/b\":", 1, "`a/b` cannot stand before"),
        ("base_url", "base", 1, "`base_url` is missing"),
        ("https://", "ftp://", 1, "`base_url` is not a URL"),
        ("acme/large", "acne/large", 2, "no provider is known for the model `acne/large`"),
    ] {
        let text = ACME.replacen(from, to, 1);
        let (Ok((_, problems)) | Err(Refused(problems))) = parse_str(&text);
        let found = problems.found().iter().find(|problem| problem.message.contains(words));
        let found = found.unwrap_or_else(|| panic!("{words}: {}", problems.render(false)));
        assert_eq!((found.severity, found.place.line), (Severity::Error, line), "{words}");
    }
}
