//! What a model answered.
use super::{Block, Content, Event};
use bartizan_layers::facts::Usage;
use serde_json::Value;

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The provider's id of it.
    pub id: Option<String>,
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    /// When, in seconds since 1970.
    pub created: Option<u64>,
    /// As many as were asked for.
    pub choices: Vec<Choice>,
    /// What it used. Input counts what a cache gave or took too; output counts thoughts too.
    pub usage: Option<Usage>,
    /// OpenAI's `service_tier` and its like: how the call was treated.
    pub tier: Option<String>,
}

/// One of the answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// In the order in which the provider told it.
    pub blocks: Vec<Block>,
    /// Why it ends; `None` where the provider does not say.
    pub finish: Option<Finish>,
    /// OpenAI's `logprobs`.
    pub logprobs: Option<Value>,
}

/// Why an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Stop,
    /// It wrote one of the texts that end it: this one, where that is told.
    Sequence(Option<String>),
    /// It was as long as it may be.
    Length,
    /// It calls tools.
    Tools,
    /// The provider's filter.
    Filter,
    /// The model would not.
    Refusal,
    /// Anthropic's `pause_turn`: it wants to go on when it is called again.
    Pause,
    /// It failed on the way, in the provider's word for that (Gemini's
    /// `MALFORMED_FUNCTION_CALL`, Cohere's `ERROR`).
    Failed(String),
}

impl Answer {
    /// The same answer as a stream, piece by piece.
    #[must_use]
    pub fn events(self) -> Vec<Event> {
        let mut events = vec![Event::Start { id: self.id, model: self.model }];
        for (choice, told) in (0..).zip(self.choices) {
            let mut tool = 0;
            for block in told.blocks {
                block.events(choice, &mut tool, &mut events);
            }
            events.extend(told.logprobs.map(|logprobs| Event::Logprobs(choice, logprobs)));
            let finish = told.finish.unwrap_or(if tool > 0 { Finish::Tools } else { Finish::Stop });
            events.push(Event::Finish(choice, finish));
        }
        events.extend(self.usage.map(Event::Usage));
        events.push(Event::End);
        events
    }
}

impl Block {
    fn events(self, choice: u32, tool: &mut u32, events: &mut Vec<Event>) {
        match self.content {
            Content::Text(text, citations) => {
                events.push(Event::Text(choice, text));
                events.extend(citations.into_iter().map(|it| Event::Citation(choice, it)));
            }
            Content::Media(media) => events.push(Event::Media(choice, media)),
            Content::Refusal(text) => events.push(Event::Refusal(choice, text)),
            Content::Thought(thought) => {
                if !thought.text.is_empty() {
                    events.push(Event::Thought(choice, thought.text));
                }
                events.extend(thought.signature.map(|it| Event::Signature(choice, it)));
                let id = thought.id;
                events.extend(thought.hidden.map(|it| Event::Hidden(choice, it, id)));
            }
            Content::ToolUse(call) => {
                let (id, name, signature) = (call.id, call.name, call.signature);
                events.push(Event::ToolUse { choice, tool: *tool, id, name, signature });
                events.push(Event::Arguments { choice, tool: *tool, json: call.input });
                *tool += 1;
            }
            Content::ToolResult(_) | Content::Other(_) => {}
        }
    }
}
