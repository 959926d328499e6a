//! Two schemas: whether what was valid still is, in requests; and whether what is valid now was before, in answers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Who writes the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The client writes it: every old value must still be accepted.
    Request,
    /// The client reads it: it must understand every new value. Members and enum values may be added: clients are told
    /// to ignore what they do not know.
    Answer,
}

/// The documents that the schemas refer to.
#[derive(Clone, Copy)]
pub struct Schemas<'a> {
    pub old: &'a Value,
    pub new: &'a Value,
}

const UPPER_BOUNDS: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
const LOWER_BOUNDS: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
/// Rules that either are the same or refuse something.
const FORMS: [&str; 5] = ["pattern", "format", "multipleOf", "uniqueItems", "not"];
/// Schemas of the values within; where there is none, any value is valid.
const INNER: [&str; 3] = ["items", "additionalProperties", "propertyNames"];
/// What the other comparisons look at.
const STRUCTURE: [&str; 7] = ["type", "enum", "const", "properties", "required", "anyOf", "oneOf"];
/// What says nothing of a value.
const ANNOTATIONS: [&str; 5] = ["title", "description", "examples", "deprecated", "$comment"];

impl Schemas<'_> {
    pub fn compare(self, at: &str, direction: Direction, old: &Value, new: &Value, found: &mut Vec<String>) {
        let (old, new) = (flat(self.old, old), flat(self.new, new));
        // Every value of `from` must be one of `to`.
        let (from, to) = match direction {
            Direction::Request => (&old, &new),
            Direction::Answer => (&new, &old),
        };
        found.extend(widened(from, to).into_iter().map(|what| format!("{at}: {what}")));
        found.extend(lost_values(direction, &old, &new).into_iter().map(|what| format!("{at}: {what}")));
        found.extend(changed(&old, &new).into_iter().map(|what| format!("{at}: {what}")));
        self.members(at, direction, &old, &new, found);
        for inner in INNER {
            self.inner(inner, at, direction, (&old, &new), found);
        }
        self.alternatives(at, direction, &old, &new, found);
    }

    /// The schemas of the values within an array or a map.
    fn inner(self, name: &str, at: &str, direction: Direction, (old, new): (&Value, &Value), found: &mut Vec<String>) {
        let of =
            |schema: &Value| schema.get(name).filter(|inner| **inner != true).cloned().unwrap_or_else(|| json!({}));
        if old.get(name).is_none() && new.get(name).is_none() {
            return;
        }
        let (old, new, at) = (of(old), of(new), format!("{at}/{name}"));
        match (old == false, new == false) {
            (false, false) => self.compare(&at, direction, &old, &new, found),
            (true, true) => {}
            // See `members`.
            _ if name == "additionalProperties" => {}
            _ => found.push(format!("{at}: refuses every value on one side only")),
        }
    }

    fn members(self, at: &str, direction: Direction, old: &Value, new: &Value, found: &mut Vec<String>) {
        for (name, old_member) in old["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            match new["properties"].get(name) {
                None => found.push(format!("{at}: is gone")),
                Some(new) => self.compare(&at, direction, old_member, new, found),
            }
        }
        let (more, what) = match direction {
            Direction::Request => (required_only(new, old), "is required now"),
            Direction::Answer => (required_only(old, new), "is optional now"),
        };
        found.extend(more.into_iter().map(|name| format!("{at}/{name}: {what}")));
        if direction == Direction::Request
            && new["additionalProperties"] == false
            && old["additionalProperties"] != false
        {
            found.push(format!("{at}: refuses other members now"));
        }
    }

    fn alternatives(self, at: &str, direction: Direction, old: &Value, new: &Value, found: &mut Vec<String>) {
        let of = |document: &Value, schema: &Value| -> Vec<Value> {
            let choices = schema["anyOf"].as_array().or(schema["oneOf"].as_array()).into_iter().flatten();
            choices.map(|choice| flat(document, choice)).filter(|choice| choice["type"] != "null").collect()
        };
        let (old, new) = (of(self.old, old), of(self.new, new));
        if old.len() != new.len() {
            found.push(format!("{at}: has other alternatives"));
        }
        for (old, new) in old.iter().zip(&new) {
            self.compare(at, direction, old, new, found);
        }
    }
}

