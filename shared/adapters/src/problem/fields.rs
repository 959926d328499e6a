//! The fields of a request that are wrong, all of them at once.

use domain::invalid::Invalid;

use super::{Code, FieldError, Problem};

/// Collects what is wrong with the fields of a request, so that the client hears all of it at once.
#[derive(Debug, Default)]
pub struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// The parsed value, or `None` and one more error.
    pub fn check<T>(&mut self, pointer: impl Into<String>, parsed: Result<T, Invalid>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(Invalid { code, detail }) => {
                self.errors.push(FieldError { pointer: pointer.into(), code: code.as_str(), detail });
                None
            }
        }
    }

    /// The parsed value of a field that may be absent.
    pub fn optional<R, T>(
        &mut self,
        pointer: impl Into<String>,
        raw: Option<R>,
        parse: impl FnOnce(R) -> Result<T, Invalid>,
    ) -> Option<T> {
        raw.and_then(|raw| self.check(pointer, parse(raw)))
    }

    /// Notes a field that is wrong.
    pub fn refuse(&mut self, pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        self.errors.push(FieldError { pointer: pointer.into(), code, detail: detail.into() });
    }

    /// The errors collected.
    #[must_use]
    pub fn into_errors(self) -> Vec<FieldError> {
        self.errors
    }

    /// What was built from the checked fields, unless one of them is wrong.
    ///
    /// # Errors
    /// [`Code::ValidationFailed`] with every error collected.
    pub fn finish<T>(self, built: Option<T>) -> Result<T, Problem> {
        match built {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Problem::new(Code::ValidationFailed).errors(self.errors)),
        }
    }
}
