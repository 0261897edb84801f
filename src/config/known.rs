//! The keys that a LiteLLM config may have, by section: honoured here, or of a later version.
//! Each list is words in one text, so that it can be read as a paragraph.

/// Top-level sections.
pub(super) const SECTIONS: &str = "model_list litellm_settings general_settings router_settings environment_variables include credential_list";
/// Sections of later versions.
pub(super) const SECTIONS_LATER: &str = "guardrails mcp_servers vector_store_registry prompts agents \
    files_settings finetune_settings default_vertex_config assistant_settings search_tools \
    policies callback_settings";

pub(super) const GENERAL: &str = "master_key completion_model max_request_size_mb litellm_key_header_name allowed_hosts compat \
    always_include_stream_usage litellm_dangerously_permit_weak_or_unset_master_key \
    keepalive_timeout body_timeout infer_model_from_keys forward_client_headers_to_llm_api \
    return_wildcard_routes cost_per_token allow_client_mock_response";
pub(super) const GENERAL_LATER: &str = "database_url database_connection_pool_limit database_connection_timeout \
    database_connection_pool_timeout database_type store_model_in_db store_prompts_in_spend_logs \
    alerting alerting_threshold alert_types alert_to_webhook_url alerting_args \
    spend_report_frequency allowed_ips blocked_ips allowed_routes admin_only_routes \
    public_routes max_parallel_requests global_max_parallel_requests max_response_size_mb \
    model_list_healthy_only background_health_checks health_check_interval \
    health_check_details enable_health_check_routing pass_through_endpoints enable_jwt_auth \
    litellm_jwtauth custom_auth custom_sso enable_oauth2_auth user_header_name \
    user_header_mappings disable_spend_logs disable_error_logs \
    disable_adding_master_key_hash_to_db disable_reset_budget \
    disable_retry_on_max_parallel_request_limit_error allow_requests_on_db_unavailable \
    allow_user_auth allow_client_side_credentials enforce_user_param enforced_params \
    reject_clientside_metadata_tags use_x_forwarded_for \
    ui_access_mode proxy_budget_rescheduler_min_time proxy_budget_rescheduler_max_time \
    proxy_batch_write_at user_api_key_cache_ttl maximum_spend_logs_retention_period \
    maximum_spend_logs_retention_interval key_management_system key_management_settings \
    use_redis_transaction_buffer otel service_account_settings image_generation_model \
    custom_key_generate ui_theme enable_public_model_hub include_call_id_in_error_body \
    max_in_flight_requests_per_worker max_queued_requests_per_worker \
    admission_queue_timeout_seconds cancel_on_disconnect coordination_redis missing_session_id \
    fail_closed_budget_enforcement fail_closed_rate_limit_enforcement \
    user_url_validation max_file_size_mb expose_fallback_errors_to_caller cache cache_params \
    max_budget budget_duration tpm_limit rpm_limit user_rate_limit success_callback \
    failure_callback callbacks track_cost_per_model budget_reset_at";

pub(super) const LITELLM: &str = "request_timeout json_logs set_verbose ssl_verify callbacks require_auth_for_metrics_endpoint \
    always_include_stream_usage enable_preview_features forward_traceparent_to_llm_provider \
    telemetry model_group_settings public_model_groups model_alias_map force_ipv4 \
    cost_discount_config cost_margin_config";
pub(super) const LITELLM_LATER: &str = "drop_params modify_params turn_off_message_logging redact_messages_in_exceptions \
    redact_user_api_key_info log_raw_request_response num_retries allowed_fails fallbacks \
    context_window_fallbacks content_policy_fallbacks default_fallbacks cache cache_params \
    success_callback failure_callback service_callback audit_log_callbacks max_budget \
    budget_duration default_internal_user_params default_team_settings default_team_params \
    upperbound_key_generate_params default_key_generate_params key_generation_settings \
    max_user_budget max_internal_user_budget max_end_user_budget \
    default_max_internal_user_budget internal_user_budget_duration \
    enable_json_schema_validation disable_end_user_cost_tracking \
    disable_end_user_cost_tracking_prometheus_only enable_end_user_cost_tracking_prometheus_only \
    ssl_certificate tag_budget_config \
    include_cost_in_streaming_usage return_response_headers \
    prometheus_metrics_config prometheus_initialize_budget_metrics vertex_ai_safety_settings \
    langfuse_default_tags mcp_aliases reasoning_auto_summary \
    priority_reservation timezone budget_exceeded_status_code cooldown_time \
    custom_prometheus_metadata_labels custom_prometheus_tags rewrite_response_model";
