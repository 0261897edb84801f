//! What the body of a call selects that is about objects of an account: LiteLLM's clients name the
//! provider there too, in JSON or in a form (`extra_body`). It is taken out: providers refuse what
//! they do not know.
use super::owned::of_field;
use crate::providers::{Problem, Selected};
use bartizan_layers::wire::form::{Field, Scanner};
use bartizan_layers::wire::scan::scan;
use bartizan_layers::wire::splice::Splice;
use bartizan_layers::wire::text::Text;
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// How much of a body is held to find selectors, in bytes. Longer JSON passes as it is; in a longer
/// form they must stand before that.
pub(super) const MOST_HELD: usize = 1 << 20;

/// Takes the selectors out of JSON. What is no object stays as it is.
pub(super) fn of_json(body: Bytes) -> (Selected, Bytes) {
    let mut selected = Selected::default();
    let text = Text::from(body);
    let Ok(object) = scan(text.outline()) else { return (selected, text.whole()) };
    let mut splice = Splice::new(&object);
    for (at, member) in object.members().iter().enumerate() {
        let name = std::str::from_utf8(member.key()).unwrap_or_default();
        if Selected::IN_BODY.contains(&name) {
            selected.note(name, &member.value().as_str().unwrap_or_default());
            splice.remove(at);
        }
    }
    (selected, splice.bytes(&text))
}

/// Finds the selectors of a form while it passes.
#[derive(Debug)]
pub(super) struct FormSelectors {
    route: &'static str,
    scanner: Scanner,
    /// Where the last part ended.
    end: u64,
    selected: Selected,
    /// The objects that it names.
    named: Vec<Box<str>>,
    /// The parts that are taken out, each from its boundary to the next one.
    cuts: Vec<Range<u64>>,
    /// What was held is on its way.
    released: bool,
    /// It cannot be read. That is the provider's to say.
    broken: bool,
}

impl FormSelectors {
    pub(super) fn new(route: &'static str, boundary: &[u8]) -> Self {
        Self {
            route,
            scanner: Scanner::new(boundary),
            end: 0,
            selected: Selected::default(),
            named: Vec::new(),
            cuts: Vec::new(),
            released: false,
            broken: false,
        }
    }

    /// Reads the next piece.
    ///
    /// # Errors
    ///
    /// When a selector comes too late.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let Self { scanner, end, selected, named, cuts, .. } = self;
        let known = (cuts.len(), named.len());
        let read = scanner.push(piece, |Field { name, value, at }| {
            let begin = if *end == 0 { 0 } else { *end + 2 };
            *end = at.end;
            if Selected::IN_BODY.contains(&name) {
                let value = value.and_then(|value| std::str::from_utf8(value).ok());
                selected.note(name, value.unwrap_or_default());
                cuts.push(begin..at.end + 2);
            } else {
                of_field(named, name, value.unwrap_or_default());
            }
        });
        self.broken = self.broken || read.is_err();
        if !self.released || (self.cuts.len(), self.named.len()) == known {
            return Ok(());
        }
        let (route, names) = (self.route, Selected::IN_BODY.join("` and `"));
        Err(Problem::bad_request(format!(
            "{route}: the fields `{names}`, and those that name objects, must stand before the file."
        )))
    }

    /// The objects that were named in what was read.
    pub(super) fn named(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.named)
    }

    /// Whether it cannot be read.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether nothing more can be found.
    pub(super) const fn is_over(&self) -> bool {
        self.broken || self.scanner.finish().is_ok()
    }

    /// What was selected in `held`, which is all that was read, and the rest of that.
    pub(super) fn release(&mut self, held: Bytes) -> (Selected, Bytes) {
        self.released = true;
        if self.cuts.is_empty() {
            return (Selected::default(), held);
        }
        let mut kept = BytesMut::with_capacity(held.len());
        let mut at = 0;
        for cut in &self.cuts {
            let place = |place| usize::try_from(place).unwrap_or(usize::MAX).min(held.len());
            kept.extend_from_slice(&held[at..place(cut.start).max(at)]);
            at = place(cut.end);
        }
        kept.extend_from_slice(&held[at..]);
        (std::mem::take(&mut self.selected), kept.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::{FormSelectors, of_json};
    use bytes::Bytes;

    #[test]
    fn json_keeps_all_but_its_selectors() {
        for (body, rest, provider, model) in [
            (r#"{"a": 1, "custom_llm_provider": "groq"}"#, r#"{"a": 1}"#, Some("groq"), None),
            (r#"{"target_model_names":"x, y","a":[]}"#, r#"{"a":[]}"#, None, Some("x")),
            (r#"{"custom_llm_provider":null}"#, "{}", None, None),
            (r#"{"model": "m"}"#, r#"{"model": "m"}"#, None, None),
            ("[", "[", None, None),
        ] {
            let (selected, kept) = of_json(Bytes::copy_from_slice(body.as_bytes()));
            assert_eq!(
                (selected.provider.as_deref(), selected.model.as_deref()),
                (provider, model)
            );
            assert_eq!(kept, rest);
        }
    }

    fn part(name: &str, value: &str) -> String {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    }

    #[test]
    fn a_form_keeps_all_but_its_selectors_however_it_is_cut() {
        let (file, purpose) = (part("file\"; filename=\"f", "{}\n"), part("purpose", "batch"));
        let (provider, model) =
            (part("custom_llm_provider", "groq"), part("target_model_names", "m"));
        for parts in [
            [&provider, &purpose, &model, &file],
            [&provider, &model, &purpose, &file],
            [&purpose, &file, &model, &provider],
        ] {
            let whole = format!("{}--x--\r\n", parts.map(String::as_str).concat());
            let wanted = whole.replace(&provider, "").replace(&model, "");
            for size in 1..whole.len() {
                let mut selectors = FormSelectors::new("/files", b"x");
                whole.as_bytes().chunks(size).for_each(|piece| selectors.push(piece).unwrap());
                assert!(selectors.is_over());
                let (selected, kept) = selectors.release(whole.clone().into());
                assert_eq!(kept, wanted);
                assert_eq!(selected.provider.as_deref(), Some("groq"));
                assert_eq!(selected.model.as_deref(), Some("m"));
            }
        }
    }

    #[test]
    fn a_selector_that_comes_too_late_is_refused() {
        let mut selectors = FormSelectors::new("/files", b"x");
        let begun = part("purpose", "batch");
        selectors.push(begun.as_bytes()).unwrap();
        assert_eq!(selectors.release(begun.clone().into()).1, begun);
        selectors.push(part("file", "{}").as_bytes()).unwrap();
        let late = part("custom_llm_provider", "groq") + "--x";
        let refused = selectors.push(late.as_bytes()).unwrap_err();
        assert!(refused.message.contains("before the file"), "{}", refused.message);
    }
}
