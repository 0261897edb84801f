//! What a request asks for, read off the members of its body in one pass.
use crate::config::Secret;
use crate::providers::{Elsewhere, Operation, Problem};
use bartizan_layers::wire::scan::{Object, Value};
use http::HeaderValue;
use std::time::Duration;

macro_rules! fields {
    ($($field:ident $name:literal)*) => {
        /// The members that matter before a deployment is picked. Two readers must not see two
        /// values of them, so none may stand twice.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Field { $($field),* }

        impl Field {
            const COUNT: usize = [$(Self::$field),*].len();

            fn of(key: &[u8]) -> Option<Self> {
                match key {
                    $($name => Some(Self::$field),)*
                    _ => None,
                }
            }

            const fn key(self) -> &'static [u8] {
                match self {
                    $(Self::$field => $name,)*
                }
            }
        }
    };
}

fields! {
    Model b"model"
    Stream b"stream"
    N b"n"
    User b"user"
    Metadata b"metadata"
    Store b"store"
    Timeout b"timeout"
    RequestTimeout b"request_timeout"
    StreamTimeout b"stream_timeout"
    Messages b"messages"
    Prompt b"prompt"
    Input b"input"
    Query b"query"
    ApiKey b"api_key"
    ApiBase b"api_base"
    BaseUrl b"base_url"
    ApiVersion b"api_version"
    NumRetries b"num_retries"
    Fallbacks b"fallbacks"
    ContextWindowFallbacks b"context_window_fallbacks"
    ContentPolicyFallbacks b"content_policy_fallbacks"
    DisableFallbacks b"disable_fallbacks"
    MockTestingFallbacks b"mock_testing_fallbacks"
    MockTestingContextFallbacks b"mock_testing_context_fallbacks"
    MockTestingContentPolicyFallbacks b"mock_testing_content_policy_fallbacks"
    MockTestingRateLimitError b"mock_testing_rate_limit_error"
    MockTimeout b"mock_timeout"
    Tags b"tags"
    LitellmMetadata b"litellm_metadata"
    SessionId b"litellm_session_id"
    Cache b"cache"
    Caching b"caching"
}

impl Field {
    /// Those that would send the call, or its credential, elsewhere.
    const ELSEWHERE: [Self; 4] = [Self::ApiKey, Self::ApiBase, Self::BaseUrl, Self::ApiVersion];

    pub(super) fn name(self) -> &'static str {
        std::str::from_utf8(self.key()).unwrap_or_default()
    }
}

/// The values of all fields.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    values: [Option<Value<'a>>; Field::COUNT],
    /// One bit for each field that stands twice.
    twice: u32,
}

impl<'a> Asked<'a> {
    pub(super) fn of(object: &Object<'a>) -> Self {
        let mut asked = Self { values: [None; Field::COUNT], twice: 0 };
        for member in object.members() {
            if let Some(field) = Field::of(member.key())
                && asked.values[field as usize].replace(member.value()).is_some()
            {
                asked.twice |= 1 << field as usize;
            }
        }
        asked
    }

    /// The value of `field`; an error if it stands twice.
    pub(super) fn get(&self, field: Field) -> Result<Option<Value<'a>>, Problem> {
        if self.twice & (1 << field as usize) != 0 {
            let name = field.name();
            let message = format!("the member `{name}` stands more than once");
            return Err(Problem::bad_request(message).param(name));
        }
        Ok(self.values[field as usize])
    }

    /// The upstream and the credential that the client brings itself.
    ///
    /// # Errors
    ///
    /// When it brings any and that is not `allowed`, or they are no URL and no key.
    pub(super) fn elsewhere(
        &self,
        operation: &Operation,
        allowed: bool,
    ) -> Result<Option<Box<Elsewhere>>, Problem> {
        // Where a body passes as it is, they would reach the provider.
        let allowed = allowed && operation.strips_litellm_fields();
        let mut elsewhere = None::<Box<Elsewhere>>;
        for field in Field::ELSEWHERE {
            let Some(value) = self.get(field)?.filter(|value| !allowed || !value.is_null()) else {
                continue;
            };
            let refused = |what| {
                let (route, name) = (operation.route(), field.name());
                Problem::bad_request(format!("{route}: `{name}` in the request {what}."))
                    .param(name)
            };
            if !allowed {
                return Err(refused("is not allowed here"));
            }
            let text = value.as_str().ok_or_else(|| refused("must be a string"))?;
            let elsewhere = elsewhere.get_or_insert_default();
            match field {
                Field::ApiVersion => {}
                Field::ApiKey => {
                    let fits = !text.is_empty() && HeaderValue::from_str(&text).is_ok();
                    let key = fits.then(|| Secret::new(text.as_ref().to_owned()));
                    elsewhere.key = Some(key.ok_or_else(|| refused("cannot be a key"))?);
                }
                _ => {
                    let base = Elsewhere::base(&text);
                    let base = base.ok_or_else(|| refused("is not the URL of a provider"))?;
                    elsewhere.base = Some(base);
                }
            }
        }
        Ok(elsewhere)
    }

    /// Refuses what an `operation` cannot be asked for like this.
    pub(super) fn check(&self, operation: &Operation) -> Result<(), Problem> {
        let route = operation.route();
        if let Some(name) = operation.required_field()
            && let Some(field) = Field::of(name.as_bytes())
            && self.get(field)?.is_none()
        {
            let message = format!("{route}: Missing required parameter: '{name}'.");
            return Err(Problem::bad_request(message).param(name));
        }
        for field in [Field::User, Field::Metadata, Field::Store] {
            self.get(field)?;
        }
        Ok(())
    }

    /// The model, if one is named.
    pub(super) fn model(&self, route: &str) -> Result<Option<Box<str>>, Problem> {
        let Some(value) = self.get(Field::Model)?.filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let Some(model) = value.as_str() else {
            let message = format!("{route}: `model` must be a string.");
            return Err(Problem::bad_request(message).param("model"));
        };
        Ok(Some(model.as_ref().into()))
    }

    /// A time in seconds. Zero is no time.
    pub(super) fn seconds(&self, field: Field) -> Result<Option<Duration>, Problem> {
        let seconds = self.get(field)?.and_then(|value| value.as_f64());
        let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Ok(duration.filter(|duration| !duration.is_zero()))
    }
}
