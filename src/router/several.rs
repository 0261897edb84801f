//! `model: "a,b"`: several models are asked the same at once (contract 3.1).
//!
//! The answer is a JSON list of all answers, in the order of the names; with `fastest_response` it
//! is the first good one, and the others are cancelled. Each run leaves a branch of the call's
//! trail, so that each deployment's usage is counted, also that of a run whose answer nobody gets.
use super::Router;
use super::answer::{Answer, dollars};
use super::error::{NoDeployment, RouteError};
use super::failed::{UpstreamFailure, failure};
use crate::providers::{Class, Dialect, Hold, Operation, Problem, Prompt};
use crate::telemetry::{Failure, RequestId, Trail};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::cause::cause_ref;
use bartizan_layers::facts::NanoUsd;
use bytes::{Bytes, BytesMut};
use futures_util::future::{join_all, select_all};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use std::future::ready;
use std::sync::Arc;
use tokio::time::Instant;

/// So many models may be asked at once: one request must not become any number of calls.
const MOST: usize = 16;
/// What LiteLLM adds to the answer of the fastest.
const FASTEST: HeaderName = HeaderName::from_static("x-litellm-fastest_response_batch_completion");
const COST: HeaderName = HeaderName::from_static("x-litellm-response-cost");

/// One of the models, asked.
struct Run {
    trail: Option<Trail>,
    answer: Answer,
}

impl Router {
    /// Asks all models of a list; `None` if the name is not to be read as one.
    pub(super) fn several(&self, req: &Request<Prompt>) -> Option<Answer> {
        let (facts, prompt) = (req.extensions(), req.body());
        let operation: &Operation = facts.get()?;
        let list = prompt.model.as_deref()?;
        let names: Vec<_> =
            list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if names.len() < 2 || !operation.takes_several_models() || self.0.groups.is_exact(list) {
            return None;
        }
        let fastest = match wants_fastest(prompt, names.len()) {
            Ok(fastest) => fastest,
            Err(error) => return Some(Box::pin(ready(Err(error.into())))),
        };
        let trail: Option<Trail> = facts.get().cloned();
        if let Some(trail) = &trail {
            trail.set_streamed(prompt.stream);
        }
        let runs: Vec<_> = names.into_iter().map(|name| self.run(name, req)).collect();
        Some(if fastest {
            Box::pin(first(runs, trail))
        } else {
            Box::pin(all(runs, trail, prompt.held.clone()))
        })
    }

    fn run(&self, name: &str, req: &Request<Prompt>) -> Run {
        let mut req = req.clone();
        let trail = req.extensions().get().map(Trail::branch);
        if let Some(trail) = &trail {
            req.extensions_mut().insert(trail.clone());
        }
        req.body_mut().model = Some(name.into());
        Run { trail, answer: self.one(req) }
    }
}

/// Whether the first good answer will do; an error if the request cannot be made of this many.
fn wants_fastest(prompt: &Prompt, models: usize) -> Result<bool, RouteError> {
    let object = prompt.layout.object(prompt.text.outline());
    let told = object.get("fastest_response");
    let told = told.map_err(|twice| RouteError::Duplicate(twice.to_string()))?;
    let fastest = told.and_then(|member| member.value().as_bool()).unwrap_or(false);
    if models > MOST {
        return Err(RouteError::Several("`model` names more than 16 models. Name fewer."));
    }
    if prompt.stream && !fastest {
        return Err(RouteError::Several(
            "`model` names several models, whose answers are a list: that cannot be a stream. \
             Set `fastest_response: true` to stream the first answer, or leave out `stream`.",
        ));
    }
    Ok(fastest)
}

impl Run {
    /// Waits for the whole answer, and notes how it ended.
    async fn whole(self, held: Arc<dyn Hold>) -> Result<Response<Bytes>, BoxError> {
        let Self { trail, answer } = self;
        let answered = match answer.await {
            Ok(rsp) => collected(rsp, &*held).await,
            Err(error) => Err(error),
        };
        if let Some(trail) = &trail {
            note(trail, answered.as_ref().map(Response::status));
            trail.set_ended(Instant::now());
        }
        answered
    }
}

async fn collected(rsp: Response<Body>, held: &dyn Hold) -> Result<Response<Bytes>, BoxError> {
    let (parts, mut body) = rsp.into_parts();
    if let Body::Full(bytes) = body {
        return Ok(Response::from_parts(parts, bytes));
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if !held.hold_more(data.len()) {
            return Err(RouteError::AnswersTooLarge.into());
        }
        whole.extend_from_slice(&data);
    }
    Ok(Response::from_parts(parts, whole.freeze()))
}

