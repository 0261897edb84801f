//! What is wrong with a text that is no YAML, in words that say what to do.
use super::problem::{Place, Problem};

/// What is YAML, but more of it than is read. A part of the parser's message, and so on, as in
/// [`KNOWN`].
const TOO_MUCH: &[(&str, &str, &str)] = &[
    (
        "recursion limit",
        "too many brackets stand in one another",
        "close the brackets before, or nest less: a config needs no more than 40 levels",
    ),
    (
        "Depth {",
        "too many keys stand in one another",
        "check the indentation, or nest less: a config needs no more than 40 levels",
    ),
    (
        "recursive references",
        "this alias stands within its own anchor",
        "write out what it stands for",
    ),
    ("budget breached", TOO_MANY, FEWER),
    ("alias replay", TOO_MANY, FEWER),
    ("alias expansion", TOO_MANY, FEWER),
];

const TOO_MANY: &str = "the file has too many values, those of its aliases among them";
const FEWER: &str = "use fewer aliases, or move a part into a file of its own (`include:`)";
const ESCAPE: &str = "a `\\` in double quotes begins an escape, and there is none like this";
const UNESCAPED: &str = "write two of them for a backslash, or put the text into single quotes";

/// A part of the parser's message, ours in its place, and the mend.
const KNOWN: &[(&str, &str, &str)] = &[
    ("escape character", ESCAPE, UNESCAPED),
    ("hexadecimal number", ESCAPE, UNESCAPED),
    ("surrogate", ESCAPE, UNESCAPED),
    ("escape code", ESCAPE, UNESCAPED),
    (
        "trailing content after",
        "a text goes on after the quote that ends it",
        "put all of it into the quotes, or remove what follows",
    ),
    (
        "simple key",
        "this line is no `key: value`",
        "write `:` and a blank after the key, or put the text into the value above",
    ),
    (
        "misplaced bracket",
        "a bracket closes here that was never opened",
        "remove it, or put the text into quotes",
    ),
    (
        "mismatched bracket",
        "this bracket closes another kind of bracket",
        "close `[` with `]`, and `{` with `}`",
    ),
    (
        "block sequence entries",
        "an item of a list stands where none can be",
        "begin it on a line of its own, or put the text into quotes",
    ),
    (
        "comment intercepting",
        "a comment stands within a text",
        "move the comment to a line of its own above",
    ),
    (
        "unexpected character: `\\u{",
        "an invisible character stands here that no text can hold",
        "remove it, or write the line anew",
    ),
    ("tab", "a tab stands in the indentation", "indent with blanks: YAML allows no tabs there"),
    (
        "mapping values are not allowed",
        "a key stands where none can be",
        "begin the line in the same column as the keys beside it, and quote a text that holds `: `",
    ),
    (
        "expected '-'",
        "this line belongs to nothing above it",
        "begin it in the same column as the keys or items beside it",
    ),
    (
        "expected key",
        "this line belongs to nothing above it",
        "begin it in the same column as the keys beside it, as `key: value`",
    ),
    (
        "multiple YAML documents",
        "the file holds more than one document",
        "remove the line `---`, or put the second document into a file of its own",
    ),
    (
        "unknown anchor",
        "this names an anchor that is not there",
        "quote a text that begins with `*`, or define the anchor (`&name`) above",
    ),
    ("anchor or alias", "a `*` alone is no text in YAML", "quote it: \"*\""),
    ("unexpected character", "a text cannot begin with this character", "put the text into quotes"),
    (
        "unclosed bracket",
        "a bracket is not closed",
        "add the bracket that closes it, or check the indentation of what is in it",
    ),
    (
        "illegal placement of ':'",
        "a key stands where none can be",
        "close the bracket above this line, or put the text into quotes",
    ),
    ("quoted scalar", "a quote is not closed", "end the text with the quote that it begins with"),
];

/// The problem of a text for which the parser gave up with `message` at `place`.
pub(super) fn broken(message: &str, place: Place, text: &str) -> Problem {
    let of = |all: &[(&'static str, &'static str, &'static str)]| {
        all.iter().find(|(part, ..)| message.contains(part)).copied()
    };
    if let Some((_, message, help)) = of(TOO_MUCH) {
        return Problem::error(message, located(place, text)).help(help);
    }
    let found = of(KNOWN);
    // The parser repeats its place.
    let told = message.rsplit_once(" at line ").map_or(message, |(told, _)| told);
    let help = "check the indentation, and quote texts that hold `: ` or `#`";
    let (message, help) = found.map_or((told, help), |(_, message, help)| (message, help));
    Problem::error(format!("this is not valid YAML: {message}"), located(place, text)).help(help)
}

/// The parser counts lines and columns only: the place in bytes is counted here. The end of the
/// text is shown as its last line.
fn located(place: Place, text: &str) -> Place {
    if place.line == 0 || place.start > 0 {
        return place;
    }
    let last = text.lines().count().max(1);
    let before = text.split_inclusive('\n').take(place.line - 1).map(str::len).sum::<usize>();
    let line = text.get(before..).and_then(|rest| rest.lines().next());
    let Some(line) = line else {
        let line = text.lines().next_back().unwrap_or_default();
        let start = text.trim_end_matches(['\r', '\n']).len();
        return Place { line: last, column: line.chars().count() + 1, start, len: 0, ..place };
    };
    let column = place.column.saturating_sub(1);
    let within = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    Place { start: before + within, ..place }
}
