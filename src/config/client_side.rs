//! What clients may bring to a deployment.
use super::fields::Check;
use super::yaml::Node;

/// What a client may bring itself: LiteLLM's `api_base` and `api_key` in a request. Default
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientSide {
    /// The upstream; of the public internet only.
    pub base: bool,
    /// The credential.
    pub key: bool,
}

impl Check<'_> {
    /// `configurable_clientside_auth_params`: what a client may bring itself.
    pub(super) fn client_side(&mut self, params: &Node) -> ClientSide {
        let list = params.get("configurable_clientside_auth_params");
        let mut allowed = ClientSide::default();
        for entry in list.map(Node::items).unwrap_or_default() {
            match entry.as_text().as_deref() {
                Some("api_base" | "base_url") => allowed.base = true,
                Some("api_key") => allowed.key = true,
                _ => {
                    let message = "clients can bring `api_base` and `api_key`, nothing else";
                    let help = "write `[api_key]`, `[api_base]`, or both; patterns are not taken";
                    self.warn(entry, message.to_owned(), help);
                }
            }
        }
        allowed
    }
}
