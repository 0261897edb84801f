//! What the events of OpenAI's images, speech and transcriptions tell.
use super::learned::{DONE, Learned};
use crate::wire::scan::value;

impl Learned {
    pub(super) fn media(&mut self, kind: &[u8], data: &[u8]) {
        match kind {
            b"error" => self.failed(data),
            kind if kind.ends_with(b".done") || kind.ends_with(b".completed") => {
                self.ended = true;
                self.content += 1;
                if let Some(usage) = value(data).get("usage") {
                    self.used(usage);
                }
            }
            kind if kind.ends_with(b".delta") || kind.ends_with(b".partial_image") => {
                self.content += 1;
            }
            _ if data == DONE => self.ended = true,
            _ if value(data).get("error").is_some_and(|error| !error.is_null()) => {
                self.failed(data);
            }
            _ => {}
        }
    }
}
