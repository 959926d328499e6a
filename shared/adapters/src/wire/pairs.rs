//! Pairs of strings of a request; a key that is given twice is an error, which serde's maps pass over.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

/// Pairs with different keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Pairs, A::Error> {
        let mut pairs = BTreeMap::new();
        while let Some(key) = object.next_key::<String>()? {
            let value = object.next_value_seed(Once { is_second: pairs.contains_key(&key) })?;
            pairs.insert(key, value);
        }
        Ok(Pairs(pairs))
    }
}

/// The value of a key. It fails here, within the value, so that the error points at it.
struct Once {
    is_second: bool,
}

impl<'de> DeserializeSeed<'de> for Once {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        if self.is_second {
            return Err(D::Error::custom("duplicate field `key`"));
        }
        String::deserialize(deserializer)
    }
}