/// The names that are required in the first schema and not in the second.
fn required_only(first: &Value, second: &Value) -> Vec<String> {
    let names = |schema: &Value| -> Vec<String> {
        schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let other = names(second);
    names(first).into_iter().filter(|name| !other.contains(name)).collect()
}

/// How some value of `from` is none of `to`.
fn widened(from: &Value, to: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (from_types, to_types) = (types(from), types(to));
    let is_known =
        |name: &String| to_types.contains(name) || name == "integer" && to_types.contains(&"number".to_owned());
    if !to_types.is_empty() && (from_types.is_empty() || !from_types.iter().all(is_known)) {
        found.push(format!("the type is {from_types:?} on one side and {to_types:?} on the other"));
    }
    for bound in UPPER_BOUNDS.into_iter().chain(LOWER_BOUNDS) {
        let is_upper = UPPER_BOUNDS.contains(&bound);
        let crosses = |from: f64, to: f64| if is_upper { from > to } else { from < to };
        let to_bound = to[bound].as_f64();
        if to_bound.is_some_and(|to| from[bound].as_f64().is_none_or(|from| crosses(from, to))) {
            found.push(format!("{bound} is {} on one side and {} on the other", from[bound], to[bound]));
        }
    }
    for form in FORMS {
        if !to[form].is_null() && from[form] != to[form] {
            found.push(format!("{form} is {} on one side and {} on the other", from[form], to[form]));
        }
    }
    found
}

/// Keywords that must stay: a default, and those that are not known here, which may mean anything.
fn changed(old: &Value, new: &Value) -> Vec<String> {
    let understood = [&UPPER_BOUNDS[..], &LOWER_BOUNDS, &FORMS, &INNER, &STRUCTURE, &ANNOTATIONS].concat();
    let names = [old, new].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let names: BTreeSet<&str> = names.map(String::as_str).filter(|name| !understood.contains(name)).collect();
    let changed = names.into_iter().filter(|name| old[name] != new[name]);
    changed.map(|name| format!("{name} was {} and is {}", old[name], new[name])).collect()
}

/// Values that are no longer accepted, or no longer sent.
fn lost_values(direction: Direction, old: &Value, new: &Value) -> Vec<String> {
    match (values(old), values(new)) {
        (None, None) => Vec::new(),
        (None, Some(_)) if direction == Direction::Answer => Vec::new(),
        (None, Some(_)) => vec!["accepts only some values now".to_owned()],
        (Some(_), None) if direction == Direction::Request => Vec::new(),
        (Some(_), None) => vec!["may be any value now".to_owned()],
        (Some(old), Some(new)) => {
            old.iter().filter(|value| !new.contains(value)).map(|value| format!("the value {value} is gone")).collect()
        }
    }
}

fn values(schema: &Value) -> Option<Vec<Value>> {
    let constant = schema.get("const").map(|value| vec![value.clone()]);
    constant.or_else(|| schema["enum"].as_array().cloned())
}

/// The types that a value may have, those of alternatives included; none: any.
fn types(schema: &Value) -> Vec<String> {
    let names = |value: &Value| -> Vec<String> {
        match value {
            Value::String(name) => vec![name.clone()],
            Value::Array(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
            _ => Vec::new(),
        }
    };
    let own = names(&schema["type"]);
    let choices = schema["anyOf"].as_array().or(schema["oneOf"].as_array()).into_iter().flatten();
    if own.is_empty() { choices.flat_map(|choice| names(&choice["type"])).collect() } else { own }
}

/// What a reference stands for.
pub fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        None => value,
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            resolved(document, document.pointer(pointer).unwrap_or_else(|| panic!("{reference} names nothing")))
        }
    }
}

/// A schema without references at its top, and with its `allOf` merged: what comes later replaces.
fn flat(document: &Value, schema: &Value) -> Value {
    let schema = resolved(document, schema);
    let Some(members) = schema.as_object() else { return schema.clone() };
    let mut merged = Map::new();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        merge(&mut merged, flat(document, part).as_object().unwrap());
    }
    merge(
        &mut merged,
        &members.iter().filter(|(name, _)| *name != "allOf").map(|(k, v)| (k.clone(), v.clone())).collect(),
    );
    for choices in ["anyOf", "oneOf"] {
        for choice in merged.get_mut(choices).and_then(Value::as_array_mut).into_iter().flatten() {
            *choice = flat(document, choice);
        }
    }
    merged.into()
}

fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from {
        match (name.as_str(), into.get_mut(name)) {
            ("properties", Some(Value::Object(present))) => present.extend(value.as_object().unwrap().clone()),
            ("required", Some(Value::Array(present))) => present.extend(value.as_array().unwrap().clone()),
            _ => drop(into.insert(name.clone(), value.clone())),
        }
    }
    into.remove("description");
    into.entry("properties").or_insert_with(|| json!({}));
}
