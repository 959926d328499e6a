//! What an update writes: the attributes that differ, and nothing else.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ports::Condition;

use super::keys;
use super::record::{FOLLOW_UPS, HISTORY, VERSION};

type Item = HashMap<String, AttributeValue>;

/// The update that turns `before` into `after`. Attributes that neither holds stay as they are, so that an older release
/// does not remove what a newer one added; for the same reason the history is added to, not written anew. Follow-ups and
/// their index keys are written together: a follow-up may have been done, and all three removed, since `before` was read.
pub(super) fn update(
    request: UpdateItemFluentBuilder,
    before: &Item,
    after: Item,
    condition: Condition,
) -> UpdateItemFluentBuilder {
    let Expected { expression, names, values } = expected(before, condition);
    let mut request = request
        .condition_expression(expression)
        .set_expression_attribute_names(Some(names))
        .set_expression_attribute_values(Some(values));
    let mut removed: Vec<&String> = before.keys().filter(|name| !after.contains_key(*name)).collect();
    removed.sort_unstable();
    let has_other_follow_ups = before.get(FOLLOW_UPS) != after.get(FOLLOW_UPS);
    let is_of_follow_ups = |name: &str| [FOLLOW_UPS, keys::FOLLOW_UP, keys::DUE].contains(&name);
    let mut changed: Vec<_> = after
        .into_iter()
        .filter(|(name, value)| before.get(name) != Some(value) || (has_other_follow_ups && is_of_follow_ups(name)))
        .collect();
    changed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut sets = Vec::new();
    for (name, value) in changed {
        let added = before.get(&name).filter(|_| name == HISTORY).and_then(|old| added(old, &value));
        sets.push(match added {
            Some(_) => format!("#{name} = list_append(#{name}, :{name})"),
            None => format!("#{name} = :{name}"),
        });
        request = request
            .expression_attribute_names(format!("#{name}"), &name)
            .expression_attribute_values(format!(":{name}"), added.unwrap_or(value));
    }
    let mut removes = Vec::new();
    for name in removed {
        removes.push(format!("#{name}"));
        request = request.expression_attribute_names(format!("#{name}"), name);
    }
    let clause = |verb: &str, parts: &[String]| match parts {
        [] => String::new(),
        parts => format!("{verb} {} ", parts.join(", ")),
    };
    request.update_expression(format!("{}{}", clause("SET", &sets), clause("REMOVE", &removes)).trim_end())
}

/// The put that turns `before` into `after` and leaves nothing else: of an order that is erased no attribute stays that a
/// newer release added and this one does not know.
pub(super) fn replacement(
    request: PutItemFluentBuilder,
    before: &Item,
    after: Item,
    condition: Condition,
) -> PutItemFluentBuilder {
    let Expected { expression, names, values } = expected(before, condition);
    request
        .set_item(Some(after))
        .condition_expression(expression)
        .set_expression_attribute_names(Some(names))
        .set_expression_attribute_values(Some(values))
}

/// A condition, with what it names.
struct Expected {
    expression: String,
    names: HashMap<String, String>,
    values: Item,
}

fn expected(before: &Item, condition: Condition) -> Expected {
    let attributes: &[&str] = match condition {
        Condition::Version => &[VERSION],
        Condition::VersionAndFollowUps => &[VERSION, FOLLOW_UPS],
    };
    let value = |name: &str| before.get(name).cloned().unwrap_or(AttributeValue::Null(true));
    let expressions: Vec<_> = attributes.iter().map(|name| format!("#{name} = :expected_{name}")).collect();
    Expected {
        expression: expressions.join(" AND "),
        names: attributes.iter().map(|name| (format!("#{name}"), (*name).to_owned())).collect(),
        values: attributes.iter().map(|name| (format!(":expected_{name}"), value(name))).collect(),
    }
}

/// What a list has beyond the old one; `None`: it is not the old one with something added.
fn added(old: &AttributeValue, new: &AttributeValue) -> Option<AttributeValue> {
    let added = new.as_l().ok()?.strip_prefix(old.as_l().ok()?.as_slice())?;
    Some(AttributeValue::L(added.to_vec()))
}
