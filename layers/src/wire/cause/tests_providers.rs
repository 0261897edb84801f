//! What ten providers say when they fail, and why they did.
use super::tests::{cause, wait};
use crate::facts::Cause;
use crate::facts::Cause::{
    BadCredential, ContentFilter, ContextTooLong, Invalid, NotFound, Outage, Overload, Permission,
    Quota, RateLimit,
};

fn all(provider: &str, errors: &[(u16, &str, Cause)]) {
    for (status, body, want) in errors {
        assert_eq!(cause(*status, body), *want, "{provider}: {status} {body}");
    }
}

#[test]
fn openais_errors_are_understood() {
    let said = |code: &str, kind: &str, message: &str| {
        format!(
            r#"{{"error":{{"message":"{message}","type":"{kind}","param":null,"code":{code}}}}}"#
        )
    };
    let bad = "invalid_request_error";
    for (status, code, kind, message, want) in [
        (401, r#""invalid_api_key""#, bad, "Incorrect API key provided: sk-x.", BadCredential),
        (401, "null", bad, "You didn't provide an API key.", BadCredential),
        (403, r#""unsupported_country_region_territory""#, "request_forbidden", "x", Permission),
        (
            429,
            r#""insufficient_quota""#,
            "insufficient_quota",
            "You exceeded your current quota",
            Quota,
        ),
        (429, r#""rate_limit_exceeded""#, "tokens", "Rate limit reached for gpt-4o", RateLimit),
        (429, r#""engine_overloaded""#, "engine_overloaded", "The engine is overloaded", Overload),
        (503, "null", "server_error", "The server is overloaded or not ready yet.", Overload),
        (
            400,
            r#""context_length_exceeded""#,
            bad,
            "maximum context length is 8192",
            ContextTooLong,
        ),
        (400, r#""content_policy_violation""#, bad, "rejected by our safety system", ContentFilter),
        (400, r#""invalid_prompt""#, bad, "potentially violating our usage policy.", ContentFilter),
        (400, r#""unsupported_parameter""#, bad, "Unsupported parameter: 'stop'", Invalid),
        (404, r#""model_not_found""#, bad, "The model `x` does not exist", NotFound),
        (500, "null", "server_error", "The server had an error", Outage),
    ] {
        assert_eq!(cause(status, &said(code, kind, message)), want, "{status} {message}");
    }
}

#[test]
fn anthropics_errors_are_understood() {
    let said = |kind: &str, message: &str| {
        format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{message}"}}}}"#)
    };
    let bad = "invalid_request_error";
    for (status, kind, message, want) in [
        (401, "authentication_error", "invalid x-api-key", BadCredential),
        (403, "permission_error", "Your API key does not have permission", Permission),
        (400, bad, "Your credit balance is too low to access the Anthropic API.", Quota),
        (429, "rate_limit_error", "This request would exceed your rate limit", RateLimit),
        (529, "overloaded_error", "Overloaded", Overload),
        (400, bad, "prompt is too long: 9 tokens > 8 maximum", ContextTooLong),
        (400, bad, "input length and `max_tokens` exceed context limit: 9 + 9 > 9", ContextTooLong),
        (400, bad, "Output blocked by content filtering policy", ContentFilter),
        (400, bad, "max_tokens: Field required", Invalid),
        (404, "not_found_error", "model: claude-x", NotFound),
        (500, "api_error", "Internal server error", Outage),
    ] {
        assert_eq!(cause(status, &said(kind, message)), want, "{status} {message}");
    }
}

#[test]
fn geminis_errors_are_understood() {
    let said = |code: u16, status: &str, message: &str| {
        format!(r#"{{"error":{{"code":{code},"message":"{message}","status":"{status}"}}}}"#)
    };
    let bad = "INVALID_ARGUMENT";
    for (code, status, message, want) in [
        (400, bad, "API key not valid. Please pass a valid API key.", BadCredential),
        (400, bad, "API key expired. Please renew the API key.", BadCredential),
        (403, "PERMISSION_DENIED", "Generative Language API has not been used", Permission),
        (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", RateLimit),
        (503, "UNAVAILABLE", "The model is overloaded. Please try again later.", Overload),
        (
            400,
            bad,
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            ContextTooLong,
        ),
        (400, bad, "Invalid value at 'contents'", Invalid),
        (404, "NOT_FOUND", "models/x is not found for API version v1beta", NotFound),
        (500, "INTERNAL", "An internal error has occurred.", Outage),
    ] {
        assert_eq!(cause(code, &said(code, status, message)), want, "{code} {message}");
    }
}

#[test]
fn errors_of_cohere_and_ollama_are_understood() {
    let cohere = [
        (401, r#"{"id":"x","message":"invalid api token"}"#, BadCredential),
        (403, r#"{"message":"not permitted"}"#, Permission),
        (
            429,
            r#"{"message":"You are using a Trial key, which is limited to 20 API calls / minute."}"#,
            RateLimit,
        ),
        (
            400,
            r#"{"error_type":"TOO_MANY_TOKENS","message":"too many tokens: size limit exceeded by 9 tokens."}"#,
            ContextTooLong,
        ),
        (422, r#"{"message":"invalid request: messages is required"}"#, Invalid),
        (404, r#"{"message":"model 'x' not found"}"#, NotFound),
        (500, r#"{"message":"internal server error"}"#, Outage),
        (503, r#"{"message":"the service is unavailable"}"#, Overload),
    ];
    all("cohere", &cohere);
    let ollama = [
        (401, r#"{"error":"unauthorized"}"#, BadCredential),
        (404, r#"{"error":"model \"x\" not found, try pulling it first"}"#, NotFound),
        (400, r#"{"error":"\"x\" does not support tools"}"#, Invalid),
        (400, r#"{"error":"input length exceeds maximum context length"}"#, ContextTooLong),
        (
            503,
            r#"{"error":"server busy, please try again. maximum pending requests exceeded"}"#,
            Overload,
        ),
        (500, r#"{"error":"llama runner process has terminated"}"#, Outage),
    ];
    all("ollama", &ollama);
}

#[test]
fn mistrals_errors_are_understood() {
    let mistral = [
        (401, r#"{"detail":"Invalid API Key"}"#, BadCredential),
        (401, r#"{"message":"Unauthorized","request_id":"x"}"#, BadCredential),
        (403, r#"{"message":"Forbidden"}"#, Permission),
        (
            429,
            r#"{"object":"error","message":"Requests rate limit exceeded","type":"rate_limited","code":"1300"}"#,
            RateLimit,
        ),
        (
            429,
            r#"{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","code":"3505"}"#,
            RateLimit,
        ),
        (
            400,
            r#"{"object":"error","message":"Prompt contains 9 tokens, too large for model with 8 maximum context length","type":"invalid_request_prompt","code":"3051"}"#,
            ContextTooLong,
        ),
        (
            422,
            r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","user"]}]},"type":"invalid_request_error"}"#,
            Invalid,
        ),
        (
            400,
            r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","code":"1500"}"#,
            NotFound,
        ),
        (
            500,
            r#"{"object":"error","message":"Internal server error","type":"internal_server_error"}"#,
            Outage,
        ),
        (503, r#"{"object":"error","message":"Service unavailable."}"#, Overload),
    ];
    all("mistral", &mistral);
}

#[test]
fn openrouters_errors_are_understood() {
    let openrouter = [
        (401, r#"{"error":{"message":"User not found.","code":401}}"#, BadCredential),
        (
            402,
            r#"{"error":{"message":"Insufficient credits. Add more on the settings page","code":402}}"#,
            Quota,
        ),
        (
            402,
            r#"{"error":{"message":"This request requires more credits, or fewer max_tokens.","code":402}}"#,
            Quota,
        ),
        (
            403,
            r#"{"error":{"message":"x requires moderation. Your input was flagged for \"violence\".","code":403}}"#,
            ContentFilter,
        ),
        (403, r#"{"error":{"message":"Key limit exceeded","code":403}}"#, Permission),
        (
            429,
            r#"{"error":{"message":"Rate limit exceeded: free-models-per-day","code":429}}"#,
            RateLimit,
        ),
        (
            400,
            r#"{"error":{"message":"This endpoint's maximum context length is 8 tokens.","code":400}}"#,
            ContextTooLong,
        ),
        (400, r#"{"error":{"message":"x is not a valid model ID","code":400}}"#, Invalid),
        (404, r#"{"error":{"message":"No endpoints found for a/b.","code":404}}"#, NotFound),
        (502, r#"{"error":{"message":"Provider returned error","code":502}}"#, Outage),
        (503, r#"{"error":{"message":"No available model provider","code":503}}"#, Overload),
    ];
    all("openrouter", &openrouter);
}

#[test]
fn groqs_errors_are_understood() {
    let groq = [
        (
            401,
            r#"{"error":{"message":"Invalid API Key","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            BadCredential,
        ),
        (
            403,
            r#"{"error":{"message":"The model is blocked at the organization level","type":"permissions_error"}}"#,
            Permission,
        ),
        (
            429,
            r#"{"error":{"message":"Rate limit reached for model `x`","type":"tokens","code":"rate_limit_exceeded"}}"#,
            RateLimit,
        ),
        (
            498,
            r#"{"error":{"message":"Flex tier capacity exceeded","code":"capacity_exceeded"}}"#,
            Overload,
        ),
        (
            503,
            r#"{"error":{"message":"x is currently over capacity. Please try again and back off","type":"internal_server_error"}}"#,
            Overload,
        ),
        (
            400,
            r#"{"error":{"message":"Please reduce the length of the messages","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            ContextTooLong,
        ),
        (
            400,
            r#"{"error":{"message":"The model `x` has been decommissioned","code":"model_decommissioned"}}"#,
            NotFound,
        ),
        (
            404,
            r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#,
            NotFound,
        ),
        (
            400,
            r#"{"error":{"message":"Failed to call a function.","code":"tool_use_failed"}}"#,
            Invalid,
        ),
        (
            500,
            r#"{"error":{"message":"Internal Server Error","type":"internal_server_error"}}"#,
            Outage,
        ),
    ];
    all("groq", &groq);
}

#[test]
fn deepseeks_errors_are_understood() {
    let deepseek = [
        (
            401,
            r#"{"error":{"message":"Authentication Fails (no such user)","type":"authentication_error","code":"invalid_request_error"}}"#,
            BadCredential,
        ),
        (
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#,
            Quota,
        ),
        (429, r#"{"error":{"message":"Too many requests"}}"#, RateLimit),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 8 tokens.","type":"invalid_request_error"}}"#,
            ContextTooLong,
        ),
        (
            400,
            r#"{"error":{"message":"Content Exists Risk","type":"invalid_request_error"}}"#,
            ContentFilter,
        ),
        (400, r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}"#, Invalid),
        (422, r#"{"error":{"message":"Failed to deserialize the JSON body"}}"#, Invalid),
        (500, r#"{"error":{"message":"Server Error"}}"#, Outage),
        (503, r#"{"error":{"message":"Service is too busy"}}"#, Overload),
    ];
    all("deepseek", &deepseek);
}

#[test]
fn xais_errors_are_understood() {
    let xai = [
        (
            400,
            r#"{"code":"invalid-argument","error":"Incorrect API key provided."}"#,
            BadCredential,
        ),
        (
            403,
            r#"{"code":"The caller does not have permission to execute the specified operation","error":"Your newly created team doesn't have any credits yet."}"#,
            Quota,
        ),
        (
            429,
            r#"{"code":"Some resource has been exhausted","error":"Your team has either used all available credits or reached its limit."}"#,
            Quota,
        ),
        (
            429,
            r#"{"code":"Some resource has been exhausted","error":"Too many requests for team."}"#,
            RateLimit,
        ),
        (403, r#"{"code":"x","error":"Content violates usage guidelines."}"#, ContentFilter),
        (
            403,
            r#"{"code":"x","error":"Team is not authorized to perform this action."}"#,
            Permission,
        ),
        (
            400,
            r#"{"code":"x","error":"This model's maximum prompt length is 8 but the request contains 9 tokens."}"#,
            ContextTooLong,
        ),
        (400, r#"{"code":"x","error":"Model grok does not support parameter stop."}"#, Invalid),
        (
            404,
            r#"{"code":"Some requested entity was not found","error":"The model x does not exist"}"#,
            NotFound,
        ),
        (500, r#"{"code":"x","error":"Internal error"}"#, Outage),
        (
            503,
            r#"{"code":"The service is currently unavailable","error":"The model is at capacity."}"#,
            Overload,
        ),
    ];
    all("xai", &xai);
}

#[test]
fn a_rate_limit_says_when_it_is_over() {
    let groq = r#"{"error":{"message":"Rate limit reached. Please try again in 7.66s. Visit","code":"rate_limit_exceeded"}}"#;
    assert_eq!(wait(429, &[], groq), Some(7.66));
    assert_eq!(
        wait(429, &[("retry-after", "2"), ("x-ratelimit-reset-tokens", "7.66s")], groq),
        Some(2.0)
    );
    // OpenRouter's is the time of day in milliseconds.
    let openrouter = r#"{"error":{"message":"Rate limit exceeded","code":429}}"#;
    let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1767323055000")];
    assert_eq!(wait(429, &headers, openrouter), Some(10.0));
    let copied = r#"{"error":{"message":"Rate limit exceeded","code":429,"metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1767323055000"}}}}"#;
    assert_eq!(wait(429, &[], copied), Some(10.0));
    assert_eq!(wait(429, &[("x-ratelimit-reset-requests", "2m59.56s")], ""), Some(179.56));
}
