//! What the value of a key may be.

/// What the value of a key may be. Every value may be null, which is as if the key were absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Kind {
    /// `any`
    Any,
    /// `text`: numbers and switches count as they are written.
    Text,
    /// `secret`: a text that is never shown.
    Secret,
    /// `number`: at least 0.
    Number,
    /// `whole`: a number of at least 0 without a fraction.
    Whole,
    /// `port`
    Port,
    /// `seconds`: above 0.
    Seconds,
    /// `wait`: seconds, or 0 for none.
    Wait,
    /// `duration`: a whole number and its unit (`s`, `m`, `h`, `d`, `w`, `mo`).
    Duration,
    /// `flag`
    Flag,
    /// `url`: of a web server, without a name or a password.
    Url,
    /// `path`: begins with `/`.
    Path,
    /// `header`: a header's name.
    Header,
    /// `texts`: a list of texts.
    Texts,
    /// `ips`: addresses, networks and `*`; one alone needs no list.
    Ips,
    /// `callbacks`: names of callbacks; one alone needs no list.
    Callbacks,
    /// `group`: a model group.
    Group,
    /// `groups`: a list of model groups.
    Groups,
    /// `fallbacks`: a list of maps of one key, each from a model group to a list of them, or to one.
    Fallbacks,
    /// `aliases`: a map of names, each to a model group, a list of them, or such as `model` of a map.
    Aliases,
    /// `one of A B C`
    OneOf(&'static str),
    /// `map`, or `map:SECTION` for one whose keys are rows.
    Map(&'static str),
    /// `maps:SECTION`: such a map for each of some model groups, or of some providers.
    Maps(&'static str),
    /// `list`, or `list:SECTION` for one of such maps.
    List(&'static str),
    /// `A or B`, in the words of this list.
    Either(&'static str, &'static str),
}

impl Kind {
    /// The kind that a row names.
    pub(super) fn parse(text: &'static str) -> Option<Self> {
        if let Some(words) = text.strip_prefix("one of ") {
            return Some(Self::OneOf(words));
        }
        if let Some((one, other)) = text.split_once(" or ") {
            return Self::parse(one).and(Self::parse(other)).map(|_| Self::Either(one, other));
        }
        let (word, section) = text.split_once(':').unwrap_or((text, ""));
        Some(match word {
            "any" => Self::Any,
            "text" => Self::Text,
            "secret" => Self::Secret,
            "number" => Self::Number,
            "whole" => Self::Whole,
            "port" => Self::Port,
            "seconds" => Self::Seconds,
            "wait" => Self::Wait,
            "duration" => Self::Duration,
            "flag" => Self::Flag,
            "url" => Self::Url,
            "path" => Self::Path,
            "header" => Self::Header,
            "texts" => Self::Texts,
            "ips" => Self::Ips,
            "callbacks" => Self::Callbacks,
            "group" => Self::Group,
            "groups" => Self::Groups,
            "fallbacks" => Self::Fallbacks,
            "aliases" => Self::Aliases,
            "map" => Self::Map(section),
            "maps" => Self::Maps(section),
            "list" => Self::List(section),
            _ => return None,
        })
    }

    /// The kinds between which a value may choose: itself, if there is only one.
    pub(in crate::config) fn choices(self) -> impl Iterator<Item = Self> {
        let words = match self {
            Self::Either(one, other) => [Self::parse(one), Self::parse(other)],
            only => [Some(only), None],
        };
        words.into_iter().flatten()
    }

    /// What people read: `true or false`.
    pub(in crate::config) fn words(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Text | Self::Secret => "a text",
            Self::Number => "a number of at least 0",
            Self::Whole => "a whole number of at least 0",
            Self::Port => "a port from 1 to 65535",
            Self::Seconds => "a number of seconds above 0",
            Self::Wait => "a number of seconds",
            Self::Duration => "a duration like `30s`, `12h`, `7d` or `1mo`",
            Self::Flag => "true or false",
            Self::Url => "a URL",
            Self::Path => "a path that begins with `/`",
            Self::Header => "a header's name",
            Self::Texts => "a list of texts",
            Self::Ips => "a list of addresses and networks",
            Self::Callbacks => "a list of callbacks",
            Self::Group => "a model group",
            Self::Groups => "a list of model groups",
            Self::Fallbacks => "a list of maps of one key",
            Self::OneOf(_) => "one word",
            Self::Aliases | Self::Map(_) | Self::Maps(_) => "a map of keys",
            Self::List(_) => "a list",
            Self::Either("text", _) => "a text or a list of texts",
            Self::Either("flag", other) if other.starts_with("map") => {
                "true, false or a map of keys"
            }
            Self::Either(..) => "true, false or a text",
        }
    }
}
