//! What orders add up to.

/// What orders add up to. Of a difference, members may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// How many orders.
    pub orders: i64,
    /// How many units.
    pub items: i64,
    /// Minor units of one currency. Many orders may be worth more than one order can.
    pub value: i128,
    /// How many of the orders are canceled.
    pub canceled: i64,
    /// From creation until the order was shipped.
    pub shipped: Times,
    /// From creation until the order was delivered.
    pub delivered: Times,
}

/// A time that some of the orders took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// How many of the orders.
    pub orders: i64,
    /// In milliseconds, together.
    pub millis: i64,
}

impl Sums {
    /// The members one after the other, as a store keeps them.
    #[must_use]
    pub fn to_parts(self) -> [i128; 8] {
        let Self { orders, items, value, canceled, shipped, delivered } = self;
        [
            orders.into(),
            items.into(),
            value,
            canceled.into(),
            shipped.orders.into(),
            shipped.millis.into(),
            delivered.orders.into(),
            delivered.millis.into(),
        ]
    }

    /// The sums of these members; `None` when one is beyond what it can be.
    #[must_use]
    pub fn from_parts(
        [orders, items, value, canceled, shipped, to_shipped, delivered, to_delivered]: [i128; 8],
    ) -> Option<Self> {
        let times = |orders: i128, millis: i128| {
            Some(Times { orders: orders.try_into().ok()?, millis: millis.try_into().ok()? })
        };
        Some(Self {
            orders: orders.try_into().ok()?,
            items: items.try_into().ok()?,
            value,
            canceled: canceled.try_into().ok()?,
            shipped: times(shipped, to_shipped)?,
            delivered: times(delivered, to_delivered)?,
        })
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            orders: self.orders + other.orders,
            items: self.items + other.items,
            value: self.value + other.value,
            canceled: self.canceled + other.canceled,
            shipped: self.shipped.plus(other.shipped),
            delivered: self.delivered.plus(other.delivered),
        }
    }

    /// What these have more than `other`.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        self.plus(Self {
            orders: -other.orders,
            items: -other.items,
            value: -other.value,
            canceled: -other.canceled,
            shipped: other.shipped.negative(),
            delivered: other.delivered.negative(),
        })
    }
}

impl Times {
    const fn plus(self, other: Self) -> Self {
        Self { orders: self.orders + other.orders, millis: self.millis + other.millis }
    }

    const fn negative(self) -> Self {
        Self { orders: -self.orders, millis: -self.millis }
    }

    /// The average in seconds; `None` of no orders.
    #[must_use]
    pub const fn average_seconds(self) -> Option<i64> {
        if self.orders > 0 { Some(self.millis / self.orders / 1_000) } else { None }
    }
}
