//! Responses that the proxy keeps itself, since their providers keep none: a call that goes on from
//! one gets all that was said before, and the paths below `/v1/responses/{id}` show and forget them.
mod recall;
mod resume;

pub use self::recall::{Recall, RecallLayer};
pub use self::resume::{Resume, ResumeLayer};

use super::IngestError;
use crate::conversations::{ConversationError, Turn};
use crate::providers::Problem;
use crate::providers::openai::responses::Past;
use http::StatusCode;
use std::time::Duration;

fn as_past(turn: &Turn) -> Past<'_> {
    Past { input: &turn.input, response: &turn.response }
}

/// What a client gets to see of a conversation that cannot go on.
pub(super) fn problem(error: &ConversationError) -> Problem {
    let told = |message: String| Problem::bad_request(message).param("previous_response_id");
    match error {
        ConversationError::Cut => told(
            "The conversation before `previous_response_id` is not kept any more: send it in \
             `input`."
                .to_owned(),
        ),
        ConversationError::TooLong(bytes) => told(format!(
            "The conversation before `previous_response_id` has {bytes} bytes, more than a call \
             may bring: send what matters of it in `input`."
        )),
        ConversationError::NoRoom => IngestError::NoMemory.problem(),
        _ => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "What was kept of the conversation cannot be read at the moment. Try again, or send \
             it in `input`.",
        )
        .retry_after(Duration::from_secs(1)),
    }
}
