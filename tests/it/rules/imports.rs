//! Who may import whom.
use super::{File, assert_kept, files};
use std::collections::BTreeSet;

/// A room, the rooms that it may import, and why no others. `layers` is not listed on the right:
/// it knows none of us, so every room may use its facts.
const ROOMS: &[(&str, &[&str], &str)] = &[
    ("data", &[], "tables are facts: they depend on nothing"),
    ("tasks", &[], "the spawn that drain waits for knows no one who uses it"),
    ("tunnel", &[], "what a listener, a record and a route agree on; it knows none of them"),
    ("clock", &[], "times, as texts and numbers"),
    ("tls", &[], "it reads files of certificates and keys; who uses them is not its matter"),
    (
        "config",
        &["data", "tls", "clock"],
        "a leaf: it fills in what the tables know, and nothing that runs",
    ),
    ("cli", &["config"], "flags are one more source of the config"),
    ("store", &["clock"], "documents and sums: what they mean, it does not know"),
    ("identity", &["store", "config", "clock"], "who may do what, as the store has it"),
    (
        "conversations",
        &["store", "identity", "config", "clock", "tasks"],
        "what was asked and answered, as texts: what they say, it does not know",
    ),
    (
        "telemetry",
        &["config", "data", "identity", "store", "clock"],
        "it hears of calls, it does not take part in them; who calls has a name in metrics",
    ),
    ("server", &["config", "tasks", "tunnel", "tls"], "it accepts connections for any service"),
    ("forward", &["config", "tasks", "tls"], "it knows no dialect: bytes, headers, deadlines"),
    (
        "credentials",
        &["forward", "config", "tasks", "clock"],
        "it turns a login into what proves a call; which dialect that is in, it does not know",
    ),
    ("providers", &["config", "data", "clock"], "pure functions on bytes: no I/O"),
    (
        "state",
        &["identity", "config", "clock"],
        "it holds counts, money and answers; of calls it knows the facts alone",
    ),
    (
        "alerts",
        &["identity", "forward", "telemetry", "config", "clock"],
        "who is told of budgets: it hears what was spent, and posts messages",
    ),
    (
        "ledger",
        &["alerts", "store", "identity", "telemetry", "config", "clock", "tasks"],
        "it books what the trail of a call says; what a call is, it does not know",
    ),
    (
        "router",
        &[
            "providers",
            "credentials",
            "forward",
            "state",
            "identity",
            "conversations",
            "telemetry",
            "config",
            "data",
            "tunnel",
            "clock",
        ],
        "it picks among deployments and builds their inner stacks",
    ),
    (
        "edge",
        &[
            "providers",
            "router",
            "forward",
            "identity",
            "conversations",
            "telemetry",
            "config",
            "data",
            "tunnel",
            "clock",
        ],
        "of router and forward it knows the errors: it is the one table from error to HTTP",
    ),
    (
        "revocations",
        &["identity", "store", "clock"],
        "what the store has not heard of yet: what it means for calls, identity knows",
    ),
    (
        "manage",
        &["identity", "store", "ledger", "revocations", "router", "config", "data", "clock"],
        "the management API: handlers over the store, in force at once in the directory",
    ),
    (
        "admin",
        &[
            "manage",
            "identity",
            "ledger",
            "edge",
            "providers",
            "router",
            "server",
            "telemetry",
            "config",
            "data",
        ],
        "operations routes read handles; they never reach into the stack",
    ),
    (
        "persistence",
        &[
            "alerts",
            "admin",
            "manage",
            "ledger",
            "revocations",
            "router",
            "identity",
            "conversations",
            "store",
            "telemetry",
            "config",
            "tasks",
        ],
        "what outlives the process, and who looks after it",
    ),
    (
        "stack",
        &[
            "edge",
            "router",
            "forward",
            "admin",
            "state",
            "server",
            "telemetry",
            "config",
            "tasks",
            "identity",
            "conversations",
        ],
        "the one place that orders the layers",
    ),
    (
        "generation",
        &[
            "clock",
            "persistence",
            "stack",
            "edge",
            "router",
            "credentials",
            "forward",
            "admin",
            "state",
            "server",
            "telemetry",
            "config",
            "tasks",
        ],
        "it makes everything that one config says, and keeps what outlives it",
    ),
    (
        "reload",
        &["generation", "persistence", "forward", "config"],
        "it reads a config again and hands it on; what is made of it, it does not know",
    ),
    (
        "lib",
        &["generation", "persistence", "reload", "server", "telemetry", "config", "tasks", "tls"],
        "it starts a proxy in process, for the program, tests and benches",
    ),
    (
        "commands",
        &[
            "lib",
            "persistence",
            "cli",
            "reload",
            "server",
            "forward",
            "config",
            "telemetry",
            "tasks",
            "persistence",
            "manage",
            "ledger",
            "identity",
            "store",
            "clock",
        ],
        "one file for each sub-command, above everything that runs",
    ),
    ("main", &["commands", "lib", "cli", "config", "telemetry"], "flags, config, run, exit code"),
];

