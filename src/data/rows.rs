//! Providers and where they answer, sorted by name.
//!
//! `plain!` is a provider whose variables are `<PREFIX>_API_KEY` and `<PREFIX>_API_BASE`; `row`
//! spells them out. Titles are how error messages of the LiteLLM proxy spell the provider.
use super::row::{
    AI21, AWS, AWS_BASES, AWS_KEYS, COHERE, COHERE_KEYS, GEMINI_OPENAI, OLLAMA, OLLAMA_OPENAI,
    OPENAI, OPENAI_BASES, plain, row,
};
use super::{AuthScheme, Provider, Wire, gateways, quirks};

/// All rows.
pub(super) static PROVIDERS: &[Provider] = &[
    plain!("abliteration", "Abliteration", "ABLITERATION", "https://api.abliteration.ai/v1"),
    plain!("ai21", "Ai21", "AI21", AI21).no_stream_usage(),
    plain!("ai21_chat", "Ai21_chat", "AI21", AI21).no_stream_usage(),
    plain!("aiand", "Aiand", "AIAND", "https://api.aiand.com/v1").responses(),
    plain!("aihubmix", "Aihubmix", "AIHUBMIX", "https://aihubmix.com/v1"),
    row(
        "aiml",
        "Aiml",
        &["AIML_API_KEY", "AIMLAPI_KEY"],
        &["AIML_API_BASE"],
        "https://api.aimlapi.com/v1",
    ),
    plain!("amazon_nova", "Amazon_nova", "AMAZON_NOVA", "https://api.nova.amazon.com/v1"),
    row(
        "anthropic",
        "Anthropic",
        &["ANTHROPIC_API_KEY"],
        &["ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"],
        "https://api.anthropic.com",
    )
    .speaks(Wire::Anthropic, AuthScheme::XApiKey, "https://api.anthropic.com/v1"),
    plain!("anyscale", "Anyscale", "ANYSCALE", "https://api.endpoints.anyscale.com/v1"),
    plain!("apertis", "Apertis", "STIMA", "https://api.stima.tech/v1"),
    plain!("assemblyai", "Assemblyai", "ASSEMBLYAI", "https://llm-gateway.assemblyai.com/v1"),
    gateways::AZURE,
    gateways::AZURE_AI,
    gateways::AZURE_TEXT,
    plain!("baseten", "Baseten", "BASETEN", "https://inference.baseten.co/v1"),
    row("bedrock", "Bedrock", AWS_KEYS, AWS_BASES, AWS).of_aws(),
    row("bedrock_converse", "Bedrock", AWS_KEYS, AWS_BASES, AWS).of_aws(),
    row(
        "bedrock_mantle",
        "Bedrock_mantle",
        &["BEDROCK_MANTLE_API_KEY", "AWS_BEARER_TOKEN_BEDROCK"],
        &["BEDROCK_MANTLE_API_BASE"],
        "https://bedrock-mantle.us-east-1.api.aws/v1",
    )
    .responses(),
    plain!("cerebras", "Cerebras", "CEREBRAS", "https://api.cerebras.ai/v1")
        .quirks(quirks::CEREBRAS),
    plain!(
        "charity_engine",
        "Charity_engine",
        "CHARITY_ENGINE",
        "https://api.charityengine.services/remotejobs/v2/inference"
    ),
    plain!("chutes", "Chutes", "CHUTES", "https://llm.chutes.ai/v1"),
    plain!("clarifai", "Clarifai", "CLARIFAI", "https://api.clarifai.com/v2/ext/openai/v1"),
    plain!("codestral", "Codestral", "CODESTRAL", "https://codestral.mistral.ai/v1")
        .no_stream_usage()
        .quirks(quirks::MISTRAL),
    plain!("cognition", "Cognition", "COGNITION", "https://api.cognition.ai/v1"),
    row("cohere", "Cohere", COHERE_KEYS, &["COHERE_API_BASE"], COHERE),
    row("cohere_chat", "Cohere_chat", COHERE_KEYS, &["COHERE_API_BASE"], COHERE),
    row(
        "cometapi",
        "Cometapi",
        &["COMETAPI_KEY", "COMETAPI_API_KEY"],
        &["COMETAPI_API_BASE", "COMETAPI_BASE_URL"],
        "https://api.cometapi.com/v1",
    ),
    plain!("compactifai", "Compactifai", "COMPACTIFAI", "https://api.compactif.ai/v1"),
    plain!("coralbricks", "Coralbricks", "CORALBRICKS", "https://inference.coralbricks.ai/v1")
        .responses(),
    plain!("cortecs", "Cortecs", "CORTECS", "https://api.cortecs.ai/v1").responses(),
    plain!("crusoe", "Crusoe", "CRUSOE", "https://api.inference.crusoecloud.com/v1"),
    plain!("custom_openai", "Custom_openai", "OPENAI_LIKE", "").key_optional(),
    plain!("darkbloom", "Darkbloom", "DARKBLOOM", "https://api.darkbloom.dev/v1"),
    plain!(
        "dashscope",
        "Dashscope",
        "DASHSCOPE",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    )
    .quirks(quirks::CACHE_HINTS),
    plain!("databricks", "Databricks", "DATABRICKS", "").responses(),
    plain!("deepinfra", "Deepinfra", "DEEPINFRA", "https://api.deepinfra.com/v1/openai"),
    plain!("deepseek", "Deepseek", "DEEPSEEK", "https://api.deepseek.com/beta")
        .quirks(quirks::DEEPSEEK),
    plain!(
        "docker_model_runner",
        "Docker_model_runner",
        "DOCKER_MODEL_RUNNER",
        "http://localhost:22088/engines/llama.cpp/v1"
    )
    .key_optional(),
    row("echo", "Echo", &[], &[], "").key_optional(),
    plain!("edenai", "Edenai", "EDENAI", "https://api.edenai.run/v3").responses(),
    plain!("empiriolabs", "Empiriolabs", "EMPIRIOLABS", "https://api.empiriolabs.ai/v1")
        .responses(),
    plain!("empower", "Empower", "EMPOWER", "https://app.empower.dev/api/v1"),
    row(
        "featherless_ai",
        "Featherless_ai",
        &["FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"],
        &["FEATHERLESS_AI_API_BASE", "FEATHERLESS_API_BASE"],
        "https://api.featherless.ai/v1",
    ),
    row(
        "fireworks_ai",
        "Fireworks_ai",
        &["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"],
        &["FIREWORKS_API_BASE", "FIREWORKS_AI_API_BASE"],
        "https://api.fireworks.ai/inference/v1",
    )
    .responses(),
    row(
        "friendliai",
        "Friendliai",
        &["FRIENDLIAI_API_KEY", "FRIENDLI_TOKEN"],
        &["FRIENDLI_API_BASE", "FRIENDLIAI_API_BASE"],
        "https://api.friendli.ai/serverless/v1",
    ),
    plain!("galadriel", "Galadriel", "GALADRIEL", "https://api.galadriel.com/v1"),
    row(
        "gemini",
        "Gemini",
        &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        &["GEMINI_API_BASE"],
        "https://generativelanguage.googleapis.com/v1beta",
    )
    .speaks(Wire::Gemini, AuthScheme::XGoogApiKey, GEMINI_OPENAI),
    plain!("github", "Github", "GITHUB", "https://models.inference.ai.azure.com").no_stream_usage(),
    plain!("github_copilot", "Github_copilot", "GITHUB_COPILOT", "https://api.githubcopilot.com"),
    plain!("gmi", "Gmi", "GMI", "https://api.gmi-serving.com/v1"),
    plain!("gradient_ai", "Gradient_ai", "GRADIENT_AI", "https://inference.do-ai.run/v1"),
    plain!("groq", "Groq", "GROQ", "https://api.groq.com/openai/v1")
        .responses()
        .quirks(quirks::GROQ),
    plain!("helicone", "Helicone", "HELICONE", "https://ai-gateway.helicone.ai"),
    plain!("heroku", "Heroku", "HEROKU", ""),
    plain!("hosted_vllm", "Hosted_vllm", "HOSTED_VLLM", "")
        .key_optional()
        .responses()
        .quirks(quirks::THOUGHTS),
    plain!(
        "hostinger_router",
        "Hostinger_router",
        "HOSTINGER_ROUTER",
        "https://router.hostinger.com/v1"
    ),
    row(
        "huggingface",
        "Huggingface",
        &["HUGGINGFACE_API_KEY", "HF_TOKEN"],
        &["HF_API_BASE", "HUGGINGFACE_API_BASE"],
        "https://router.huggingface.co/v1",
    ),
    plain!("hyperbolic", "Hyperbolic", "HYPERBOLIC", "https://api.hyperbolic.xyz/v1"),
    plain!("inception", "Inception", "INCEPTION", "https://api.inceptionlabs.ai/v1"),
    plain!("inferenceapis", "Inferenceapis", "INFERENCEAPIS", "https://api.inferenceapis.com/v1")
        .responses(),
    plain!("infinity", "Infinity", "INFINITY", "").key_optional(),
    row(
        "jina_ai",
        "Jina_ai",
        &["JINA_AI_API_KEY", "JINA_API_KEY", "JINA_AI_TOKEN"],
        &["JINA_AI_API_BASE"],
        "https://api.jina.ai/v1",
    ),
    plain!("kyma", "Kyma", "KYMA", "https://kymaapi.com/v1"),
    plain!("lambda_ai", "Lambda_ai", "LAMBDA", "https://api.lambda.ai/v1"),
    plain!("lemonade", "Lemonade", "LEMONADE", "http://localhost:8000/api/v1").key_optional(),
    plain!("libertai", "Libertai", "LIBERTAI", "https://api.libertai.io/v1"),
    gateways::LITELLM_PROXY,
    plain!("llamafile", "Llamafile", "LLAMAFILE", "http://127.0.0.1:8080/v1").key_optional(),
    plain!("llamagate", "Llamagate", "LLAMAGATE", "https://api.llamagate.dev/v1"),
    plain!("lm_studio", "Lm_studio", "LM_STUDIO", "").key_optional(),
    plain!("meta", "Meta", "META", "https://api.meta.ai/v1").responses(),
    plain!("meta_llama", "Meta_llama", "LLAMA", "https://api.llama.com/compat/v1"),
    plain!("minimax", "Minimax", "MINIMAX", "https://api.minimax.io/v1").quirks(quirks::THOUGHTS),
    plain!("mistral", "Mistral", "MISTRAL", "https://api.mistral.ai/v1")
        .no_stream_usage()
        .quirks(quirks::MISTRAL),
    plain!("modelscope", "Modelscope", "MODELSCOPE", "https://api-inference.modelscope.cn/v1"),
    plain!("moonshot", "Moonshot", "MOONSHOT", "https://api.moonshot.ai/v1")
        .quirks(quirks::SWITCHED),
    plain!("morph", "Morph", "MORPH", "https://api.morphllm.com/v1"),
    plain!("nano-gpt", "Nano-gpt", "NANOGPT", "https://nano-gpt.com/api/v1"),
    plain!("nebius", "Nebius", "NEBIUS", "https://api.studio.nebius.ai/v1"),
    plain!("neosantara", "Neosantara", "NEOSANTARA", "https://api.neosantara.xyz/v1").responses(),
    plain!("novita", "Novita", "NOVITA", "https://api.novita.ai/v3/openai"),
    plain!("nscale", "Nscale", "NSCALE", "https://inference.api.nscale.com/v1"),
    plain!("nvidia_nim", "Nvidia_nim", "NVIDIA_NIM", "https://integrate.api.nvidia.com/v1"),
    row("ollama", "Ollama", &["OLLAMA_API_KEY"], &["OLLAMA_API_BASE"], OLLAMA)
        .openai_at(OLLAMA_OPENAI)
        .key_optional(),
    row("ollama_chat", "Ollama_chat", &["OLLAMA_API_KEY"], &["OLLAMA_API_BASE"], OLLAMA)
        .openai_at(OLLAMA_OPENAI)
        .key_optional(),
    plain!("oobabooga", "Oobabooga", "OOBABOOGA", "").key_optional(),
    row("openai", "OpenAI", &["OPENAI_API_KEY"], OPENAI_BASES, OPENAI)
        .responses()
        .quirks(quirks::OPENAI),
    plain!("openai_like", "Openai_like", "OPENAI_LIKE", "").key_optional(),
    plain!("openinfer", "Openinfer", "OPENINFER", "https://api.openinfer.ai/v1").responses(),
    gateways::OPENROUTER,
    plain!("ovhcloud", "Ovhcloud", "OVHCLOUD", "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1"),
    plain!("parasail", "Parasail", "PARASAIL", "https://api.parasail.io/v1").responses(),
    row(
        "perplexity",
        "Perplexity",
        &["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"],
        &["PERPLEXITY_API_BASE"],
        "https://api.perplexity.ai",
    )
    .no_stream_usage(),
    plain!("pinstripes", "Pinstripes", "PINSTRIPES", "https://pinstripes.io/v1").responses(),
    plain!("poe", "Poe", "POE", "https://api.poe.com/v1"),
    plain!("prism", "Prism", "PRISM", "https://api.prisminference.com/v1").responses(),
    plain!("publicai", "Publicai", "PUBLICAI", "https://api.publicai.co/v1"),
    plain!("refuseless", "Refuseless", "REFUSELESS", "https://api.refuseless.com/v1").responses(),
    plain!("reka", "Reka", "REKA", "https://api.reka.ai/v1"),
    plain!("sail", "Sail", "SAIL", "https://api.sailresearch.com/v1").responses(),
    plain!("sambanova", "Sambanova", "SAMBANOVA", "https://api.sambanova.ai/v1"),
    row(
        "scaleway",
        "Scaleway",
        &["SCW_SECRET_KEY"],
        &["SCW_SECRET_KEY_API_BASE"],
        "https://api.scaleway.ai/v1",
    ),
    plain!("scx-ai", "Scx-ai", "SCX", "https://api.scx.ai/v1"),
    row(
        "snowflake",
        "Snowflake",
        &["SNOWFLAKE_JWT", "SNOWFLAKE_API_KEY"],
        &["SNOWFLAKE_API_BASE"],
        "",
    )
    .no_stream_usage(),
    plain!(
        "streamlake",
        "Streamlake",
        "STREAMLAKE",
        "https://vanchin.streamlake.ai/api/gateway/v1/endpoints"
    ),
    plain!("synthetic", "Synthetic", "SYNTHETIC", "https://api.synthetic.new/openai/v1"),
    plain!("tencent", "Tencent", "TENCENT", "https://tokenhub-intl.tencentcloudmaas.com/v1"),
    row(
        "tensormesh",
        "Tensormesh",
        &["TENSORMESH_INFERENCE_API_KEY"],
        &["TENSORMESH_SERVERLESS_BASE_URL"],
        "https://serverless.tensormesh.ai/v1",
    )
    .responses(),
    plain!(
        "text-completion-codestral",
        "Text-completion-codestral",
        "CODESTRAL",
        "https://codestral.mistral.ai/v1"
    )
    .no_stream_usage(),
    row(
        "text-completion-openai",
        "Text-completion-openai",
        &["OPENAI_API_KEY"],
        OPENAI_BASES,
        OPENAI,
    )
    .responses(),
    row(
        "together_ai",
        "Together_ai",
        &["TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"],
        &["TOGETHER_AI_API_BASE"],
        "https://api.together.xyz/v1",
    ),
    plain!("v0", "V0", "V0", "https://api.v0.dev/v1"),
    plain!("veniceai", "Veniceai", "VENICE_AI", "https://api.venice.ai/api/v1"),
    gateways::VERCEL,
    // Where it answers depends on the project and its location.
    row("vertex_ai", "VertexAI", &[], &[], "").at_google(),
    row(
        "volcengine",
        "Volcengine",
        &["VOLCENGINE_API_KEY", "ARK_API_KEY"],
        &["VOLCENGINE_API_BASE"],
        "https://ark.cn-beijing.volces.com/api/v3",
    )
    .responses()
    .quirks(quirks::SWITCH),
    row(
        "voyage",
        "Voyage",
        &["VOYAGE_API_KEY", "VOYAGE_AI_API_KEY", "VOYAGE_AI_TOKEN"],
        &["VOYAGE_API_BASE"],
        "https://api.voyageai.com/v1",
    ),
    plain!("wandb", "Wandb", "WANDB", "https://api.inference.wandb.ai/v1"),
    plain!("xai", "Xai", "XAI", "https://api.x.ai/v1").responses().quirks(quirks::XAI),
    plain!("xiaomi_mimo", "Xiaomi_mimo", "XIAOMI_MIMO", "https://api.xiaomimimo.com/v1")
        .quirks(quirks::THOUGHTS),
    plain!("xinference", "Xinference", "XINFERENCE", "http://127.0.0.1:9997/v1").key_optional(),
    plain!("zai", "Zai", "ZAI", "https://api.z.ai/api/paas/v4").quirks(quirks::SWITCHED),
    plain!("zerogpu", "Zerogpu", "ZEROGPU", "https://api.zerogpu.ai/v1").responses(),
];
