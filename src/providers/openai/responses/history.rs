//! A request that goes on from responses that are kept outside of its provider: the items of those
//! are put before its own. Nothing of them is understood; texts are joined.
use bartizan_layers::wire::scan::{self, Invalid, Object, scan};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;

/// The member that names the response before.
const PREVIOUS: &str = "previous_response_id";

/// A request, of which only what it names is read.
#[derive(Clone, Debug)]
pub struct Continuing<'a> {
    body: &'a [u8],
    object: Object<'a>,
}

/// What was asked and answered before.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// The items that were asked with: a JSON array.
    pub input: &'a str,
    /// The response: a JSON object.
    pub response: &'a str,
}

impl<'a> Continuing<'a> {
    /// Reads the top level of a request's body.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn read(body: &'a [u8]) -> Result<Self, Invalid> {
        Ok(Self { body, object: scan(body)? })
    }

    /// The response that it goes on from.
    #[must_use]
    pub fn previous(&self) -> Option<Cow<'a, str>> {
        self.member(PREVIOUS)?.as_str().filter(|id| !id.is_empty())
    }

    /// Whether its response is to be kept: it is, unless the request says otherwise.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.member("store").and_then(|value| value.as_bool()).unwrap_or(true)
    }

    /// The responses whose items it refers to.
    #[must_use]
    pub fn referred(&self) -> Vec<String> {
        let mut ids: Vec<_> =
            self.items().filter_map(reference).filter_map(|id| response_of(&id)).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Its own input as a list of items, in which references are replaced by what they refer to in
    /// these responses.
    #[must_use]
    pub fn input(&self, responses: &[&str]) -> String {
        let known: Vec<_> = responses.iter().flat_map(|response| output(response)).collect();
        let Some(input) = self.member("input").filter(|input| !input.is_null()) else {
            return "[]".to_owned();
        };
        if !input.is_array() {
            let text = String::from_utf8_lossy(input.raw());
            return format!(r#"[{{"type":"message","role":"user","content":{text}}}]"#);
        }
        let items = input.elements().map(|item| {
            let found = reference(item).and_then(|id| known.iter().find(|(own, _)| *own == id));
            found.map_or_else(|| String::from_utf8_lossy(item.raw()), |(_, item)| (*item).into())
        });
        list(items)
    }

    /// The request with the items of its `past`, oldest first, before its own `input`, and without
    /// the name of the response before, if it has a past.
    #[must_use]
    pub fn body(&self, past: &[Past<'_>], input: &str) -> Vec<u8> {
        let before = past.iter().flat_map(|turn| {
            let answered = list(output(turn.response).into_iter().map(|(_, item)| item.into()));
            [Cow::Borrowed(turn.input), answered.into()]
        });
        let lists: Vec<_> = before.chain([Cow::Borrowed(input)]).collect();
        let inner = lists.iter().map(|list| inside(list)).filter(|inner| !inner.is_empty());
        let inner: Vec<_> = inner.collect();
        let mut body =
            Vec::with_capacity(self.body.len() + inner.iter().map(|it| it.len()).sum::<usize>());
        body.extend_from_slice(br#"{"input":["#);
        body.extend_from_slice(inner.join(",").as_bytes());
        body.push(b']');
        let gone = |key: &[u8]| key == b"input" || key == PREVIOUS.as_bytes() && !past.is_empty();
        for member in self.object.members().iter().filter(|member| !gone(member.key())) {
            body.push(b',');
            body.extend_from_slice(self.body.get(member.range()).unwrap_or_default());
        }
        body.push(b'}');
        body
    }

    fn items(&self) -> impl Iterator<Item = scan::Value<'a>> {
        self.member("input").into_iter().flat_map(scan::Value::elements)
    }

    fn member(&self, name: &str) -> Option<scan::Value<'a>> {
        let mut all = self.object.members().iter().rev();
        all.find(|member| member.key() == name.as_bytes()).map(|member| member.value())
    }
}

/// The items that the last of these responses was asked with, as OpenAI lists them: with ids, and
/// texts as parts.
#[must_use]
pub fn input_items(past: &[Past<'_>]) -> Vec<Value> {
    let mut all = Vec::new();
    for (at, turn) in past.iter().enumerate() {
        let id = id_of(turn.response).unwrap_or_default();
        let items = serde_json::from_str::<Vec<Value>>(turn.input).unwrap_or_default();
        let own = id.strip_prefix("resp_").unwrap_or(&id);
        all.extend(items.into_iter().enumerate().map(|(at, item)| as_listed(item, own, at)));
        if at + 1 < past.len() {
            let answered = output(turn.response).into_iter();
            all.extend(answered.filter_map(|(_, item)| serde_json::from_str(item).ok()));
        }
    }
    all
}

/// An item of an input, with what its client may leave out.
fn as_listed(mut item: Value, response: &str, at: usize) -> Value {
    let Some(members) = item.as_object_mut() else { return item };
    members.entry("type").or_insert_with(|| "message".into());
    members.entry("id").or_insert_with(|| format!("item_{response}_{at}").into());
    if let Some(text @ Value::String(_)) = members.get_mut("content") {
        *text = json!([{"type": "input_text", "text": text.take()}]);
    }
    item
}

/// The id of a response.
#[must_use]
pub fn id_of(response: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Told {
        id: String,
    }
    serde_json::from_str::<Told>(response).ok().map(|told| told.id)
}

/// The items that a response answers, with their ids.
fn output(response: &str) -> Vec<(Cow<'_, str>, &str)> {
    #[derive(Deserialize)]
    struct Told<'a> {
        #[serde(borrow, default)]
        output: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow, default)]
        id: Cow<'a, str>,
    }
    let told = serde_json::from_str::<Told<'_>>(response).map(|told| told.output);
    let items = told.unwrap_or_default().into_iter().map(RawValue::get);
    let with_id = |item| match serde_json::from_str::<Item<'_>>(item) {
        Ok(Item { id }) => (id, item),
        Err(_) => (Cow::default(), item),
    };
    items.map(with_id).collect()
}

