//! Claims about settings of TLS, and the mistakes in them.
use super::{ClientAuth, Config, Env, MinVersion, Options, Problems, Refused, load};
use crate::tls::tests::Authority;
use std::path::Path;

const MASTER: &str = "  master_key: sk-test-of-the-front-door\n";

/// Loads a config of these sections, in a process with these variables.
fn loaded(
    text: &str,
    variables: &[(&str, &Path)],
    options: Options,
) -> Result<(Config, Problems), Refused> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    let variables = variables.iter().map(|(name, value)| (*name, value.to_str().unwrap()));
    let fixed = [("LITELLM_MODE", "PRODUCTION")];
    let env: Env = variables.chain(fixed).collect();
    load(&Options { config: Some(path), ..options }, env)
}

fn read(text: &str) -> Result<(Config, Problems), Refused> {
    loaded(text, &[], Options::default())
}

fn refusal(outcome: Result<(Config, Problems), Refused>) -> String {
    match outcome {
        Ok((_, problems)) => panic!("it was taken: {}", problems.render(false)),
        Err(Refused(problems)) => problems.render(false),
    }
}

fn general(settings: &str) -> String {
    format!("model_list: []\ngeneral_settings:\n{MASTER}{settings}")
}

/// A config with one deployment that has these parameters.
fn model(params: &str) -> String {
    format!(
        "model_list:\n- model_name: a\n  litellm_params:\n    model: openai/gpt\n    \
         api_key: sk-x\n    api_base: https://one.test/v1\n{params}general_settings:\n{MASTER}"
    )
}

#[test]
fn the_flags_and_variables_of_litellm_give_the_listener_a_certificate() {
    let authority = Authority::new("root");
    let (certificate, key) = authority.issue("one", &["one.test"]);
    let variables = [("SSL_CERTFILE_PATH", &*certificate), ("SSL_KEYFILE_PATH", &*key)];
    let (config, _) = loaded(&general(""), &variables, Options::default()).unwrap();
    let tls = config.server.tls.unwrap();
    assert_eq!(tls.certificates[0].certificate, certificate);
    assert_eq!((tls.client_auth, tls.min_version), (ClientAuth::None, MinVersion::Tls12));
    assert_eq!(config.server.ops_tls, None);

    let options = Options {
        ssl_certfile: Some(certificate.clone()),
        ssl_keyfile: Some(key.clone()),
        ..Options::default()
    };
    let text = general("  ops_tls: true\n");
    let (config, _) = loaded(&text, &[], options).unwrap();
    assert!(config.server.tls.is_some());
    assert_eq!(config.server.tls, config.server.ops_tls);

    for (variable, path, missing) in [
        ("SSL_CERTFILE_PATH", &certificate, "SSL_KEYFILE_PATH) is not"),
        ("SSL_KEYFILE_PATH", &key, "SSL_CERTFILE_PATH) is not"),
    ] {
        let told = refusal(loaded(&general(""), &[(variable, path)], Options::default()));
        assert!(told.contains(missing), "{told}");
    }
}

#[test]
fn a_listener_has_certificates_a_client_ca_and_a_version() {
    let authority = Authority::new("root");
    let (one, one_key) = authority.issue("one", &["one.test"]);
    let (two, two_key) = authority.issue("two", &["two.test"]);
    let text = format!(
        "  tls:\n    certificates:\n    - {{certificate: {}, key: {}}}\n    - certificate: {}\n      \
         key: {}\n      names: [Two.Test, '*.two.test']\n    client_ca: {}\n    min_version: 1.3\n",
        one.display(),
        one_key.display(),
        two.display(),
        two_key.display(),
        authority.ca().display()
    );
    let (config, problems) = read(&general(&text)).unwrap();
    assert!(problems.found().is_empty(), "{}", problems.render(false));
    let tls = config.server.tls.unwrap();
    assert_eq!(tls.certificates.len(), 2);
    assert_eq!(tls.certificates[1].names, ["two.test", "*.two.test"]);
    assert_eq!((tls.client_auth, tls.min_version), (ClientAuth::Require, MinVersion::Tls13));
}