/// Keys that name Python code, which no version will run.
pub(super) const PYTHON_ONLY: &str =
    "custom_auth custom_sso custom_key_generate custom_provider_map plugins";

pub(super) const ROUTER: &str = "routing_strategy model_group_alias timeout stream_timeout set_verbose debug_level \
    enable_tag_filtering tag_filtering_match_any default_litellm_params";
pub(super) const ROUTER_LATER: &str = "routing_strategy_args num_retries retry_after retry_policy model_group_retry_policy \
    allowed_fails allowed_fails_policy cooldown_time disable_cooldowns fallbacks \
    context_window_fallbacks content_policy_fallbacks default_fallbacks max_fallbacks \
    enable_pre_call_checks optional_pre_call_checks \
    default_max_parallel_requests default_priority polling_interval \
    client_ttl redis_host redis_port redis_password redis_url redis_db cache_responses \
    cache_kwargs caching_groups provider_budget_config alerting_config rpm tpm routing_groups \
    enable_health_check_routing enable_weighted_failover enable_mid_stream_fallback_continuation \
    tag_routing_prefix fallback_on_unsupported_params deployment_affinity_ttl_seconds \
    session_affinity_repin_on_failover max_retry_after";

pub(super) const ENTRY: &str = "model_name litellm_params model_info tpm rpm";

/// Keys of `litellm_params` that are no parameter of a request.
pub(super) const PARAMS: &str = "model api_key api_base base_url custom_llm_provider organization extra_headers extra_body \
    timeout stream_timeout weight rpm tpm order model_info use_in_pass_through tags mock_response \
    additional_drop_params allowed_openai_params litellm_credential_name request_timeout";
pub(super) const PARAMS_LATER: &str = "api_version max_parallel_requests max_retries num_retries cooldown_time max_budget \
    budget_duration drop_params \
    merge_reasoning_content_in_choices configurable_clientside_auth_params \
    guardrails cache_control_injection_points prompt_id vertex_project \
    vertex_location vertex_credentials aws_access_key_id aws_secret_access_key aws_session_token \
    aws_region_name aws_role_name aws_session_name aws_profile_name aws_web_identity_token \
    aws_sts_endpoint aws_bedrock_runtime_endpoint azure_ad_token tenant_id client_id \
    client_secret region_name watsonx_region_name itpm otpm rpd tpd daily_reset_time \
    keepalive_seconds allowed_fails allowed_fails_policy input_cost_per_second \
    output_cost_per_second input_cost_per_pixel output_cost_per_pixel";

/// Whether `key` is one of `keys`.
pub(super) fn has(keys: &str, key: &str) -> bool {
    keys.split_whitespace().any(|known| known == key)
}

/// Whether a key's value is a credential.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let plain = ["authorization", "cookie", "aws_access_key_id", "vertex_credentials"];
    let parts =
        ["api_key", "apikey", "master_key", "secret", "password", "token", "api-key", "salt_key"];
    // Parameters of models and prices.
    let harmless = ["cost", "token_limit", "token_budget", "token_id", "cache_key", "stop_token"];
    if key.ends_with("tokens") || harmless.iter().any(|part| key.contains(part)) {
        return false;
    }
    plain.contains(&key.as_str())
        || key.ends_with("_key")
        || parts.iter().any(|part| key.contains(part))
}

/// The nearest of some keys to one that nobody knows, if any is near.
pub(super) fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|name| (strsim::damerau_levenshtein(key, name), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= (key.len() / 3).clamp(1, 3)).then_some(name)
}
