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
    let mut words = words.into_iter();
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
