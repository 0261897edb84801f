//! What the OpenAI, Anthropic and Gemini wires say, learned without touching their bytes.
pub mod scan;
pub mod splice;
pub mod sse;
pub mod tap;
