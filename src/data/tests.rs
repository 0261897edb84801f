use super::*;
use bartizan_layers::facts::{Rates, Unit};
use proptest::prelude::*;
use std::collections::HashSet;

#[test]
fn rows_are_sorted_unique_and_found_by_name() {
    assert!(providers().is_sorted_by(|left, right| left.name < right.name));
    for row in providers() {
        assert_eq!(provider(row.name).expect("a row").name, row.name);
    }
    assert!(provider("nobody").is_none());
}

#[test]
fn every_url_of_a_row_parses_and_has_no_slash_at_its_end() {
    for row in providers() {
        let own = row.own_base(|_| Some("account".to_owned())).expect("an account");
        for url in [Some(&*own), row.openai_base].into_iter().flatten() {
            if url.is_empty() {
                continue;
            }
            let uri: http::Uri = url.parse().expect(url);
            assert!(uri.host().is_some() && uri.scheme().is_some(), "{url}");
            assert!(!url.ends_with('/'), "{url}");
        }
    }
}

#[test]
fn variables_of_a_row_are_upper_case() {
    let variables = providers().iter().flat_map(|row| row.key_env.iter().chain(row.base_env));
    // But for one that some deployments of LiteLLM have.
    for name in variables.filter(|name| **name != "litellm.apiKey") {
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        assert!(name.chars().all(fits), "{name}");
    }
}

