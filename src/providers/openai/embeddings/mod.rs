//! Answers to lists of inputs, taken apart and put together again: a cache keeps that of each
//! input by itself (contract 6.4).
#[cfg(test)]
mod tests;

mod provider;
mod write;

pub use self::provider::{read_answer, write_asked};
pub use self::write::write_answer;

use crate::providers::{Contents, Hold, Prompt};
use bartizan_layers::wire::scan::{Object, Value, scan};
use bartizan_layers::wire::splice::Splice;
use bartizan_layers::wire::text::Text;
use bytes::Bytes;
use std::collections::HashMap;

/// OpenAI takes no more at once.
const MOST: usize = 2048;

/// The inputs of a request as they are written, where it has a list of them: of texts, or of texts
/// as tokens.
#[must_use]
pub fn inputs<'a>(request: &Object<'a>) -> Option<Vec<&'a [u8]>> {
    let input = request.get("input").ok()??.value();
    let is_text = |one: &Value<'_>| one.is_array() || one.raw().first() == Some(&b'"');
    let all: Vec<_> = input.elements().take(MOST + 1).collect();
    let is_list = input.is_array() && (1..=MOST).contains(&all.len()) && all.iter().all(is_text);
    is_list.then(|| all.iter().map(Value::raw).collect())
}

/// The same request, whose `whole` text this is, for these `inputs` alone. `None` where it cannot be
/// made, or there is no memory for it.
#[must_use]
pub fn asking_for(prompt: &Prompt, whole: &Bytes, inputs: &[&[u8]]) -> Option<Prompt> {
    let request = scan(whole).ok()?;
    // Its buffer, and the list that goes into it, which is shorter than the one before.
    if !prompt.held.hold_more(whole.len().saturating_mul(2)) {
        return None;
    }
    let mut splice = Splice::new(&request);
    splice.replace(
        request.index("input").ok()??,
        list(size_of_list(inputs), inputs.iter().map(Some))?,
    );
    let body = splice.bytes(&Text::from(whole.clone()));
    let Contents { text, layout, size, .. } = Contents::of(body.into());
    let contents = Contents { text, layout, size, ..Contents::clone(prompt) };
    Some(Prompt::new(contents, prompt.model.clone()))
}

/// How a total is divided among parts, by their sizes and without a rest.
#[derive(Clone, Debug)]
pub struct Shares(Vec<u128>);