/// The layers: none of them imports another. What they share stands beside them and knows none.
const LAYERS: &[&str] =
    &["adaptive", "auth", "ratelimit", "cache", "cost", "wire", "fallback", "retry", "breaker"];

/// What puts layers together: it knows them, and none of them knows it.
const ABOVE: &[&str] = &["respond", "retold"];

#[test]
fn a_room_imports_only_the_rooms_below_it() {
    let mut broken = Vec::new();
    for file in &program() {
        let room = room_of(&file.name);
        let Some((_, below, why)) = ROOMS.iter().find(|(name, ..)| *name == room) else {
            broken.push(format!("{}: `{room}` is not in the table of rooms", file.name));
            continue;
        };
        let targets: BTreeSet<_> = imports(file).iter().filter_map(|path| target(path)).collect();
        let wrong = targets.iter().filter(|to| **to != room && !below.contains(&to.as_str()));
        broken.extend(wrong.map(|to| format!("{}: {room} → {to}; but {why}", file.name)));
    }
    assert_kept(broken);
}

#[test]
fn the_table_of_rooms_has_no_circle() {
    // Rooms are listed from the bottom up: each imports only what stands above its line.
    for (at, (room, below, _)) in ROOMS.iter().enumerate() {
        let known: Vec<_> = ROOMS.iter().take(at).map(|(name, ..)| *name).collect();
        let unknown: Vec<_> = below.iter().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{room} → {unknown:?}");
    }
}

#[test]
fn no_provider_imports_another() {
    let providers: BTreeSet<_> =
        program().iter().filter_map(|file| provider_of(&file.name)).collect();
    // What all of them speak through, what hosts of one family of models know, and what joins two.
    let apart = ["chat", "claude", "translate"];
    let mut broken = Vec::new();
    for file in &program() {
        let Some(own) = provider_of(&file.name).filter(|own| own != "translate") else { continue };
        let others =
            imports(file).into_iter().filter(|path| path.first().is_some_and(|p| p == "providers"));
        let others = others.filter_map(|path| path.get(1).cloned());
        let others = others.filter(|name| {
            *name != own && providers.contains(name) && !apart.contains(&name.as_str())
        });
        broken.extend(others.map(|name| format!("{}: {own} → {name}", file.name)));
    }
    assert_kept(broken);
}

#[test]
fn nothing_is_imported_wholesale() {
    let all = program().into_iter().chain(files("layers/src", ".rs"));
    let broken = all.filter(|file| imports(file).iter().any(|path| path == &["*"]));
    assert_kept(broken.map(|file| format!("{}: `use crate::*`", file.name)));
}

#[test]
fn a_layer_knows_no_server_no_program_and_no_other_layer() {
    let mut broken = Vec::new();
    for file in files("layers/src", ".rs").iter().filter(|file| !file.is_tests()) {
        let own = file.name.split('/').nth(2).unwrap_or_default().trim_end_matches(".rs");
        let code = code(file);
        let wrong = ["hyper::", "hyper_util::", "bartizan::"].iter().filter(|it| names(&code, it));
        broken.extend(wrong.map(|it| format!("{}: {it}", file.name)));
        if own != "wire" && names(&code, "serde_json::") {
            broken.push(format!("{}: serde_json stands in `wire` only", file.name));
        }
        let others = imports(file).into_iter().filter_map(|path| path.into_iter().next());
        let is_above = ABOVE.contains(&own);
        let is_other = |to: &str| LAYERS.contains(&to) && !is_above || ABOVE.contains(&to);
        let others = others.filter(|to| to != own && is_other(to));
        broken.extend(others.map(|to| format!("{}: {own} → {to}", file.name)));
    }
    assert_kept(broken);
}

