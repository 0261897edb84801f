//! The table as a JSON schema, for editors.
use super::{Key, Kind, SECTIONS, Standing, of};
use serde_json::{Map, Value, json};

/// A JSON schema (draft 2020-12) of a config. It is as lenient as the program: null is always as if
/// a key were absent, unknown keys are allowed, and where a number or a switch is expected a text
/// that holds one is one, as are `os.environ/NAME` and `os.file/PATH`.
#[must_use]
pub fn schema() -> Value {
    let mut definitions = simple();
    let name_of = |section: &str| section.trim_end_matches("[]").to_owned();
    for (section, _) in SECTIONS.iter().filter(|(section, _)| !section.is_empty()) {
        definitions.insert(name_of(section), of_section(section).into());
    }
    let mut all = Map::new();
    all.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    all.insert("title".into(), "The config of Bartizan".into());
    all.extend(of_section(""));
    all.insert("$defs".into(), definitions.into());
    all.into()
}

fn of_section(section: &str) -> Map<String, Value> {
    let properties: Map<_, _> = of(section).map(|key| (key.name.into(), of_key(&key))).collect();
    let required = required(section).filter(|_| section != IN_PARTS);
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), properties.into());
    schema.extend(required.map(|names| ("required".into(), names)));
    if section.is_empty() {
        let anchors = json!({ "^x-": { "description": "A holder of anchors." } });
        schema.insert("patternProperties".into(), anchors);
    }
    schema.insert("additionalProperties".into(), true.into());
    schema
}

/// The section of which other places, like a named credential, hold a part: it is whole only below
/// the key of its name.
const IN_PARTS: &str = "litellm_params";

/// The keys that a section is nothing without, if there are any.
fn required(section: &str) -> Option<Value> {
    let names: Vec<_> = of(section).filter(Key::is_required).map(|key| key.name).collect();
    (!names.is_empty()).then(|| names.into())
}

fn of_key(key: &Key) -> Value {
    let mut schema = match of_kind(key.kind) {
        Value::Object(schema) => schema,
        _ => Map::new(),
    };
    schema.insert("description".into(), description(key).into());
    schema.insert("x-standing".into(), standing(key.standing).into());
    if let Some(default) = default(key) {
        schema.insert("default".into(), default);
    }
    if let Some(names) = required(IN_PARTS).filter(|_| key.name == IN_PARTS) {
        schema.insert("required".into(), names);
    }
    schema.into()
}

fn description(key: &Key) -> String {
    let mut text = key.meaning.replace('`', "");
    if !key.default.is_empty() && default(key).is_none() && !key.is_required() {
        text += &format!(" Default: {}.", key.default);
    }
    match key.standing {
        Standing::Later => text += " (not in this version)",
        Standing::PythonOnly => text += " (Python code, which does not run here)",
        Standing::Accepted | Standing::Honoured | Standing::Sent => {}
    }
    text.trim().to_owned()
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Honoured => "honoured",
        Standing::Later => "later",
        Standing::PythonOnly => "python",
        Standing::Accepted => "accepted",
        Standing::Sent => "sent",
    }
}

/// The default as a value; nothing if it is a variable.
fn default(key: &Key) -> Option<Value> {
    let is_variable = key.default.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if key.default.is_empty() || is_variable || key.is_required() {
        return None;
    }
    let text = || Value::from(key.default);
    match key.kind {
        Kind::Text | Kind::Duration | Kind::OneOf(_) => Some(text()),
        _ => serde_json::from_str(key.default).ok(),
    }
}

