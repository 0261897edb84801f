//! Why a call found no answer.
use crate::providers::Problem;
use crate::providers::chat::Malformed;
use crate::providers::openai::NotEdited;
use bartizan_layers::facts::{Cause, Fault, Measure};
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// Why a call led to no deployment, in the words that a client gets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// It names no model, or one that does not exist.
    #[error("{}", unknown_model(route, model.as_deref(), *wildcards))]
    UnknownModel {
        /// The path, as error messages name it.
        route: &'static str,
        /// What was asked for.
        model: Option<Box<str>>,
        /// Whether the config has wildcards or fallbacks.
        wildcards: bool,
    },
    /// No deployment of the group speaks the path's dialect.
    #[error(
        "{route}: the model {model} is served by a provider that does not speak this path's \
         format. Call it on `/v1/chat/completions`, or choose another model."
    )]
    NotSpoken {
        /// The path, as error messages name it.
        route: &'static str,
        /// What was asked for.
        model: Box<str>,
    },
    /// No deployment of the group is where the end user's models must be.
    #[error(
        "No deployment of {model} is in the region `{region}`, to which the end user of this call \
         is bound (`allowed_model_region`)."
    )]
    Elsewhere {
        /// What was asked for.
        model: Box<str>,
        /// The region.
        region: Box<str>,
    },
    /// All deployments of the group rest after failures.
    #[error(
        "No deployments available for selected model, Try again in {} seconds. Passed \
         model={model}. pre-call-checks=False, cooldown_list={resting:?}",
        wait.as_secs_f64().ceil().max(1.0)
    )]
    Resting {
        /// What was asked for.
        model: Box<str>,
        /// Their ids.
        resting: Vec<Arc<str>>,
        /// Until the first of them is back.
        wait: Duration,
    },
    /// Deployments of the group have as many calls as they may.
    #[error(
        "No deployments available for selected model, Try again in {} seconds. Passed \
         model={model}. All deployments have as many calls as they may.",
        wait.as_secs_f64().ceil().max(1.0)
    )]
    Full {
        /// What was asked for.
        model: Box<str>,
        /// Until one of them may have room.
        wait: Duration,
        /// What one of them has no more of, where that is known.
        measure: Option<Measure>,
    },
    /// Deployments of the group, or their providers, have cost what they may.
    #[error("No deployments available - crossed budget: {spent}")]
    OverBudget {
        /// Each of them, with what was spent and what it may cost, a line each.
        spent: Box<str>,
        /// Until the first of them may be used again, where that is known.
        wait: Option<Duration>,
    },
    /// The prompt is longer than any deployment of the group takes.
    #[error(
        "litellm.ContextWindowExceededError: the prompt has about {tokens} tokens, more than any \
         deployment of {model} takes."
    )]
    TooLong {
        /// What was asked for.
        model: Box<str>,
        /// How many there are, as far as is known.
        tokens: i64,
    },
    /// The model's name cannot stand in a path.
    #[error("{route}: the model name {model} is not valid.")]
    BadPath {
        /// The path, as error messages name it.
        route: &'static str,
        /// What would stand there.
        model: Box<str>,
    },
    /// The request brings what this deployment does not take from clients.
    #[error("{route}: `{name}` in the request is not allowed for this model.")]
    NotAllowed {
        /// The path, as error messages name it.
        route: &'static str,
        /// The member.
        name: &'static str,
    },
    /// No deployment of the group has the tags of the request.
    #[error(
        "Not allowed to access model due to tags configuration. Passed model={model} and \
         tags={tags:?}"
    )]
    TagsRefused {
        /// What was asked for.
        model: Box<str>,
        /// The request's tags.
        tags: Vec<String>,
    },
    /// A moderation names no model, and the config has none for it.
    #[error(
        "/moderations: no model is named, and none is for moderations. Name one in `model`, or \
         give a deployment `model_info: {{mode: moderation}}`."
    )]
    NoModeration,
    /// The client rehearses a failure.
    #[error("litellm.{class}: this failure was asked for, to rehearse fallbacks.")]
    Rehearsed {
        /// LiteLLM's class.
        class: &'static str,
        /// The status that goes with it.
        status: StatusCode,
        /// How often the deployment that would have been asked wants to be tried again.
        retries: Option<u32>,
    },
    /// A request for several models cannot be made like this.
    #[error("{0}")]
    Several(&'static str),
    /// The answers of several models do not fit into memory.
    #[error(
        "The answers of all models together are larger than the proxy's memory allows. Ask for \
         fewer models at once."
    )]
    AnswersTooLarge,
    /// A path of LiteLLM's that is not served here yet.
    #[error("{path}: this path is not served yet: {why}. Call the provider itself.")]
    Unserved {
        /// Its first segment.
        path: &'static str,
        /// The reason, as a clause.
        why: &'static str,
    },
    /// No account at a provider is known.
    #[error("{route}: {}", no_account(provider, *variable))]
    NoAccount {
        /// The path, as error messages name it.
        route: &'static str,
        /// The provider's name, as it was asked for.
        provider: Box<str>,
        /// The variable that would hold its key, where there is one.
        variable: Option<&'static str>,
    },
    /// A member of the request stands twice.
    #[error("{0}")]
    Duplicate(String),
    /// The request is not what its dialect says, or its provider cannot be asked this.
    #[error("{0}")]
    Unfit(#[from] Malformed),
    /// There is no memory to translate the request.
    #[error("The proxy holds as many request bodies as its memory allows. Try again.")]
    NoMemory,
}

