//! What each dialect of clients has words for.
use super::said::{Answer, End, Said};
use bartizan::providers::translate::Protocol;

/// `answer` as far as a client of this dialect can be told it:
///
/// - messages and responses have one answer, not several;
/// - an answer that its provider ends without a reason is done;
/// - completions have text alone: no thoughts, calls and pictures;
/// - messages have no pictures in answers;
/// - completions, messages and Gemini have no word for refusals: they are text;
/// - a response with a refusal is complete, where a message is ended by it;
/// - Gemini does not count what its cache takes;
/// - Cohere and Ollama have one answer, whose refusals are text; Cohere's has no pictures, and neither
///   counts what a cache takes, nor Ollama what it gives, or thoughts;
/// - `/api/generate` has no calls and no pictures;
/// - usage may be missing only where the provider told none.
pub(super) fn told(mut answer: Answer, client: Protocol) -> Answer {
    let native = matches!(client, Protocol::Cohere | Protocol::Ollama | Protocol::Generate);
    if native || matches!(client, Protocol::Messages | Protocol::Responses) {
        answer.choices.truncate(1);
        answer.choices.resize(1, Said::default());
    }
    if let (true, Some(usage)) = (native, &mut answer.usage) {
        usage.cache_write = 0;
        if client != Protocol::Cohere {
            (usage.cache_read, usage.reasoning) = (0, 0);
        }
    }
    if client == Protocol::Gemini
        && let Some(usage) = &mut answer.usage
    {
        usage.cache_write = 0;
    }
    answer.choices.iter_mut().for_each(|said| tell(said, client));
    answer
}

fn tell(said: &mut Said, client: Protocol) {
    said.finish.get_or_insert(End::Stop);
    match client {
        Protocol::Completions => {
            let text = std::mem::take(&mut said.text);
            let refusal = std::mem::take(&mut said.refusal);
            let finish = said.finish.filter(|finish| *finish != End::Tools);
            *said = Said { text, refusal, finish: finish.or(Some(End::Stop)), ..Said::default() };
        }
        Protocol::Messages => {
            said.media.clear();
            if !said.refusal.is_empty() {
                said.finish = Some(End::Filter);
            }
        }
        Protocol::Cohere => said.media.clear(),
        Protocol::Generate => {
            said.media.clear();
            said.calls.clear();
        }
        _ => {}
    }
    if matches!(client, Protocol::Ollama | Protocol::Generate) && said.finish == Some(End::Tools) {
        said.finish = Some(End::Stop);
    }
    if !matches!(client, Protocol::Chat | Protocol::Responses) {
        said.text.push_str(&std::mem::take(&mut said.refusal));
    }
    if client == Protocol::Responses && !said.refusal.is_empty() && said.finish == Some(End::Filter)
    {
        said.finish = Some(End::Stop);
    }
}
