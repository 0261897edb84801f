//! Flags of a sub-command that are put together when that sub-command is meant.
use clap::{ArgMatches, Command, Error, FromArgMatches};

/// A sub-command's flags. The proxy's are some ninety and stand in three places: a start needs
/// those of one.
#[derive(Clone, Debug)]
pub struct Later<T>(pub Box<T>);

impl<T: clap::Args> clap::Args for Later<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(described_as_before::<T>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// With the flags of `T`, and without the words about `T` itself.
fn described_as_before<T: clap::Args>(command: Command) -> Command {
    let about = command.get_about().cloned().unwrap_or_default();
    let long_about = command.get_long_about().cloned();
    let command = T::augment_args(command).about(about).long_about(None);
    match long_about {
        Some(long_about) => command.long_about(long_about),
        None => command,
    }
}

impl<T: FromArgMatches> FromArgMatches for Later<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Box::new).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}
