//! The address of a project's models.

/// Where the models of `project` in `location` are asked, without a slash at its end; `told` is the
/// address of the config, which may be a host, or lead as far as to a model.
pub(super) fn base(told: Option<&str>, project: &str, location: &str) -> String {
    let place = format!("/projects/{project}/locations/{location}");
    let Some(told) = told else {
        return format!("https://{}/v1{place}", host(location));
    };
    let told = told.trim().trim_end_matches('/');
    // LiteLLM puts nothing but the action behind it.
    let cut = ["/publishers", "/endpoints"].iter().find_map(|it| told.find(it));
    let told = cut.and_then(|cut| told.get(..cut)).unwrap_or(told);
    match told {
        _ if names_a_project(told) => told.to_owned(),
        _ if is_versioned(told) => format!("{told}{place}"),
        _ => format!("{told}/v1{place}"),
    }
}

/// Whether an address says by itself whose models are asked, and where.
pub(super) fn names_a_project(told: &str) -> bool {
    told.split_once("/projects/").is_some_and(|(_, rest)| rest.contains("/locations/"))
}

fn is_versioned(told: &str) -> bool {
    ["/v1", "/v1beta1"].iter().any(|version| told.ends_with(version))
}

/// The host of a location: the world has none before its name, and continents have their own.
fn host(location: &str) -> String {
    match location {
        "global" => "aiplatform.googleapis.com".to_owned(),
        "us" | "eu" => format!("aiplatform.{location}.rep.googleapis.com"),
        _ => format!("{location}-aiplatform.googleapis.com"),
    }
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn a_location_has_its_host() {
        for (location, host) in [
            ("us-central1", "us-central1-aiplatform.googleapis.com"),
            ("global", "aiplatform.googleapis.com"),
            ("eu", "aiplatform.eu.rep.googleapis.com"),
        ] {
            let wanted = format!("https://{host}/v1/projects/p/locations/{location}");
            assert_eq!(base(None, "p", location), wanted);
        }
    }

    #[test]
    fn an_address_leads_as_far_as_it_is_written() {
        let whole = "https://h/g/v1/projects/q/locations/x";
        for (told, wanted) in [
            ("https://h", "https://h/v1/projects/p/locations/l"),
            ("https://h/g/", "https://h/g/v1/projects/p/locations/l"),
            ("https://h/v1beta1", "https://h/v1beta1/projects/p/locations/l"),
            (whole, whole),
            ("https://h/g/v1/projects/q/locations/x/publishers/google/models/gemini-x", whole),
            ("https://h/g/v1/projects/q/locations/x/endpoints/12", whole),
            ("https://h/publishers/google", "https://h/v1/projects/p/locations/l"),
        ] {
            assert_eq!(base(Some(told), "p", "l"), wanted, "{told}");
        }
    }
}
