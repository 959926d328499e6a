//! The query string of `GET /reports/orders`.

use domain::report::{Day, GroupBy};
use domain::use_cases::{MOST_DAYS, ReportRequest};

use super::{ApiRequest, query};
use crate::problem::{Fields, Problem};

impl ApiRequest {
    /// Which report the query string asks for: `from`, `to` and `group_by`, by day unless it says otherwise.
    ///
    /// # Errors
    /// [`crate::problem::Code::InvalidParameter`] naming every parameter that is wrong, missing, unknown or given twice.
    pub fn report_request(&self) -> Result<ReportRequest, Problem> {
        let (mut from, mut to, mut group_by) = (None, None, Some(GroupBy::Day));
        let mut fields = Fields::default();
        let known = |name| self.query().is_some_and(|query| query.first(name).is_some());
        for name in ["from", "to"].into_iter().filter(|name| !known(name)) {
            fields.refuse(format!("?{name}"), "required", "must be given");
        }
        query::read(self.query(), fields, |fields, pointer, name, value| {
            match name {
                "from" => from = fields.check(pointer, Day::parse(value)),
                "to" => to = fields.check(pointer, Day::parse(value)),
                "group_by" => group_by = fields.check(pointer, GroupBy::parse(value)),
                _ => return false,
            }
            true
        })?;
        let mut fields = Fields::default();
        let days = from.zip(to).filter(|(from, to)| (0..MOST_DAYS).contains(&from.until(*to)));
        if days.is_none() {
            fields.refuse("?to", "out_of_range", format!("must be a day from `from` on, of at most {MOST_DAYS} days"));
        }
        query::finish(fields)?;
        match days.zip(group_by) {
            Some(((from, to), group_by)) => Ok(ReportRequest { from, to, group_by }),
            None => Err(Problem::new(crate::problem::Code::InvalidParameter)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn asked(parameters: &[(&str, &str)]) -> Result<ReportRequest, Vec<(String, &'static str)>> {
        let request = testing::attempt("get-report", "lambda", |event| {
            let mut query = serde_json::Map::new();
            for (name, value) in parameters {
                let values = query.entry(*name).or_insert_with(|| serde_json::json!([]));
                values.as_array_mut().unwrap().push((*value).into());
            }
            event["multiValueQueryStringParameters"] = query.into();
            event["queryStringParameters"] = serde_json::Value::Null;
        });
        request
            .report_request()
            .map_err(|problem| problem.field_errors().iter().map(|error| (error.pointer.clone(), error.code)).collect())
    }

    fn refused(pointer: &str, code: &'static str) -> Result<ReportRequest, Vec<(String, &'static str)>> {
        Err(vec![(pointer.to_owned(), code)])
    }

    const YEAR: [(&str, &str); 2] = [("from", "2024-01-01"), ("to", "2024-12-31")];

    #[test]
    fn a_report_is_by_day_unless_the_request_says_otherwise() {
        let year = asked(&YEAR).unwrap();
        assert_eq!((year.from.until(year.to), year.group_by), (365, GroupBy::Day));
        assert_eq!(asked(&[YEAR[0], YEAR[1], ("group_by", "product")]).unwrap().group_by, GroupBy::Product);
        assert!(asked(&[("from", "2024-01-01"), ("to", "2024-01-01")]).is_ok());
    }

    #[test]
    fn a_wrong_missing_or_unknown_parameter_is_named() {
        assert_eq!(asked(&[]), Err(vec![("?from".to_owned(), "required"), ("?to".to_owned(), "required")]));
        assert_eq!(asked(&[("from", "2024-01-01"), ("to", "soon")]), refused("?to", "malformed"));
        assert_eq!(asked(&[YEAR[0], ("to", "2025-01-01")]), refused("?to", "out_of_range"));
        assert_eq!(asked(&[("from", "2024-01-02"), ("to", "2024-01-01")]), refused("?to", "out_of_range"));
        assert_eq!(asked(&[YEAR[0], YEAR[1], ("group_by", "customer")]), refused("?group_by", "unknown_value"));
        assert_eq!(asked(&[YEAR[0], YEAR[1], ("limit", "1")]), refused("?limit", "unknown_parameter"));
        assert_eq!(asked(&[YEAR[0], YEAR[1], YEAR[1]]), refused("?to", "duplicate_parameter"));
    }
}