fn note(trail: &Trail, answered: Result<StatusCode, &BoxError>) {
    match answered {
        Ok(status) => trail.set_status(status),
        Err(error) => {
            let problem = problem(error);
            trail.set_status(problem.status);
            trail.set_failure(failure(&problem));
        }
    }
}

fn problem(error: &BoxError) -> Problem {
    let route = cause_ref::<RouteError>(&**error)
        .or_else(|| cause_ref::<NoDeployment>(&**error).map(|nobody| &nobody.why));
    let route = route.map(RouteError::problem);
    let failure = || cause_ref::<UpstreamFailure>(&**error).map(UpstreamFailure::problem);
    route.or_else(failure).unwrap_or_else(|| {
        let name = Class::InternalServer.name();
        let words = format!("litellm.{name}: Connection error. (the answer broke off)");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, words)
    })
}

/// All answers as one list. A run that failed stands in it as its error; if all failed, the first
/// error is the answer.
async fn all(
    runs: Vec<Run>,
    trail: Option<Trail>,
    held: Arc<dyn Hold>,
) -> Result<Response<Body>, BoxError> {
    let branches: Vec<_> = runs.iter().filter_map(|run| run.trail.clone()).collect();
    let answers = join_all(runs.into_iter().map(|run| run.whole(held.clone()))).await;
    let good = |answer: &Result<Response<Bytes>, _>| {
        answer.as_ref().is_ok_and(|rsp| rsp.status().is_success())
    };
    if !answers.iter().any(good) {
        lead(trail.as_ref(), branches.first());
        let first = answers.into_iter().next().expect("a list has at least two names");
        return first.map(|rsp| rsp.map(Body::Full));
    }
    let items: Vec<_> = answers.into_iter().map(item).collect();
    let mut rsp = Response::new(Body::from(list(&items)));
    let headers = rsp.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let costs = branches.iter().map(|branch| branch.cost().0);
    headers.insert(COST, dollars(NanoUsd(costs.sum())));
    if let Some(trail) = trail {
        headers.insert(RequestId::HEADER, trail.id().header().clone());
    }
    Ok(rsp)
}

/// An answer as JSON text.
fn item(answer: Result<Response<Bytes>, BoxError>) -> Bytes {
    match answer.map(Response::into_body) {
        Ok(body) if serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok() => body,
        Ok(body) => serde_json::Value::from(String::from_utf8_lossy(&body)).to_string().into(),
        Err(error) => Dialect::OpenAi.error_body(&problem(&error)),
    }
}

fn list(items: &[Bytes]) -> Bytes {
    let mut text = BytesMut::from(&b"["[..]);
    for (at, item) in items.iter().enumerate() {
        text.extend_from_slice(if at == 0 { b"" } else { b"," });
        text.extend_from_slice(item);
    }
    text.extend_from_slice(b"]");
    text.freeze()
}

/// The first good answer. If all fail, the error of the model that is named first.
async fn first(runs: Vec<Run>, trail: Option<Trail>) -> Result<Response<Body>, BoxError> {
    let branches: Vec<_> = runs.iter().map(|run| run.trail.clone()).collect();
    let numbered = |(at, run): (usize, Run)| Box::pin(async move { (at, run.answer.await) });
    let mut waiting: Vec<_> = runs.into_iter().enumerate().map(numbered).collect();
    let mut failed = Vec::new();
    while !waiting.is_empty() {
        let ((at, answered), _, rest) = select_all(waiting).await;
        if let Some(branch) = &branches[at] {
            note(branch, answered.as_ref().map(Response::status));
        }
        match answered {
            Ok(mut rsp) if rsp.status().is_success() => {
                // Cancels them at their upstreams.
                drop(rest);
                let lost = branches.iter().enumerate().filter(|(other, _)| *other != at);
                lost.filter_map(|(_, branch)| branch.as_ref()).for_each(lose);
                lead(trail.as_ref(), branches[at].as_ref());
                rsp.headers_mut().insert(FASTEST, HeaderValue::from_static("true"));
                return Ok(rsp);
            }
            answered => failed.push((at, answered)),
        }
        waiting = rest;
    }
    branches.iter().flatten().for_each(lose);
    lead(trail.as_ref(), branches[0].as_ref());
    failed.sort_by_key(|(at, _)| *at);
    failed.swap_remove(0).1
}

/// Notes whose answer the client gets.
fn lead(trail: Option<&Trail>, branch: Option<&Trail>) {
    if let (Some(trail), Some(branch)) = (trail, branch) {
        trail.set_lead(branch.clone());
    }
}

/// Notes that nobody gets a run's answer; one that has failed by itself stays failed.
fn lose(branch: &Trail) {
    branch.set_failure(Failure::CANCELLED);
    branch.set_ended(Instant::now());
}
