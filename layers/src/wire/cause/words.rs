//! The words by which providers name their errors.
use crate::facts::Cause;

/// The cause that `word`, a `code`, `type` or `status` in lower case, proves whatever the status.
pub(super) fn cause_of(word: &str) -> Option<Cause> {
    Some(match word {
        "invalid_api_key"
        | "incorrect_api_key"
        | "authentication_error"
        | "invalid_authentication_error"
        | "unauthenticated" => Cause::BadCredential,
        "permission_error" | "permission_denied" | "unsupported_country_region_territory" => {
            Cause::Permission
        }
        "insufficient_quota"
        | "insufficient_balance"
        | "insufficient_credits"
        | "exceeded_current_quota_error"
        | "billing_error"
        | "billing_not_active"
        | "billing_hard_limit_reached" => Cause::Quota,
        "rate_limit_exceeded"
        | "rate_limit_error"
        | "rate_limit_reached_error"
        | "ratelimitreached"
        | "resource_exhausted"
        | "too_many_requests"
        | "throttlingexception" => Cause::RateLimit,
        "overloaded_error"
        | "engine_overloaded"
        | "engine_overloaded_error"
        | "server_overloaded"
        | "unavailable"
        | "service_unavailable"
        | "capacity_exceeded"
        | "slow_down" => Cause::Overload,
        "context_length_exceeded"
        | "context_window_exceeded"
        | "exceed_context_size_error"
        | "model_max_prompt_tokens_exceeded"
        | "string_above_max_length"
        | "too_many_tokens" => Cause::ContextTooLong,
        "content_filter"
        | "content_policy_violation"
        | "content_filter_policy"
        | "responsibleaipolicyviolation"
        | "moderation_blocked"
        | "data_inspection_failed"
        | "safety" => Cause::ContentFilter,
        "invalid_model"
        | "model_decommissioned"
        | "model_not_found"
        | "modelnotfound"
        | "deploymentnotfound"
        | "not_found_error"
        | "not_found" => Cause::NotFound,
        "timeout" | "timeout_error" | "deadline_exceeded" => Cause::Timeout,
        _ => return of_aws(word),
    })
}

/// The same of AWS's names for errors, which it puts into a header.
fn of_aws(word: &str) -> Option<Cause> {
    Some(match word {
        "expiredtokenexception"
        | "incompletesignature"
        | "invalidclienttokenid"
        | "invalidsignatureexception"
        | "missingauthenticationtokenexception"
        | "unrecognizedclientexception" => Cause::BadCredential,
        "accessdeniedexception" => Cause::Permission,
        "resourcenotfoundexception" => Cause::NotFound,
        "modeltimeoutexception" => Cause::Timeout,
        "modelnotreadyexception" | "serviceunavailableexception" => Cause::Overload,
        _ => return None,
    })
}

/// The cause that `word` hints at. A status says more: providers use these words for everything.
pub(super) fn hint_of(word: &str) -> Option<Cause> {
    Some(match word {
        "invalid_request_error"
        | "invalid_argument"
        | "invalid_prompt"
        | "failed_precondition"
        | "request_too_large" => Cause::Invalid,
        "api_error" | "server_error" | "internal_error" | "internal_server_error" | "internal" => {
            Cause::Outage
        }
        _ => return None,
    })
}
