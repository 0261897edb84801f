//! A stream on its way from one dialect to another.
use super::Protocol;
use crate::providers::chat::{Event, InBand, Read, Write};
use bartizan_layers::facts::Usage;
use bartizan_layers::wire::eventstream::{Broken, Kind, Message, Messages};
use bartizan_layers::wire::sse::Events;
use memchr::memchr;
use std::fmt;

/// Translates a stream, frame by frame. It holds at most one event that is not over, of at most
/// `LONGEST` bytes, and what the two dialects remember of the answer.
pub struct Stream {
    frames: Frames,
    reader: Box<dyn Read>,
    writer: Box<dyn Write>,
    /// Used again for each frame.
    events: Vec<Event>,
    usage: Option<Usage>,
    over: bool,
}

/// The longest event that is translated, in bytes: a picture comes in one.
const LONGEST: usize = 16 * 1024 * 1024;

/// How a provider's stream is cut into events.
enum Frames {
    /// Server-sent events.
    Events(Events),
    /// A line of JSON each.
    Lines(Vec<u8>),
    /// Messages of AWS's, with checksums.
    Messages(Messages),
}

impl Stream {
    pub(super) fn new(provider: Protocol, reader: Box<dyn Read>, writer: Box<dyn Write>) -> Self {
        let frames = match provider {
            Protocol::Ollama => Frames::Lines(Vec::new()),
            Protocol::Converse => Frames::Messages(Messages::up_to(LONGEST)),
            _ => Frames::Events(Events::up_to(LONGEST)),
        };
        Self { frames, reader, writer, events: Vec::new(), usage: None, over: false }
    }

    /// Takes the provider's next bytes and writes what they are to the client.
    pub fn push(&mut self, frame: &[u8], out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        // No dialect is much shorter than the others.
        out.reserve(frame.len());
        let (reader, events) = (&mut self.reader, &mut self.events);
        match &mut self.frames {
            Frames::Events(frames) => frames.push(frame, |event| match event.clipped {
                true => events.push(too_long()),
                false => reader.event(event.name, event.data, events),
            }),
            Frames::Lines(begun) => lines(begun, frame, reader.as_mut(), events),
            Frames::Messages(frames) => {
                let read = frames.push(frame, |it| message(it, reader.as_mut(), events));
                events.extend(read.err().map(broken));
            }
        }
        self.write(out);
    }

    /// The provider ended the stream cleanly.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        let (reader, events) = (&mut self.reader, &mut self.events);
        match &mut self.frames {
            Frames::Events(frames) => {
                frames.finish(|event| reader.event(event.name, event.data, events));
            }
            Frames::Lines(begun) => {
                let last = std::mem::take(begun);
                line(&last, reader.as_mut(), events);
            }
            Frames::Messages(frames) => events.extend(frames.finish().err().map(broken)),
        }
        reader.end(events);
        self.write(out);
    }

    /// How many bytes it keeps of the answer: of an event that is not over, and of all that the
    /// client's dialect tells twice.
    #[must_use]
    pub fn kept(&self) -> usize {
        let begun = match &self.frames {
            Frames::Events(events) => events.kept(),
            Frames::Lines(begun) => begun.capacity(),
            Frames::Messages(messages) => messages.kept(),
        };
        begun + self.writer.kept()
    }

    /// What was used so far, where the provider has told.
    #[must_use]
    pub const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The whole answer in the client's words, where it is to be kept: once, after its end.
    pub fn whole(&mut self) -> Option<Vec<u8>> {
        self.writer.whole()
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        for event in self.events.drain(..) {
            if self.over {
                break;
            }
            if let Event::Usage(usage) = &event {
                self.usage = Some(*usage);
            }
            self.over = matches!(event, Event::End | Event::Error(_));
            self.writer.write(event, out);
        }
        self.events.clear();
    }
}

/// Hands on a message. Failures that the service does not name are told here.
fn message(message: Message<'_>, reader: &mut dyn Read, out: &mut Vec<Event>) {
    match message.kind() {
        Kind::Event(name) | Kind::Exception(name) => {
            reader.event(name.as_bytes(), message.payload, out);
        }
        Kind::Error { code, message } => {
            let (kind, message) = (Some(code.to_owned()), message.to_owned());
            out.push(Event::Error(InBand { kind, status: None, message }));
        }
    }
}

fn broken(broken: Broken) -> Event {
    Event::Error(InBand { message: broken.to_string(), ..InBand::default() })
}

fn too_long() -> Event {
    let message = format!("an event of the provider has more than {LONGEST} bytes");
    Event::Error(InBand { message, ..InBand::default() })
}

/// Hands on each line that ends in `frame`, and keeps what is begun.
fn lines(begun: &mut Vec<u8>, frame: &[u8], reader: &mut dyn Read, out: &mut Vec<Event>) {
    let mut rest = frame;
    while let Some(end) = memchr(b'\n', rest) {
        let (head, tail) = rest.split_at(end);
        rest = tail.get(1..).unwrap_or_default();
        if begun.is_empty() {
            line(head, reader, out);
            continue;
        }
        begun.extend_from_slice(head);
        line(begun, reader, out);
        begun.clear();
        begun.shrink_to(KEPT);
    }
    if begun.len() + rest.len() > LONGEST {
        begun.clear();
        return out.push(too_long());
    }
    begun.extend_from_slice(rest);
}

/// What a buffer keeps for the next line once a long one is over.
const KEPT: usize = 16 * 1024;

fn line(line: &[u8], reader: &mut dyn Read, out: &mut Vec<Event>) {
    let line = line.trim_ascii();
    // Some put NDJSON into events.
    let line = line.strip_prefix(b"data:").map_or(line, <[u8]>::trim_ascii_start);
    if !line.is_empty() {
        reader.event(b"", line, out);
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("over", &self.over).finish_non_exhaustive()
    }
}
