//! How LiteLLM's flags may be spelt: with underscores or dashes, and switches as click takes them,
//! alone or with a value.
use clap::{Arg, Command};
use std::ffi::OsString;

/// The value of a switch, as click reads it.
pub(super) fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "t" | "y" => Ok(true),
        "false" | "0" | "no" | "off" | "f" | "n" => Ok(false),
        _ => Err("write True or False".to_owned()),
    }
}

/// The words as the parser knows them, up to `--`: dashes within a flag become underscores where
/// the flag has them, and a switch and the truth value behind it are joined by an equals sign, as
/// a switch would else never take a word that is not meant for it.
pub(super) fn known(words: impl IntoIterator<Item = OsString>, command: &Command) -> Vec<OsString> {
    let mut known: Vec<OsString> = Vec::new();
    let mut words = marked(words.into_iter().collect(), command).into_iter();
    let mut behind_switch = false;
    while let Some(word) = words.next() {
        if word == "--" {
            known.push(word);
            known.extend(words);
            break;
        }
        let is_value = word.to_str().is_some_and(|word| truth(word).is_ok());
        match known.last_mut().filter(|_| behind_switch && is_value) {
            Some(switch) => {
                switch.push("=");
                switch.push(word);
                behind_switch = false;
            }
            None => {
                let flag = word.to_str().and_then(|word| flag_of(word, command));
                behind_switch = flag.as_ref().is_some_and(|(_, is_switch)| *is_switch);
                known.push(flag.map_or(word, |(spelt, _)| spelt.into()));
            }
        }
    }
    known
}

/// With `--` before the command of `exec`, where it lacks: the first word that is neither a flag
/// nor a flag's value.
fn marked(mut words: Vec<OsString>, command: &Command) -> Vec<OsString> {
    let is_exec = words.get(1).is_some_and(|word| word == "exec");
    let exec = command.find_subcommand("exec").filter(|_| is_exec);
    let Some(mut exec) = exec.cloned() else { return words };
    exec.build();
    let mut at = 2;
    while let Some(flag) = words.get(at).and_then(|word| word.to_str()) {
        if flag == "--" || !flag.starts_with('-') {
            break;
        }
        let next = words.get(at + 1).and_then(|word| word.to_str());
        at += if has_value_behind(flag, next, &exec) { 2 } else { 1 };
    }
    if words.get(at).is_some_and(|word| word != "--") {
        words.insert(at, "--".into());
    }
    words
}

/// Whether the word behind a flag is its value.
fn has_value_behind(flag: &str, next: Option<&str>, command: &Command) -> bool {
    let takes = |arg: &Arg| arg.get_action().takes_values() && !arg.is_require_equals_set();
    if let Some(long) = flag.strip_prefix("--") {
        let is_truth = next.is_some_and(|next| truth(next).is_ok());
        let arg = find(&long.replace('-', "_"), command);
        return arg.is_some_and(|arg| takes(arg) || arg.is_require_equals_set() && is_truth);
    }
    // Of `-qc FILE` the last letter takes it; of `-cFILE` the value is there.
    let short = |letter| command.get_arguments().find(|arg| arg.get_short() == Some(letter));
    let mut letters = flag.chars().skip(1);
    let taker = letters.find(|letter| short(*letter).is_some_and(takes));
    taker.is_some() && letters.next().is_none()
}

/// A long flag as it is known, with its value, and whether it is a switch without one.
fn flag_of(word: &str, command: &Command) -> Option<(String, bool)> {
    let (name, value) = match word.strip_prefix("--")?.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word.strip_prefix("--")?, None),
    };
    let arg = find(&name.replace('-', "_"), command)?;
    let long = arg.get_long()?;
    match value {
        Some(value) => Some((format!("--{long}={value}"), false)),
        None => Some((format!("--{long}"), arg.is_require_equals_set())),
    }
}

/// The flag of the program, or of one of its sub-commands, whose name has these words.
fn find<'c>(name: &str, command: &'c Command) -> Option<&'c Arg> {
    let alike = |arg: &&Arg| arg.get_long().is_some_and(|long| long.replace('-', "_") == name);
    let own = command.get_arguments().find(alike);
    own.or_else(|| command.get_subcommands().find_map(|sub| find(name, sub)))
}