#[test]
fn a_listener_that_cannot_speak_tls_as_told_is_not_started_at_all() {
    let authority = Authority::new("root");
    let (one, key) = authority.issue("one", &["one.test"]);
    let (_, other) = authority.issue("other", &["one.test"]);
    let (one, key, other) = (one.display(), key.display(), other.display());
    let pair = format!("certificates: [{{certificate: {one}, key: {key}}}]");
    let cases = [
        ("tls: {}".to_owned(), "names no certificate"),
        ("tls: {certificates: []}".to_owned(), "names no certificate"),
        ("tls: yes".to_owned(), "must be a map"),
        ("tls: {certificates: [a.pem]}".to_owned(), "must be a map"),
        ("tls: {certificates: a.pem}".to_owned(), "must be a list"),
        (format!("tls: {{{pair}, client_ca: [/none.pem]}}"), "`client_ca` must be a text"),
        (format!("tls: {{{pair}, client_auth: [require]}}"), "`client_auth` must be one word"),
        (format!("tls: {{{pair}, min_version: [1.3]}}"), "`min_version` must be a text"),
        ("ops_tls: cert.pem".to_owned(), "must be true, false or a map of keys"),
        (format!("tls: {{certificates: [{{certificate: {one}}}]}}"), "`key` is missing"),
        (format!("tls: {{certificates: [{{key: {key}}}]}}"), "`certificate` is missing"),
        (
            format!("tls: {{certificates: [{{certificate: {one}, key: {other}}}]}}"),
            "does not belong to the certificate",
        ),
        (
            format!("tls: {{certificates: [{{certificate: /none.pem, key: {key}}}]}}"),
            "/none.pem cannot be read",
        ),
        (format!("tls: {{{pair}, client_auth: require}}"), "needs a `client_ca`"),
        (format!("tls: {{{pair}, client_auth: maybe}}"), "unknown client_auth `maybe`"),
        (format!("tls: {{{pair}, client_ca: /none.pem}}"), "/none.pem cannot be read"),
        (format!("tls: {{{pair}, min_version: '1.1'}}"), "is no version of TLS"),
        ("ops_tls: true".to_owned(), "which is not set"),
        ("ops_tls: {}".to_owned(), "`general_settings.ops_tls` names no certificate"),
    ];
    for (settings, expected) in cases {
        let told = refusal(read(&general(&format!("  {settings}\n"))));
        assert!(told.contains(expected), "{settings}: {told}");
        assert!(told.contains("config.yaml:4:"), "{settings}: {told}");
        assert!(told.contains("help:"), "{settings}: {told}");
    }
}

#[test]
fn an_unknown_key_of_tls_is_named_with_the_nearest_one() {
    let authority = Authority::new("root");
    let (one, key) = authority.issue("one", &["one.test"]);
    let text = format!(
        "  tls: {{certificates: [{{certificate: {}, key: {}}}], client_cas: x}}\n",
        one.display(),
        key.display()
    );
    let (_, problems) = read(&general(&text)).unwrap();
    let told = problems.render(false);
    assert!(told.contains("general_settings.tls.client_cas"), "{told}");
    assert!(told.contains("did you mean `client_ca`"), "{told}");
}

#[test]
fn a_deployment_has_roots_a_certificate_pins_and_a_name_of_its_own() {
    let authority = Authority::new("root");
    let (one, key) = authority.issue("one", &["one.test"]);
    let pin = format!("sha256/{}=", "A".repeat(43));
    let text = format!(
        "    tls:\n      ca_file: {}\n      client_certificate: {}\n      client_key: {}\n      \
         pins: [{pin}]\n      server_name: inner.test\n",
        authority.ca().display(),
        one.display(),
        key.display()
    );
    let (config, problems) = read(&model(&text)).unwrap();
    assert!(problems.found().is_empty(), "{}", problems.render(false));
    let deployment = &config.routing.deployments[0];
    let tls = deployment.tls.as_ref().unwrap();
    assert!(tls.verify && tls.identity.is_some() && tls.server_name.is_some());
    assert_eq!((tls.roots.len(), tls.pins.len()), (1, 1));
    assert_eq!(tls.files, [authority.ca(), one, key]);
    assert!(deployment.defaults.is_empty(), "they are no parameters of a request");
    assert!(config.outbound.tls.roots.is_empty());
}

