//! A request's body that goes straight through.
use super::Hold;
use crate::data::Picture;
use bartizan_layers::BoxError;
use bartizan_layers::body::{Body, Parts};
use bartizan_layers::wire::scan::Object;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// A body of which at most the beginning was read.
#[derive(Debug)]
pub struct Passing {
    /// What was read of a form, where one is needed.
    pub form: Option<Form>,
    /// What the body of a call about objects of an account selected. It is taken out.
    pub selected: Selected,
    /// All of the body, or what follows the part of a form that was read.
    pub body: Body,
    /// Why the body broke off, once it has.
    pub fault: Fault,
    /// The share of the memory budget.
    pub held: Arc<dyn Hold>,
}

/// What selects the account of a call about objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// A provider's name.
    pub provider: Option<Box<str>>,
    /// A model, whose deployment's account is meant.
    pub model: Option<Box<str>>,
}

impl Selected {
    /// The names of selectors in a body: of a provider, and of models.
    pub const IN_BODY: [&'static str; 2] = ["custom_llm_provider", "target_model_names"];

    /// Takes in one selector, unless it is empty or one of its kind was there before.
    pub fn note(&mut self, name: &str, value: &str) {
        if name == Self::IN_BODY[0] {
            let value = Some(value).filter(|value| !value.is_empty());
            self.provider = self.provider.take().or(value.map(Into::into));
            return;
        }
        // Of several models the first one decides: one object lives in one account.
        let first = value.split(',').next().map(str::trim).filter(|first| !first.is_empty());
        self.model = self.model.take().or(first.map(Into::into));
    }
}

/// The beginning of a form, up to its model.
#[derive(Debug)]
pub struct Form {
    /// The bytes so far.
    pub begun: Bytes,
    /// The model that it names.
    pub model: Option<Box<str>>,
    /// Where the model's name stands in `begun`; without one, where a part that names it fits, and
    /// then `begun` is all of the form.
    pub place: Place,
    /// Whether it asks for a stream, as far as is known.
    pub stream: bool,
    /// What separates its parts.
    pub boundary: Box<[u8]>,
    /// What it says of images, as far as is known.
    pub pictured: Pictured,
}

/// What a call says of the images that it wants: of a form, as far as it has passed. Clones share
/// it.
#[derive(Clone, Debug, Default)]
pub struct Pictured(Arc<Mutex<Picture>>);

impl Pictured {
    /// What a request says in JSON: all but how many it wants, which its size tells.
    #[must_use]
    pub fn of(object: &Object<'_>) -> Self {
        let pictured = Self::default();
        for name in Picture::MEMBERS {
            let told = object.get(name).ok().flatten().and_then(|member| member.value().as_str());
            told.iter().for_each(|told| pictured.note(name, told));
        }
        pictured
    }

    /// Takes in a member or a field, if it is one that says something of images.
    pub fn note(&self, name: &str, value: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).note(name, value);
    }

    /// What is known now.
    #[must_use]
    pub fn picture(&self) -> Picture {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where a form's model stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Here.
    At(Range<usize>),
    /// Nowhere.
    Missing,
}

impl Form {
    /// The beginning of the form with this model in it: in place of the client's, else as a part
    /// of its own before all others. `None` for a model that cannot stand on one line.
    #[must_use]
    pub fn naming(&self, model: &str) -> Option<[Bytes; 3]> {
        if model.contains(char::is_control) {
            return None;
        }
        let begun = |range: Range<usize>| self.begun.slice(range);
        Some(match &self.place {
            Place::At(at) => [
                begun(0..at.start),
                Bytes::copy_from_slice(model.as_bytes()),
                begun(at.end..self.begun.len()),
            ],
            Place::Missing => {
                let head = b"\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n";
                let part = [b"--", &*self.boundary, head, model.as_bytes(), b"\r\n"].concat();
                [part.into(), self.begun.clone(), Bytes::new()]
            }
        })
    }
}

/// A body whose beginning was read already.
#[derive(Debug)]
pub struct Resumed {
    begun: Body,
    rest: Body,
}

impl Resumed {
    /// The body of what was read and of the `rest`.
    #[must_use]
    pub fn body(begun: Vec<Bytes>, rest: Body) -> Body {
        Body::stream(Self { begun: Body::Parts(Parts::new(begun)), rest })
    }
}

impl http_body::Body for Resumed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.begun).poll_frame(cx) {
            Poll::Ready(None) => Pin::new(&mut self.rest).poll_frame(cx),
            begun => begun,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.begun.is_end_stream() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (begun, rest) = (self.begun.size_hint(), self.rest.size_hint());
        let mut both = SizeHint::new();
        both.set_lower(begun.lower().saturating_add(rest.lower()));
        if let (Some(begun), Some(rest)) = (begun.upper(), rest.upper()) {
            both.set_upper(begun.saturating_add(rest));
        }
        both
    }
}

/// Why a body broke off on its way to an upstream. The upstream's connection knows only that it
/// did; this knows the reason. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<Mutex<Option<BoxError>>>);

impl Fault {
    /// Notes the reason.
    pub fn set(&self, error: BoxError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// The reason, if there is one; asked once.
    #[must_use]
    pub fn take(&self) -> Option<BoxError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Pictured, Place};
    use bytes::Bytes;

    fn named(begun: &str, place: Place) -> String {
        let begun = Bytes::copy_from_slice(begun.as_bytes());
        let boundary = b"x"[..].into();
        let pictured = Pictured::default();
        let form = Form { begun, model: None, place, stream: false, boundary, pictured };
        let pieces = form.naming("real").unwrap();
        assert!(form.naming("re\r\nal").is_none());
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[test]
    fn a_model_takes_the_place_of_another() {
        assert_eq!(named("before fast after", Place::At(7..11)), "before real after");
    }

    #[test]
    fn a_missing_model_becomes_the_first_part() {
        let part = "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nreal\r\n";
        assert_eq!(named("--x--", Place::Missing), format!("{part}--x--"));
    }
}
