//! Where the models of an end user must be.

/// A request fact: the models of the call must be in this region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(pub Box<str>);

impl Region {
    /// Whether a deployment may be asked that is in `region`, as its config says; nobody knows where
    /// one is that says nothing.
    #[must_use]
    pub fn allows(&self, region: Option<&str>) -> bool {
        let Some(region) = region.map(str::to_ascii_lowercase) else { return false };
        // `eu-west-1` and `europe-west4` are in `eu`, `us-east-1` and `us` in `us`.
        let wide = if &*self.0 == "eu" { region.strip_prefix("europe") } else { None };
        let own = self.0.to_ascii_lowercase();
        let rest = wide.or_else(|| region.strip_prefix(&*own));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn a_region_has_what_lies_in_it() {
        let eu = Region("eu".into());
        for region in ["eu", "EU", "eu-central-1", "europe-west4", "europe"] {
            assert!(eu.allows(Some(region)), "{region}");
        }
        for region in [None, Some(""), Some("us"), Some("eur"), Some("us-eu")] {
            assert!(!eu.allows(region), "{region:?}");
        }
        assert!(Region("us".into()).allows(Some("us-east-1")));
    }
}
