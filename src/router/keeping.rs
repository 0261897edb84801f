//! Keeps the answer to a call of `/v1/responses` whose provider keeps none.
use super::Rules;
use crate::conversations::{Continued, Conversations, Turn};
use crate::identity::Tenant;
use crate::providers::Prompt;
use crate::providers::openai::responses::{Continuing, id_of};
use bartizan_layers::facts::Principal;
use http::Extensions;
use std::sync::Arc;

/// What is known of a response before it comes.
#[derive(Clone, Debug)]
pub(super) struct Keeping {
    conversations: Conversations,
    tenant: Option<Tenant>,
    previous: Option<Arc<str>>,
    input: Arc<str>,
}

impl Keeping {
    /// For the response to `prompt`; `None` if it is not to be kept, or there is no memory for it.
    pub(super) fn of(rules: &Rules, facts: &Extensions, prompt: &Prompt) -> Option<Self> {
        let conversations = rules.conversations.clone()?;
        let whole = prompt.text.whole();
        let asked = Continuing::read(&whole).ok().filter(Continuing::is_stored)?;
        let continued = facts.get::<Continued>().cloned();
        let Continued { previous, input } = match continued {
            Some(continued) => continued,
            None if !prompt.held.hold_more(whole.len()) => return None,
            None => Continued { previous: None, input: asked.input(&[]).into() },
        };
        let tenant = facts.get::<Principal>().map(Tenant::of);
        Some(Self { conversations, tenant, previous, input })
    }

    /// Keeps the response.
    pub(super) async fn keep(self, response: Vec<u8>) {
        // It was written here: it has an id, and it is UTF-8.
        let Ok(response) = String::from_utf8(response) else { return };
        let Some(id) = id_of(&response) else { return };
        let previous = self.previous.as_deref().map(Into::into);
        let turn =
            Turn { id: id.into(), previous, input: self.input.as_ref().to_owned(), response };
        self.conversations.keep(turn, self.tenant).await;
    }
}
