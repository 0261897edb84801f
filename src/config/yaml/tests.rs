//! What documents become, and what is said about those that are none.
use crate::config::{Config, Problems, Refused, parse_str};

fn parsed(text: &str) -> (Option<Config>, Problems) {
    match parse_str(text) {
        Ok((config, problems)) => (Some(config), problems),
        Err(Refused(problems)) => (None, problems),
    }
}

/// A model with `line` among its parameters.
fn with_param(line: &str) -> String {
    let entry = "- model_name: m\n    litellm_params:\n      model: openai/gpt-4o\n";
    format!("model_list:\n  {entry}      api_key: sk-up\n      {line}\n")
}

#[test]
fn what_is_no_readable_yaml_is_named_with_its_cause() {
    let bomb = (0..8).fold("a0: &a0 [x]\n".to_owned(), |text, at| {
        let ten = vec![format!("*a{at}"); 10].join(", ");
        format!("{text}a{next}: &a{next} [{ten}]\n", next = at + 1)
    });
    for (text, told, help) in [
        (bomb, "too many values, those of its aliases", "fewer aliases"),
        ("a: &a [*a]\n".to_owned(), "within its own anchor", "write out"),
        (format!("a: {}\n", "[".repeat(5000)), "too many brackets", "close the brackets"),
        (nested(100), "too many keys", "nest less"),
        (with_param("user: a\0b"), "invisible character", "remove it"),
        (with_param("api_key: \"k\\q\""), "begins an escape", "single quotes"),
        (with_param("api_key: \"k"), "a quote is not closed", "end the text"),
        (with_param("user=k\n      n: 1"), "no `key: value`", "after the key"),
    ] {
        let (config, problems) = parsed(&text);
        let [problem] = problems.found() else { panic!("{}", problems.render(false)) };
        assert!(config.is_none() && problem.at().is_some(), "{problem:?}");
        assert!(problem.message.contains(told), "{told}: {problem:?}");
        assert!(problem.help.as_ref().unwrap().contains(help), "{help}: {problem:?}");
    }
}

/// Maps in one another.
fn nested(depth: usize) -> String {
    (0..depth).map(|at| format!("{}a:\n", " ".repeat(at))).collect()
}

#[test]
fn numbers_without_quotes_are_sent_as_pyyaml_reads_them() {
    let text = with_param(
        "n: 010\n      seed: {a: &k 010, b: *k, c: '010', d: \"1:30\", e: 1:30, 010: x}\n      \
         stop: [1_000, 0o10, 1e3, 1.0e+3, .5, 2001-01-01]\n      temperature: 1.\n      top_k: .inf\n      \
         voice: 007 # agent\n      a_word: !!str 010\n      user: 08",
    );
    let (config, _) = parsed(&text);
    let defaults = &config.unwrap().routing.deployments[0].defaults;
    let sent: Vec<_> = defaults
        .iter()
        .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)))
        .collect();
    let wanted = [
        "n=8",
        r#"seed={"a":8,"b":8,"c":"010","d":"1:30","e":90,"8":"x"}"#,
        r#"stop=[1000,"0o10","1e3",1000.0,0.5,"2001-01-01"]"#,
        "temperature=1.0",
        "voice=7",
        r#"a_word="010""#,
        r#"user="08""#,
    ];
    assert_eq!(sent, wanted);
}
