//! The scripts, and what is handed to them.
use ::redis::{Cmd, Pipeline, cmd};
use std::sync::LazyLock;

/// A script, and the digest by which Redis knows it.
pub(super) struct Script {
    source: &'static str,
    digest: String,
}

pub(super) static ADMIT: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("admit.lua")));
pub(super) static SETTLE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("settle.lua")));

impl Script {
    fn new(source: &'static str) -> Self {
        Self { source, digest: ::redis::Script::new(source).get_hash().to_owned() }
    }

    pub(super) fn load(&self) -> Cmd {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(self.source);
        load
    }

    /// Runs the script, and has Redis keep it.
    pub(super) fn eval(&self, input: &Input) -> Cmd {
        input.command("EVAL", self.source)
    }

    /// Runs the script that Redis has kept.
    pub(super) fn call(&self, input: &Input) -> Cmd {
        input.command("EVALSHA", &self.digest)
    }
}

/// Both scripts, told to a server that may not know them.
pub(super) fn load_all() -> Pipeline {
    let mut pipe = Pipeline::with_capacity(2);
    pipe.add_command(ADMIT.load()).add_command(SETTLE.load());
    pipe
}

/// Tells the other nodes that this one lives; an `EVAL`, so that `EVALSHA` counts calls alone.
pub(super) fn beat(key: &str, node: &str, alive: u64) -> Cmd {
    let mut beat = cmd("EVAL");
    beat.arg(include_str!("beat.lua")).arg(1).arg(key).arg(node).arg(alive);
    beat
}

/// Keys and arguments of one run.
#[derive(Debug, Default)]
pub(super) struct Input {
    keys: Vec<String>,
    args: Vec<Arg>,
}

#[derive(Debug)]
enum Arg {
    Word(&'static str),
    Text(Box<str>),
    Number(i64),
}

impl Input {
    pub(super) fn key(&mut self, key: String) {
        self.keys.push(key);
    }

    pub(super) fn word(&mut self, word: &'static str) -> &mut Self {
        self.args.push(Arg::Word(word));
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.args.push(Arg::Text(text.into()));
        self
    }

    pub(super) fn number(&mut self, number: i64) -> &mut Self {
        self.args.push(Arg::Number(number));
        self
    }

    /// How many keys it has: what makes a run long.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut run = cmd(name);
        run.arg(script).arg(self.keys.len()).arg(&self.keys);
        for arg in &self.args {
            match arg {
                Arg::Word(word) => run.arg(word),
                Arg::Text(text) => run.arg(&**text),
                Arg::Number(number) => run.arg(number),
            };
        }
        run
    }
}