#[test]
fn what_a_row_changes_in_requests_is_documented() {
    let page = include_str!("../../docs/dialects.md");
    let quirks = || providers().iter().flat_map(|row| row.quirks);
    let renamed = quirks().flat_map(|it| it.renames.iter().chain(it.roles));
    let renamed = renamed.flat_map(|(theirs, here)| [*theirs, here]);
    let spelled =
        quirks().flat_map(|it| it.respells).flat_map(|(name, one, here)| [*name, one, here]);
    let refused = quirks().flat_map(|it| it.refuses).map(|(name, _)| *name);
    let left_out = quirks().flat_map(|it| it.ignores.iter().chain(it.strips)).copied();
    for name in renamed.chain(spelled).chain(refused).chain(left_out) {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn a_remote_provider_needs_a_key() {
    // Without one, requests to AWS are signed.
    let remote = |row: &&Provider| row.base.starts_with("https") && row.wire != Wire::Converse;
    for row in providers().iter().filter(remote) {
        assert!(!row.key_optional && !row.key_env.is_empty(), "{}", row.name);
    }
}

#[test]
fn titles_follow_the_names() {
    // Bedrock has two rows, and two words of the others are written as one.
    let others = ["openai", "bedrock_converse", "vertex_ai"];
    for row in providers().iter().filter(|row| !others.contains(&row.name)) {
        assert_eq!(row.title.to_lowercase(), row.name);
        assert!(row.title.starts_with(|c: char| c.is_ascii_uppercase()), "{}", row.title);
    }
    assert_eq!(provider("openai").expect("a row").title, "OpenAI");
}

#[test]
fn the_catalogue_names_its_source_and_licence() {
    let title = catalogue_title();
    assert!(title.starts_with("Bartizan model catalogue 1; from litellm 1."), "{title}");
    assert!(title.ends_with("licence MIT"), "{title}");
}

#[test]
fn every_entry_decodes_and_finds_itself() {
    let mut count = 0;
    let mut last = "";
    for record in catalogue::records() {
        let found = record.model();
        assert!(last < found.name, "{last} before {}", found.name);
        last = found.name;
        assert_eq!(model(found.name).as_ref(), Some(&found));
        assert!(words::PROVIDERS.contains(&found.provider) && words::MODES.contains(&found.mode));
        assert!(found.price.tiers.iter().all(|(tokens, _)| *tokens >= 1000), "{found:?}");
        count += 1;
    }
    assert!(count > 4000, "{count} entries");
}

#[test]
fn gpt_4o_is_known() {
    let found = model("gpt-4o").expect("in the catalogue");
    assert_eq!((found.provider, found.mode), ("openai", "chat"));
    assert_eq!((found.max_input_tokens, found.max_output_tokens), (Some(128_000), Some(16_384)));
    let base = Rates::tokens(2_500_000, 10_000_000).with(Unit::CacheRead, 1_250_000);
    assert_eq!(found.price, Price::flat(base));
    assert!(found.supports.has("function_calling") && found.supports.has("vision"));
    assert!(!found.supports.has("reasoning") && !found.supports.has("nothing"));
    assert!(found.supports.iter().any(|ability| ability == "tool_choice"));
}

#[test]
fn claude_charges_for_writing_to_its_cache() {
    let found = model("claude-sonnet-4-5").expect("in the catalogue");
    assert_eq!(found.provider, "anthropic");
    assert_eq!(
        (found.price.base.rate(Unit::Input), found.price.base.rate(Unit::Output)),
        (3_000_000, 15_000_000)
    );
    assert_eq!(found.price.base.get(Unit::CacheRead), Some(300_000));
    assert_eq!(found.price.base.get(Unit::CacheWrite), Some(3_750_000));
}

#[test]
fn gemini_charges_more_for_long_prompts() {
    let found = model("gemini/gemini-2.5-pro").expect("in the catalogue");
    assert_eq!(found.provider, "gemini");
    assert_eq!(
        (found.price.base.rate(Unit::Input), found.price.base.rate(Unit::Output)),
        (1_250_000, 10_000_000)
    );
    let (threshold, above) = found.price.tiers.first().expect("a second tier");
    assert_eq!(*threshold, 200_000);
    assert_eq!((above.rate(Unit::Input), above.rate(Unit::Output)), (2_500_000, 15_000_000));
    assert_eq!(above.get(Unit::CacheRead), Some(250_000));
}

#[test]
fn tiers_by_range_become_base_and_second_tier() {
    let price = model("dashscope/qwen-flash").expect("in the catalogue").price;
    assert_eq!((price.base.rate(Unit::Input), price.base.rate(Unit::Output)), (50_000, 400_000));
    let (threshold, above) = price.tiers.first().expect("a second tier");
    assert_eq!(
        (*threshold, above.rate(Unit::Input), above.rate(Unit::Output)),
        (256_000, 250_000, 2_000_000)
    );
}

#[test]
fn cached_input_of_deepseek_and_embeddings_have_prices() {
    let deepseek = model("deepseek/deepseek-chat").expect("in the catalogue").price.base;
    assert_eq!(
        (deepseek.rate(Unit::Input), deepseek.get(Unit::CacheRead)),
        (280_000, Some(28_000))
    );
    let embedding = model("text-embedding-3-small").expect("in the catalogue");
    assert_eq!((embedding.mode, embedding.price.base.rate(Unit::Input)), ("embedding", 20_000));
}

#[test]
fn images_have_prices_by_size_and_quality_or_by_pixel() {
    let image = |name| model(name).and_then(|found| found.image);
    let each = |picodollars| Some(ImagePrice::Each(picodollars));
    assert_eq!(image("openai/dall-e-3"), each(40_000_000_000));
    // 3.81469e-8 dollars for each of 1024 x 1024 pixels.
    assert_eq!(image("standard/1024-x-1024/dall-e-3"), each(39_999_923_814));
    assert_eq!(image("openai/hd/1024-x-1792/dall-e-3"), each(119_991_173_120));
    assert_eq!(image("azure/hd/1024-x-1024/dall-e-3"), each(87_999_958_221));
    assert_eq!(image("nscale/black-forest-labs/FLUX.1-schnell"), Some(ImagePrice::of_pixel(1_300)));
    assert_eq!(image("gpt-image-1"), None);
    assert_eq!(image("gpt-4o"), None);
}

#[test]
fn models_that_make_images_have_prices_of_image_tokens() {
    let price = model("gpt-image-1").expect("in the catalogue").price.base;
    assert_eq!(price.get(Unit::ImageInput), Some(10_000_000));
    // It writes nothing else.
    assert_eq!((price.rate(Unit::ImageOutput), price.rate(Unit::Output)), (40_000_000, 40_000_000));
    let price = model("gpt-image-1.5").expect("in the catalogue").price.base;
    assert_eq!((price.rate(Unit::ImageOutput), price.rate(Unit::Output)), (32_000_000, 10_000_000));
}

#[test]
fn a_name_is_found_with_its_provider_its_date_and_its_tuning() {
    let name = |name| model(name).map(|found| found.name);
    assert_eq!(name("openai/gpt-4o"), Some("gpt-4o"));
    assert_eq!(name("anthropic/claude-sonnet-4-5"), Some("claude-sonnet-4-5"));
    assert_eq!(name("groq/gpt-4o"), None);
    assert_eq!(name("gpt-4o-2031-01-02"), Some("gpt-4o"));
    assert_eq!(name("openai/gpt-4o-20310102"), Some("gpt-4o"));
    assert_eq!(name("ft:gpt-4o:acme::x1"), Some("gpt-4o"));
    assert_eq!(name("ft:gpt-4o-2031-01-02:acme::x1"), Some("gpt-4o"));
    assert_eq!(name("no-such-model"), None);
}

#[test]
fn a_tuned_model_has_the_price_of_its_tuned_base() {
    let found = model("ft:gpt-4o-mini-2024-07-18:acme::x1").expect("in the catalogue");
    assert_eq!(found.name, "ft:gpt-4o-mini-2024-07-18");
}

#[test]
fn bare_names_imply_a_provider() {
    for (name, wanted) in [
        ("gpt-4o", "openai"),
        ("gpt-99-turbo", "openai"),
        ("o1-mini", "openai"),
        ("o3", "openai"),
        ("chatgpt-4o-latest", "openai"),
        ("text-embedding-3-large", "openai"),
        ("dall-e-3", "openai"),
        ("whisper-1", "openai"),
        ("tts-1-hd", "openai"),
        ("ft:gpt-4o:acme::x1", "openai"),
        ("claude-opus-4", "anthropic"),
        ("claude-next-20310101", "anthropic"),
        ("gemini-2.5-pro", "gemini"),
        ("command-r-plus", "cohere_chat"),
        ("grok-4", "xai"),
        ("deepseek-chat", "deepseek"),
        ("deepseek-reasoner", "deepseek"),
    ] {
        assert_eq!(provider_of_model(name), Some(wanted), "{name}");
    }
    assert_eq!(provider_of_model("llama3"), None);
    assert_eq!(provider_of_model("gpt-oss-120b"), None);
    assert_eq!(provider_of_model("groq/gpt-4o"), None);
}

#[test]
fn a_host_tells_the_provider() {
    assert_eq!(provider_of_host("api.openai.com"), Some("openai"));
    assert_eq!(provider_of_host("API.GROQ.com"), Some("groq"));
    assert_eq!(provider_of_host("api.anthropic.com"), Some("anthropic"));
    assert_eq!(provider_of_host("generativelanguage.googleapis.com"), Some("gemini"));
    assert_eq!(provider_of_host("api.together.ai"), Some("together_ai"));
    assert_eq!(provider_of_host("localhost"), None);
    assert_eq!(provider_of_host("127.0.0.1"), None);
    assert_eq!(provider_of_host(""), None);
}

#[test]
fn models_of_a_provider_are_bare_and_unique() {
    for row in ["openai", "anthropic", "groq", "gemini", "deepseek", "mistral"] {
        let names: Vec<_> = models_of(row).collect();
        assert!(!names.is_empty(), "{row}");
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{row}");
        assert!(names.iter().all(|name| !name.starts_with(&format!("{row}/"))), "{row}");
    }
    assert!(models_of("openai").any(|name| name == "gpt-4o"));
    assert!(models_of("openai").all(|name| !name.starts_with("ft:")));
    assert!(models_of("deepseek").any(|name| name == "deepseek-chat"));
    assert_eq!(models_of("nobody").count(), 0);
}

proptest! {
    #[test]
    fn no_name_makes_a_lookup_panic(name in ".{0,40}", date in "-?[0-9é-]{0,12}") {
        let (tuned, owned) = (format!("ft:{name}{date}"), format!("openai/{name}{date}"));
        for name in [name, tuned, owned, date] {
            let found = model(&name).map(|found| found.name.len());
            prop_assert!(found.is_none_or(|length| length <= name.len() + "text-completion-openai/".len()));
            prop_assert!(provider(&name).is_none_or(|row| row.name == name));
            prop_assert!(provider_of_host(&name).is_none_or(|_| name.contains('.')));
            prop_assert!(provider_of_model(&name).is_none_or(|_| !name.contains('/')));
            prop_assert!(models_of(&name).all(|bare| !bare.is_empty()));
        }
    }
}
