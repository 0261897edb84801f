use super::{AccessError, AccessLayer, Accessing, Groups, covers};
use crate::BoxError;
use crate::facts::{Call, Principal};
use http::{Request, Response};
use tower::{Layer, ServiceExt};
use tower_test::mock::{Handle, Mock, pair};

type Req = Request<()>;
type Rsp = Response<()>;

#[tokio::test]
async fn who_may_reaches_the_upstream() {
    for (key, team, group) in [
        ("alice", None, "openai/gpt-4o"),
        ("alice", None, "fast"),
        ("bob", None, "anything"),
        ("empty", None, "anything"),
        ("carol", Some("blue"), "fast"),
    ] {
        let (service, mut upstream) = service();
        let (rsp, _) =
            tokio::join!(service.oneshot(request(key, team, group)), answer(&mut upstream));
        rsp.unwrap();
    }
}

#[tokio::test]
async fn who_may_not_never_reaches_the_upstream() {
    for (key, team, group) in [
        ("alice", None, "openai"),
        ("alice", None, "claude"),
        ("carol", Some("blue"), "slow"),
        ("alice", Some("blue"), "openai/gpt-4o"),
    ] {
        let (service, mut upstream) = service();
        let error = service.oneshot(request(key, team, group)).await.unwrap_err();
        let Some(AccessError::Group { group: refused, allowed }) = error.downcast_ref() else {
            panic!("{error}");
        };
        assert_eq!(&**refused, group);
        assert!(!allowed.is_empty());
        assert!(upstream.next_request().await.is_none());
    }
}

#[tokio::test]
async fn a_request_without_a_model_or_a_principal_passes() {
    let (service, mut upstream) = service();
    let (rsp, _) = tokio::join!(service.oneshot(Req::default()), answer(&mut upstream));
    rsp.unwrap();
}

#[tokio::test]
async fn an_outage_and_a_block_refuse() {
    let blocked = |_: &Principal, _: &Call| Err(AccessError::Blocked);
    let away = |_: &Principal, _: &Call| Err(AccessError::Outage("away".into()));
    for (error, why) in [
        (refusal(blocked).await, "the key may not be used now"),
        (refusal(away).await, "rights are unreachable"),
    ] {
        assert_eq!(error.to_string(), why);
    }
}

#[tokio::test]
async fn an_upstream_failure_passes_through() {
    let (service, mut upstream) = service();
    let (rsp, ()) = tokio::join!(service.oneshot(request("bob", None, "x")), async {
        upstream.next_request().await.unwrap().1.send_error(BoxError::from("reset"));
    });
    assert_eq!(rsp.unwrap_err().to_string(), "reset");
}

#[test]
fn a_star_stands_for_any_text() {
    for (pattern, group, want) in [
        ("*", "", true),
        ("*", "a/b", true),
        ("a", "a", true),
        ("a", "ab", false),
        ("a*", "ab", true),
        ("a*", "ba", false),
        ("*b", "ab", true),
        ("a*b", "ab", true),
        ("a*b", "a", false),
        ("ab*ab", "ab", false),
        ("a*b*c", "axbyc", true),
        ("a*b*c", "ac", false),
        ("*a*a*", "a", false),
        ("*a*a*", "aa", true),
        ("", "", true),
    ] {
        assert_eq!(covers(pattern, group), want, "{pattern} {group}");
    }
}

async fn refusal<A: super::Access>(access: A) -> BoxError {
    let (mock, _upstream) = pair::<Req, Rsp>();
    AccessLayer::new(access).layer(mock).oneshot(request("k", None, "g")).await.unwrap_err()
}

fn service() -> (Accessing<Groups, Mock<Req, Rsp>>, Handle<Req, Rsp>) {
    let (mock, upstream) = pair();
    let groups = Groups::new()
        .only("alice", ["openai/*", "fast"])
        .only::<&str>("empty", [])
        .only_team("blue", ["fast"]);
    (AccessLayer::new(groups).layer(mock), upstream)
}

async fn answer(upstream: &mut Handle<Req, Rsp>) -> Req {
    let (request, answer) = upstream.next_request().await.unwrap();
    answer.send_response(Rsp::default());
    request
}

fn request(key: &str, team: Option<&str>, group: &str) -> Req {
    let team = team.map(Into::into);
    let principal = Principal { team, ..Principal::new(key, "user") };
    let mut request = Req::default();
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(Call { group: group.into(), stream: false, end_user: None });
    request
}
