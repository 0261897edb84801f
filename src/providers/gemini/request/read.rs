//! A client's request.
use super::contents::Contents;
use super::settings;
use crate::providers::chat::{Malformed, Request, Role, Turn};
use crate::providers::gemini::fields::{Fields, pick};
use crate::providers::gemini::tools;
use serde_json::{Map, Value};

/// Reads the body of `generateContent` and `streamGenerateContent`. Its model and whether it
/// streams stand in the URL.
///
/// # Errors
///
/// Where Google would not take the body: there are no contents, or a member is of another type.
pub fn read_request(mut body: Map<String, Value>) -> Result<Request, Malformed> {
    let mut request = Request::default();
    pick(&mut body, "model");
    if let Some(system) = pick(&mut body, "systemInstruction") {
        let blocks = Contents::default().instruction(system)?;
        request.turns.push(Turn::new(Role::System, blocks));
    }
    let contents = Fields::of(&mut body, "").objects("contents")?;
    if contents.is_empty() {
        return Err(Malformed::new("contents", "`contents` must be a list of at least one turn"));
    }
    let mut said = Contents::default();
    for content in contents {
        request.turns.push(said.turn(content)?);
    }
    request.tools = tools::read(&mut body)?;
    request.tool_choice = tools::read_choice(&mut body)?;
    settings::read(&mut body, &mut request)?;
    request.rest = body;
    Ok(request)
}
