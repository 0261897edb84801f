//! What the rows say of providers that speak OpenAI in their own way.
//!
//! Only what a provider itself refuses, or does not heed, stands here: in doubt a parameter goes on
//! as the client wrote it. A server of the user's own that is called by `openai` differs only where
//! the model's name says so.
use super::quirk::{Documents, Quirk, Thinking, Thoughts};

const AS_MAX_TOKENS: &[(&str, &str)] = &[("max_completion_tokens", "max_tokens")];

/// It knows the bound of an answer by its older name.
pub(super) const CEREBRAS: &[Quirk] =
    &[Quirk { renames: AS_MAX_TOKENS, no_top_k: true, ..Quirk::NONE }];

/// `<https://platform.xiaomimimo.com>`.
pub(super) const MIMO: &[Quirk] =
    &[Quirk { renames: AS_MAX_TOKENS, thoughts: Some(Thoughts::Text), ..Quirk::NONE }];

/// As LiteLLM has it of them.
pub(super) const MAX_TOKENS: &[Quirk] = &[Quirk { renames: AS_MAX_TOKENS, ..Quirk::NONE }];

/// The same, and contents are texts.
pub(super) const PUBLIC_AI: &[Quirk] =
    &[Quirk { renames: AS_MAX_TOKENS, texts: true, ..Quirk::NONE }];

/// It knows the bound of an answer by its newer name alone.
pub(super) const STREAM_LAKE: &[Quirk] = &[Quirk {
    renames: &[("max_tokens", "max_completion_tokens")],
    cache_hints: true,
    ..Quirk::NONE
}];

/// `<https://platform.moonshot.ai/docs/api/chat>`.
pub(super) const MOONSHOT: &[Quirk] = &[Quirk {
    renames: AS_MAX_TOKENS,
    thinking: Some(Thinking::Switch),
    thoughts: Some(Thoughts::Text),
    ..Quirk::NONE
}];

/// `<https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api>`: thoughts have
/// their proofs in `reasoning_details`.
pub(super) const SNOWFLAKE: &[Quirk] =
    &[Quirk { thinking: Some(Thinking::Object), thoughts: Some(Thoughts::Details), ..Quirk::NONE }];

/// `<https://vercel.com/docs/ai-gateway>`: thoughts as OpenRouter has them.
pub(super) const VERCEL: &[Quirk] = &[Quirk {
    cache_hints: true,
    thinking: Some(Thinking::Object),
    thoughts: Some(Thoughts::Details),
    ..Quirk::NONE
}];

/// `<https://platform.openai.com/docs/guides/reasoning>`. From gpt-5.1 on it depends on the effort
/// whether a model takes `temperature` and the like: OpenAI says so itself.
pub(super) const OPENAI: &[Quirk] = &[
    Quirk { newest: true, no_top_k: true, ..Quirk::NONE },
    Quirk {
        models: &["o1", "o1-*", "o3", "o3-*", "o4-*", "gpt-5", "gpt-5-*", "gpt-5.*"],
        except: &["gpt-5-chat*"],
        renames: &[("max_tokens", "max_completion_tokens")],
        ..Quirk::NONE
    },
    Quirk {
        models: &["o1", "o1-*", "o3", "o3-*", "o4-*", "gpt-5", "gpt-5-*"],
        except: &["gpt-5-chat*"],
        refuses: &[
            ("temperature", "1"),
            ("top_p", "1"),
            ("presence_penalty", "0"),
            ("frequency_penalty", "0"),
            ("logprobs", "false"),
            ("top_logprobs", ""),
            ("logit_bias", "{}"),
        ],
        ..Quirk::NONE
    },
    Quirk {
        models: &["o3", "o3-*", "o4-*", "gpt-5", "gpt-5-*", "gpt-5.1*", "gpt-5.2*"],
        except: &["gpt-5*-chat*"],
        refuses: &[("stop", "[]")],
        ..Quirk::NONE
    },
    Quirk {
        models: &["o1", "o1-*", "o3", "o3-*", "o4-*"],
        // They call one tool at a time anyway.
        ignores: &["parallel_tool_calls"],
        least: Some("low"),
        ..Quirk::NONE
    },
    Quirk {
        models: &["gpt-5", "gpt-5-*"],
        except: &["gpt-5-chat*"],
        least: Some("minimal"),
        ..Quirk::NONE
    },
    Quirk {
        models: &["o1-mini*", "o1-preview*"],
        roles: &[("system", "user"), ("developer", "user")],
        ..Quirk::NONE
    },
];

