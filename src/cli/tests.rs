use super::{Cli, Command, Later, spelling};
use crate::config::Options;
use clap::CommandFactory;

/// The options of a command line, and the flags without effect.
fn options(line: &str) -> (Options, Vec<&'static str>) {
    let words = std::iter::once("bartizan").chain(line.split_whitespace()).map(Into::into);
    let cli = Cli::of(words).unwrap_or_else(|error| panic!("{error}"));
    match cli.command {
        None => cli.serve.proxy.options(),
        Some(Command::Serve(serve)) => serve.0.proxy.options(),
        Some(Command::Exec(exec)) => exec.0.proxy.options(),
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_description_of_the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn flags_have_underscores_or_dashes_and_values_blanks_or_equals_signs() {
    for line in [
        "--num_workers 8 --request_timeout=2.5 --ops-listen 127.0.0.1:1",
        "--num-workers=8 --request-timeout 2.5 --ops_listen=127.0.0.1:1",
        "serve --num-workers=8 --request_timeout 2.5 --ops_listen=127.0.0.1:1",
    ] {
        let (options, _) = options(line);
        assert_eq!(options.workers, Some(8), "{line}");
        assert_eq!(options.request_timeout, Some(2.5), "{line}");
        assert_eq!(options.ops_listen.as_deref(), Some("127.0.0.1:1"), "{line}");
    }
}

#[test]
fn switches_stand_alone_or_have_a_value_as_click_reads_it() {
    for (line, debug) in [
        ("", None),
        ("--debug", Some(true)),
        ("--debug True", Some(true)),
        ("--debug=1", Some(true)),
        ("--debug False", Some(false)),
        ("--debug 0 --port 1", Some(false)),
        ("--debug --detailed-debug False", Some(true)),
        ("--debug serve", None),
    ] {
        let found = match line {
            "--debug serve" => None,
            line => options(line).0.debug,
        };
        assert_eq!(found, debug, "{line}");
    }
}

#[test]
fn every_flag_of_litellm_is_taken() {
    let line = "--config c --host 0.0.0.0 --port 4000 --num_workers 1 --model m --alias a \
        --api_base http://b --api_version v --headers {} --temperature -1 --max_tokens 5 \
        --request_timeout 6 --drop_params --add_function_to_prompt --max_budget 7 --add_key k \
        --save --debug --detailed_debug --telemetry False --use_queue True --test_async \
        --num_requests 8 --local --run_gunicorn --run_hypercorn --run_granian \
        --granian_threads 2 --ssl_keyfile_path k --ssl_certfile_path c --ciphers x --log_config l \
        --use_prisma_db_push --iam_token_db_auth --azure_postgresql_auth \
        --enforce_prisma_migration_check --use_v2_migration_resolver \
        --use_legacy_migration_resolver --check_migrations_against_existing_data \
        --keepalive_timeout 9 --max_requests_before_restart 10 \
        --max_requests_before_restart_jitter 11 --limit_concurrency 12 \
        --prometheus_metrics_port 13 --setup --reload";
    let (options, without_effect) = options(line);
    assert_eq!(options.temperature, Some(-1.0));
    assert_eq!(options.limit_concurrency, Some(12));
    assert_eq!(options.ssl_keyfile.as_deref(), Some("k".as_ref()));
    assert_eq!(without_effect.len(), 28, "{without_effect:?}");
    let dashes = line.split_whitespace().map(|word| match word.starts_with("--") {
        true => format!("--{}", word.trim_start_matches("--").replace('_', "-")),
        false => word.to_owned(),
    });
    assert_eq!(self::options(&dashes.collect::<Vec<_>>().join(" ")).1, without_effect);
}

#[test]
fn what_follows_two_dashes_is_the_command_as_it_is_written() {
    let line = "bartizan exec --debug True -q -- app --debug True --max-tokens -- 1";
    let cli = Cli::of(line.split(' ').map(Into::into)).unwrap();
    let Some(Command::Exec(Later(exec))) = cli.command else { panic!("not exec") };
    assert_eq!(exec.command, ["app", "--debug", "True", "--max-tokens", "--", "1"]);
    assert!(exec.quiet);
    assert_eq!(exec.proxy.options().0.debug, Some(true));
}

#[test]
fn of_flags_that_stand_twice_the_last_one_counts() {
    for start in ["", "serve "] {
        let line = "--port 1 --debug --config x --port=2 --debug False --telemetry True --config y \
                    --telemetry False --num_workers 1 --num-workers 2";
        let (options, _) = options(&format!("{start}{line}"));
        assert_eq!((options.port, options.debug, options.workers), (Some(2), Some(false), Some(2)));
        assert_eq!(options.config.unwrap().to_str(), Some("y"));
    }
    let words = ["bartizan", "exec", "--port", "1", "-q", "--port", "2", "-q", "--", "true"];
    let Some(Command::Exec(Later(exec))) = Cli::of(words.map(Into::into)).unwrap().command else {
        panic!("not exec")
    };
    assert_eq!(exec.proxy.options().0.port, Some(2));
}

#[test]
fn flags_of_the_proxy_are_not_lost_before_a_sub_command() {
    for line in ["bartizan --port 1 exec -- true", "bartizan exec --prot 1 -- true"] {
        let error = Cli::of(line.split(' ').map(Into::into)).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn a_truth_value_is_any_that_click_takes() {
    for (text, truth) in [("TRUE", true), ("y", true), ("off", false), ("N", false)] {
        assert_eq!(spelling::truth(text), Ok(truth));
    }
    assert!(spelling::truth("maybe").is_err());
}

#[test]
fn the_command_of_exec_needs_no_dashes_before_it() {
    for (line, command) in [
        ("exec python app.py", "python app.py"),
        ("exec -- python app.py", "python app.py"),
        ("exec python --num-workers 2 -- x", "python --num-workers 2 -- x"),
        ("exec -q --config c.yaml python -c print", "python -c print"),
        ("exec -qc c.yaml --port=1 --debug False sh", "sh"),
        ("exec -cc.yaml --num-workers 2 --debug sh -- -q", "sh -- -q"),
        ("exec -- true --debug", "true --debug"),
        ("exec -q true", "true"),
    ] {
        let words = std::iter::once("bartizan").chain(line.split_whitespace()).map(Into::into);
        let cli = Cli::of(words).unwrap_or_else(|error| panic!("{error}"));
        let Some(Command::Exec(Later(exec))) = cli.command else { panic!("{line}") };
        assert_eq!(exec.command.join(" ".as_ref()), command, "{line}");
    }
    let typo = ["bartizan", "exec", "--confg", "c.yaml", "sh"].map(Into::into);
    assert!(Cli::of(typo).is_err());
}
