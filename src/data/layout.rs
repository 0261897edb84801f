//! How a provider's addresses, and the names of its models, are laid out.
use super::Provider;
use http::Uri;
use std::borrow::Cow;

/// Where addresses and names differ from OpenAI's; what is left empty says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// What base URLs end in. One that ends in none of them gets the first.
    pub ends: &'static [&'static str],
    /// Ends that LiteLLM's users may have written: the first of `ends` takes their place.
    pub older_ends: &'static [&'static str],
    /// Paths that are others here: OpenAI's, and the one here.
    pub paths: &'static [(&'static str, &'static str)],
    /// What stands before the name of a model that has no `/`.
    pub prefix: &'static str,
    /// Whether the host of a model is named behind it at the provider's own address:
    /// `HOST/ORGANISATION/MODEL` is `ORGANISATION/MODEL:HOST`.
    pub hosts: bool,
}

impl Layout {
    /// As OpenAI has it.
    pub const OPENAI: Self =
        Self { ends: &[], older_ends: &[], paths: &[], prefix: "", hosts: false };
}

impl Provider {
    /// The base URL that `written`, without a slash at its end, stands for.
    #[must_use]
    pub fn placed<'a>(&self, written: &'a str) -> Cow<'a, str> {
        let Layout { ends, older_ends, .. } = self.layout;
        let older = older_ends.iter().find_map(|end| written.strip_suffix(end));
        let Some(first) = ends.first() else { return written.into() };
        match older {
            None if ends.iter().any(|end| written.ends_with(end)) => written.into(),
            older => format!("{}{first}", older.unwrap_or(written)).into(),
        }
    }

    /// Its own base URL, with the account that `variable` tells; empty where it has none.
    ///
    /// # Errors
    /// The name of the variable that says nothing, or what cannot stand in a URL.
    pub fn own_base(
        &self,
        variable: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Cow<'static, str>, &'static str> {
        let parts = self.base.split_once('{').and_then(|(before, rest)| {
            let (name, after) = rest.split_once('}')?;
            Some((before, name, after))
        });
        let Some((before, name, after)) = parts else { return Ok(self.base.into()) };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let account = variable(name).map(|told| told.trim().to_owned());
        match account.filter(|told| !told.is_empty() && told.chars().all(plain)) {
            Some(account) => Ok(format!("{before}{account}{after}").into()),
            None => Err(name),
        }
    }

    /// OpenAI's path as it is here.
    #[must_use]
    pub fn path(&self, path: Uri) -> Uri {
        let known = self.layout.paths.iter().find(|(openais, _)| *openais == path.path());
        match (known, path.query()) {
            (None, _) => path,
            (Some((_, here)), None) => Uri::from_static(here),
            (Some((_, here)), Some(query)) => {
                Uri::try_from(format!("{here}?{query}")).unwrap_or(path)
            }
        }
    }

    /// What it calls a `model` at `base`.
    #[must_use]
    pub fn spelled<'m>(&self, model: &'m str, base: Option<&Uri>) -> Cow<'m, str> {
        let Layout { prefix, hosts, .. } = self.layout;
        match model.split_once('/') {
            None if !prefix.is_empty() => format!("{prefix}{model}").into(),
            Some((host, name))
                if hosts && name.contains('/') && base.is_some_and(|base| *base == *self.base) =>
            {
                format!("{name}:{host}").into()
            }
            _ => model.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::data::provider;
    use http::Uri;

    #[test]
    fn an_address_gets_the_end_that_all_have() {
        for (name, written, want) in [
            ("heroku", "https://h", "https://h/v1"),
            ("heroku", "https://h/v1", "https://h/v1"),
            ("heroku", "https://h/v1/chat/completions", "https://h/v1"),
            ("cloudflare", "https://c/accounts/a/ai/run", "https://c/accounts/a/ai/v1"),
            ("databricks", "https://d/ai-gateway/mlflow/v1", "https://d/ai-gateway/mlflow/v1"),
            ("groq", "https://g/x", "https://g/x"),
        ] {
            assert_eq!(provider(name).expect("a row").placed(written), want);
        }
    }

    #[test]
    fn an_account_stands_in_the_address() {
        let row = provider("cloudflare").expect("a row");
        let told = row.own_base(|name| Some(format!("of-{}", name.to_ascii_lowercase())));
        let base = told.expect("an address");
        assert_eq!(
            base,
            "https://api.cloudflare.com/client/v4/accounts/of-cloudflare_account_id/ai/v1"
        );
        for wrong in [None, Some(""), Some("a/b"), Some("a@b")] {
            let told = row.own_base(|_| wrong.map(str::to_owned));
            assert_eq!(told, Err("CLOUDFLARE_ACCOUNT_ID"));
        }
    }

    #[test]
    fn a_models_host_and_its_account_are_named_as_the_provider_does() {
        let own = Uri::from_static("https://router.huggingface.co/v1");
        let other = Uri::from_static("https://mine.endpoints.huggingface.cloud/v1");
        for (name, model, base, want) in [
            ("huggingface", "together/org/model", &own, "org/model:together"),
            ("huggingface", "org/model", &own, "org/model"),
            ("huggingface", "org/model:groq", &own, "org/model:groq"),
            ("huggingface", "together/org/model", &other, "together/org/model"),
            ("fireworks_ai", "llama-v3p1-8b", &own, "accounts/fireworks/models/llama-v3p1-8b"),
            ("fireworks_ai", "accounts/me/models/x", &own, "accounts/me/models/x"),
        ] {
            assert_eq!(provider(name).expect("a row").spelled(model, Some(base)), want);
        }
    }

    #[test]
    fn a_path_of_its_own_keeps_the_query() {
        let row = provider("writer").expect("a row");
        for (openais, here) in [
            ("/chat/completions", "/chat"),
            ("/chat/completions?a=b", "/chat?a=b"),
            ("/completions", "/completions"),
        ] {
            assert_eq!(row.path(Uri::from_static(openais)), here);
        }
    }
}
