//! Namespaces of tools: other dialects have plain names only.
use crate::providers::chat::{Function, Qualified, Tool};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The longest name of a tool that all providers take.
const LONGEST: usize = 64;

/// The one name of a tool in a namespace: both, or of a longer one the beginning and a number that
/// depends on all of it.
pub(super) fn joined(namespace: &str, name: &str) -> String {
    let between = if namespace.ends_with("__") { "" } else { "__" };
    let whole = format!("{namespace}{between}{name}");
    if whole.len() <= LONGEST {
        return whole;
    }
    let mut hash = DefaultHasher::new();
    whole.hash(&mut hash);
    let end = format!("_{:016x}", hash.finish());
    let begin = whole.chars().take(LONGEST - end.len());
    begin.chain(end.chars()).collect()
}

/// The tools of a namespace, by their one name. What is said of the namespace is said with its
/// first function.
pub(super) fn flat(namespace: &str, mut description: Option<String>, tools: &mut [Tool]) {
    for tool in tools {
        let Tool::Function(function) = tool else { continue };
        let Function { name, description: own, qualified, .. } = function;
        let one = joined(namespace, name);
        let name = std::mem::replace(name, one);
        *qualified = Some(Qualified { namespace: namespace.to_owned(), name });
        let both = description.take().into_iter().chain(own.take());
        let both: Vec<String> = both.filter(|text| !text.is_empty()).collect();
        *own = (!both.is_empty()).then(|| both.join("\n\n"));
    }
}
