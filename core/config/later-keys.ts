/** Keys of LiteLLM and of the Python original that are accepted although they have no effect (yet). */

/** Words separated by blanks, read once. */
function words(list: string): readonly string[] {
  return list.trim().split(/\s+/);
}

export const laterSections: readonly string[] = words(`
  guardrails search_tools credential_list mcp_servers mcp_aliases vector_store_registry callback_settings assistant_settings files_settings
  finetune_settings default_vertex_config prompts agent_list
`);

export const laterParams: readonly string[] = words(`
  region_name tag_regex
  allowed_openai_params merge_reasoning_content_in_choices use_in_pass_through use_litellm_proxy litellm_credential_name silent_model
  cache_control_injection_points tiered_pricing max_file_size_mb s3_bucket_name configurable_clientside_auth_params
  temperature top_p top_k max_tokens max_completion_tokens n seed stop stream stream_options user metadata modalities
  presence_penalty frequency_penalty logit_bias logprobs top_logprobs tools tool_choice parallel_tool_calls response_format
  reasoning_effort thinking verbosity web_search_options
`);

/** Whole families of parameters. */
export const laterParamPatterns: readonly RegExp[] = [/^(aws|vertex|watsonx|azure|auto_router|complexity_router|adaptive_router)_/];

export const laterRouterKeys: readonly string[] = words(`
  cache_kwargs cache_responses caching_groups default_litellm_params default_priority
  polling_interval model_group_affinity_config routing_groups search_tools guardrail_list ignore_invalid_deployments model_list set_verbose debug_level client_ttl
`);

export const laterGeneralKeys: readonly string[] = words(`
  database_connection_timeout store_model_in_db supported_db_objects disable_prisma_schema_update
  completion_model embedding_model image_generation_model moderation_model custom_auth custom_auth_run_common_checks custom_key_generate
  custom_key_update custom_sso custom_ui_sso_sign_in_handler pass_through_endpoints max_parallel_requests 
  user_api_key_cache_ttl allow_requests_on_db_unavailable allow_client_side_credentials proxy_batch_write_at proxy_budget_rescheduler_min_time
  proxy_budget_rescheduler_max_time store_prompts_in_spend_logs disable_spend_updates disable_error_logs 
  maximum_spend_logs_retention_interval maximum_spend_logs_cleanup_cron use_redis_transaction_buffer
  use_shared_health_check alerting_threshold alert_types
  alerting_args spend_report_frequency forward_llm_provider_auth_headers forward_openai_org_id litellm_key_header_name
  user_header_name user_header_mappings use_x_forwarded_for enforce_user_param reject_clientside_metadata_tags enforced_params allowed_routes
  public_routes admin_only_routes allowed_ips max_request_size_mb max_response_size_mb always_include_stream_usage
  expose_fallback_errors_to_caller infer_model_from_keys service_account_settings default_team_disabled ui_access_mode enable_jwt_auth
  litellm_jwtauth enable_oauth2_auth key_management_system key_management_settings
`);

export const laterLitellmKeys: readonly string[] = words(`
  service_callbacks service_callback audit_log_callbacks modify_params enable_redis_auth_cache 
  timezone max_end_user_budget max_internal_user_budget internal_user_budget_duration default_internal_user_params
  default_team_params default_team_settings upperbound_key_generate_params default_key_generate_params key_generation_settings
  turn_off_message_logging redact_user_api_key_info json_logs set_verbose model_alias_map custom_provider_map cost_discount_config
  cost_margin_config extra_spend_tag_headers disable_add_user_agent_to_request_tags forward_traceparent_to_llm_provider
  add_user_information_to_llm_headers client_ttl disable_end_user_cost_tracking
  disable_end_user_cost_tracking_prometheus_only enable_json_schema_validation include_cost_in_streaming_usage return_response_headers
  strip_anthropic_total_tokens network_mock route_all_chat_openai_to_responses
  skip_system_message_in_guardrail public_model_groups priority_reservation priority_reservation_settings post_call_rules guardrails
  langfuse_default_tags
`);

/** Keys of `ccproxy:`, each with what its note says. */
export const laterCcproxyKeys: ReadonlyMap<string, string> = new Map([
  ["handler", "is accepted, not in effect: the handler of the Python original is built in."],
  ["metrics_enabled", "is accepted, not in effect: it never had one in the Python original either."],
  ["oauth_ttl", "is accepted, not in effect: a token is fetched again when the provider refuses it."],
  ["oauth_refresh_buffer", "is accepted, not in effect: a token is fetched again when the provider refuses it."],
  ["mitm", "is accepted, not in effect: nothing is captured."],
  ["statusline", "is accepted, not yet in effect."],
]);

/** Keys of `litellm:` in ccproxy.yaml, likewise. */
export const laterServerKeys: ReadonlyMap<string, string> = new Map([
  ["num_workers", "is accepted, without effect, as in the Python original; `ccproxy.num_workers` counts."],
  ["debug", "is accepted, not in effect: set ccproxy.debug or ccproxy.log.level instead."],
  ["detailed_debug", "is accepted, not in effect: set ccproxy.debug or ccproxy.log.level instead."],
  ["environment", "is accepted, not in effect: set variables under environment_variables in config.yaml instead."],
]);