#[test]
fn ssl_verify_of_a_deployment_is_its_own() {
    let authority = Authority::new("root");
    let (config, _) = read(&model("    ssl_verify: false\n")).unwrap();
    assert!(!config.routing.deployments[0].tls.as_ref().unwrap().verify);
    assert!(config.outbound.tls.verify);
    let text = model(&format!("    ssl_verify: {}\n", authority.ca().display()));
    let text = format!("{text}litellm_settings: {{ssl_verify: false}}\n");
    let (config, _) = read(&text).unwrap();
    let tls = config.routing.deployments[0].tls.as_ref().unwrap();
    assert!(tls.verify && tls.roots.len() == 1);
    assert!(!config.outbound.tls.verify);
    let (config, _) = read(&model("")).unwrap();
    assert_eq!(config.routing.deployments[0].tls, None);
}

#[test]
fn a_deployment_whose_settings_of_tls_are_wrong_is_left_out_with_the_place() {
    let authority = Authority::new("root");
    let (one, _) = authority.issue("one", &["one.test"]);
    let client = format!("tls: {{client_certificate: {}}}", one.display());
    for (params, expected) in [
        ("tls: {ca_file: /none.pem}", "/none.pem cannot be read"),
        ("tls: {client_certificate: /none.pem}", "/none.pem cannot be read"),
        (client.as_str(), "holds no private key"),
        ("tls: {client_key: /none.pem}", "is the key of no certificate"),
        ("tls: {pins: [sha256/abc]}", "this is not a pin"),
        ("tls: {pins: []}", "names no key"),
        ("tls: {server_name: 'a b'}", "is no host name"),
        ("tls: true", "must be a map"),
        ("tls: {ca_file: [/none.pem]}", "`ca_file` must be a text"),
        ("tls: {pins: {a: b}}", "`pins` must be a text or a list of texts"),
        ("tls: {server_name: [inner.test]}", "`server_name` must be a text"),
        ("ssl_verify: /none.pem", "/none.pem cannot be read"),
        ("ssl_verify: [a]", "must be true, false or a text"),
    ] {
        let (config, problems) = read(&model(&format!("    {params}\n"))).unwrap();
        let told = problems.render(false);
        assert!(config.routing.deployments.is_empty(), "{params}");
        assert!(told.contains(expected) && told.contains("config.yaml:7:"), "{params}: {told}");
    }
    let entry = "- model_name: a\n  litellm_params: {model: openai/gpt, api_key: sk-x, \
                 api_base: 'https://one.test/v1', tls: {ca_file: /none.pem}}\n";
    let (config, problems) =
        read(&format!("model_list:\n{entry}{entry}general_settings:\n{MASTER}")).unwrap();
    assert!(config.routing.deployments.is_empty(), "each that names the file is left out");
    assert_eq!(problems.errors(), 2);
}

#[test]
fn a_wrong_file_for_all_upstreams_is_told_with_its_place_or_its_variable() {
    let none = Path::new("/none.pem");
    for variable in ["SSL_CERT_FILE", "SSL_VERIFY", "SSL_CERTIFICATE"] {
        let told = refusal(loaded(&general(""), &[(variable, none)], Options::default()));
        let expected = format!("{variable} names a file of no use: /none.pem cannot be read");
        assert!(told.contains(&expected), "{told}");
        assert!(told.contains(&format!("or unset {variable}")), "{told}");
    }
    for key in ["ssl_verify", "ssl_certificate"] {
        let text = format!("{}litellm_settings:\n  {key}: /none.pem\n", general(""));
        let told = refusal(read(&text));
        assert!(told.contains("/none.pem cannot be read"), "{told}");
        assert!(told.contains("config.yaml:5:"), "{told}");
    }
    // Whoever checks nothing needs no roots.
    let text = format!("{}litellm_settings:\n  ssl_verify: false\n", general(""));
    assert!(loaded(&text, &[("SSL_CERT_FILE", none)], Options::default()).is_ok());
}

