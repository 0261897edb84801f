//! Claims about the table itself.
use super::{Key, Kind, SECTIONS, Standing, find, home, of, schema};
use crate::config::{Refused, parse_str};
use std::collections::HashSet;
use std::path::Path;

#[test]
fn every_row_can_be_read_and_stands_once() {
    for (section, rows) in SECTIONS {
        let read: Vec<_> = of(section).collect();
        let lines: Vec<_> = rows.lines().collect();
        for line in &lines {
            let name = line.split('|').next().unwrap_or_default();
            assert!(find(section, name).is_some(), "{section}: {line}");
        }
        let names: HashSet<_> = read.iter().map(|key| key.name).collect();
        assert_eq!(names.len(), lines.len(), "a key of `{section}` stands twice");
    }
}

#[test]
fn every_section_that_a_row_names_exists() {
    for key in SECTIONS.iter().flat_map(|(section, _)| of(section)) {
        if let Kind::Map(section) | Kind::Maps(section) | Kind::List(section) = key.kind {
            let exists = section.is_empty() || of(section).next().is_some();
            assert!(exists, "{}: {section}", key.name);
        }
    }
}

#[test]
fn every_key_but_a_parameter_says_what_it_means() {
    for (section, _) in SECTIONS.iter().filter(|(section, _)| *section != "model_info") {
        for key in of(section).filter(|key| key.standing != Standing::Sent) {
            assert!(!key.meaning.is_empty(), "{section}.{}", key.name);
        }
    }
}

#[test]
fn the_rows_take_little_room_in_the_binary() {
    let size: usize = SECTIONS.iter().map(|(_, rows)| rows.len()).sum();
    assert!(size < 44 << 10, "{size} bytes");
}

#[test]
fn a_key_in_the_wrong_section_has_a_home() {
    assert_eq!(home("general_settings", "fallbacks"), Some("router_settings"));
    assert_eq!(home("router_settings", "master_key"), Some("general_settings"));
    assert_eq!(home("litellm_settings", "model_list"), Some(""));
    assert_eq!(home("model_list[]", "timeout"), Some("litellm_params"));
    assert_eq!(home("", "nobody_knows_this"), None);
}

#[test]
fn every_definition_of_the_schema_that_is_named_exists() {
    let schema = schema();
    let text = schema.to_string();
    let named = text.split("#/$defs/").skip(1).filter_map(|rest| rest.split('"').next());
    for name in named {
        assert!(schema["$defs"].get(name).is_some(), "{name}");
    }
}

/// `check` refuses an alias without a group, and so does the schema.
#[test]
fn an_alias_of_the_schema_leads_somewhere() {
    let aliases = &schema()["$defs"]["aliases"]["additionalProperties"]["anyOf"];
    assert_eq!(aliases[1]["minItems"], 1);
    assert_eq!(aliases[2]["required"][0], "model");
    for value in ["[]", "{hidden: true}", "{model: []}"] {
        let text = format!("router_settings: {{model_group_alias: {{a: {value}}}}}\n");
        let (Ok((_, problems)) | Err(Refused(problems))) = parse_str(&text);
        assert_eq!(problems.errors(), 1, "{value}");
    }
}

/// The sources of the program, without tests, the table and the homes of keys that stand elsewhere.
fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_list = path.ends_with("config/keys") || path.ends_with("config/moved.rs");
        if path.is_dir() && !is_list {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.starts_with("tests") && !is_list {
            *found += &std::fs::read_to_string(path).unwrap();
        }
    }
}

#[test]
fn a_key_is_honoured_where_it_is_read_and_nowhere_else() {
    let mut code = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    // What readers call the maps.
    let maps = [
        ("general_settings", "general"),
        ("litellm_settings", "litellm"),
        ("router_settings", "router"),
        ("litellm_params", "params"),
        ("model_info", "info"),
    ];
    for (section, map) in maps {
        for Key { name, standing, .. } in of(section) {
            let is_read = code.contains(&format!("({map}, \"{name}\")"))
                || code.contains(&format!("{map}.get(\"{name}\")"));
            let is_honoured = standing == Standing::Honoured;
            assert!(!is_read || is_honoured, "{section}.{name} is read: make its row `honoured`");
        }
    }
    for (section, _) in SECTIONS {
        for Key { name, .. } in of(section).filter(|key| key.standing == Standing::Honoured) {
            let is_named = code.contains(&format!("\"{name}\""));
            // Its one callback that has an effect is always there.
            let is_kept = name == "callbacks";
            assert!(is_named || is_kept, "{section}.{name}: nobody reads this honoured key");
        }
    }
}
