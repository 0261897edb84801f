//! Whose a model is, by its id, and what it takes of Converse.
use crate::providers::claude::Model;

/// The maker of a model. A model whose id tells nothing (`arn:…:application-inference-profile/…`)
/// is asked for everything: the server says what it does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Claude(Model),
    /// Amazon's, from the first version or the second one.
    Nova {
        thinks: bool,
    },
    /// OpenAI's open models.
    GptOss,
    Qwen,
    DeepSeek {
        first: bool,
    },
    Mistral {
        schemas: bool,
    },
    Llama,
    Cohere,
    Titan,
    /// Those that take schemas for texts.
    Schemas,
    Other,
}

/// Parts of ids of models that take schemas for texts, and nothing else that others do not.
const SCHEMAS: [&str; 6] =
    ["google.gemma-3", "minimax.", "moonshot", "nvidia.nemotron", "zai.", "writer.palmyra-x5"];

/// Parts of ids of Mistral's models that take schemas for texts.
const MISTRALS: [&str; 4] = ["mistral-large-3", "ministral-3", "magistral", "voxtral"];

impl Family {
    /// Of the model with this id, in whichever form: with a region, or as an ARN.
    pub(super) fn of(id: &str) -> Self {
        let id = id.to_ascii_lowercase();
        let has = |part: &str| id.contains(part);
        if has("claude") {
            Self::Claude(Model::of(&id))
        } else if has("amazon.nova") {
            Self::Nova { thinks: has("nova-2") }
        } else if has("gpt-oss") {
            Self::GptOss
        } else if has("qwen") {
            Self::Qwen
        } else if has("deepseek") {
            Self::DeepSeek { first: has("deepseek.r1") }
        } else if has("mistral.") {
            Self::Mistral { schemas: MISTRALS.iter().any(|part| has(part)) }
        } else if has("meta.llama") {
            Self::Llama
        } else if has("cohere.") {
            Self::Cohere
        } else if has("amazon.titan") {
            Self::Titan
        } else if SCHEMAS.iter().any(|part| has(part)) {
            Self::Schemas
        } else {
            Self::Other
        }
    }

    /// The model, if it is Claude.
    pub(super) const fn claude(self) -> Option<Model> {
        match self {
            Self::Claude(model) => Some(model),
            _ => None,
        }
    }

    /// Whether it takes hints of what is to be kept of a prompt.
    pub(super) const fn caches(self) -> bool {
        matches!(self, Self::Claude(_) | Self::Nova { .. } | Self::Other)
    }

    /// Whether it takes such hints among tools.
    pub(super) const fn caches_tools(self) -> bool {
        matches!(self, Self::Claude(_) | Self::Other)
    }

    /// Whether it takes tools at all.
    pub(super) const fn calls(self) -> bool {
        !matches!(self, Self::Titan | Self::DeepSeek { first: true })
    }

    /// Whether it can be told that it must call a tool.
    pub(super) fn takes_force(self) -> bool {
        match self {
            Self::Claude(model) => model.takes_force(),
            Self::Llama | Self::Cohere => false,
            _ => self.calls(),
        }
    }

    /// Whether it is told which calls of tools failed.
    pub(super) const fn takes_status(self) -> bool {
        matches!(self, Self::Claude(_) | Self::Nova { .. } | Self::Other)
    }

    /// Whether it takes a schema for its text. On Bedrock that began with Claude 4.5.
    pub(super) fn takes_schemas(self) -> bool {
        match self {
            Self::Claude(model) => model.is(405) && model.schemas().is_some(),
            Self::Mistral { schemas } => schemas,
            Self::DeepSeek { first } => !first,
            Self::GptOss | Self::Qwen | Self::Schemas => true,
            _ => false,
        }
    }
}
