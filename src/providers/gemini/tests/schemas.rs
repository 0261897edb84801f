use crate::providers::gemini::{openapi, schema};
use serde_json::{Value, json};

#[test]
fn googles_schemas_become_json_schema() {
    let googles = json!({
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "nullable": true, "enum": ["a"]},
            "list": {"type": "ARRAY", "min_items": "2", "items": {"any_of": [{"type": "NUMBER"}]}},
        },
        "propertyOrdering": ["type", "list"],
    });
    let expected = json!({
        "type": "object",
        "properties": {
            "type": {"type": ["string", "null"], "enum": ["a", null]},
            "list": {"type": "array", "minItems": 2, "items": {"anyOf": [{"type": "number"}]}},
        },
    });
    assert_eq!(schema::standard(googles), expected);
    assert_eq!(schema::standard(expected.clone()), expected);
}

#[test]
fn old_models_get_references_written_out() {
    let schema = json!({
        "$schema": "x", "type": "object", "additionalProperties": false,
        "properties": {
            "who": {"$ref": "#/$defs/Who", "description": "whose"},
            "age": {"anyOf": [{"type": "integer", "format": "uint"}, {"type": "null"}]},
            "kind": {"enum": ["a", "", null]},
            "any": {"type": ["string", "number"]},
            "list": {"type": "array", "minItems": 1},
        },
        "required": ["who", "nobody"],
        "$defs": {"Who": {"type": "object", "properties": {
            "name": {"type": "string"}, "of": {"$ref": "#/$defs/Who"},
        }}},
    });
    assert_eq!(
        openapi::old(&schema),
        json!({
            "type": "OBJECT",
            "properties": {
                "who": {
                    "type": "OBJECT", "description": "whose",
                    "properties": {"name": {"type": "STRING"}, "of": {"type": "OBJECT"}},
                },
                "age": {"type": "INTEGER", "nullable": true},
                "kind": {"type": "STRING", "enum": ["a"]},
                "any": {"anyOf": [{"type": "STRING"}, {"type": "NUMBER"}]},
                "list": {"type": "ARRAY", "minItems": "1", "items": {"type": "STRING"}},
            },
            "required": ["who"],
        })
    );
}

#[test]
fn references_do_not_multiply_without_end() {
    let double = |next: usize| {
        let next = json!({"$ref": format!("#/$defs/d{next}")});
        json!({"type": "object", "description": "d".repeat(500), "properties": {"a": next, "b": next}})
    };
    let all: serde_json::Map<String, Value> =
        (0..40).map(|at| (format!("d{at}"), double(at + 1))).collect();
    let bomb = json!({"$defs": all, "$ref": "#/$defs/d0"});
    assert!(openapi::old(&bomb).to_string().len() < 1_000_000);
}
