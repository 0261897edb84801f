//! Claims about the table itself.
use super::{Kind, SECTIONS, Standing, find, home, of, schema};
use std::collections::HashSet;

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
        if let Kind::Map(section) | Kind::List(section) = key.kind {
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
    assert!(size < 40 << 10, "{size} bytes");
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
