use super::{ConversationError, Conversations, Turn};
use crate::clock;
use crate::config::ConversationSettings;
use crate::identity::Tenant;
use crate::store::{Place, Store};
use crate::tasks::Tasks;

fn turn(id: &str, previous: Option<&str>) -> Turn {
    Turn {
        id: id.into(),
        previous: previous.map(Into::into),
        input: format!(r#"["{id}?"]"#),
        response: format!(r#"{{"id":"{id}"}}"#),
    }
}

async fn conversations() -> (Store, Conversations) {
    let store = Store::open(Place::Memory).await.unwrap();
    let all = Conversations::new(store.clone(), &ConversationSettings::default(), Tasks::default())
        .unwrap();
    (store, all)
}

async fn ids(all: &Conversations, id: &str) -> Vec<String> {
    let past = all.past(id, |_| true).await.unwrap().unwrap_or_default();
    past.iter().map(|turn| turn.id.to_string()).collect()
}

#[tokio::test]
async fn a_conversation_is_told_from_its_beginning() {
    let (store, all) = conversations().await;
    let red = Tenant::team("red");
    for (id, previous) in [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("b"))] {
        all.keep(turn(id, previous), Some(red.clone())).await;
    }
    assert_eq!(ids(&all, "c").await, ["a", "b", "c"]);
    assert_eq!(ids(&all, "d").await, ["a", "b", "d"]);
    assert!(all.past("e", |_| true).await.unwrap().is_none());
    let full = all.past("b", |bytes| bytes < 32).await;
    assert!(matches!(full, Err(ConversationError::NoRoom)), "{full:?}");
    assert_eq!(all.find(&["b", "e"]).await.unwrap(), [turn("b", Some("a"))]);
    let owners = store.owners_of(&["a", "d"]).await.unwrap();
    assert!(owners.len() == 2 && owners.iter().all(|(_, owner)| owner == red.name()));
}

#[tokio::test]
async fn a_conversation_whose_beginning_is_gone_does_not_go_on() {
    let (_, all) = conversations().await;
    for (id, previous) in [("a", None), ("b", Some("a"))] {
        all.keep(turn(id, previous), None).await;
    }
    assert!(all.forget("a").await.unwrap());
    assert!(!all.forget("a").await.unwrap());
    assert!(matches!(all.past("b", |_| true).await, Err(ConversationError::Cut)));
}

#[tokio::test]
async fn what_is_old_goes_unless_something_newer_goes_on_from_it() {
    let (store, all) = conversations().await;
    for (id, previous) in [
        ("old", None),
        ("older", None),
        ("end", Some("older")),
        ("root", None),
        ("new", Some("root")),
    ] {
        all.keep(turn(id, previous), None).await;
    }
    let mut work = store.work().await.unwrap();
    let ago = clock::now() - 31 * 24 * 3_600_000;
    let sql = "UPDATE responses SET at = $1 WHERE id <> 'new'";
    work.execute(sql, &[ago.into()]).await.unwrap();
    work.commit().await.unwrap();
    all.sweep().await.unwrap();
    assert_eq!(ids(&all, "new").await, ["root", "new"]);
    assert_eq!(all.find(&["old", "older", "end"]).await.unwrap(), []);
}

#[tokio::test]
async fn the_oldest_goes_where_there_is_no_room() {
    let (store, all) = conversations().await;
    for (at, id) in ["a", "b", "c"].into_iter().enumerate() {
        all.keep(turn(id, None), None).await;
        let mut work = store.work().await.unwrap();
        let at = i64::try_from(at).unwrap();
        work.execute("UPDATE responses SET at = $1 WHERE id = $2", &[at.into(), id.into()])
            .await
            .unwrap();
        work.commit().await.unwrap();
    }
    let bytes = turn("a", None);
    let bytes = (bytes.input.len() + bytes.response.len()) as u64;
    let mut work = store.work().await.unwrap();
    assert_eq!(work.forget_turns_beyond(2 * bytes).await.unwrap(), 1);
    work.commit().await.unwrap();
    assert!(all.past("a", |_| true).await.unwrap().is_none());
    assert_eq!(all.find(&["b", "c"]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn nothing_is_kept_where_the_config_says_so() {
    let store = Store::open(Place::Memory).await.unwrap();
    assert!(
        Conversations::new(store, &ConversationSettings { keep: None }, Tasks::default()).is_none()
    );
}
