//! Providers and where they answer, sorted by name.
//!
//! `plain!` is a provider whose variables are `<PREFIX>_API_KEY` and `<PREFIX>_API_BASE`; `row`
//! spells them out. Titles are how error messages of the LiteLLM proxy spell the provider.
use super::row::{
    AI21, AWS, AWS_BASES, AWS_KEYS, AWS_MANTLE, COHERE, COHERE_KEYS, GEMINI_OPENAI, OLLAMA,
    OLLAMA_OPENAI, OPENAI, OPENAI_BASES, plain, row,
};
use super::{AuthScheme, Provider, Wire, clouds, gateways, quirks};

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
    plain!("apertis", "Apertis", "STIMA", "https://api.stima.tech/v1").max_tokens(),
    plain!("assemblyai", "Assemblyai", "ASSEMBLYAI", "https://llm-gateway.assemblyai.com/v1"),
    gateways::AZURE,
    gateways::AZURE_AI,
    gateways::AZURE_TEXT,
    plain!("baseten", "Baseten", "BASETEN", "https://inference.baseten.co/v1").max_tokens(),
    row("bedrock", "Bedrock", AWS_KEYS, AWS_BASES, AWS).of_aws(),
    row("bedrock_converse", "Bedrock", AWS_KEYS, AWS_BASES, AWS).of_aws(),
    plain!("bedrock_mantle", "Bedrock_mantle", "BEDROCK_MANTLE", AWS_MANTLE).responses(),
    plain!("bigmodel", "Bigmodel", "BIGMODEL", "https://open.bigmodel.cn/api/paas/v4"),
    plain!("cerebras", "Cerebras", "CEREBRAS", "https://api.cerebras.ai/v1")
        .quirks(quirks::CEREBRAS),
    plain!(
        "charity_engine",
        "Charity_engine",
        "CHARITY_ENGINE",
        "https://api.charityengine.services/remotejobs/v2/inference"
    )
    .max_tokens(),
    plain!("chutes", "Chutes", "CHUTES", "https://llm.chutes.ai/v1").max_tokens(),
    plain!("clarifai", "Clarifai", "CLARIFAI", "https://api.clarifai.com/v2/ext/openai/v1"),
    plain!("clf_ai_gateway", "Clf_ai_gateway", "CLF_AI_GATEWAY", "https://api.clfaigateway.dev/v1"),
    clouds::CLOUDFLARE,
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
    plain!("crusoe", "Crusoe", "CRUSOE", "https://api.inference.crusoecloud.com/v1").max_tokens(),
    plain!("custom_openai", "Custom_openai", "OPENAI_LIKE", "").key_optional(),
    plain!("darkbloom", "Darkbloom", "DARKBLOOM", "https://api.darkbloom.dev/v1"),
    plain!(
        "dashscope",
        "Dashscope",
        "DASHSCOPE",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"
    )
    .quirks(quirks::CACHE_HINTS),
    clouds::DATABRICKS,
    clouds::DATAROBOT,
    plain!("deepinfra", "Deepinfra", "DEEPINFRA", "https://api.deepinfra.com/v1/openai")
        .max_tokens(),
    plain!("deepseek", "Deepseek", "DEEPSEEK", "https://api.deepseek.com/beta")
        .quirks(quirks::DEEPSEEK),
    plain!(
        "docker_model_runner",
        "Docker_model_runner",
        "DOCKER_MODEL_RUNNER",
        "http://localhost:22088/engines/llama.cpp/v1"
    )
    .key_optional()
    .max_tokens(),
    row("echo", "Echo", &[], &[], "").key_optional(),
    plain!("edenai", "Edenai", "EDENAI", "https://api.edenai.run/v3").responses(),
    plain!("empiriolabs", "Empiriolabs", "EMPIRIOLABS", "https://api.empiriolabs.ai/v1")
        .responses()
        .max_tokens(),
    plain!("empower", "Empower", "EMPOWER", "https://app.empower.dev/api/v1"),
    row(
        "featherless_ai",
        "Featherless_ai",
        &["FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"],
        &["FEATHERLESS_AI_API_BASE", "FEATHERLESS_API_BASE"],
        "https://api.featherless.ai/v1",
    )
    .max_tokens(),
    clouds::FIREWORKS,
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
    plain!("gpustack", "Gpustack", "GPUSTACK", "").key_optional().quirks(quirks::THOUGHTS),
    plain!("gradient_ai", "Gradient_ai", "GRADIENT_AI", "https://inference.do-ai.run/v1"),
    plain!("groq", "Groq", "GROQ", "https://api.groq.com/openai/v1")
        .responses()
        .quirks(quirks::GROQ),
    plain!("helicone", "Helicone", "HELICONE", "https://ai-gateway.helicone.ai"),
    clouds::HEROKU,
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
    clouds::HUGGING_FACE,
    plain!("hyperbolic", "Hyperbolic", "HYPERBOLIC", "https://api.hyperbolic.xyz/v1"),
    plain!("inception", "Inception", "INCEPTION", "https://api.inceptionlabs.ai/v1"),
    plain!("inferenceapis", "Inferenceapis", "INFERENCEAPIS", "https://api.inferenceapis.com/v1")
        .responses(),
    plain!("infinity", "Infinity", "INFINITY", "").key_optional(),
    clouds::JINA,
    plain!("kyma", "Kyma", "KYMA", "https://kymaapi.com/v1"),
    plain!("lambda_ai", "Lambda_ai", "LAMBDA", "https://api.lambda.ai/v1"),
    plain!("lemonade", "Lemonade", "LEMONADE", "http://localhost:8000/api/v1").key_optional(),
    plain!("libertai", "Libertai", "LIBERTAI", "https://api.libertai.io/v1").max_tokens(),
    gateways::LITELLM_PROXY,
    plain!("llamacpp", "Llamacpp", "LLAMACPP", "http://localhost:8080/v1")
        .key_optional()
        .quirks(quirks::THOUGHTS),
    plain!("llamafile", "Llamafile", "LLAMAFILE", "http://127.0.0.1:8080/v1").key_optional(),
    plain!("llamagate", "Llamagate", "LLAMAGATE", "https://api.llamagate.dev/v1").max_tokens(),
    plain!("lm_studio", "Lm_studio", "LM_STUDIO", "http://localhost:1234/v1").key_optional(),
    plain!("meta", "Meta", "META", "https://api.meta.ai/v1").responses(),
    plain!("meta_llama", "Meta_llama", "LLAMA", "https://api.llama.com/compat/v1"),
    plain!("minimax", "Minimax", "MINIMAX", "https://api.minimax.io/v1").quirks(quirks::THOUGHTS),
    plain!("mistral", "Mistral", "MISTRAL", "https://api.mistral.ai/v1")
        .no_stream_usage()
        .quirks(quirks::MISTRAL),
    plain!("modelscope", "Modelscope", "MODELSCOPE", "https://api-inference.modelscope.cn/v1"),
    plain!("moonshot", "Moonshot", "MOONSHOT", "https://api.moonshot.ai/v1")
        .quirks(quirks::MOONSHOT),
    plain!("morph", "Morph", "MORPH", "https://api.morphllm.com/v1"),
    plain!("nadir", "Nadir", "NADIR", "https://api.getnadir.com/v1"),
    plain!("nano-gpt", "Nano-gpt", "NANOGPT", "https://nano-gpt.com/api/v1").max_tokens(),
    plain!("nebius", "Nebius", "NEBIUS", "https://api.studio.nebius.ai/v1").max_tokens(),
    plain!("neosantara", "Neosantara", "NEOSANTARA", "https://api.neosantara.xyz/v1")
        .responses()
        .max_tokens(),
    plain!("novita", "Novita", "NOVITA", "https://api.novita.ai/v3/openai"),
    plain!("nscale", "Nscale", "NSCALE", "https://inference.api.nscale.com/v1"),
    plain!("nvidia_nim", "Nvidia_nim", "NVIDIA_NIM", "https://integrate.api.nvidia.com/v1")
        .max_tokens(),
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
    clouds::OPENCODE_GO,
    plain!("openinfer", "Openinfer", "OPENINFER", "https://api.openinfer.ai/v1").responses(),
    gateways::OPENROUTER,
    plain!("ovhcloud", "Ovhcloud", "OVHCLOUD", "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1"),
    plain!("parasail", "Parasail", "PARASAIL", "https://api.parasail.io/v1").responses(),
    clouds::PERPLEXITY,
    plain!("pinstripes", "Pinstripes", "PINSTRIPES", "https://pinstripes.io/v1")
        .responses()
        .max_tokens(),
    plain!("poe", "Poe", "POE", "https://api.poe.com/v1").max_tokens(),
    plain!("prism", "Prism", "PRISM", "https://api.prisminference.com/v1").responses(),
    plain!("publicai", "Publicai", "PUBLICAI", "https://api.publicai.co/v1")
        .quirks(quirks::PUBLIC_AI),
    clouds::QWEN_AI_PLATFORM,
    clouds::QWENCLOUD,
    plain!("refuseless", "Refuseless", "REFUSELESS", "https://api.refuseless.com/v1").responses(),
    plain!("reka", "Reka", "REKA", "https://api.reka.ai/v1"),
    plain!("sail", "Sail", "SAIL", "https://api.sailresearch.com/v1").responses(),
    plain!("sambanova", "Sambanova", "SAMBANOVA", "https://api.sambanova.ai/v1").max_tokens(),
    plain!("sarvam", "Sarvam", "SARVAM", "https://api.sarvam.ai/v1").max_tokens(),
    row(
        "scaleway",
        "Scaleway",
        &["SCW_SECRET_KEY"],
        &["SCW_SECRET_KEY_API_BASE"],
        "https://api.scaleway.ai/v1",
    ),
    plain!("scx-ai", "Scx-ai", "SCX", "https://api.scx.ai/v1").max_tokens(),
    clouds::SNOWFLAKE,
    plain!(
        "streamlake",
        "Streamlake",
        "STREAMLAKE",
        "https://vanchin.streamlake.ai/api/gateway/v1/endpoints"
    )
    .quirks(quirks::STREAM_LAKE),
    plain!("synthetic", "Synthetic", "SYNTHETIC", "https://api.synthetic.new/openai/v1")
        .max_tokens(),
    plain!("tencent", "Tencent", "TENCENT", "https://tokenhub-intl.tencentcloudmaas.com/v1"),
    row(
        "tensormesh",
        "Tensormesh",
        &["TENSORMESH_INFERENCE_API_KEY"],
        &["TENSORMESH_SERVERLESS_BASE_URL"],
        "https://serverless.tensormesh.ai/v1",
    )
    .responses()
    .max_tokens(),
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
    clouds::TOGETHER,
    plain!("v0", "V0", "V0", "https://api.v0.dev/v1"),
    plain!("veniceai", "Veniceai", "VENICE_AI", "https://api.venice.ai/api/v1"),
    gateways::VERCEL,
    // Where it answers depends on the project and its location.
    row("vertex_ai", "VertexAI", &[], &[], "").at_google(),
    clouds::VLLM,
    row(
        "volcengine",
        "Volcengine",
        &["VOLCENGINE_API_KEY", "ARK_API_KEY"],
        &["VOLCENGINE_API_BASE"],
        "https://ark.cn-beijing.volces.com/api/v3",
    )
    .responses()
    .quirks(quirks::SWITCH),
    clouds::VOYAGE,
    plain!("wandb", "Wandb", "WANDB", "https://api.inference.wandb.ai/v1").max_tokens(),
    clouds::WATSONX,
    clouds::WRITER,
    plain!("xai", "Xai", "XAI", "https://api.x.ai/v1").responses().quirks(quirks::XAI),
    plain!("xiaomi_mimo", "Xiaomi_mimo", "XIAOMI_MIMO", "https://api.xiaomimimo.com/v1")
        .quirks(quirks::MIMO),
    plain!("xinference", "Xinference", "XINFERENCE", "http://127.0.0.1:9997/v1").key_optional(),
    plain!("zai", "Zai", "ZAI", "https://api.z.ai/api/paas/v4").quirks(quirks::SWITCHED),
    plain!("zerogpu", "Zerogpu", "ZEROGPU", "https://api.zerogpu.ai/v1").responses(),
];
