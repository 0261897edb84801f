//! Usage in the messages of OpenAI's realtime API.
use super::{Wire, usage::Report};
use crate::{
    facts::{Unit, Usage},
    wire::scan::{Value, value},
};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// What a realtime session is for: it decides which of its events are billed to its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// Answers are billed. What another model transcribes beside it is not this model's.
    Conversation,
    /// Transcripts are billed.
    Transcription,
}

static ANSWERED: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"response.done\""));
static TRANSCRIBED: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new("\"conversation.item.input_audio_transcription.completed\""));

/// The usage that one message of the server reports; `None` for nearly all of them, which are not
/// parsed. Reports of one session add up.
#[must_use]
pub fn realtime_usage(session: Session, message: &[u8]) -> Option<Usage> {
    let kind: &Finder<'_> = match session {
        Session::Conversation => &ANSWERED,
        Session::Transcription => &TRANSCRIBED,
    };
    // It could also be a word in somebody's text.
    kind.find(message)?;
    let message = value(message);
    if message.get("type")?.raw() != kind.needle() {
        return None;
    }
    let usage = match session {
        Session::Conversation => message.get("response")?.get("usage")?,
        Session::Transcription => message.get("usage")?,
    };
    let mut report = Report::default();
    report.merge(Wire::Responses, usage);
    let mut found = report.usage()?;
    // Cached audio stands among both; it is billed as cached.
    let audio = found[Unit::AudioInput] - cached_audio(usage);
    found[Unit::AudioInput] = audio.max(0);
    Some(found)
}

fn cached_audio(usage: Value<'_>) -> i64 {
    let details = usage.get("input_token_details").and_then(|it| it.get("cached_tokens_details"));
    let audio = details.and_then(|it| it.get("audio_tokens")).and_then(|it| it.as_u64());
    audio.and_then(|audio| i64::try_from(audio).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Session, realtime_usage};
    use crate::facts::{Unit, Usage};

    const DONE: &str = r#"{"type":"response.done","event_id":"event_1","response":{"object":"realtime.response","id":"resp_1","status":"completed","output":[{"type":"message","content":[{"type":"audio","transcript":"Hi"}]}],"usage":{"total_tokens":275,"input_tokens":127,"output_tokens":148,"input_token_details":{"cached_tokens":64,"text_tokens":99,"audio_tokens":28,"cached_tokens_details":{"text_tokens":44,"audio_tokens":20}},"output_token_details":{"text_tokens":36,"audio_tokens":112}}}}"#;

    const TRANSCRIPT: &str = r#"{"event_id":"event_2","type":"conversation.item.input_audio_transcription.completed","item_id":"item_1","transcript":"Hi","usage":{"type":"tokens","total_tokens":22,"input_tokens":13,"input_token_details":{"text_tokens":0,"audio_tokens":13},"output_tokens":9}}"#;

    #[test]
    fn the_usage_of_an_answer_is_found() {
        let usage = Usage::tokens(127, 148)
            .with(Unit::CacheRead, 64)
            .with(Unit::AudioInput, 8)
            .with(Unit::AudioOutput, 112);
        assert_eq!(realtime_usage(Session::Conversation, DONE.as_bytes()), Some(usage));
        assert_eq!(realtime_usage(Session::Transcription, DONE.as_bytes()), None);
    }

    #[test]
    fn transcripts_are_billed_where_they_are_the_purpose() {
        let usage = Usage::tokens(13, 9).with(Unit::AudioInput, 13);
        assert_eq!(realtime_usage(Session::Transcription, TRANSCRIPT.as_bytes()), Some(usage));
        assert_eq!(realtime_usage(Session::Conversation, TRANSCRIPT.as_bytes()), None);
    }

    #[test]
    fn other_messages_report_none() {
        for text in [
            "",
            "{}",
            r#"{"type":"session.created"}"#,
            r#"{"type":"response.text.delta","delta":"\"response.done\"","usage":{"input_tokens":1}}"#,
            r#"{"type":"error","error":{"message":"\"response.done\""},"x":"response.done"}"#,
            r#"{"type":"response.done","response":{"status":"failed","usage":null}}"#,
            r#"{"type":"response.done","response":{"usage":{"input_tokens":"#,
        ] {
            assert_eq!(realtime_usage(Session::Conversation, text.as_bytes()), None, "{text}");
        }
    }
}
