//! What a form asks for, read off its fields while they pass.
use crate::providers::{Pictured, Problem};
use bartizan_layers::wire::form::{Field, FormError, LONGEST_VALUE, Scanner};
use std::ops::Range;

/// Fields that would send the call, or its credential, elsewhere.
const ELSEWHERE: [&str; 4] = ["api_key", "api_base", "base_url", "api_version"];

/// Reads the fields that matter to us. Two readers must not see two values of them, so none may
/// stand twice.
#[derive(Debug)]
pub(super) struct FormReader {
    scanner: Scanner,
    fields: Fields,
}

#[derive(Debug)]
struct Fields {
    route: &'static str,
    model: Option<(Box<str>, Range<u64>)>,
    has_model: bool,
    stream: Option<bool>,
    pictured: Pictured,
}

impl FormReader {
    pub(super) fn new(route: &'static str, boundary: &[u8]) -> Self {
        let pictured = Pictured::default();
        let fields = Fields { route, model: None, has_model: false, stream: None, pictured };
        Self { scanner: Scanner::new(boundary), fields }
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let fields = &mut self.fields;
        let mut taken = Ok(());
        let read = self.scanner.push(piece, |field| {
            if taken.is_ok() {
                taken = fields.take(&field);
            }
        });
        taken.and_then(|()| read.map_err(|error| broken(self.fields.route, error)))
    }

    pub(super) fn finish(&self) -> Result<(), Problem> {
        self.scanner.finish().map_err(|error| broken(self.fields.route, error))
    }

    /// The model that the form names, and where, once it is known.
    pub(super) fn take_model(&mut self) -> Option<(Box<str>, Range<usize>)> {
        let (model, at) = self.fields.model.take()?;
        Some((model, usize::try_from(at.start).ok()?..usize::try_from(at.end).ok()?))
    }

    /// What it says of images, also later.
    pub(super) fn pictured(&self) -> Pictured {
        self.fields.pictured.clone()
    }

    /// Whether it asks for a stream, as far as is known.
    pub(super) fn stream(&self) -> bool {
        self.fields.stream.unwrap_or(false)
    }
}

impl Fields {
    fn take(&mut self, field: &Field<'_>) -> Result<(), Problem> {
        let route = self.route;
        let refused = |name: &'static str, what: &str| {
            Err(Problem::bad_request(format!("{route}: the field `{name}` {what}.")).param(name))
        };
        match field.name {
            "model" if self.has_model => refused("model", "stands more than once"),
            "model" => match field.value.and_then(|value| std::str::from_utf8(value).ok()) {
                None => refused("model", &format!("must be a text of up to {LONGEST_VALUE} bytes")),
                Some(model) => {
                    self.has_model = true;
                    self.model = Some((model.into(), field.at.clone()));
                    Ok(())
                }
            },
            "stream" if self.stream.is_some() => refused("stream", "stands more than once"),
            "stream" => {
                let on = |value: &[u8]| value.eq_ignore_ascii_case(b"true") || value == b"1";
                self.stream = Some(field.value.is_some_and(on));
                Ok(())
            }
            "size" | "quality" | "n" => {
                let value = field.value.and_then(|value| std::str::from_utf8(value).ok());
                value.iter().for_each(|value| self.pictured.note(field.name, value));
                Ok(())
            }
            name => match ELSEWHERE.into_iter().find(|elsewhere| *elsewhere == name) {
                Some(name) => refused(name, "is not allowed here"),
                None => Ok(()),
            },
        }
    }
}

fn broken(route: &str, error: FormError) -> Problem {
    Problem::bad_request(format!("{route}: the form cannot be read: {error}."))
}