/// `<https://docs.mistral.ai/api>`: what is not in its schema is refused with 422, in messages too.
pub(super) const MISTRAL: &[Quirk] = &[Quirk {
    renames: &[("seed", "random_seed"), ("max_completion_tokens", "max_tokens")],
    respells: &[("tool_choice", "required", "any")],
    refuses: &[("logprobs", "false"), ("top_logprobs", ""), ("logit_bias", "{}")],
    // Its streams tell their usage unasked.
    ignores: &["user", "stream_options", "store", "service_tier", "safety_identifier", "verbosity"],
    roles: &[("developer", "system")],
    strips: &[
        "name",
        "reasoning_content",
        "reasoning",
        "thinking_blocks",
        "refusal",
        "annotations",
        "audio",
        "function_call",
        "provider_specific_fields",
    ],
    nine: true,
    no_top_k: true,
    documents: Some(Documents::Url),
    ..Quirk::NONE
}];

/// `<https://console.groq.com/docs/openai>`.
pub(super) const GROQ: &[Quirk] = &[Quirk {
    refuses: &[("logprobs", "false"), ("top_logprobs", ""), ("logit_bias", "{}"), ("n", "1")],
    strips: &["name", "reasoning_content", "thinking_blocks", "provider_specific_fields"],
    no_top_k: true,
    ..Quirk::NONE
}];

/// `<https://api-docs.deepseek.com/api/create-chat-completion>`: contents are texts, but for what
/// models to come may see.
pub(super) const DEEPSEEK: &[Quirk] = &[
    Quirk {
        renames: AS_MAX_TOKENS,
        roles: &[("developer", "system")],
        no_top_k: true,
        // What was thought before a call is wanted back with its result.
        thoughts: Some(Thoughts::Text),
        thinking: Some(Thinking::Switch),
        ..Quirk::NONE
    },
    Quirk {
        models: &[
            "deepseek-chat",
            "deepseek-coder*",
            "deepseek-reasoner",
            "deepseek-r1*",
            "deepseek-v3*",
        ],
        texts: true,
        ..Quirk::NONE
    },
];

/// `<https://docs.x.ai/docs/models>`: what models that think refuse.
pub(super) const XAI: &[Quirk] = &[
    Quirk { no_top_k: true, ..Quirk::NONE },
    Quirk {
        models: &["grok-3-mini*", "grok-4*", "grok-code-fast*"],
        except: &["*non-reasoning*"],
        refuses: &[("stop", "[]"), ("presence_penalty", "0"), ("frequency_penalty", "0")],
        ..Quirk::NONE
    },
];

pub(super) const OPENROUTER: &[Quirk] = &[Quirk {
    cache_hints: true,
    thinking: Some(Thinking::Object),
    thoughts: Some(Thoughts::Details),
    documents: Some(Documents::File),
    ..Quirk::NONE
}];

pub(super) const LITELLM: &[Quirk] =
    &[Quirk { cache_hints: true, proofs: true, thoughts: Some(Thoughts::Blocks), ..Quirk::NONE }];

pub(super) const CACHE_HINTS: &[Quirk] = &[Quirk { cache_hints: true, ..Quirk::NONE }];

/// Of which it is known only how they think: told by a switch, and to hear it again.
pub(super) const SWITCHED: &[Quirk] =
    &[Quirk { thinking: Some(Thinking::Switch), thoughts: Some(Thoughts::Text), ..Quirk::NONE }];

/// As [`SWITCHED`], but not to hear it again.
pub(super) const SWITCH: &[Quirk] = &[Quirk { thinking: Some(Thinking::Switch), ..Quirk::NONE }];

/// As [`SWITCHED`], but told by its effort.
pub(super) const THOUGHTS: &[Quirk] = &[Quirk { thoughts: Some(Thoughts::Text), ..Quirk::NONE }];
