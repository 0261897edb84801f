//! Rows that take more than a line: accounts in addresses, paths and names of their own, several
//! variables.
use super::row::{plain, row};
use super::{Layout, Provider, quirks};

/// The account is part of the address.
pub(super) const CLOUDFLARE: Provider = plain!(
    "cloudflare",
    "Cloudflare",
    "CLOUDFLARE",
    "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1"
)
.layout(Layout { ends: &["/ai/v1"], older_ends: &["/ai/run"], ..Layout::OPENAI });

/// Each workspace has its own address. Its `/responses` is for some models only.
pub(super) const DATABRICKS: Provider = row(
    "databricks",
    "Databricks",
    &["DATABRICKS_API_KEY", "DATABRICKS_TOKEN"],
    &["DATABRICKS_API_BASE", "DATABRICKS_HOST"],
    "",
)
.layout(Layout { ends: &["/serving-endpoints", "/ai-gateway/mlflow/v1"], ..Layout::OPENAI })
.max_tokens();

pub(super) const DATAROBOT: Provider = row(
    "datarobot",
    "Datarobot",
    &["DATAROBOT_API_TOKEN"],
    &["DATAROBOT_ENDPOINT"],
    "https://app.datarobot.com/api/v2/genai/llmgw",
)
.layout(Layout {
    ends: &["/api/v2/genai/llmgw"],
    older_ends: &["/api/v2/genai/llmgw/chat/completions", "/api/v2"],
    ..Layout::OPENAI
});

/// A model's name is that of an account's.
pub(super) const FIREWORKS: Provider = row(
    "fireworks_ai",
    "Fireworks_ai",
    &["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"],
    &["FIREWORKS_API_BASE", "FIREWORKS_AI_API_BASE"],
    "https://api.fireworks.ai/inference/v1",
)
.responses()
.layout(Layout { prefix: "accounts/fireworks/models/", ..Layout::OPENAI })
.max_tokens();

pub(super) const HEROKU: Provider =
    plain!("heroku", "Heroku", "HEROKU", "https://us.inference.heroku.com/v1").layout(V1);

/// Its router leads to several hosts of a model; an endpoint of one's own is at `api_base`.
pub(super) const HUGGING_FACE: Provider = row(
    "huggingface",
    "Huggingface",
    &["HUGGINGFACE_API_KEY", "HF_TOKEN"],
    &["HF_API_BASE", "HUGGINGFACE_API_BASE"],
    "https://router.huggingface.co/v1",
)
.layout(Layout { ends: &["/v1", "/openai"], hosts: true, ..V1 });

pub(super) const JINA: Provider = row(
    "jina_ai",
    "Jina_ai",
    &["JINA_AI_API_KEY", "JINA_API_KEY", "JINA_AI_TOKEN"],
    &["JINA_AI_API_BASE"],
    "https://api.jina.ai/v1",
);

/// Of its plans the one whose models speak OpenAI.
pub(super) const OPENCODE_GO: Provider = row(
    "opencode_go",
    "Opencode_go",
    &["OPENCODE_GO_API_KEY", "OPENCODE_API_KEY"],
    &["OPENCODE_GO_API_BASE"],
    "https://opencode.ai/inference/go/openai/v1",
);

/// Chats are at its root, all else below a version.
pub(super) const PERPLEXITY: Provider = row(
    "perplexity",
    "Perplexity",
    &["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"],
    &["PERPLEXITY_API_BASE"],
    "https://api.perplexity.ai",
)
.layout(Layout { paths: &[("/embeddings", "/v1/embeddings")], ..Layout::OPENAI })
.no_stream_usage();

pub(super) const QWEN_AI_PLATFORM: Provider = row(
    "qwen_ai_platform",
    "Qwen_ai_platform",
    &["QWEN_AI_PLATFORM_API_KEY", "DASHSCOPE_API_KEY"],
    &["QWEN_AI_PLATFORM_API_BASE"],
    "https://dashscope.aliyuncs.com/compatible-mode/v1",
)
.quirks(quirks::CACHE_HINTS);

pub(super) const QWENCLOUD: Provider = row(
    "qwencloud",
    "Qwencloud",
    &["QWENCLOUD_API_KEY", "DASHSCOPE_API_KEY"],
    &["QWENCLOUD_API_BASE"],
    "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
)
.quirks(quirks::CACHE_HINTS);

/// The account is the host. Beside the key goes of which kind it is, which the config adds.
pub(super) const SNOWFLAKE: Provider = row(
    "snowflake",
    "Snowflake",
    &["SNOWFLAKE_JWT", "SNOWFLAKE_API_KEY"],
    &["SNOWFLAKE_API_BASE"],
    "https://{SNOWFLAKE_ACCOUNT_ID}.snowflakecomputing.com/api/v2",
)
.layout(Layout {
    ends: &["/api/v2"],
    older_ends: &["/api/v2/cortex/v1", "/api/v2/cortex/inference:complete"],
    paths: &[
        ("/chat/completions", "/cortex/v1/chat/completions"),
        ("/embeddings", "/cortex/inference:embed"),
    ],
    ..Layout::OPENAI
})
.quirks(quirks::SNOWFLAKE)
.no_stream_usage();

pub(super) const TOGETHER: Provider = row(
    "together_ai",
    "Together_ai",
    &["TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"],
    &["TOGETHER_AI_API_BASE"],
    "https://api.together.xyz/v1",
);

/// `hosted_vllm` by its short name, which LiteLLM keeps for a server inside of itself.
pub(super) const VLLM: Provider =
    plain!("vllm", "Vllm", "HOSTED_VLLM", "").key_optional().responses().quirks(quirks::THOUGHTS);

pub(super) const VOYAGE: Provider = row(
    "voyage",
    "Voyage",
    &["VOYAGE_API_KEY", "VOYAGE_AI_API_KEY", "VOYAGE_AI_TOKEN"],
    &["VOYAGE_API_BASE"],
    "https://api.voyageai.com/v1",
);

/// Its model gateway, which takes a token of IBM's IAM that was made elsewhere.
pub(super) const WATSONX: Provider = row(
    "watsonx",
    "Watsonx",
    &["WATSONX_TOKEN"],
    &["WATSONX_API_BASE", "WATSONX_URL", "WML_URL"],
    "",
)
.layout(Layout { ends: &["/ml/gateway/v1"], ..Layout::OPENAI });

/// Chats have a shorter path.
pub(super) const WRITER: Provider =
    plain!("writer", "Writer", "WRITER", "https://api.writer.com/v1")
        .layout(Layout { paths: &[("/chat/completions", "/chat")], ..Layout::OPENAI });

/// A server whose address is written with and without its version, or with the path of chats.
const V1: Layout =
    Layout { ends: &["/v1"], older_ends: &["/v1/chat/completions"], ..Layout::OPENAI };
