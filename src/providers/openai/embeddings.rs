//! Answers to lists of inputs, taken apart and put together again: a cache keeps that of each
//! input by itself (contract 6.4).
use crate::providers::{Contents, Prompt};
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

/// The same request for these `inputs` alone. `None` where it cannot be made, or there is no memory
/// for it.
#[must_use]
pub fn asking_for(prompt: &Prompt, inputs: &[&[u8]]) -> Option<Prompt> {
    let whole = prompt.text.whole();
    let request = scan(&whole).ok()?;
    let mut splice = Splice::new(&request);
    splice.replace(request.index("input").ok()??, list(inputs));
    let body = splice.bytes(&Text::from(whole.clone()));
    if !prompt.held.hold_more(body.len()) {
        return None;
    }
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
/// as many inputs as there are `shares`.
#[must_use]
pub fn apart(answer: &Bytes, shares: &Shares) -> Option<Vec<Bytes>> {
    let object = scan(answer).ok()?;
    let at = object.index("data").ok()??;
    let elements = in_order(object.members().get(at)?.value(), shares.count())?;
    let mut splice = Splice::new(&object);
    splice.replace(at, "[]");
    // Its buffer would be as long as the answer.
    let envelope = Bytes::copy_from_slice(&splice.bytes(&Text::from(answer.clone())));
    let one = |(part, element): (usize, &&[u8])| {
        told(&envelope, &[element], |_, total| shares.of(total, part))
    };
    elements.iter().enumerate().map(one).collect()
}

/// One answer of those to each input, in their order. What else it says is that of the one with the
/// number `speaker`.
#[must_use]
pub fn together(answers: &[Bytes], speaker: usize) -> Option<Bytes> {
    let mut elements = Vec::with_capacity(answers.len());
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
    let numbered = numbered.collect::<Option<Vec<_>>>()?;
    splice.replace(object.index("data").ok()??, list(&numbered));
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

fn list(elements: &[impl AsRef<[u8]>]) -> Bytes {
    let length: usize = elements.iter().map(|element| element.as_ref().len() + 1).sum();
    let mut list = Vec::with_capacity(length + 2);
    list.push(b'[');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            list.push(b',');
        }
        list.extend_from_slice(element.as_ref());
    }
    list.push(b']');
    list.into()
}

#[cfg(test)]
mod tests {
    use super::{Shares, apart, inputs, together};
    use bartizan_layers::wire::scan::scan;
    use bytes::Bytes;

    const ANSWER: &str = r#"{"object":"list", "data":[
        {"object":"embedding","index":1,"embedding":[0.10]},
        {"object":"embedding","index":0,"embedding":"AAAA"}
    ],"model":"m","usage":{"prompt_tokens":7,"total_tokens":7},"own":null}"#;

    #[test]
    fn an_answer_is_taken_apart_by_its_indices_and_put_together_in_another_order() {
        let each = apart(&Bytes::from(ANSWER), &Shares::by([5, 2])).unwrap();
        assert_eq!(
            each,
            [
                r#"{"object":"list", "data":[{"object":"embedding","index":0,"embedding":"AAAA"}],"model":"m","usage":{"prompt_tokens":5,"total_tokens":5},"own":null}"#,
                r#"{"object":"list", "data":[{"object":"embedding","index":0,"embedding":[0.10]}],"model":"m","usage":{"prompt_tokens":2,"total_tokens":2},"own":null}"#,
            ]
        );
        let all = together(&[each[1].clone(), each[0].clone(), each[1].clone()], 0).unwrap();
        assert_eq!(
            all,
            r#"{"object":"list", "data":[{"object":"embedding","index":0,"embedding":[0.10]},{"object":"embedding","index":1,"embedding":"AAAA"},{"object":"embedding","index":2,"embedding":[0.10]}],"model":"m","usage":{"prompt_tokens":9,"total_tokens":9},"own":null}"#
        );
    }

    #[test]
    fn what_is_no_answer_for_so_many_inputs_is_not_taken_apart() {
        let twice = ANSWER.replace("\"index\":1", "\"index\":0");
        let far = ANSWER.replace("\"index\":1", "\"index\":2");
        for (answer, count) in [
            (ANSWER, 1),
            (ANSWER, 3),
            (&twice, 2),
            (&far, 2),
            (r#"{"error":{}}"#, 2),
            (r#"{"data":"no"}"#, 1),
            ("[]", 1),
        ] {
            let shares = Shares::by(vec![1; count]);
            assert!(apart(&Bytes::copy_from_slice(answer.as_bytes()), &shares).is_none());
        }
    }

    #[test]
    fn shares_are_the_total_in_all() {
        let shares = Shares::by([3, 0, 9, 1, 1]);
        for total in [0, 1, 2, 13, 14, 1000, u64::MAX] {
            let sum: u128 = (0..5).map(|part| u128::from(shares.of(total, part))).sum();
            assert_eq!(sum, u128::from(total));
        }
        assert_eq!(Shares::by([0, 0]).of(7, 1), 0);
    }

    #[test]
    fn inputs_are_those_of_a_list_of_texts() {
        let count = |body: &str| inputs(&scan(body.as_bytes()).unwrap()).map(|all| all.len());
        assert_eq!(count(r#"{"input":["a", "b"]}"#), Some(2));
        assert_eq!(count(r#"{"input":[[1,2],[3]]}"#), Some(2));
        for none in [r#"{"input":"a"}"#, r#"{"input":[1,2]}"#, r#"{"input":[]}"#, "{}"] {
            assert_eq!(count(none), None, "{none}");
        }
    }
}
