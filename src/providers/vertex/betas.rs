//! Which of Anthropic's betas Claude takes in Google's cloud: it refuses calls with others.

/// Betas of Anthropic's own servers alone.
const ELSEWHERE: [&str; 16] = [
    "advisor-tool-2026-03-01",
    "code-execution-2025-08-25",
    "effort-2025-11-24",
    "fast-mode-2026-02-01",
    "files-api-2025-04-14",
    "fine-grained-tool-streaming-2025-05-14",
    "mcp-client-2025-04-04",
    "mcp-client-2025-11-20",
    "mcp-servers-2025-12-04",
    "oauth-2025-04-20",
    "output-128k-2025-02-19",
    "prompt-caching-scope-2026-01-05",
    "skills-2025-10-02",
    "structured-outputs-2025-11-13",
    "token-efficient-tools-2025-02-19",
    "web-fetch-2025-09-10",
];

/// What is called otherwise there.
const RENAMED: [(&str, &str); 1] =
    [("advanced-tool-use-2025-11-20", "tool-search-tool-2025-10-19")];

/// The betas of `told` that are taken, parted by commas; `None` if they all are, as they stand.
#[must_use]
pub fn betas(told: &str) -> Option<String> {
    let named = || told.split(',').map(str::trim).filter(|beta| !beta.is_empty());
    let other = |beta: &str| RENAMED.iter().find(|(theirs, _)| *theirs == beta);
    if !named().any(|beta| ELSEWHERE.contains(&beta) || other(beta).is_some()) {
        return None;
    }
    let taken = named().filter(|beta| !ELSEWHERE.contains(beta));
    let taken = taken.map(|beta| other(beta).map_or(beta, |(_, ours)| ours));
    Some(taken.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::betas;

    #[test]
    fn betas_that_are_refused_are_left_out() {
        assert_eq!(betas("interleaved-thinking-2025-05-14, one-of-tomorrow"), None);
        let told = "a, files-api-2025-04-14,advanced-tool-use-2025-11-20";
        assert_eq!(betas(told).as_deref(), Some("a,tool-search-tool-2025-10-19"));
        assert_eq!(betas("skills-2025-10-02").as_deref(), Some(""));
    }
}