impl Shares {
    /// One share for each of these sizes.
    #[must_use]
    pub fn by(sizes: impl IntoIterator<Item = usize>) -> Self {
        let mut end = 0;
        Self(sizes.into_iter().map(|size| (end += size as u128, end).1).collect())
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// What the part with this number has of a `total`.
    #[must_use]
    pub fn of(&self, total: u64, part: usize) -> u64 {
        let Some(all) = self.0.last().filter(|all| **all > 0) else { return 0 };
        let until = |end: Option<&u128>| end.map_or(0, |end| u128::from(total) * end / all);
        let before = until(part.checked_sub(1).and_then(|before| self.0.get(before)));
        u64::try_from(until(self.0.get(part)).saturating_sub(before)).unwrap_or(0)
    }
}

/// An `answer` for each input by itself, with its share of the tokens. `None` if it is not one for
/// as many inputs as there are `shares`, or there is no memory for them.
#[must_use]
pub fn apart(answer: &Bytes, shares: &Shares, held: &dyn Hold) -> Option<Vec<Bytes>> {
    if !held.hold_more(answer.len()) {
        return None;
    }
    let object = scan(answer).ok()?;
    let at = object.index("data").ok()??;
    let elements = in_order(object.members().get(at)?.value(), shares.count())?;
    let mut splice = Splice::new(&object);
    splice.replace(at, "[]");
    // Its buffer would be as long as the answer.
    let envelope = Bytes::copy_from_slice(&splice.bytes(&Text::from(answer.clone())));
    if !held.hold_more(envelope.len().saturating_mul(shares.count())) {
        return None;
    }
    let one = |(part, element): (usize, &&[u8])| {
        told(&envelope, &[element], |_, total| shares.of(total, part))
    };
    elements.iter().enumerate().map(one).collect()
}

/// One answer of those to each input, in their order. What else it says is that of the one with the
/// number `speaker`. `None` if they are not all of one model, or there is no memory for it.
#[must_use]
pub fn together(answers: &[Bytes], speaker: usize, held: &dyn Hold) -> Option<Bytes> {
    let length: usize = answers.iter().map(Bytes::len).sum();
    // The list of elements is made first.
    if !held.hold_more(length.saturating_mul(2)) {
        return None;
    }
    let mut elements = Vec::with_capacity(answers.len());
    let mut models = answers.iter().map(|answer| model(answer));
    let first = models.next()??;
    if models.any(|model| model != Some(first)) {
        return None;
    }
    let mut sums = HashMap::<Vec<u8>, u64>::new();
    for answer in answers {
        let object = scan(answer).ok()?;
        elements.push(object.get("data").ok()??.value().elements().next()?.raw());
        if let Some(usage) = object.get("usage").ok()? {
            for (name, value) in usage.value().members() {
                let sum = sums.entry(name.into_owned()).or_default();
                *sum = sum.saturating_add(value.as_u64().unwrap_or(0));
            }
        }
    }
    told(answers.get(speaker)?, &elements, |name, own| sums.get(name).copied().unwrap_or(own))
}

/// The model that an answer names; nothing, if it names none. `None` for what is no answer.
fn model(answer: &[u8]) -> Option<&[u8]> {
    let object = scan(answer).ok()?;
    Some(object.get("model").ok()?.map_or(&[], |model| model.value().raw()))
}

/// The elements of an answer's `data` by their indices: each of so many once.
fn in_order(data: Value<'_>, count: usize) -> Option<Vec<&[u8]>> {
    let mut places = vec![None; count];
    for (at, element) in data.elements().enumerate() {
        let index = match element.get("index") {
            Some(index) => usize::try_from(index.as_u64()?).ok()?,
            None => at,
        };
        if places.get_mut(index)?.replace(element.raw()).is_some() {
            return None;
        }
    }
    places.into_iter().collect()
}

/// The answer `envelope` with these elements, and with other numbers in its usage.
fn told(envelope: &Bytes, elements: &[&[u8]], count: impl Fn(&[u8], u64) -> u64) -> Option<Bytes> {
    let object = scan(envelope).ok()?;
    let mut splice = Splice::new(&object);
    let numbered = elements.iter().enumerate().map(|(index, element)| numbered(element, index));
    let list = list(size_of_list(elements), numbered)?;
    splice.replace(object.index("data").ok()??, list);
    if let Some(at) = object.index("usage").ok()? {
        let usage = object.members().get(at)?.value();
        if usage.is_object() {
            splice.replace(at, counted(usage.raw(), count)?);
        }
    }
    Some(splice.bytes(&Text::from(envelope.clone())))
}

/// An element with another index; as it is, if it has none.
fn numbered(element: &[u8], index: usize) -> Option<Bytes> {
    let object = scan(element).ok()?;
    let mut splice = Splice::new(&object);
    if let Some(at) = object.index("index").ok()? {
        splice.replace(at, index.to_string());
    }
    Some(splice.bytes(&Text::from(Bytes::copy_from_slice(element))))
}

/// A `usage` with other numbers.
fn counted(usage: &[u8], count: impl Fn(&[u8], u64) -> u64) -> Option<Bytes> {
    let object = scan(usage).ok()?;
    let mut splice = Splice::new(&object);
    for (at, member) in object.members().iter().enumerate() {
        if let Some(own) = member.value().as_u64() {
            splice.replace(at, count(member.key(), own).to_string());
        }
    }
    Some(splice.bytes(&Text::from(Bytes::copy_from_slice(usage))))
}

/// A list of these elements; `None` if one of them could not be made.
fn list<E: AsRef<[u8]>>(size: usize, elements: impl Iterator<Item = Option<E>>) -> Option<Bytes> {
    let mut list = Vec::with_capacity(size);
    list.push(b'[');
    for (at, element) in elements.enumerate() {
        if at > 0 {
            list.push(b',');
        }
        list.extend_from_slice(element?.as_ref());
    }
    list.push(b']');
    Some(list.into())
}

/// How long a list of these `elements` may be, each with a comma and another index.
fn size_of_list(elements: &[&[u8]]) -> usize {
    elements.iter().map(|element| element.len() + 5).sum::<usize>() + 2
}
