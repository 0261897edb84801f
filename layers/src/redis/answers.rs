//! The keys of a cache.
use super::outage::read;
use super::write::Write;
use super::{Outage, Redis};
use ::redis::cmd;

impl Redis {
    /// The key of a kept answer. It is its own hash tag: answers are spread over a Cluster.
    pub(crate) fn cache_key(&self, name: &str) -> String {
        [&*self.settings().prefix, "cache:", name].concat()
    }

    /// The value of a key.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Outage> {
        let mut get = cmd("GET");
        read(self.send(get.arg(key)).await?)
    }

    /// Removes a key.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), Outage> {
        let mut remove = cmd("UNLINK");
        self.send(remove.arg(key)).await.map(drop)
    }

    /// Removes all kept answers, some hundred at a time. In a Cluster the nodes list them whole.
    pub(crate) async fn clear_cache(&self) -> Result<(), Outage> {
        let pattern = self.cache_key("*");
        let mut cursor = String::from("0");
        loop {
            let keys: Vec<String> = if self.link()?.1.is_cluster() {
                cursor = "0".into();
                read(self.send(cmd("KEYS").arg(&pattern)).await?)?
            } else {
                let mut scan = cmd("SCAN");
                scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000);
                let keys;
                (cursor, keys) = read(self.send(&scan).await?)?;
                keys
            };
            for some in keys.chunks(256) {
                self.send(cmd("UNLINK").arg(some)).await?;
            }
            if cursor == "0" {
                return Ok(());
            }
        }
    }

    /// Writes an answer in the background, or forgets it where too much waits already.
    pub(crate) fn write(&self, write: Write) {
        self.writes().push(write);
        self.wake();
    }
}
