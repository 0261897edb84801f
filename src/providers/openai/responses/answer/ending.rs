//! How responses end.
use crate::providers::chat::{Finish, Taking};
use serde_json::{Map, Value};

/// How a response ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Ending {
    /// Why it is not complete: `max_output_tokens` or `content_filter`.
    pub(in super::super) reason: Option<&'static str>,
    /// Why it failed.
    pub(in super::super) error: Option<String>,
}

impl Ending {
    /// Of an answer with this finish, which holds its own words for why it does not answer, or not.
    pub(in super::super) fn of(finish: Option<&Finish>, refuses: bool) -> Self {
        match finish {
            Some(Finish::Length) => Self { reason: Some("max_output_tokens"), error: None },
            Some(Finish::Filter) => Self { reason: Some("content_filter"), error: None },
            Some(Finish::Refusal) if !refuses => {
                Self { reason: Some("content_filter"), error: None }
            }
            Some(Finish::Failed(word)) => {
                let message = format!("The model failed to answer: {word}");
                Self { reason: None, error: Some(message) }
            }
            _ => Self::default(),
        }
    }

    /// The response's `status`.
    pub(in super::super) const fn status(&self) -> &'static str {
        match self {
            Self { error: Some(_), .. } => "failed",
            Self { reason: Some(_), .. } => "incomplete",
            _ => "completed",
        }
    }

    /// The `status` of its last item.
    pub(in super::super) const fn of_item(&self) -> &'static str {
        match self {
            Self { error: None, reason: None } => "completed",
            _ => "incomplete",
        }
    }
}

/// Why a response ends, and whether it calls tools.
pub(in super::super) fn read_ending(
    response: &mut Map<String, Value>,
    calls: bool,
) -> Option<Finish> {
    let reason =
        response.take_object("incomplete_details").and_then(|mut it| it.take_text("reason"));
    let status = response.take_text("status");
    Some(match (status.as_deref(), reason.as_deref()) {
        (_, Some("content_filter")) => Finish::Filter,
        (Some("incomplete"), _) | (_, Some("max_output_tokens" | "max_tokens")) => Finish::Length,
        (Some("queued" | "in_progress"), _) => return None,
        (Some("failed" | "cancelled"), _) => {
            let code = response.take_object("error").and_then(|mut error| error.take_text("code"));
            Finish::Failed(code.or(status).unwrap_or_default())
        }
        _ if calls => Finish::Tools,
        _ => Finish::Stop,
    })
}
