//! A document as the YAML library reads it, and what PyYAML would make of its scalars.
use super::{Kind, Node, place, scalar};
use crate::config::problem::Place;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;

/// A value, where it counts, and where it is written: an alias stands elsewhere than its anchor.
pub(super) struct Written {
    value: Value,
    at: Place,
    written_at: Place,
}

enum Value {
    Scalar(Kind),
    List(Vec<Written>),
    Map(Vec<(Written, Written)>),
}

impl Written {
    /// The tree of the document `source`, which is the file `file`.
    pub(super) fn node(self, source: &str, file: usize) -> Node {
        let kind = match self.value {
            Value::Scalar(kind) => scalar_of(kind, self.written_at, source, scalar::plain),
            Value::List(items) => {
                Kind::List(items.into_iter().map(|item| item.node(source, file)).collect())
            }
            Value::Map(entries) => {
                let named =
                    |(key, value): (Self, Self)| (key.key(source, file), value.node(source, file));
                Kind::Map(entries.into_iter().map(named).collect())
            }
        };
        Node { kind, place: Place { file, ..self.at } }
    }

    /// A key stays a text where a value would be a switch: no name is one.
    fn key(self, source: &str, file: usize) -> Node {
        match self.value {
            Value::Scalar(kind) => {
                let kind = scalar_of(kind, self.written_at, source, scalar::number);
                Node { kind, place: Place { file, ..self.at } }
            }
            _ => self.node(source, file),
        }
    }
}

/// A scalar, read again from its text if it stands there without quotes, and not as `!!str`.
fn scalar_of(kind: Kind, at: Place, source: &str, read: fn(&str) -> Option<Kind>) -> Kind {
    let rest = source.get(at.start..).unwrap_or_default();
    let token = rest.get(..at.len).unwrap_or_default().trim_end();
    let before = source.get(..at.start).unwrap_or_default();
    let is_tagged = before.trim_end_matches([' ', '\t']).ends_with("!!str");
    match kind {
        Kind::Text(text) if rest.starts_with(&*text) && !is_tagged => {
            read(&text).unwrap_or(Kind::Text(text))
        }
        Kind::Bool(_) | Kind::Int(_) | Kind::Float(_)
            if token.starts_with(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            read(token).unwrap_or_else(|| Kind::Text(token.to_owned()))
        }
        other => other,
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, defined } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { value, at: place(referenced), written_at: place(defined) })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Scalar(Kind::Null))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Scalar(Kind::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Scalar(Kind::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Scalar(Kind::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        let number = i64::try_from(value).map_or(Kind::Float(value as f64), Kind::Int);
        Ok(Value::Scalar(number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Scalar(Kind::Float(value)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Scalar(Kind::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Value::Map(map))
    }
}
