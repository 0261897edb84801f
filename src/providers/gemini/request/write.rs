//! A request in Google's words.
use super::{config, turns};
use crate::providers::chat::{Lost, Malformed, Request, Target, Written};
use crate::providers::gemini::tools;
use serde_json::Map;

/// Writes the body of `generateContent` and `streamGenerateContent`. The model and whether the
/// answer streams are not in it: they stand in the URL.
///
/// # Errors
///
/// If a tool's result is of a call that is nowhere: Gemini wants to know its tool.
pub fn write_request(
    mut request: Request,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Result<Written, Malformed> {
    let mut written = Written { body: Map::new(), ..Written::default() };
    turns::write(std::mem::take(&mut request.turns), &mut written.body, target, lost)?;
    tools::write(&mut request, &mut written.body, target, lost);
    config::write(&mut request, &mut written, target, lost);
    written.rest = request.rest;
    Ok(written)
}
