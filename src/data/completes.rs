//! Who completes text.

/// Providers whose servers take `/completions` for each of their models, sorted.
const COMPLETE: [&str; 38] = [
    "apertis",
    "azure_text",
    "chutes",
    "custom_openai",
    "dashscope",
    "docker_model_runner",
    "echo",
    "featherless_ai",
    "fireworks_ai",
    "hosted_vllm",
    "hyperbolic",
    "lambda_ai",
    "lemonade",
    "litellm_proxy",
    "llamacpp",
    "llamafile",
    "lm_studio",
    "meta_llama",
    "modelscope",
    "moonshot",
    "nano-gpt",
    "nebius",
    "oobabooga",
    "openai_like",
    "poe",
    "publicai",
    "qwen_ai_platform",
    "qwencloud",
    "synthetic",
    "tensormesh",
    "text-completion-codestral",
    "text-completion-openai",
    "together_ai",
    "v0",
    "vercel_ai_gateway",
    "vllm",
    "wandb",
    "xinference",
];

/// Whether the provider of this name completes text with each of its models. Others have models
/// for that, if any, beside those that only chat.
#[must_use]
pub fn completes(provider: &str) -> bool {
    COMPLETE.binary_search(&provider).is_ok()
}
