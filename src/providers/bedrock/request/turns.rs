//! The conversation: the user first, and sides in turn.
use super::content::Writer;
use crate::providers::chat::{Block, Content, Malformed, Role, Target, Turn, object};
use serde_json::{Value, json};

/// A conversation in Converse's words.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// Blocks of instructions.
    pub(super) system: Vec<Value>,
    /// Who speaks, and what is said.
    turns: Vec<(Role, Vec<Value>)>,
}

impl Conversation {
    /// Writes `turns`.
    ///
    /// # Errors
    /// Nothing is said in them, or the model speaks first, and nothing may be put before it.
    pub(super) fn write(
        turns: Vec<Turn>,
        target: &Target<'_>,
        writer: &mut Writer<'_>,
    ) -> Result<Self, Malformed> {
        let mut conversation = Self::default();
        for turn in turns {
            conversation.add(turn, writer);
        }
        conversation.order();
        conversation.begin(target.modify)?;
        conversation.end(target.modify, writer);
        Ok(conversation)
    }

    fn add(&mut self, turn: Turn, writer: &mut Writer<'_>) {
        let Turn { role, name, blocks } = turn;
        if name.is_some() {
            writer.lost.hint("name");
        }
        if role.instructs() {
            return blocks.into_iter().for_each(|block| self.instruct(block, writer));
        }
        let mut written = Vec::with_capacity(blocks.len());
        for block in blocks {
            writer.write(block, role, &mut written);
        }
        match self.turns.last_mut() {
            _ if written.is_empty() => {}
            Some((last, blocks)) if *last == role => blocks.extend(written),
            _ => self.turns.push((role, written)),
        }
    }

    /// Instructions are texts, or blocks of this dialect.
    fn instruct(&mut self, block: Block, writer: &mut Writer<'_>) {
        match &block.content {
            Content::Text(..) | Content::Refusal(_) | Content::Other(_) => {
                writer.write(block, Role::System, &mut self.system);
            }
            _ => writer.lost.part("messages.content"),
        }
    }

    /// Results stand first in a turn of the user's: they belong to the calls right before it.
    /// Beside a document there has to be a text.
    fn order(&mut self) {
        for (role, blocks) in &mut self.turns {
            if *role == Role::User {
                if blocks.iter().any(|block| is_of(block, "toolResult")) {
                    results_first(blocks);
                }
                let has = |kind| blocks.iter().any(|block| is_of(block, kind));
                if has("document") && !has("text") && !has("toolResult") {
                    blocks.insert(0, dot());
                }
            }
        }
    }

    fn begin(&mut self, modify: bool) -> Result<(), Malformed> {
        match self.turns.first().map(|(role, _)| *role) {
            Some(Role::User) => Ok(()),
            _ if modify => {
                self.turns.insert(0, (Role::User, vec![dot()]));
                Ok(())
            }
            Some(_) => Err(Malformed::new(
                "messages",
                "The first message must be the user's: Bedrock takes no other.",
            )),
            None if self.system.is_empty() => {
                Err(Malformed::new("messages", "At least one message must not be empty."))
            }
            None => {
                self.turns.push((Role::User, std::mem::take(&mut self.system)));
                Ok(())
            }
        }
    }

    /// The server refuses space at the end of a turn that the model is to go on with; and models
    /// that do not go on with one get another.
    fn end(&mut self, modify: bool, writer: &Writer<'_>) {
        let Some((Role::Assistant, blocks)) = self.turns.last_mut() else { return };
        if let Some(Value::String(text)) = blocks.last_mut().and_then(|it| it.get_mut("text")) {
            text.truncate(text.trim_end().len());
        }
        if modify && !writer.family.claude().is_some_and(|model| model.takes_prefill()) {
            self.turns.push((Role::User, vec![dot()]));
        }
    }

    /// Whether the last steps of the model lack their thoughts: Claude, if it is to think, then is
    /// refused.
    pub(super) fn is_unproven(&self) -> bool {
        let mut turns = self.turns.iter().rev().enumerate();
        let Some((place, (_, blocks))) = turns.find(|(_, (role, _))| *role == Role::Assistant)
        else {
            return false;
        };
        let goes_on = place == 0 || blocks.iter().any(|block| is_of(block, "toolUse"));
        goes_on && !blocks.first().is_some_and(|block| is_of(block, "reasoningContent"))
    }

    /// `messages`.
    pub(super) fn into_messages(self) -> Value {
        let turns = self.turns.into_iter().map(|(role, blocks)| {
            let role = if role == Role::Assistant { "assistant" } else { "user" };
            object([("role", role.into()), ("content", blocks.into())])
        });
        turns.collect()
    }
}

/// Puts results first, each with the point up to which the prompt is to be kept.
fn results_first(blocks: &mut Vec<Value>) {
    let (mut results, mut others) = (Vec::new(), Vec::new());
    let mut is_result = false;
    for block in std::mem::take(blocks) {
        if !is_of(&block, "cachePoint") {
            is_result = is_of(&block, "toolResult");
        }
        let list = if is_result { &mut results } else { &mut others };
        list.push(block);
    }
    results.append(&mut others);
    *blocks = results;
}

fn dot() -> Value {
    json!({"text": "."})
}

fn is_of(block: &Value, kind: &str) -> bool {
    block.get(kind).is_some()
}
