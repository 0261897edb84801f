//! Taking JSON apart without copying its texts.
use serde::Deserialize;
use serde_json::{Map, Value};

/// Members of an object, taken out of it: what is left is what nobody knew. A null is absent.
pub trait Taking {
    /// A member of any kind.
    fn take(&mut self, name: &str) -> Option<Value>;

    /// A text.
    fn take_text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// An object.
    fn take_object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.take(name)? {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The elements of an array; none without one.
    fn take_array(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(elements)) => elements,
            _ => Vec::new(),
        }
    }

    /// A count, written as a whole number or as a float that is one.
    fn take_count(&mut self, name: &str) -> Option<u64> {
        let value = self.take(name)?;
        let whole = || value.as_f64().filter(|it| it.fract() == 0.0 && (0.0..1e15).contains(it));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        value.as_u64().or_else(|| whole().map(|count| count as u64))
    }

    /// A number.
    fn take_number(&mut self, name: &str) -> Option<f64> {
        self.take(name)?.as_f64()
    }

    /// A truth value.
    fn take_bool(&mut self, name: &str) -> Option<bool> {
        self.take(name)?.as_bool()
    }
}

impl Taking for Map<String, Value> {
    fn take(&mut self, name: &str) -> Option<Value> {
        // The order of what is left matters: it is written again.
        self.shift_remove(name).filter(|value| !value.is_null())
    }
}

/// JSON from a piece of text that should be it: `None` for anything else.
#[must_use]
pub fn parsed(json: &[u8]) -> Option<Map<String, Value>> {
    read(json).ok()
}

/// Anything from JSON. Whether all of it is UTF-8 is looked at once: a reader of bytes would look
/// at each text.
///
/// # Errors
/// When it is no such JSON.
pub fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        // It fails here too, and says where.
        Err(_) => serde_json::from_slice(json),
    }
}

/// A value as text: itself if it is text, else its JSON.
#[must_use]
pub fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// An object of these members, which are moved into it: `json!` would copy them.
#[must_use]
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A number as JSON; a count that is one is written as one.
#[must_use]
pub fn whole(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked: a whole number below 10^15")]
    if number.fract() == 0.0 && number.abs() < 1e15 {
        (number as i64).into()
    } else {
        number.into()
    }
}
