//! Events as providers send them: a stream that begins, text, and a call.
use bartizan::providers::translate::Protocol;

/// Events as a provider sends them.
pub(super) struct Told {
    pub(super) start: &'static str,
    pub(super) text: &'static str,
    pub(super) more_text: &'static str,
    /// A call begins; nothing where calls come whole.
    pub(super) call: &'static str,
    pub(super) more_call: &'static str,
}

impl Told {
    /// Those of this provider.
    pub(super) const fn by(provider: Protocol) -> Self {
        match provider {
            Protocol::Messages => MESSAGES,
            Protocol::Gemini => GEMINI,
            Protocol::Cohere => COHERE,
            Protocol::Ollama => OLLAMA,
            Protocol::Responses => RESPONSES,
            _ => CHAT,
        }
    }
}

const CHAT: Told = Told {
    start: concat!(
        r#"data: {"id":"chatcmpl-tide42","object":"chat.completion.chunk","created":1760000042,"model":"harbour-pilot-2","service_tier":"default","system_fingerprint":"fp_tide","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        "\n\n"
    ),
    text: "",
    more_text: concat!(
        r#"data: {"id":"chatcmpl-tide42","object":"chat.completion.chunk","created":1760000042,"model":"harbour-pilot-2","service_tier":"default","system_fingerprint":"fp_tide","choices":[{"index":0,"delta":{"content":" tomorrow"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        "\n\n"
    ),
    call: concat!(
        r#"data: {"id":"chatcmpl-tide42","object":"chat.completion.chunk","created":1760000042,"model":"harbour-pilot-2","service_tier":"default","system_fingerprint":"fp_tide","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_tide2","type":"function","function":{"name":"get_tide","arguments":""}}]},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        "\n\n"
    ),
    more_call: concat!(
        r#"data: {"id":"chatcmpl-tide42","object":"chat.completion.chunk","created":1760000042,"model":"harbour-pilot-2","service_tier":"default","system_fingerprint":"fp_tide","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"harbour\":"}}]},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        "\n\n"
    ),
};

const MESSAGES: Told = Told {
    start: concat!(
        "event: message_start\n",
        r#"data: {"type":"message_start","message":{"id":"msg_tide42","type":"message","role":"assistant","model":"harbour-pilot-2","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":100,"cache_creation_input_tokens":64,"cache_read_input_tokens":256,"output_tokens":2}}}"#,
        "\n\n"
    ),
    text: concat!(
        "event: content_block_start\n",
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        "\n\n"
    ),
    more_text: concat!(
        "event: content_block_delta\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" tomorrow"}}"#,
        "\n\n"
    ),
    call: concat!(
        "event: content_block_start\n",
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_tide2","name":"get_tide","input":{}}}"#,
        "\n\n"
    ),
    more_call: concat!(
        "event: content_block_delta\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\"harbour\":"}}"#,
        "\n\n"
    ),
};

const GEMINI: Told = Told {
    start: "",
    text: "",
    more_text: concat!(
        r#"data: {"candidates":[{"content":{"parts":[{"text":" tomorrow"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":420,"candidatesTokenCount":12,"totalTokenCount":432,"promptTokensDetails":[{"modality":"TEXT","tokenCount":420}]},"modelVersion":"harbour-pilot-2","responseId":"tide42"}"#,
        "\r\n\r\n"
    ),
    call: "",
    more_call: concat!(
        r#"data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"get_tide","args":{"harbour":"Lisvik"}}}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":420,"candidatesTokenCount":12,"totalTokenCount":432,"promptTokensDetails":[{"modality":"TEXT","tokenCount":420}]},"modelVersion":"harbour-pilot-2","responseId":"tide42"}"#,
        "\r\n\r\n"
    ),
};

const COHERE: Told = Told {
    start: concat!(
        "event: message-start\n",
        r#"data: {"id":"c0ffee00-0000-4000-8000-000000000042","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#,
        "\n\n"
    ),
    text: concat!(
        "event: content-start\n",
        r#"data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
        "\n\n"
    ),
    more_text: concat!(
        "event: content-delta\n",
        r#"data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" tomorrow"}}}}"#,
        "\n\n"
    ),
    call: concat!(
        "event: tool-call-start\n",
        r#"data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"get_tide_2","type":"function","function":{"name":"get_tide","arguments":""}}}}}"#,
        "\n\n"
    ),
    more_call: concat!(
        "event: tool-call-delta\n",
        r#"data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"\"harbour\":"}}}}}"#,
        "\n\n"
    ),
};

const OLLAMA: Told = Told {
    start: "",
    text: "",
    more_text: concat!(
        r#"{"model":"harbour-pilot-2","created_at":"2025-10-09T08:54:02.000000Z","message":{"role":"assistant","content":" tomorrow"},"done":false}"#,
        "\n"
    ),
    call: "",
    more_call: concat!(
        r#"{"model":"harbour-pilot-2","created_at":"2025-10-09T08:54:02.000000Z","message":{"role":"assistant","content":"","tool_calls":[{"id":"call_tide2","function":{"index":0,"name":"get_tide","arguments":{"harbour":"Lisvik"}}}]},"done":false}"#,
        "\n"
    ),
};

const RESPONSES: Told = Told {
    start: concat!(
        "event: response.created\n",
        r#"data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_tide42","object":"response","created_at":1760000042,"status":"in_progress","error":null,"incomplete_details":null,"model":"harbour-pilot-2","output":[],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"usage":null}}"#,
        "\n\n"
    ),
    text: concat!(
        "event: response.output_item.added\n",
        r#"data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_tide42","type":"message","status":"in_progress","content":[],"role":"assistant"}}"#,
        "\n\n"
    ),
    more_text: concat!(
        "event: response.output_text.delta\n",
        r#"data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_tide42","output_index":0,"content_index":0,"delta":" tomorrow","logprobs":[],"obfuscation":"kR6vXp0"}"#,
        "\n\n"
    ),
    call: concat!(
        "event: response.output_item.added\n",
        r#"data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"fc_tide2","type":"function_call","status":"in_progress","arguments":"","call_id":"call_tide2","name":"get_tide"}}"#,
        "\n\n"
    ),
    more_call: concat!(
        "event: response.function_call_arguments.delta\n",
        r#"data: {"type":"response.function_call_arguments.delta","sequence_number":4,"item_id":"fc_tide2","output_index":0,"delta":"\"harbour\":","obfuscation":"kR6v"}"#,
        "\n\n"
    ),
};
