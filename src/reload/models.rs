//! Models that were added at run time: they come into force as an edit of the config does.
use super::{Source, log};
use crate::config::{Config, Env, Problems, load};
use crate::forward::SetupError;
use crate::generation::House;
use crate::persistence::Persistence;
use tokio::sync::watch::Receiver;
use tokio::task::spawn_blocking;

impl Source {
    /// The config with the models that were added at run time. Where there are none, it is
    /// `config`.
    pub async fn with_models(&mut self, config: Config, kept: &Persistence) -> Config {
        let number = self.read_models(kept).await;
        let with = if self.options.models.is_empty() { None } else { self.load_again().await };
        if let (Some(number), Some(directory)) = (number, kept.directory()) {
            directory.models().take(number);
        }
        with.map_or(config, |(mut config, problems)| {
            log(&problems);
            self.fixed.keep(&mut config);
            config
        })
    }

    /// Takes over which models were added; the number of the last change among them.
    async fn read_models(&mut self, kept: &Persistence) -> Option<u64> {
        match kept.models().await {
            Ok((models, number)) => {
                self.options.models = models;
                Some(number)
            }
            Err(error) => {
                tracing::warn!(%error, "Models of the store cannot be read: they stay as they were");
                None
            }
        }
    }

    /// What the files say now, broken entries left out as at the start.
    async fn load_again(&self) -> Option<(Config, Problems)> {
        let options = self.options.clone();
        let loading = spawn_blocking(move || load(&options, Env::of_process()));
        loading.await.ok().and_then(Result::ok)
    }

    /// Takes models into force that were added, changed or taken away. The files are as they were,
    /// or are taken by their own change.
    pub(super) async fn take_models(
        &mut self,
        house: &House,
        swap: &mut impl FnMut(Config) -> Result<(), SetupError>,
    ) {
        let Some(number) = self.read_models(house.kept()).await else { return };
        if self.has_changed().await {
            self.reload(house, &mut *swap, true).await;
        }
        if self.refused.is_some() {
            tracing::error!("Models that were added wait until the config is mended");
            return;
        }
        let Some((mut config, _)) = self.load_again().await else {
            tracing::error!("Models that were added wait until the config can be read again");
            return;
        };
        if self.fixed.would_be_open(&config) {
            return;
        }
        self.fixed.keep(&mut config);
        let deployments = config.routing.deployments.len();
        match swap(config) {
            Ok(()) => {
                if let Some(directory) = house.kept().directory() {
                    directory.models().take(number);
                }
                house.tidy();
                tracing::info!(deployments, "Models of the store taken into force");
            }
            Err(error) => tracing::error!(%error, "Models that were added cannot be used"),
        }
    }
}

/// Waits for the next change of models; forever where none are kept.
pub(super) async fn changed(models: &mut Option<Receiver<u64>>) {
    let heard = match models {
        Some(changes) => changes.changed().await.is_ok(),
        None => false,
    };
    if !heard {
        std::future::pending::<()>().await;
    }
}
