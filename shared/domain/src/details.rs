//! The fields of an order that a client sets and edits as it likes: a new one starts here (CONTRIBUTING.md).

use crate::address::Address;
use crate::field_hash::FieldHash;
use crate::metadata::Metadata;
use crate::text::{ExternalReference, Notes};
use crate::unrecognized::Unrecognized;

/// What a client says of an order besides customer and lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// Where it goes.
    pub shipping_address: Option<Address>,
    /// The caller's own pairs.
    pub metadata: Metadata,
    /// The caller's own reference.
    pub external_reference: Option<ExternalReference>,
    /// Free text.
    pub notes: Option<Notes>,
}

/// What a client wants of each of these fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edit {
    /// Where it goes.
    pub shipping_address: Patch<Address>,
    /// The caller's own pairs, as a whole.
    pub metadata: Patch<Metadata>,
    /// The caller's own reference.
    pub external_reference: Patch<ExternalReference>,
    /// Free text.
    pub notes: Patch<Notes>,
}

/// What a client wants of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Leave it.
    #[default]
    Keep,
    /// Empty it.
    Clear,
    /// Replace it.
    Set(T),
}

impl Details {
    /// Applies an edit; the fields that are different now. Both sides are taken apart, so that a field that is missing
    /// here does not compile.
    pub(crate) fn apply(&mut self, edit: &Edit) -> Vec<Field> {
        let Self { shipping_address, metadata, external_reference, notes } = self;
        let Edit {
            shipping_address: new_address,
            metadata: new_metadata,
            external_reference: new_reference,
            notes: new_notes,
        } = edit;
        let differs = [
            (Field::ShippingAddress, new_address.replace(shipping_address)),
            (Field::Metadata, new_metadata.replace_pairs(metadata)),
            (Field::ExternalReference, new_reference.replace(external_reference)),
            (Field::Notes, new_notes.replace(notes)),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }

    /// Adds every field to the fingerprint of a request. A field that is absent adds nothing, so that a new one leaves
    /// the fingerprints of older requests as they are.
    pub(crate) fn add_to(&self, hash: &mut FieldHash) {
        let Self { shipping_address, metadata, external_reference, notes } = self;
        if let Some(address) = shipping_address {
            hash.address(address);
        }
        for (key, value) in metadata.as_map() {
            hash.field("key", Some(key));
            hash.field("value", Some(value));
        }
        hash.text("reference", external_reference.as_ref());
        hash.text("notes", notes.as_ref());
    }
}

impl<T: PartialEq + Clone> Patch<T> {
    /// Applies the patch to a field that may be absent; whether it is different now.
    fn replace(&self, field: &mut Option<T>) -> bool {
        let wanted = match self {
            Self::Keep => return false,
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        };
        let differs = *field != wanted;
        *field = wanted;
        differs
    }
}

impl Patch<Metadata> {
    /// Applies the patch to metadata, which are never absent but may be empty; whether they are different now.
    fn replace_pairs(&self, pairs: &mut Metadata) -> bool {
        let mut present = Some(pairs.clone());
        self.replace(&mut present);
        let wanted = present.unwrap_or_default();
        let differs = *pairs != wanted;
        *pairs = wanted;
        differs
    }
}

/// A field whose values are not repeated in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `customer`
    Customer,
    /// `lines`
    Lines,
    /// `shipping_address`
    ShippingAddress,
    /// `shipping`
    Shipping,
    /// `metadata`
    Metadata,
    /// `external_reference`
    ExternalReference,
    /// `notes`
    Notes,
    /// A field of a newer release.
    Unrecognized(Unrecognized),
}

impl Field {
    /// Every field of this release.
    pub const ALL: [Self; 7] = [
        Self::Customer,
        Self::Lines,
        Self::ShippingAddress,
        Self::Shipping,
        Self::Metadata,
        Self::ExternalReference,
        Self::Notes,
    ];

    /// The field's name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Customer => "customer",
            Self::Lines => "lines",
            Self::ShippingAddress => "shipping_address",
            Self::Shipping => "shipping",
            Self::Metadata => "metadata",
            Self::ExternalReference => "external_reference",
            Self::Notes => "notes",
            Self::Unrecognized(name) => name.as_str(),
        }
    }

    /// The field that was stored under this name.
    #[must_use]
    pub fn restore(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|field| field.as_str() == name);
        known.unwrap_or_else(|| Self::Unrecognized(Unrecognized::new(name)))
    }
}
