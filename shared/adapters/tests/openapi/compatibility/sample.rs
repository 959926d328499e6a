//! A document that the tests change.

use serde_json::{Value, json};

/// A small document with one of everything.
pub fn document() -> Value {
    json!({
        "paths": { "/things/{id}": { "put": {
            "operationId": "put_thing",
            "security": [{ "bearer": ["things:write"] }],
            "parameters": [
                { "$ref": "#/components/parameters/id" },
                { "name": "limit", "in": "query", "schema": { "type": "integer", "minimum": 1, "maximum": 100, "default": 25 } },
            ],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/NewThing" } } } },
            "responses": {
                "200": {
                    "headers": { "ETag": { "required": true, "schema": { "type": "string" } } },
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } },
                },
                "409": { "content": { "application/problem+json": { "schema": { "allOf": [
                    { "$ref": "#/components/schemas/Problem" },
                    { "properties": { "code": { "enum": ["conflict", "closed"] } } },
                ] } } } },
            },
        } } },
        "components": {
            "parameters": { "id": { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } } },
            "schemas": {
                "NewThing": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["name"],
                    "properties": {
                        "name": { "type": "string", "minLength": 1, "maxLength": 10, "pattern": "^a" },
                        "size": { "type": "number" },
                        "kind": { "enum": ["big", "small"] },
                        "notes": { "type": ["string", "null"] },
                        "owner": { "anyOf": [{ "$ref": "#/components/schemas/Owner" }, { "type": "null" }] },
                        "pairs": {
                            "type": "object",
                            "additionalProperties": { "type": "string", "maxLength": 5 },
                            "propertyNames": { "maxLength": 40 },
                        },
                        "bag": { "type": "object" },
                        "tags": { "type": "array", "uniqueItems": true },
                        "list": { "type": "array" },
                    },
                },
                "Thing": {
                    "type": "object",
                    "required": ["name", "kind", "parts"],
                    "properties": {
                        "name": { "type": "string" },
                        "kind": { "type": "string", "enum": ["big", "small"] },
                        "codes": { "type": "array", "items": { "type": "string" }, "uniqueItems": true },
                        "word": { "type": "string", "not": { "enum": ["no"] } },
                        "parts": { "type": "array", "items": { "type": "object", "properties": { "count": { "type": "integer" } } } },
                    },
                },
                "Owner": { "type": "object", "properties": { "id": { "type": "string" } } },
                "Problem": { "type": "object", "required": ["code"], "properties": { "code": { "type": "string" } } },
            },
        },
    })
}
