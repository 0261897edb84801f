//! The files of AWS's tools: sections with settings, some of them nested.
use std::collections::HashMap;

/// The settings of each profile.
pub(super) type Profiles = HashMap<String, HashMap<String, String>>;

/// Reads such a file. In the config file a profile's section begins with `profile`, but for the
/// default one; in the credentials file it does not.
pub(super) fn read(text: &str, is_config: bool, into: &mut Profiles) {
    let mut profile: Option<&mut HashMap<String, String>> = None;
    for line in text.lines() {
        let line = line.trim_end();
        // Nested settings belong to services of no concern here.
        if line.trim_start().starts_with(['#', ';'])
            || line.is_empty()
            || line.starts_with([' ', '\t'])
        {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            let section = section.split(']').next().unwrap_or_default().trim();
            profile = name(section, is_config).map(|name| into.entry(name.to_owned()).or_default());
        } else if let (Some(profile), Some((key, value))) = (&mut profile, line.split_once('=')) {
            let value = value.split(" #").next().unwrap_or_default().trim();
            // What the credentials file says counts; it is read last.
            profile.insert(key.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
}

fn name(section: &str, is_config: bool) -> Option<&str> {
    match section.strip_prefix("profile") {
        Some(name) if is_config && name.starts_with([' ', '\t']) => {
            Some(name.trim().trim_matches('"'))
        }
        _ if is_config && section != "default" => None,
        _ => Some(section),
    }
}
