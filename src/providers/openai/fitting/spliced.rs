//! A client's own request, spliced.
use super::messages;
use super::parameters::{Said, said};
use crate::data::Quirks;
use crate::providers::Prompt;
use crate::providers::chat::Lost;
use crate::providers::openai::NotEdited;
use bartizan_layers::wire::scan::{Duplicate, Object, scan};
use bartizan_layers::wire::splice::Splice;
use bytes::Bytes;
use serde_json::Value;

/// Fits a request to its provider, and keeps what was lost.
#[derive(Debug)]
pub(in super::super) struct Fitting<'a> {
    /// `None` where nothing differs.
    quirks: Option<&'a Quirks>,
    /// Parameters that are sent all the same.
    allowed: &'a [String],
    asked: Vec<String>,
    pub(in super::super) lost: Lost,
}

impl<'a> Fitting<'a> {
    /// Where the provider differs in `quirks`, but for what is `allowed` by the config.
    pub(in super::super) fn new(
        quirks: Option<&'a Quirks>,
        allowed: &'a [String],
        object: &Object<'_>,
    ) -> Result<Self, Duplicate> {
        let quirks = quirks.filter(|quirks| quirks.is_odd());
        let asked = match quirks {
            Some(_) => names(object, "allowed_openai_params")?,
            None => Vec::new(),
        };
        Ok(Self { quirks, allowed, asked, lost: Lost::default() })
    }

    /// What the provider is told instead of the parameter `name` with this value; `None` if
    /// nothing.
    pub(in super::super) fn told<'n>(
        &mut self,
        name: &'n str,
        json: &Bytes,
    ) -> Option<(&'n str, Bytes)> {
        match self.said(name, json) {
            Said::So => Some((name, json.clone())),
            Said::As(here) => Some((here, json.clone())),
            Said::Word(here) => Some((name, Value::from(here).to_string().into())),
            Said::Not(loss) => {
                loss.note(name.to_owned(), &mut self.lost);
                None
            }
        }
    }

    fn said(&self, name: &str, json: &[u8]) -> Said {
        let Some(quirks) = self.quirks else { return Said::So };
        let allowed = || self.allowed.iter().chain(&self.asked).any(|allowed| allowed == name);
        let value = || serde_json::from_slice(json).unwrap_or_default();
        match said(quirks, name, value) {
            Said::Not(_) if allowed() => Said::So,
            said => said,
        }
    }

    /// Changes the client's members, but for those that are `settled` already.
    pub(in super::super) fn members(
        &mut self,
        splice: &mut Splice<'_, '_>,
        object: &Object<'_>,
        prompt: &Prompt,
        settled: impl Fn(&str) -> bool,
    ) -> Result<(), NotEdited> {
        let Some(quirks) = self.quirks else { return Ok(()) };
        for (at, member) in object.members().iter().enumerate() {
            let Ok(name) = std::str::from_utf8(member.key()) else { continue };
            if settled(name) || member.value().is_null() {
                continue;
            }
            let said = self.said(name, member.value().raw());
            if said != Said::So {
                // Twice is a mistake where it matters.
                object.index(name)?;
                self.member(splice, object, (at, name), said, &settled)?;
            }
        }
        if !quirks.of_messages() || settled("messages") {
            return Ok(());
        }
        let Some(at) = object.index("messages")? else { return Ok(()) };
        if let Some(told) = self.messages(quirks, object, at, prompt)? {
            splice.replace(at, told);
        }
        Ok(())
    }

    fn member(
        &mut self,
        splice: &mut Splice<'_, '_>,
        object: &Object<'_>,
        (at, name): (usize, &str),
        said: Said,
        settled: &impl Fn(&str) -> bool,
    ) -> Result<(), Duplicate> {
        match said {
            Said::So => {}
            Said::As(here) => {
                let own = object.index(here)?;
                let is_null = |at: usize| object.members()[at].value().is_null();
                // What is said in the provider's own words counts more.
                if settled(here) || own.is_some_and(|own| !is_null(own)) {
                    splice.remove(at);
                } else {
                    own.into_iter().for_each(|own| splice.remove(own));
                    splice.rename(at, here);
                }
            }
            Said::Word(here) => splice.replace(at, Value::from(here).to_string()),
            Said::Not(loss) => {
                loss.note(name.to_owned(), &mut self.lost);
                splice.remove(at);
            }
        }
        Ok(())
    }

    /// The messages as the provider takes them, where that is not how they are.
    fn messages(
        &mut self,
        quirks: &Quirks,
        object: &Object<'_>,
        at: usize,
        prompt: &Prompt,
    ) -> Result<Option<Bytes>, NotEdited> {
        let mut told = object.members()[at].value();
        let is_cut = prompt.text.is_cut(told.range().start);
        if is_cut && !prompt.held.hold_more(prompt.text.len()) {
            return Err(NotEdited::NoMemory);
        }
        let whole = if is_cut { prompt.text.whole() } else { Bytes::new() };
        let again = if is_cut { scan(&whole).ok() } else { None };
        if let Some(member) = again.as_ref().and_then(|whole| whole.members().get(at)) {
            told = member.value();
        }
        if !messages::concern(quirks, told) {
            return Ok(None);
        }
        // Taken apart and written.
        if !prompt.held.hold_more(2 * told.raw().len()) {
            return Err(NotEdited::NoMemory);
        }
        let Ok(mut read) = serde_json::from_slice::<Vec<Value>>(told.raw()) else {
            return Ok(None);
        };
        let changed = messages::fit(&mut read, quirks, &mut self.lost);
        Ok(changed.then(|| Value::Array(read).to_string().into()))
    }
}

/// The texts in the member `key`, which is a list.
pub(in super::super) fn names(object: &Object<'_>, key: &str) -> Result<Vec<String>, Duplicate> {
    let Some(member) = object.get(key)? else { return Ok(Vec::new()) };
    let texts = member.value().elements().filter_map(|name| name.as_str());
    Ok(texts.map(|name| name.into_owned()).collect())
}
