//! Enums of the service, which may grow.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Move;

/// An enum of texts that keeps a text it does not know.
macro_rules! open_enum {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$note])* $variant,)+
            /// One that this release of the client does not know.
            Other(String),
        }

        impl $name {
            /// The value as the service writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

open_enum! {
    /// Where an order stands.
    Status {
        /// Accepted, and not yet confirmed with a partner.
        Pending = "pending",
        /// Confirmed and priced.
        Confirmed = "confirmed",
        /// Being prepared for shipment.
        Processing = "processing",
        /// On its way.
        Shipped = "shipped",
        /// Arrived. Final.
        Delivered = "delivered",
        /// Canceled by the customer, the storefront or the service. Final.
        Canceled = "canceled",
    }
}

open_enum! {
    /// What the inventory service holds for an order.
    Inventory {
        /// Nothing is reserved yet.
        Unconfirmed = "unconfirmed",
        /// The lines are reserved.
        Reserved = "reserved",
        /// The reservation will be released.
        ReleasePending = "release_pending",
        /// The reservation is released.
        Released = "released",
    }
}

open_enum! {
    /// What the orders of a group of a report have in common.
    GroupBy {
        /// The day on which they were placed, in UTC.
        Day = "day",
        /// Their status.
        Status = "status",
        /// The currency of their prices.
        Currency = "currency",
        /// A product; an order is in the group of each of its products.
        Product = "product",
    }
}

open_enum! {
    /// Whether an export is still written.
    ExportStatus {
        /// It is being written.
        Running = "running",
        /// The file is there.
        Succeeded = "succeeded",
        /// There will be no file.
        Failed = "failed",
    }
}

open_enum! {
    /// How the file of an export is written.
    ExportFormat {
        /// One order a line, as JSON.
        JsonLines = "jsonl",
        /// A table, one row an order.
        Csv = "csv",
    }
}

impl Status {
    /// The move to this status.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Move {
        Move { status: self, reason: Some(reason.into()) }
    }
}
