//! Money: integer minor units of one currency, with checked arithmetic.

use std::fmt;

use crate::invalid::{Invalid, InvalidCode};
use crate::quantity::Quantity;

/// The active ISO 4217 currency codes.
const CURRENCIES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP \
BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ \
GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD \
MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR \
RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH \
UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Parses an active ISO 4217 code in upper case.
    ///
    /// # Errors
    /// [`InvalidCode::Unknown`] for anything else.
    pub fn parse(code: &str) -> Result<Self, Invalid> {
        let known = CURRENCIES.split(' ').find(|known| *known == code);
        known
            .and_then(|code| code.as_bytes().try_into().ok())
            .map(Self)
            .ok_or_else(|| Invalid::new(InvalidCode::Unknown, "must be an ISO 4217 currency code"))
    }

    /// A code as it was stored, also one that is no longer active.
    ///
    /// # Errors
    /// [`InvalidCode::Malformed`] for anything but three upper-case letters.
    pub fn restore(code: &str) -> Result<Self, Invalid> {
        let letters: Option<[u8; 3]> = code.as_bytes().try_into().ok();
        letters
            .filter(|letters| letters.iter().all(u8::is_ascii_uppercase))
            .map(Self)
            .ok_or_else(|| Invalid::new(InvalidCode::Malformed, "must be three upper-case letters"))
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in minor units (cents) of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    amount: i64,
    currency: Currency,
}

/// Why two amounts could not be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The amounts are of two currencies.
    #[error("two currencies in one sum")]
    CurrencyMismatch,
    /// The result does not fit 64 bits.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// `amount` minor units of `currency`.
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn amount(self) -> i64 {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError`] for two currencies or a sum beyond 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The price of `quantity` units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for a product beyond 64 bits.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_mul(i64::from(quantity.get())).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::parse("EUR").unwrap())
    }

    #[test]
    fn only_active_upper_case_codes_are_currencies() {
        for bad in ["", "eur", "EURO", "XXX", "E R", "EUR USD"] {
            assert!(Currency::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Currency::parse("JPY").unwrap().as_str(), "JPY");
    }

    #[test]
    fn two_currencies_never_add_up() {
        let usd = Money::new(1, Currency::parse("USD").unwrap());
        assert_eq!(eur(1).plus(usd), Err(MoneyError::CurrencyMismatch));
    }

    proptest! {
        #[test]
        fn addition_agrees_with_128_bit_arithmetic_or_overflows(a: i64, b: i64) {
            let exact = i128::from(a) + i128::from(b);
            match eur(a).plus(eur(b)) {
                Ok(sum) => prop_assert_eq!(i128::from(sum.amount()), exact),
                Err(error) => {
                    prop_assert_eq!(error, MoneyError::Overflow);
                    prop_assert!(i64::try_from(exact).is_err());
                }
            }
        }

        #[test]
        fn multiplication_agrees_with_128_bit_arithmetic_or_overflows(a: i64, n in 1u32..=10_000) {
            let exact = i128::from(a) * i128::from(n);
            match eur(a).times(Quantity::new(n).unwrap()) {
                Ok(product) => prop_assert_eq!(i128::from(product.amount()), exact),
                Err(_) => prop_assert!(i64::try_from(exact).is_err()),
            }
        }

        #[test]
        fn a_price_times_a_quantity_is_the_sum_of_its_units(a in -1_000_000i64..1_000_000, n in 1u32..50) {
            let sum = (1..n).try_fold(eur(a), |sum, _| sum.plus(eur(a))).unwrap();
            prop_assert_eq!(eur(a).times(Quantity::new(n).unwrap()).unwrap(), sum);
        }
    }
}