#[test]
fn of_a_layer_only_its_redis_policy_knows_redis() {
    let policy = |name: &str| name.ends_with("/redis.rs") || name.contains("/redis/");
    let others = files("layers/src", ".rs").into_iter().filter(|file| !file.is_tests());
    let others = others.filter(|file| !policy(&file.name));
    let broken = others.filter(|file| {
        imports(file).iter().any(|path| path.first().is_some_and(|room| room == "redis"))
    });
    assert_kept(broken.map(|file| format!("{}: `crate::redis`", file.name)));
}

#[test]
fn only_config_reads_the_environment() {
    let readers = program().into_iter().filter(|file| room_of(&file.name) != "config");
    let readers = readers.filter(|file| {
        let code = code(file);
        ["env::var(", "env::vars(", "env::var_os(", "env::vars_os("]
            .iter()
            .any(|it| code.contains(it))
    });
    assert_kept(readers.map(|file| format!("{}: `std::env::var`", file.name)));
}

#[test]
fn nested_and_relative_imports_are_understood() {
    let text = "use crate::{data::Model, edge::{self, Record}};\n//! crate::stack\n\
                use super::super::forward::Pool;\nfn f() { crate::admin::health() }\n"
        .to_owned();
    let file = File { name: "src/router/pick.rs".into(), text };
    let found: Vec<_> = imports(&file).into_iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        ["data::Model", "edge::self", "edge::Record", "admin::health", "forward::Pool"]
    );
}

/// The files of the program, without its tests.
fn program() -> Vec<File> {
    files("src", ".rs").into_iter().filter(|file| !file.is_tests()).collect()
}

/// `src/edge/record.rs` → `edge`, `src/stack.rs` → `stack`.
fn room_of(name: &str) -> String {
    name.split('/').nth(1).unwrap_or_default().trim_end_matches(".rs").to_owned()
}

/// `src/providers/openai/stream.rs` → `openai`.
fn provider_of(name: &str) -> Option<String> {
    let (folder, _) = name.strip_prefix("src/providers/")?.split_once('/')?;
    Some(folder.to_owned())
}

/// The room that a path leads to. What `lib.rs` itself exports has no room below it.
fn target(path: &[String]) -> Option<String> {
    let room = path.first()?;
    let listed = ROOMS.iter().any(|(name, ..)| name == room);
    listed.then(|| room.clone()).or_else(|| (path.len() == 1).then(|| "lib".to_owned()))
}

/// A file's code without comments and tests.
fn code(file: &File) -> String {
    let lines = file.code().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Every path from the root of its crate that a file names, without that root.
fn imports(file: &File) -> Vec<Vec<String>> {
    let code = code(file);
    let main = file.name == "src/main.rs";
    let mut found = Vec::new();
    for root in if main { &["bartizan::", "crate::"][..] } else { &["crate::"] } {
        for rest in after(&code, root) {
            expand(rest, &[], &mut found);
        }
    }
    // As many `super` as the module is deep lead to the root of the crate.
    let inside = file.name.split('/').skip_while(|part| *part != "src").skip(1);
    let depth = inside.filter(|part| *part != "mod.rs").count();
    let up = "super::".repeat(depth);
    if depth > 0 {
        for rest in after(&code, &up) {
            expand(rest, &[], &mut found);
        }
    }
    found
}

/// Whether `code` names `word`, as a whole path segment.
fn names(code: &str, word: &str) -> bool {
    after(code, word).next().is_some()
}

/// What follows each `start` that begins a path.
fn after<'a>(code: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(start).filter_map(move |(at, _)| {
        let before = code.get(..at)?.chars().next_back();
        let begins = !before.is_some_and(|c| c.is_alphanumeric() || "_:$".contains(c));
        begins.then(|| code.get(at + start.len()..)).flatten()
    })
}

/// Adds the paths of one use tree, and returns what follows it.
fn expand<'a>(tree: &'a str, parents: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let tree = tree.trim_start();
    if let Some(mut rest) = tree.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') && !rest.trim_start().is_empty() {
            rest = expand(rest, parents, found).trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        return rest.trim_start().strip_prefix('}').unwrap_or_default();
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '*';
    let (name, rest) = tree.split_at(tree.find(|c| !is_name(c)).unwrap_or(tree.len()));
    let path = [parents, &[name.to_owned()]].concat();
    if name.is_empty() {
        return rest.get(rest.find([',', '}']).unwrap_or(rest.len())..).unwrap_or_default();
    }
    if let Some(more) = rest.strip_prefix("::") {
        return expand(more, &path, found);
    }
    found.push(path);
    let alias = rest.trim_start().strip_prefix("as ");
    alias.map_or(rest, |it| it.trim_start().trim_start_matches(is_name))
}