#[test]
fn the_files_for_all_upstreams_are_read_in_litellms_order() {
    let authority = Authority::new("root");
    let (one, key) = authority.issue("one", &["one.test"]);
    let ca = authority.ca();
    let both = authority.file("both.pem");
    let text = [std::fs::read(&one).unwrap(), std::fs::read(&key).unwrap()].concat();
    std::fs::write(&both, text).unwrap();
    let variables = [("SSL_CERT_FILE", &*ca), ("SSL_CERTIFICATE", &*both)];
    let (config, _) = loaded(&general(""), &variables, Options::default()).unwrap();
    let tls = &config.outbound.tls;
    assert!(tls.verify && tls.roots.len() == 1 && tls.identity.is_some());

    let (one, key) = (one.display(), key.display());
    let text = format!("litellm_settings: {{ssl_certificate: {one}, ssl_certificate_key: {key}}}");
    let (config, problems) = read(&format!("{}{text}\n", general(""))).unwrap();
    assert!(problems.found().is_empty(), "{}", problems.render(false));
    assert!(config.outbound.tls.identity.is_some());
}

#[test]
fn a_setting_of_tls_for_a_plain_upstream_is_named() {
    let text = model("    tls: {server_name: inner.test}\n").replace("https:", "http:");
    let (config, problems) = read(&text).unwrap();
    assert_eq!(config.routing.deployments.len(), 1);
    assert!(problems.render(false).contains("have no effect without an https"));
}

#[test]
fn files_for_redis_are_read_where_tls_is_spoken_and_told_where_it_is_not() {
    let authority = Authority::new("root");
    let (certificate, key) = authority.issue("one", &["one.test"]);
    let (certificate, key) = (certificate.display(), key.display());
    let at = |more: &str| general(&format!("  coordination_redis: {{host: h, {more}}}\n"));
    let told = format!(
        "ssl: true, ssl_ca_certs: {certificate}, ssl_certfile: {certificate}, ssl_keyfile: {key}"
    );
    let (config, _) = read(&at(&told)).unwrap();
    let tls = config.redis.unwrap().tls.unwrap();
    assert!(tls.verify && tls.roots.is_some() && tls.identity.is_some());
    assert!(!format!("{tls:?}").contains("45, 45"), "the bytes of a PEM file: {tls:?}");

    // They hold for the place that a variable names, too.
    let cache =
        format!("litellm_settings: {{cache: true, cache_params: {{type: redis, {told}}}}}\n");
    let url = [("REDIS_URL", Path::new("rediss://h"))];
    let (config, _) = loaded(&(general("") + &cache), &url, Options::default()).unwrap();
    assert_eq!(config.redis.unwrap().tls, Some(tls));

    let (config, problems) = read(&at("ssl: true, ssl_cert_reqs: none")).unwrap();
    assert!(!config.redis.unwrap().tls.unwrap().verify);
    assert!(problems.notices().iter().any(|notice| notice.contains("may pose as it")));
    for (more, tls, message) in [
        (format!("ssl_ca_certs: {certificate}"), false, "no effect without TLS to Redis"),
        (format!("ssl_keyfile: {key}"), false, "no effect without TLS to Redis"),
        (format!("ssl: true, ssl_keyfile: {key}"), true, "that of no certificate"),
    ] {
        let (config, problems) = read(&at(&more)).unwrap();
        assert_eq!(config.redis.unwrap().tls.is_some(), tls);
        assert!(problems.render(false).contains(message), "{}", problems.render(false));
    }

    for (more, message) in [
        ("ssl: true, ssl_ca_certs: /nowhere.pem".to_owned(), "/nowhere.pem cannot be read"),
        (format!("ssl: true, ssl_certfile: {certificate}"), "holds no private key"),
    ] {
        let (config, problems) = read(&at(&more)).unwrap();
        let said = problems.render(false);
        assert!(
            config.redis.is_none() && said.contains(message) && said.contains("help: "),
            "{more}: {said}"
        );
    }
}
