//! Streams cut into what they are made of, the plain way.
use serde_json::Value;

/// One server-sent event.
#[derive(Clone, Debug, Default)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
}

impl Event {
    /// Its data, or nothing where that is no JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_default()
    }
}

/// The events of a stream. One that is not over is none (WHATWG HTML 9.2.6).
pub(super) fn events(stream: &str) -> Vec<Event> {
    let stream = stream.replace("\r\n", "\n");
    let (mut events, mut event, mut lines) = (Vec::new(), Event::default(), Vec::new());
    for line in stream.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { break };
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                event.data = lines.join("\n");
                if !lines.is_empty() {
                    events.push(event);
                }
                (event, lines) = (Event::default(), Vec::new());
            }
            "event" => value.clone_into(&mut event.name),
            "data" => lines.push(value.to_owned()),
            _ => {}
        }
    }
    events
}

/// The documents of a stream that is JSON line by line, but for a line that is not over.
pub(super) fn lines(stream: &str) -> Vec<Value> {
    stream.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The documents of a stream that is one JSON array, and whether it was closed.
pub(super) fn array(stream: &str) -> (Vec<Value>, bool) {
    if let Ok(Value::Array(all)) = serde_json::from_str(stream) {
        return (all, true);
    }
    let rest = stream.trim_start().strip_prefix('[').unwrap_or_default();
    let mut documents = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let (mut all, mut begin) = (Vec::new(), 0);
    while let Some(Ok(document)) = documents.next() {
        all.push(document);
        begin += documents.byte_offset();
        let behind = rest.get(begin..).unwrap_or_default();
        let comma = behind.find(',').map_or(behind.len(), |at| at + 1);
        begin += comma;
        let behind = rest.get(begin..).unwrap_or_default();
        documents = serde_json::Deserializer::from_str(behind).into_iter::<Value>();
    }
    (all, false)
}
