//! Several nodes on one PostgreSQL.
use crate::client::chat;
use crate::postgres::Postgres;
use crate::proxy::{Proxy, Setup, in_front_of};
use crate::upstream::{COMPLETION, Upstream, json as playing};
use serde_json::json;

/// A node that keeps everything there.
fn node(postgres: &Postgres, upstream: &Upstream) -> Setup {
    in_front_of(&upstream.base()).env("DATABASE_URL", &postgres.url())
}

async fn status(proxy: &Proxy, key: &str) -> u16 {
    chat("gpt").key(key).send(proxy.addr()).await.status
}

#[tokio::test]
async fn what_bounds_a_new_key_bounds_it_on_every_node_at_once() {
    let Some(postgres) = Postgres::start().await else { return };
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let one = node(&postgres, &upstream).start().await;
    let two = node(&postgres, &upstream).start().await;
    for at in 0..3 {
        one.done("/budget/new", json!({"budget_id": format!("b{at}"), "max_budget": 0})).await;
        let body = json!({
            "organization_id": format!("o{at}"), "organization_alias": "O",
            "budget_id": format!("b{at}"),
        });
        one.done("/organization/new", body).await;
        let body = json!({"team_id": format!("within{at}"), "organization_id": format!("o{at}")});
        one.done("/team/new", body).await;
        one.done("/team/new", json!({"team_id": format!("poor{at}"), "max_budget": 0})).await;
        one.done("/user/new", json!({"user_id": format!("poor{at}"), "max_budget": 0})).await;
        for above in [
            json!({"team_id": format!("within{at}")}),
            json!({"team_id": format!("poor{at}")}),
            json!({"user_id": format!("poor{at}")}),
        ] {
            // The other node has heard of nothing yet.
            let key = one.key(above.clone()).await;
            assert_eq!(status(&two, &key).await, 422, "{above}");
        }
        one.done("/team/new", json!({"team_id": format!("red{at}")})).await;
        one.done("/team/block", json!({"team_id": format!("red{at}")})).await;
        let key = one.key(json!({"team_id": format!("red{at}")})).await;
        assert_eq!(status(&two, &key).await, 401);
    }
    assert_eq!(upstream.seen().begun, 0);
}