/// What an item refers to, if it is nothing but a reference.
fn reference(item: scan::Value<'_>) -> Option<Cow<'_, str>> {
    let kind = item.get("type").filter(|kind| !kind.is_null());
    let refers = match kind {
        Some(kind) => kind.as_str().is_some_and(|kind| kind == "item_reference"),
        None => item.get("role").is_none(),
    };
    item.get("id").filter(|_| refers)?.as_str()
}

/// The response that an item of ours is of: the ids of items are made of those of their responses.
fn response_of(item: &str) -> Option<String> {
    let (_, own) = item.split_once('_')?;
    let id = own.get(..32).filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    own.get(32..)?.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("resp_{id}"))
}

/// Items as a JSON array.
fn list<'a>(items: impl Iterator<Item = Cow<'a, str>>) -> String {
    let items: Vec<_> = items.collect();
    format!("[{}]", items.join(","))
}

/// What stands between the brackets of a list.
fn inside(list: &str) -> &str {
    let list = list.trim();
    list.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::{Continuing, Past, id_of};

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn response(output: &str) -> String {
        format!(r#"{{"id":"resp_{ID}","output":[{output}]}}"#)
    }

    #[test]
    fn what_was_asked_and_answered_stands_before_what_is_asked() {
        let body = br#"{"model":"m", "previous_response_id":"resp_2","input":"And now?","x":[1]}"#;
        let asked = Continuing::read(body).unwrap();
        assert_eq!(asked.previous().as_deref(), Some("resp_2"));
        let (first, second) = (response(r#"{"id":"a"}"#), response(""));
        let past = [
            Past { input: r#" [ {"n":1} ] "#, response: &first },
            Past { input: r#"[{"n":2},{"n":3}]"#, response: &second },
        ];
        let input = asked.input(&[]);
        let own = r#"{"type":"message","role":"user","content":"And now?"}"#;
        assert_eq!(input, format!("[{own}]"));
        let expected = format!(
            r#"{{"input":[{{"n":1}},{{"id":"a"}},{{"n":2}},{{"n":3}},{own}],"model":"m","x":[1]}}"#
        );
        assert_eq!(String::from_utf8(asked.body(&past, &input)).unwrap(), expected);
    }

    #[test]
    fn a_reference_becomes_what_it_refers_to() {
        let said = format!(r#"{{"id":"msg_{ID}00","type":"message","x":" \" "}}"#);
        let body = format!(
            r#"{{"input":[{{"type":"item_reference","id":"msg_{ID}00"}},{{"id":"msg_{ID}07"}},{{"role":"user","id":"msg_{ID}00","content":"?"}},{{"type":"item_reference","id":"msg_elsewhere"}}]}}"#
        );
        let asked = Continuing::read(body.as_bytes()).unwrap();
        assert_eq!(asked.referred(), [format!("resp_{ID}")]);
        let known = response(&said);
        assert_eq!(id_of(&known), Some(format!("resp_{ID}")));
        let input = asked.input(&[&known]);
        let expected = format!(
            r#"[{said},{{"id":"msg_{ID}07"}},{{"role":"user","id":"msg_{ID}00","content":"?"}},{{"type":"item_reference","id":"msg_elsewhere"}}]"#
        );
        assert_eq!(input, expected);
        let whole = asked.body(&[], &input);
        assert_eq!(whole, format!(r#"{{"input":{expected}}}"#).as_bytes());
    }

    #[test]
    fn a_request_that_names_nothing_has_no_past() {
        for body in ["{}", r#"{"previous_response_id":null}"#, r#"{"previous_response_id":""}"#] {
            let asked = Continuing::read(body.as_bytes()).unwrap();
            assert!(asked.previous().is_none() && asked.referred().is_empty(), "{body}");
            assert_eq!(asked.input(&[]), "[]");
            assert!(asked.is_stored());
        }
        assert!(!Continuing::read(br#"{"store":false}"#).unwrap().is_stored());
        assert!(Continuing::read(b"[]").is_err());
    }
}
