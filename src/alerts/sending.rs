//! Sends events, one after the other.
use super::event::Event;
use super::{Alerts, Places, Waiting};
use crate::config::Secret;
use bytes::Bytes;
use http::{StatusCode, Uri};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How often an event is sent to one place, at most.
const TRIES: u32 = 4;
/// Before the second try; each later one waits four times as long.
const PAUSE: Duration = Duration::from_millis(500);

impl Alerts {
    /// Sends events until all who could tell one are gone.
    pub async fn run(self, Waiting(mut waiting): Waiting) {
        while let Some(event) = waiting.recv().await {
            // Those of now: a reload may have moved them.
            let Some(places) = self.0.places.load_full() else { continue };
            self.deliver(&places, &event).await;
        }
    }

    async fn deliver(&self, places: &Arc<Places>, event: &Event) {
        let settings = &places.settings;
        if let Some(url) = &settings.webhook {
            let json = serde_json::to_vec(event).unwrap_or_default();
            self.post(places, "webhook", url, json.into()).await;
        }
        let text = event.text(settings.place.as_deref());
        let json = Bytes::from(json!({ "text": text }).to_string());
        for url in &settings.slack {
            self.post(places, "slack", url, json.clone()).await;
        }
    }

    async fn post(&self, places: &Places, name: &str, url: &Secret<Uri>, json: Bytes) {
        let mut why = String::new();
        for tried in 0..TRIES {
            if tried > 0 {
                sleep(PAUSE * 4_u32.pow(tried - 1)).await;
            }
            match places.forwarder.post_json(url.expose(), json.clone()).await {
                Ok(status) if status.is_success() => return self.0.metrics.alert_sent(),
                Ok(status) => {
                    why = format!("it answered with status {}", status.as_u16());
                    if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
                        break;
                    }
                }
                Err(error) => why = error.to_string(),
            }
        }
        self.0.metrics.alert_dropped();
        tracing::warn!("An alert could not be sent to the webhook of `{name}`: {why}");
    }
}
