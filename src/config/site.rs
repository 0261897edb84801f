//! Where a deployment is asked, and what proves whose call it is.
use super::fields::Check;
use super::yaml::Node;
use super::{AzureAt, Login, Secret};
use crate::data::{Provider, Wire};
use http::Uri;

/// Where a deployment is asked. Clouds have addresses, names of models and logins of their own.
pub(super) struct Site {
    /// The model, without what LiteLLM writes before it.
    pub(super) model: String,
    /// Whether it is asked by `/responses` alone.
    pub(super) responses: bool,
    /// `None` is the built-in model `echo`.
    pub(super) base: Option<Uri>,
    pub(super) azure: Option<AzureAt>,
    /// What stands in place of a key.
    pub(super) login: Option<Login>,
    pub(super) api_key: Option<Secret<String>>,
}

impl Check<'_> {
    /// Where the `model` of a deployment is asked; `None` where an error says why that is not known.
    pub(super) fn site(
        &mut self,
        params: &Node,
        provider: &'static Provider,
        (model, info): (String, &Node),
    ) -> Option<Site> {
        if Self::is_aws(provider) {
            let api_key = self.api_key(params, provider);
            let found = self.at_aws(params, provider, (&model, api_key.as_ref()))?;
            let (base, login) = (Some(found.base), found.login);
            let model = found.model;
            return Some(Site { model, responses: false, base, azure: None, login, api_key });
        }
        let (mut base, google) = match provider.wire {
            Wire::Vertex => {
                let (base, login) = self.in_googles_cloud(params)?;
                (Some(base), login.map(Login::Google))
            }
            _ => (self.api_base(params, provider)?, None),
        };
        let (mut model, responses) = by_responses(model, provider, info);
        let azure = self.azure(params, provider, (&mut model, info), &mut base);
        let (api_key, login) = match google {
            Some(login) => (None, Some(login)),
            None => self.proof(params, provider)?,
        };
        Some(Site { model, responses, base, azure, login, api_key })
    }
}

/// A model's name without `responses/`, and whether it is asked by `/responses` alone.
fn by_responses(model: String, provider: &Provider, info: &Node) -> (String, bool) {
    if provider.wire != Wire::OpenAi {
        return (model, false);
    }
    let mode = info.get("mode").and_then(Node::as_text);
    match model.strip_prefix("responses/") {
        Some(bare) => (bare.to_owned(), true),
        None => (model, mode.as_deref() == Some("responses")),
    }
}