fn of_kind(kind: Kind) -> Value {
    let name = match kind {
        Kind::Any => return json!({}),
        Kind::Text | Kind::Group => "text",
        Kind::Secret => "secret",
        Kind::Number => "number",
        Kind::Whole => "whole",
        Kind::Port => "port",
        Kind::Seconds => "seconds",
        Kind::Wait => "wait",
        Kind::Duration => "duration",
        Kind::Flag => "flag",
        Kind::Url => "url",
        Kind::Path => "path",
        Kind::Header => "header",
        Kind::Texts => "texts",
        Kind::Callbacks | Kind::Ips => "text_or_texts",
        Kind::Groups => "groups",
        Kind::Fallbacks => "fallbacks",
        Kind::Aliases => "aliases",
        Kind::OneOf(words) => {
            let words = words.split(' ').collect::<Vec<_>>();
            return json!({ "anyOf": [{ "enum": words }, of_name("reference")] });
        }
        Kind::Map("") => "map",
        Kind::List("") => "list",
        Kind::Map(section) => return json!({ "anyOf": [of_name(section), { "type": "null" }] }),
        Kind::Maps(section) => {
            let values = of_kind(Kind::Map(section));
            return json!({ "type": ["object", "null"], "additionalProperties": values });
        }
        Kind::List(section) => {
            let items = of_name(section.trim_end_matches("[]"));
            return json!({ "type": ["array", "null"], "items": items });
        }
        Kind::Either(..) => {
            return json!({ "anyOf": kind.choices().map(of_kind).collect::<Vec<_>>() });
        }
    };
    of_name(name)
}

fn of_name(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// What the kinds stand for.
fn simple() -> Map<String, Value> {
    let number = |bound: Value, pattern: &str| {
        let mut plain = json!({ "type": "number" });
        if let (Value::Object(plain), Value::Object(bound)) = (&mut plain, bound) {
            plain.extend(bound);
        }
        json!({ "anyOf": [plain, { "type": "string", "pattern": pattern }, of_name("reference")] })
    };
    let decimal = r"^\s*\+?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*$";
    let digits = r"^\s*[0-9]+\s*$";
    let switch =
        "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff]|1|0)$";
    let text = json!({ "type": ["string", "number", "boolean", "null"] });
    let texts = json!({ "type": ["array", "null"], "items": of_name("text") });
    let group = json!({ "anyOf": [{ "type": "string" }, { "type": "object" }] });
    let groups = json!({ "type": ["array", "null"], "items": group.clone() });
    let one_key = json!({
        "type": "object", "minProperties": 1, "maxProperties": 1,
        "additionalProperties": { "anyOf": [of_name("groups"), group] },
    });
    let beginning = |pattern: &str| json!({ "type": ["string", "null"], "pattern": pattern });
    let all = json!({
        "reference": {
            "description": "A variable or a file that holds the value; or nothing.",
            "type": ["string", "null"], "pattern": r"^os\.(environ|file)/.+",
        },
        "text": text,
        "secret": text,
        "number": number(json!({ "minimum": 0 }), decimal),
        "whole": number(json!({ "minimum": 0, "multipleOf": 1 }), digits),
        "port": number(json!({ "minimum": 1, "maximum": 65535, "multipleOf": 1 }), digits),
        "seconds": number(json!({ "exclusiveMinimum": 0 }), decimal),
        "wait": number(json!({ "minimum": 0 }), decimal),
        "duration": {
            "type": ["string", "null"], "pattern": r"^([0-9]+(s|m|h|d|w|mo)|os\.(environ|file)/.+)$",
        },
        "flag": { "anyOf": [
            { "type": "boolean" }, { "enum": [0, 1] },
            { "type": "string", "pattern": switch }, of_name("reference"),
        ] },
        "url": beginning(r"^(https?://|os\.(environ|file)/)."),
        "path": beginning(r"^(/|os\.(environ|file)/.)"),
        "header": beginning(r"^(os\.(environ|file)/.+|[-!#$%&'*+.^_`|~0-9A-Za-z]+)$"),
        "texts": texts,
        "text_or_texts": { "anyOf": [of_name("text"), of_name("texts")] },
        "groups": groups,
        "fallbacks": { "type": ["array", "null"], "items": one_key },
        "aliases": aliases(),
        "map": { "type": ["object", "null"] },
        "list": { "type": ["array", "null"] },
    });
    match all {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

/// Names, each for one model group or for several.
fn aliases() -> Value {
    let name = json!({ "type": ["string", "number", "boolean"] });
    let names = json!({ "type": "array", "minItems": 1, "items": name });
    let of_model = json!({
        "type": "object", "required": ["model"],
        "properties": { "model": { "anyOf": [name, names] }, "hidden": of_name("flag") },
    });
    json!({
        "type": ["object", "null"],
        "additionalProperties": { "anyOf": [name, names, of_model] },
    })
}
