//! What an answer calls itself.
use super::Wire;
use super::learned::Learned;
use crate::facts::UsageCell;
use crate::wire::scan::{Value, value};

/// A longer name is none.
const LONGEST: usize = 256;
/// So many bytes of a whole answer are searched: names stand before texts and vectors.
const NEAR: usize = 4 * 1024;

/// Notes the id and the model of a whole JSON answer on `cell`, where they stand near its beginning.
/// Those of Gemini stand at the end of an answer, and are found in short ones.
pub fn name_whole(wire: Wire, body: &[u8], cell: &UsageCell) {
    let near = body.get(..NEAR).unwrap_or(body);
    let (mut id, mut model) = (false, false);
    for (key, value) in value(near).members() {
        let Some(found) = name(wire, &key, value) else { continue };
        match found {
            Name::Id(text) => {
                cell.set_id(&text);
                id = true;
            }
            Name::Model(text) => {
                cell.set_model(&text);
                model = true;
            }
        }
        if id && model {
            return;
        }
    }
}

enum Name<'a> {
    Id(std::borrow::Cow<'a, str>),
    Model(std::borrow::Cow<'a, str>),
}

/// The name that a member is.
#[inline]
fn name<'a>(wire: Wire, key: &[u8], value: Value<'a>) -> Option<Name<'a>> {
    let text = || value.as_str().filter(|name| !name.is_empty() && name.len() <= LONGEST);
    match (wire, key) {
        (Wire::Gemini, b"responseId") => text().map(Name::Id),
        (Wire::Gemini, b"modelVersion") => text().map(Name::Model),
        (Wire::Gemini, _) => None,
        (_, b"id") => text().map(Name::Id),
        (_, b"model") => text().map(Name::Model),
        _ => None,
    }
}

impl Learned {
    /// Reads the beginning of an Anthropic answer.
    pub(super) fn message(&mut self, message: Option<Value<'_>>) {
        for (key, value) in message.into_iter().flat_map(Value::members) {
            match &*key {
                b"usage" => self.used(value),
                key => self.named(key, value),
            }
        }
    }

    /// Reads a member of an answer, or of a part of one, that may be its id or its model. All parts
    /// of a stream say the same.
    #[inline]
    pub(super) fn named(&mut self, key: &[u8], value: Value<'_>) {
        let (Some(cell), false) = (&self.cell, self.has_id && self.has_model) else { return };
        match name(self.wire, key, value) {
            Some(Name::Id(id)) if !self.has_id => {
                self.has_id = true;
                cell.set_id(&id);
            }
            Some(Name::Model(model)) if !self.has_model => {
                self.has_model = true;
                cell.set_model(&model);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Wire, name_whole};
    use crate::facts::UsageCell;

    #[test]
    fn a_whole_answer_tells_its_id_and_its_model() {
        let long = "x".repeat(10_000);
        for (wire, body) in [
            (Wire::Chat, r#"{"id":"a","object":"o","model":"m","choices":[]}"#.to_owned()),
            (Wire::Chat, format!(r#"{{"id":"a","model":"m","choices":[{{"text":"{long}"}}]}}"#)),
            (Wire::Messages, r#"{"model":"m","id":"a","content":[{"id":"b"}]}"#.to_owned()),
            (Wire::Gemini, r#"{"candidates":[],"modelVersion":"m","responseId":"a"}"#.to_owned()),
        ] {
            let cell = UsageCell::default();
            name_whole(wire, body.as_bytes(), &cell);
            let told = cell.answered().unwrap();
            assert_eq!(
                (told.id.as_deref(), told.model.as_deref()),
                (Some("a"), Some("m")),
                "{body}"
            );
        }
    }

    #[test]
    fn what_has_no_name_tells_none() {
        for body in ["", "[]", "{", r#"{"id":7}"#, r#"{"id":""}"#, r#"{"choices":[{"id":"b"}]}"#] {
            let cell = UsageCell::default();
            name_whole(Wire::Chat, body.as_bytes(), &cell);
            assert_eq!(cell.answered(), None, "{body}");
        }
    }
}
