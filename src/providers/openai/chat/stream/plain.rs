//! What most of a stream is: pieces of text and of arguments. They are read without a tree of values.
use crate::providers::chat::read;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A chunk with a piece of one answer.
#[derive(Deserialize)]
pub(super) struct Chunk<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) model: Option<&'a str>,
    pub(super) choices: (Choice,),
    // With these it is not plain.
    object: Option<&'a str>,
    #[serde(default, rename = "detail")]
    _detail: Absent,
    error: Option<IgnoredAny>,
    usage: Option<IgnoredAny>,
    x_groq: Option<IgnoredAny>,
}

/// That answer.
#[derive(Deserialize)]
pub(super) struct Choice {
    pub(super) index: Option<u32>,
    pub(super) delta: Delta,
    // With these it is not plain.
    message: Option<IgnoredAny>,
    logprobs: Option<IgnoredAny>,
    finish_reason: Option<IgnoredAny>,
}

/// The piece. One with other members is not plain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delta {
    pub(super) content: Option<String>,
    /// A thought; some tell it in the other member, or in both.
    pub(super) reasoning_content: Option<String>,
    pub(super) reasoning: Option<String>,
    pub(super) tool_calls: Option<(Call,)>,
    #[serde(rename = "role")]
    _role: Option<IgnoredAny>,
    refusal: Option<IgnoredAny>,
}

/// A call, of which this may be more: its name and id are told when it begins.
#[derive(Deserialize)]
pub(super) struct Call {
    pub(super) index: u64,
    pub(super) function: Function,
}

#[derive(Deserialize)]
pub(super) struct Function {
    pub(super) arguments: Option<String>,
}

/// A member that may not even be null.
#[derive(Default)]
struct Absent;

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("it is there"))
    }
}

/// The chunk, if it is plain.
pub(super) fn plain(data: &[u8]) -> Option<Chunk<'_>> {
    let chunk: Chunk<'_> = read(data).ok()?;
    let Chunk { choices: (choice,), .. } = &chunk;
    let more = [&chunk.error, &chunk.usage, &chunk.x_groq];
    let more = more.into_iter().chain([&choice.message, &choice.logprobs, &choice.finish_reason]);
    let is_plain = more.chain([&choice.delta.refusal]).all(Option::is_none);
    (is_plain && chunk.object != Some("error")).then_some(chunk)
}
