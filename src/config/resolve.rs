//! References in a config: `os.environ/NAME` and `os.file/PATH`.
use super::env::Env;
use super::fields::unread_secret;
use super::known;
use super::problem::{Place, Problem, Problems};
use super::yaml::{Kind, Node};

const VARIABLE: &str = "os.environ/";
const FILE: &str = "os.file/";

/// Replaces every reference below `node`, but none that is itself an item of a list: LiteLLM sends
/// those on as they are, and what is sent on must not be a variable's value. A missing variable becomes null (contract 2.1), with a
/// warning; a file that cannot be read is an error. Where a setting keeps somebody out, the
/// reference stays as it is: nobody reads it, and nothing stands open because of a missing variable.
pub(super) fn resolve(node: &mut Node, key: &str, env: &Env, problems: &mut Problems) {
    match &mut node.kind {
        Kind::Text(text) => {
            if let Some(resolved) = reference(text, key, node.place, env, problems) {
                node.kind = resolved;
            }
        }
        Kind::List(items) => {
            for item in items {
                match &item.kind {
                    Kind::Text(text) => in_list(text, item.place, problems),
                    _ => resolve(item, key, env, problems),
                }
            }
        }
        Kind::Map(entries) => {
            for (name, value) in entries {
                let key = name.as_text().unwrap_or_default();
                resolve(value, &key, env, problems);
            }
        }
        _ => {}
    }
}

/// Says of an item of a list that it is no reference, though it looks like one.
fn in_list(text: &str, place: Place, problems: &mut Problems) {
    if [VARIABLE, FILE].iter().any(|start| text.starts_with(start)) {
        let message = "an item of a list is no reference: it counts as it stands";
        let help = "write the value itself";
        problems.add_once_at(Problem::warning(message, place).help(help));
    }
}

/// Whether a text looks like a reference that went wrong.
fn is_slip(text: &str) -> bool {
    let text = text.trim();
    let head = text.split(['/', '[', '(', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let is_near = |name| strsim::damerau_levenshtein(&head, name) <= 2;
    let is_near = (is_near("os.environ") || is_near("os.file")) && head.len() < text.len();
    is_near || ["os.env", "os.getenv"].iter().any(|start| head.starts_with(start))
}

fn reference(
    text: &str,
    key: &str,
    place: Place,
    env: &Env,
    problems: &mut Problems,
) -> Option<Kind> {
    if let Some(name) = text.strip_prefix(VARIABLE) {
        return variable(name, key, place, env, problems);
    }
    let Some(path) = text.strip_prefix(FILE) else {
        if is_slip(text) {
            let message = "this looks like a reference and is none: it counts as it stands";
            let help = "write `os.environ/NAME` for a variable, `os.file/PATH` for a file";
            problems.add_once_at(Problem::warning(message, place).help(help));
        }
        return None;
    };
    if path.is_empty() {
        let problem = Problem::error("`os.file/` names no file", place);
        problems.add(problem.help("write `os.file/PATH`"));
        return Some(Kind::Null);
    }
    problems.was_read(path);
    match std::fs::read_to_string(path) {
        Ok(content) => Some(Kind::Text(content.trim().to_owned())),
        Err(error) => {
            let problem = Problem::error(format!("the file {path} cannot be read: {error}"), place);
            problems.add(problem.help("check the path and its permissions"));
            Some(Kind::Null)
        }
    }
}

/// The value of a variable, null for none.
fn variable(
    name: &str,
    key: &str,
    place: Place,
    env: &Env,
    problems: &mut Problems,
) -> Option<Kind> {
    let file = env.file_of(name).filter(|_| known::is_secret(key));
    file.into_iter().for_each(|path| problems.was_read(path));
    let value = match known::is_secret(key).then(|| env.secret(name)) {
        Some(Ok(secret)) => secret.map(|secret| secret.expose().clone()),
        Some(Err(unread)) => {
            problems.add(unread_secret(&unread, place));
            return Some(Kind::Null);
        }
        None => env.get(name).map(str::to_owned),
    };
    if value.is_some() {
        return value.map(Kind::Text);
    }
    let unset = format!("set {name} in the environment, in .env or below `environment_variables:`");
    let (message, help) = match name {
        "" => ("`os.environ/` names no variable".to_owned(), "write `os.environ/NAME`".to_owned()),
        _ => (format!("the variable {name} is not set"), unset),
    };
    if known::keeps_out(key) {
        problems.add(Problem::error(message, place).help(help));
        return None;
    }
    problems.add(Problem::warning(message, place).help(help));
    Some(Kind::Null)
}
