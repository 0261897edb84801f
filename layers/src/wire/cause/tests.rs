use super::{fault_of, fault_of_event, time, usual_status};
use crate::facts::Cause;
use crate::wire::tap::{Framing, Tap, Wire};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 2026-01-02T03:04:05Z.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_323_045)
}

pub(super) fn cause(status: u16, body: &str) -> Cause {
    let status = StatusCode::from_u16(status).unwrap();
    fault_of(status, &HeaderMap::new(), body.as_bytes(), now()).cause
}

pub(super) fn wait(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &str,
) -> Option<f64> {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    let headers: HeaderMap = headers.iter().map(pair).collect();
    let status = StatusCode::from_u16(status).unwrap();
    fault_of(status, &headers, body.as_bytes(), now()).retry_after.map(|it| it.as_secs_f64())
}

const ERRORS: [(u16, &str, Cause); 19] = [
    (
        429,
        r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","code":"insufficient_quota"}}"#,
        Cause::Quota,
    ),
    (
        429,
        r#"{"error":{"message":"Rate limit reached for x","type":"tokens","code":"rate_limit_exceeded"}}"#,
        Cause::RateLimit,
    ),
    (
        413,
        r#"{"error":{"message":"Request too large","type":"tokens","code":"rate_limit_exceeded"}}"#,
        Cause::RateLimit,
    ),
    (
        400,
        r#"{"error":{"message":"This model's maximum context length is 4097 tokens.","code":null}}"#,
        Cause::ContextTooLong,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 3 tokens > 2 maximum"}}"#,
        Cause::ContextTooLong,
    ),
    (
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}"#,
        Cause::Quota,
    ),
    (
        529,
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        Cause::Overload,
    ),
    (
        500,
        r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#,
        Cause::Outage,
    ),
    (
        400,
        r#"{"error":{"message":"The response was filtered due to the prompt triggering our content management policy.","code":"content_filter"}}"#,
        Cause::ContentFilter,
    ),
    (
        400,
        r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}"#,
        Cause::BadCredential,
    ),
    (
        503,
        r#"[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]"#,
        Cause::Overload,
    ),
    (500, r#"{"error":{"code":500,"message":"x","status":"DEADLINE_EXCEEDED"}}"#, Cause::Timeout),
    (404, r#"{"error":{"message":"x","code":"model_not_found"}}"#, Cause::NotFound),
    (400, r#"{"error":{"message":"bad","type":"invalid_request_error"}}"#, Cause::Invalid),
    (401, r#"{"error":{"message":"bad","type":"invalid_request_error"}}"#, Cause::BadCredential),
    (422, r#"{"object":"error","message":"input is too long"}"#, Cause::ContextTooLong),
    (502, "<html>Bad gateway</html>", Cause::Outage),
    (429, "", Cause::RateLimit),
    (503, "Throttling: try later", Cause::RateLimit),
];

#[test]
fn words_count_more_than_texts_and_texts_more_than_the_status() {
    for (status, body, want) in ERRORS {
        assert_eq!(cause(status, body), want, "{status} {body}");
    }
}

#[test]
fn another_proxys_classes_are_known() {
    for (class, known) in [
        ("ContextWindowExceededError", Cause::ContextTooLong),
        ("ContentPolicyViolationError", Cause::ContentFilter),
    ] {
        let body = format!(r#"{{"error":{{"message":"litellm.{class}: no","code":"400"}}}}"#);
        assert_eq!(cause(400, &body), known);
    }
}

#[test]
fn what_the_client_wrote_is_not_searched() {
    let body = r#"{"error":{"message":"bad tool","failed_generation":"rate limit"}}"#;
    assert_eq!(cause(400, body), Cause::Invalid);
}

#[test]
fn the_wait_is_found_wherever_providers_write_it() {
    let google = r#"{"error":{"status":"RESOURCE_EXHAUSTED","details":[{"retryDelay": "17s"}]}}"#;
    let openai = r#"{"error":{"message":"Rate limit reached. Please try again in 1m2.5s. Visit"}}"#;
    let azure = r#"{"error":{"message":"Rate limit. Please try again in 6 seconds."}}"#;
    for (headers, body, want) in [
        (&[("retry-after", "7")][..], google, Some(7.0)),
        (&[("retry-after-ms", "250"), ("retry-after", "7")], "", Some(0.25)),
        (&[("retry-after", "Fri, 02 Jan 2026 03:04:35 GMT")], "", Some(30.0)),
        (&[("retry-after", "Fri, 02 Jan 2026 03:04:00 GMT")], "", Some(0.0)),
        (&[], google, Some(17.0)),
        (&[], openai, Some(62.5)),
        (&[], azure, Some(6.0)),
        (&[("x-ratelimit-reset-requests", "6m0s")], "", Some(360.0)),
        (
            &[
                ("x-ratelimit-remaining-requests", "9"),
                ("x-ratelimit-reset-requests", "20ms"),
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "1h1s"),
            ],
            "",
            Some(3601.0),
        ),
        (
            &[("x-ratelimit-reset-requests", "20ms"), ("x-ratelimit-reset-tokens", "1s")],
            "",
            Some(0.02),
        ),
        (&[("anthropic-ratelimit-tokens-reset", "2026-01-02T03:05:05Z")], "", Some(60.0)),
        (&[("anthropic-ratelimit-tokens-reset", "2026-01-02T04:05:05.5+01:00")], "", Some(60.5)),
        (&[("x-ratelimit-reset", "1767323055000")], "", Some(10.0)),
        (&[("x-ratelimit-reset", "soon")], "", None),
        (&[], "", None),
    ] {
        assert_eq!(wait(429, headers, body), want, "{headers:?} {body}");
    }
}

#[test]
fn limits_that_are_not_the_cause_delay_nothing() {
    assert_eq!(wait(500, &[("x-ratelimit-reset-requests", "6m0s")], ""), None);
}

#[test]
fn an_error_event_has_the_status_that_its_cause_has_elsewhere() {
    for (wire, data, want, status) in [
        (
            Wire::Chat,
            r#"{"error":{"message":"x","code":"rate_limit_exceeded"}}"#,
            Cause::RateLimit,
            429,
        ),
        (Wire::Chat, r#"{"error":{"message":"x","code":502}}"#, Cause::Outage, 502),
        (Wire::Chat, r#"{"error":{"message":"x","type":"server_error"}}"#, Cause::Outage, 500),
        (
            Wire::Messages,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Cause::Overload,
            529,
        ),
        (
            Wire::Messages,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"x"}}"#,
            Cause::Invalid,
            400,
        ),
        (
            Wire::Responses,
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"try again in 3s"}}}"#,
            Cause::RateLimit,
            429,
        ),
        (
            Wire::Gemini,
            r#"{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}"#,
            Cause::RateLimit,
            429,
        ),
        (Wire::Chat, r#"{"error":"no idea"}"#, Cause::Outage, 500),
    ] {
        let mut tap = Tap::new(wire, Framing::Events);
        tap.push(format!("data: {data}\n\n").into());
        let fault = fault_of_event(tap.error().unwrap());
        assert_eq!((fault.cause, fault.status.as_u16()), (want, status), "{data}");
    }
}

#[test]
fn a_cause_has_the_status_that_means_it() {
    for cause in [
        Cause::BadCredential,
        Cause::Permission,
        Cause::RateLimit,
        Cause::Overload,
        Cause::Invalid,
        Cause::NotFound,
        Cause::Timeout,
        Cause::Outage,
    ] {
        assert_eq!(Cause::of(usual_status(cause)), cause);
    }
}

#[test]
fn days_are_counted_over_leap_years() {
    let date = |text| time::http_date(text).unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT"), 784_111_777);
    assert_eq!(date("Thu, 29 Feb 2024 12:00:00 GMT"), 1_709_208_000);
    assert_eq!(date("Fri, 01 Mar 2024 12:00:00 GMT"), 1_709_294_400);
    assert_eq!(time::http_date("Sun, 99 Nov 1994 08:49:37 GMT"), None);
}
