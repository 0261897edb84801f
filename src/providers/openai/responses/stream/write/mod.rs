//! A client's stream, written.
mod call;
mod calls;
mod item;
mod lines;
mod message;
mod open;
mod piece;
mod thinking;

use self::item::Item;
use self::lines::Lines;
use self::message::Message;
use self::open::Open;
use self::thinking::Thinking;
use super::super::answer::{Ending, Envelope, image, response_id};
use crate::providers::chat::{Calls, Client, Event, Finish, InBand, Write, write_value};
use bartizan_layers::facts::Usage;
use serde_json::Value;

/// How many bytes of an answer are kept for the events that repeat it: more than any model writes.
const MOST: usize = 64 << 20;

/// Writes the stream of a response.
///
/// The dialect repeats every text when it is whole, and all of them in its last event. So what was
/// told is kept until then, in memory: an answer of more than 64 MiB ends with an error.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    lines: Lines,
    id: String,
    model: Option<String>,
    begun: bool,
    over: bool,
    /// The items that are whole, as JSON with commas in between.
    output: Vec<u8>,
    /// How many items there are.
    items: u64,
    /// How many bytes were told.
    kept: usize,
    open: Open,
    /// Calls that are not told to their ends.
    calls: Calls,
    refuses: bool,
    finish: Option<Finish>,
    usage: Option<Usage>,
    /// The whole response, if it is to be kept.
    whole: Option<Vec<u8>>,
}

impl Writer {
    /// Writes for this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            id: response_id(None, &client),
            client,
            lines: Lines::default(),
            model: None,
            begun: false,
            over: false,
            output: Vec::new(),
            items: 0,
            kept: 0,
            open: Open::Nothing,
            calls: Calls::default(),
            refuses: false,
            finish: None,
            usage: None,
            whole: None,
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !self.begun {
            self.begun = true;
            self.response("response.created", None, out);
            self.response("response.in_progress", None, out);
        }
    }

    /// An event with the whole response in it.
    fn response(&mut self, kind: &str, ending: Option<&Ending>, out: &mut Vec<u8>) {
        let envelope = Envelope {
            id: &self.id,
            model: self.model.as_deref().unwrap_or(&self.client.model),
            created: self.client.created,
            ending,
            usage: self.usage.as_ref().filter(|_| ending.is_some()),
            tier: None,
            echo: &self.client.echo,
        };
        let whole = envelope.around(&self.output);
        self.lines.event(out, kind).json("response", &whole).end();
        self.whole = Some(whole).filter(|_| self.client.keeps && ending.is_some());
    }

    /// The next item of the output.
    fn item(&mut self, kind: &str) -> Item {
        let index = self.items;
        self.items += 1;
        Item { id: format!("{kind}_{}{index:02}", self.client.id), index }
    }

    /// Ends what grows.
    fn close(&mut self, status: &str, out: &mut Vec<u8>) {
        let (index, item) = match std::mem::take(&mut self.open) {
            Open::Nothing => return,
            Open::Message(message) => message.end(status, &mut self.lines, out),
            Open::Thinking(thinking) => thinking.end(&mut self.lines, out),
            Open::Call(call) => return self.end_calls(call, status, out),
        };
        self.done(index, &item, out);
    }

    fn done(&mut self, index: u64, item: &Value, out: &mut Vec<u8>) {
        if !self.output.is_empty() {
            self.output.push(b',');
        }
        let before = self.output.len();
        write_value(item, &mut self.output);
        let item = self.output.get(before..).unwrap_or_default();
        let event = self.lines.event(out, "response.output_item.done");
        event.number("output_index", index).json("item", item).end();
    }

    fn message(&mut self, out: &mut Vec<u8>) -> Option<(&mut Message, &mut Lines)> {
        if !matches!(self.open, Open::Message(_)) {
            self.close("completed", out);
            let item = self.item("msg");
            self.open = Open::Message(Box::new(Message::new(item, &mut self.lines, out)));
        }
        match &mut self.open {
            Open::Message(message) => Some((message, &mut self.lines)),
            _ => None,
        }
    }

    fn thinking(
        &mut self,
        id: Option<String>,
        out: &mut Vec<u8>,
    ) -> Option<(&mut Thinking, &mut Lines)> {
        if !matches!(self.open, Open::Thinking(_)) {
            self.close("completed", out);
            let mut item = self.item("rs");
            item.id = id.unwrap_or(item.id);
            self.open = Open::Thinking(Thinking::new(item, &mut self.lines, out));
        }
        match &mut self.open {
            Open::Thinking(thinking) => Some((thinking, &mut self.lines)),
            _ => None,
        }
    }

    /// Ends a thought with what it has to be sent back with.
    fn seal(&mut self, encrypted: String, id: Option<String>, out: &mut Vec<u8>) {
        if let Some((thinking, _)) = self.thinking(id, out) {
            thinking.seal(encrypted);
        }
        self.close("completed", out);
    }

    fn image(&mut self, data: String, out: &mut Vec<u8>) {
        self.close("completed", out);
        let item = self.item("ig");
        item.added(&image(&item.id, None), &mut self.lines, out);
        let kind = "response.image_generation_call.completed";
        item.event(kind, &mut self.lines, out).end();
        self.done(item.index, &image(&item.id, Some(data)), out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let ending = Ending::of(self.finish.as_ref(), self.refuses);
        self.close(ending.of_item(), out);
        let kind = match ending.status() {
            "failed" => "response.failed",
            "incomplete" => "response.incomplete",
            _ => "response.completed",
        };
        self.response(kind, Some(&ending), out);
        self.over = true;
    }

    fn fail(&mut self, error: &InBand, out: &mut Vec<u8>) {
        let event = self.lines.event(out, "error");
        let event = match &error.kind {
            Some(kind) => event.text("code", kind),
            None => event.value("code", &Value::Null),
        };
        event.text("message", &error.message).value("param", &Value::Null).end();
        self.over = true;
    }
}

impl Write for Writer {
    fn whole(&mut self) -> Option<Vec<u8>> {
        self.whole.take()
    }

    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Start { id, model } => {
                if !self.begun {
                    self.id = response_id(id.as_deref(), &self.client);
                    self.model = model;
                }
                self.begin(out);
            }
            Event::Finish(0, finish) => self.finish = Some(finish),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Error(error) => self.fail(&error, out),
            Event::End => {
                self.begin(out);
                self.end(out);
            }
            event => {
                let Some(length) = piece::length(&event) else { return };
                self.kept = self.kept.saturating_add(length);
                if self.kept > MOST {
                    let message = "The answer is too long for a stream of this kind.".to_owned();
                    return self.fail(&InBand { message, ..InBand::default() }, out);
                }
                self.begin(out);
                self.piece(event, out);
            }
        }
    }

    fn kept(&self) -> usize {
        self.kept
    }
}
