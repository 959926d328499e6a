//! Names that a newer release stored and this one does not know: kept as they are, so that the order stays readable.

use std::fmt;

/// The longest name that is kept, in bytes.
const MAX: usize = 32;

/// A stored name of up to 32 bytes, longer ones cut off. It is kept inline, so that the enums that hold it are `Copy`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unrecognized {
    bytes: [u8; MAX],
    length: u8,
}

impl Unrecognized {
    /// Keeps a name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut kept = Self { bytes: [0; MAX], length: 0 };
        for (to, from) in kept.bytes.iter_mut().zip(name.bytes().take(name.floor_char_boundary(MAX))) {
            *to = from;
            kept.length += 1;
        }
        kept
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for Unrecognized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_up_to_the_last_whole_character_of_32_bytes() {
        assert_eq!(Unrecognized::new("on_hold").as_str(), "on_hold");
        assert_eq!(Unrecognized::new(&"ä".repeat(20)).as_str(), "ä".repeat(16));
        assert_eq!(Unrecognized::new(&format!("a{}", "ä".repeat(20))).as_str(), format!("a{}", "ä".repeat(15)));
    }
}
