use super::{
    Auth, AuthError, AuthLayer, KeyNotNeeded, Keys, MemoryKeys, Presented, ProtocolKey, QueryKey,
    presented,
};
use crate::BoxError;
use crate::facts::Principal;
use http::{HeaderName, Request, Response};
use proptest::prelude::*;
use std::future::{Ready, ready};
use tower::{Layer, ServiceExt};
use tower_test::mock::{Handle, Mock, pair};

type Req = Request<()>;
type Rsp = Response<()>;

#[tokio::test]
async fn a_known_key_reaches_the_upstream_with_its_principal() {
    let (auth, mut upstream) = auth();
    let (rsp, principal) = tokio::join!(auth.oneshot(bearer("sk-alice")), answered(&mut upstream));
    rsp.unwrap();
    assert_eq!(&*principal.user, "alice");
}

#[tokio::test]
async fn strangers_never_reach_the_upstream() {
    for (request, why) in [
        (bearer("sk-mallory"), "the key is not known"),
        (Request::new(()), "no key was presented"),
        (header("authorization", "sk-alice"), "the key was presented without a scheme"),
    ] {
        let (auth, mut upstream) = auth();
        let error = auth.oneshot(request).await.unwrap_err();
        assert_eq!(error.to_string(), why);
        assert!(error.downcast_ref::<AuthError>().is_some());
        assert!(upstream.next_request().await.is_none());
    }
}

#[tokio::test]
async fn an_open_route_needs_no_key_and_knows_who_has_one() {
    for (mut request, user) in [
        (bearer("sk-alice"), Some("alice")),
        (bearer("sk-mallory"), None),
        (Request::new(()), None),
    ] {
        request.extensions_mut().insert(KeyNotNeeded);
        let (auth, mut upstream) = auth();
        let answering = async {
            let (request, answer) = upstream.next_request().await.unwrap();
            answer.send_response(Rsp::default());
            request.extensions().get().map(|principal: &Principal| principal.user.clone())
        };
        let (rsp, found) = tokio::join!(auth.oneshot(request), answering);
        rsp.unwrap();
        assert_eq!(found.as_deref(), user);
    }
}

#[tokio::test]
async fn an_upstream_failure_passes_through() {
    let (auth, mut upstream) = auth();
    let fail = async {
        upstream.next_request().await.unwrap().1.send_error(BoxError::from("reset"));
    };
    let (rsp, ()) = tokio::join!(auth.oneshot(bearer("sk-alice")), fail);
    assert_eq!(rsp.unwrap_err().to_string(), "reset");
}

#[tokio::test]
async fn a_client_that_leaves_while_its_key_is_checked_costs_nothing() {
    let (auth, mut upstream) = auth();
    drop(auth.oneshot(bearer("sk-alice")));
    assert!(upstream.next_request().await.is_none());
}

#[tokio::test]
async fn an_outage_refuses() {
    let service = tower::service_fn(async |_: Req| Ok::<_, BoxError>(Rsp::default()));
    let error = AuthLayer::new(Away).layer(service).oneshot(bearer("sk-alice")).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(AuthError::Outage(_))));
}

#[test]
fn six_headers_carry_the_key() {
    for (name, value) in [
        ("x-litellm-api-key", "sk-1"),
        ("x-litellm-api-key", "Bearer sk-1"),
        ("authorization", "Bearer sk-1"),
        ("authorization", "bearer  sk-1"),
        ("authorization", "Basic sk-1"),
        ("api-key", "sk-1"),
        ("x-api-key", "sk-1"),
        ("x-goog-api-key", "sk-1"),
        ("ocp-apim-subscription-key", "sk-1"),
    ] {
        assert_eq!(presented(&header(name, value), None), Presented::Key(b"sk-1"), "{name}");
    }
}

#[test]
fn the_query_counts_only_where_the_route_says_so() {
    let mut req = Request::builder().uri("/v1/models?alt=sse&key=sk-1").body(()).unwrap();
    assert_eq!(presented(&req, None), Presented::Nothing);
    req.extensions_mut().insert(QueryKey);
    assert_eq!(presented(&req, None), Presented::Key(b"sk-1"));
}

#[test]
fn a_subprotocol_counts_only_where_the_route_says_so() {
    let mut req = header("sec-websocket-protocol", "realtime, openai-insecure-api-key.sk-1,x");
    assert_eq!(presented(&req, None), Presented::Nothing);
    req.extensions_mut().insert(ProtocolKey);
    assert_eq!(presented(&req, None), Presented::Key(b"sk-1"));
    let mut empty = header("sec-websocket-protocol", "openai-insecure-api-key.");
    empty.extensions_mut().insert(ProtocolKey);
    assert_eq!(presented(&empty, None), Presented::Nothing);
    let name = HeaderName::from_static("x-own");
    assert_eq!(presented(&req, Some(&name)), Presented::Nothing);
}

#[test]
fn a_named_header_replaces_all_others() {
    let name = HeaderName::from_static("x-company-key");
    assert_eq!(presented(&bearer("sk-1"), Some(&name)), Presented::Nothing);
    let req = header("x-company-key", "sk-1");
    assert_eq!(presented(&req, Some(&name)), Presented::Key(b"sk-1"));
}

#[test]
fn debug_shows_no_key() {
    assert!(!format!("{:?}", Presented::Key(b"sk-1")).contains("sk-1"));
}

proptest! {
    #[test]
    fn any_header_value_is_read_without_harm(value in "[ -~\t]{0,40}") {
        let req = header("authorization", &value);
        if let Presented::Key(key) = presented(&req, None) {
            prop_assert!(!key.is_empty());
        }
    }
}

#[derive(Clone)]
struct Away;

impl Keys for Away {
    type Future = Ready<Result<Principal, AuthError>>;

    fn check(&self, _presented: Presented<'_>) -> Self::Future {
        ready(Err(AuthError::Outage("connection refused".into())))
    }
}

fn auth() -> (Auth<MemoryKeys, Mock<Req, Rsp>>, Handle<Req, Rsp>) {
    let alice = Principal::new("alice", "alice");
    let (upstream, handle) = pair();
    (AuthLayer::new(MemoryKeys::new().with(b"sk-alice", alice)).layer(upstream), handle)
}

fn bearer(key: &str) -> Req {
    header("authorization", &format!("Bearer {key}"))
}

fn header(name: &str, value: &str) -> Req {
    Request::builder().header(name, value).body(()).unwrap()
}

async fn answered(upstream: &mut Handle<Req, Rsp>) -> Principal {
    let (req, respond) = upstream.next_request().await.unwrap();
    respond.send_response(Rsp::default());
    req.extensions().get().cloned().unwrap()
}