fn unknown_model(route: &str, model: Option<&str>, wildcards: bool) -> String {
    let told = model.unwrap_or("None");
    if wildcards {
        return format!(
            "litellm.BadRequestError: You passed in model={told}. There are no healthy deployments \
             for this model. Call `/v1/models` to view available models for your key."
        );
    }
    format!(
        "{route}: Invalid model name passed in model={told}. Call `/v1/models` to view available \
         models for your key."
    )
}

fn no_account(provider: &str, variable: Option<&str>) -> String {
    match variable {
        Some(variable) => format!(
            "no key for {provider} is set here. Set {variable}, or add a model of {provider} to \
             the config (`use_in_pass_through: true` for its own paths)."
        ),
        None => format!("the provider {provider} is not known here."),
    }
}

impl From<NotEdited> for RouteError {
    fn from(error: NotEdited) -> Self {
        match error {
            NotEdited::Duplicate(twice) => Self::Duplicate(twice.to_string()),
            NotEdited::NoMemory => Self::NoMemory,
        }
    }
}

impl RouteError {
    /// What a client gets to see of it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let status = match self {
            Self::TagsRefused { .. } => StatusCode::UNAUTHORIZED,
            Self::AnswersTooLarge | Self::NoMemory => StatusCode::SERVICE_UNAVAILABLE,
            Self::Rehearsed { status, .. } => *status,
            Self::Full { wait, .. } => {
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, self.to_string());
                return problem.retry_after(*wait);
            }
            Self::OverBudget { wait, .. } => {
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, self.to_string());
                return wait.iter().fold(problem, |problem, wait| problem.retry_after(*wait));
            }
            Self::Resting { wait, .. } => {
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, self.to_string());
                return problem.kind("all_deployments_in_cooldown").retry_after(*wait);
            }
            _ => return self.with_param(Problem::bad_request(self.to_string())),
        };
        Problem::new(status, self.to_string())
    }

    fn with_param(&self, problem: Problem) -> Problem {
        match self {
            Self::NotAllowed { name, .. } => problem.param(*name),
            Self::Unfit(malformed) => problem.param(malformed.param.clone()),
            Self::NoModeration | Self::Several(_) => problem.param("model"),
            _ => problem,
        }
    }
}

/// A group has no deployment for a call, which may well be served by another group: the reason,
/// and the failure that it is to those who choose groups.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct NoDeployment {
    /// The reason.
    pub why: RouteError,
    #[source]
    fault: Fault,
}

impl NoDeployment {
    /// A failure that the client asked for, at a deployment that wants so many retries.
    pub(super) fn rehearsed(cause: Cause, retries: Option<u32>) -> Self {
        let (class, status) = match cause {
            Cause::ContextTooLong => ("ContextWindowExceededError", StatusCode::BAD_REQUEST),
            Cause::ContentFilter => ("ContentPolicyViolationError", StatusCode::BAD_REQUEST),
            Cause::RateLimit => ("RateLimitError", StatusCode::TOO_MANY_REQUESTS),
            _ => ("InternalServerError", StatusCode::INTERNAL_SERVER_ERROR),
        };
        let why = RouteError::Rehearsed { class, status, retries };
        Self { why, fault: Fault::new(cause, status) }
    }
}

impl From<RouteError> for NoDeployment {
    fn from(why: RouteError) -> Self {
        let status = why.problem().status;
        let cause = match why {
            RouteError::TooLong { .. } => Cause::ContextTooLong,
            _ => Cause::of(status),
        };
        Self { fault: Fault { unsent: true, ..Fault::new(cause, status) }, why }
    }
}
