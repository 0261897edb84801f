//! Names that tell something: which hold credentials, and which are near to which.

/// Whether a setting keeps somebody out, and its absence lets everybody in.
pub(super) fn keeps_out(key: &str) -> bool {
    let all = [
        "allowed_ips",
        "blocked_ips",
        "ca_file",
        "client_auth",
        "client_ca",
        "min_version",
        "pins",
    ];
    all.contains(&key)
}

/// Whether a key's value is a credential.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let plain = ["authorization", "cookie", "aws_access_key_id", "credentials"];
    let parts = [
        "api_key",
        "apikey",
        "master_key",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "token",
        "api-key",
        "salt_key",
        "webhook",
        "vertex_credentials",
        "vertex_ai_credentials",
    ];
    // Parameters of models and prices.
    let harmless = ["cost", "token_limit", "token_budget", "token_id", "cache_key", "stop_token"];
    if key.ends_with("tokens") || harmless.iter().any(|part| key.contains(part)) {
        return false;
    }
    let is_slip = |name| strsim::damerau_levenshtein(&key, name) <= 1;
    ["api_key", "master_key", "password"].into_iter().any(is_slip)
        || plain.contains(&key.as_str())
        || key.ends_with("_key")
        || key.ends_with("-key")
        || parts.iter().any(|part| key.contains(part))
}

/// Whether LiteLLM has a provider that speaks, or signs, in a way that is not in this version.
pub(super) fn is_later_provider(name: &str) -> bool {
    let all = [
        "aleph_alpha",
        "aws_polly",
        "black_forest_labs",
        "bytez",
        "deepgram",
        "elevenlabs",
        "fal_ai",
        "gigachat",
        "langgraph",
        "maritalk",
        "nlp_cloud",
        "oci",
        "palm",
        "petals",
        "predibase",
        "recraft",
        "replicate",
        "runwayml",
        "sagemaker",
        "sagemaker_chat",
        "sagemaker_nova",
        "sap",
        "stability",
        "topaz",
        "triton",
        "watsonx_text",
    ];
    all.contains(&name)
}

/// The nearest of some keys to one that nobody knows, if any is near.
pub(super) fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|name| (strsim::damerau_levenshtein(key, name), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= (key.len() / 3).clamp(1, 3)).then_some(name)
}
