//! Whether a value is of the kind that its key wants.
use crate::config::keys::Kind;
use crate::config::yaml::{self, Node};
use crate::config::{BudgetDuration, web_url};
use http::HeaderName;

/// Whether a value is of one kind.
pub(super) fn fits(node: &Node, kind: Kind) -> bool {
    let number = || node.as_number().filter(|number| *number >= 0.0);
    let text = || node.as_text();
    match kind {
        Kind::Any => true,
        Kind::Text | Kind::Secret | Kind::Group => text().is_some(),
        Kind::Number | Kind::Wait => number().is_some(),
        Kind::Whole => number().is_some_and(|number| number.fract() == 0.0),
        Kind::Port => {
            number().is_some_and(|port| port.fract() == 0.0 && (1.0..=65535.0).contains(&port))
        }
        Kind::Seconds => number().is_some_and(|seconds| seconds > 0.0),
        Kind::Duration => text().is_some_and(|text| BudgetDuration::parse(&text).is_some()),
        Kind::Flag => node.as_bool().is_some(),
        Kind::Url => text().is_some_and(|text| is_url(&text)),
        Kind::Path => text().is_some_and(|text| text.starts_with('/')),
        Kind::Header => text().is_some_and(|text| HeaderName::from_bytes(text.as_bytes()).is_ok()),
        Kind::OneOf(words) => text().is_some_and(|text| words.split(' ').any(|word| word == text)),
        Kind::Callbacks | Kind::Ips => matches!(node.kind, yaml::Kind::List(_)) || text().is_some(),
        Kind::Texts | Kind::Groups | Kind::Fallbacks | Kind::List(_) => {
            matches!(node.kind, yaml::Kind::List(_))
        }
        Kind::Aliases | Kind::Map(_) | Kind::Maps(_) => matches!(node.kind, yaml::Kind::Map(_)),
        Kind::Either(..) => kind.choices().any(|one| fits(node, one)),
    }
}

fn is_url(text: &str) -> bool {
    web_url(text.trim()).is_some()
}
