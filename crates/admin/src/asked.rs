//! The query of a management request: each name known, each value read or refused by name.

use std::collections::BTreeMap;

use axum::extract::Query;
use http::Uri;
use tollgate_faults::{Reason, Refusal};

use crate::problem::{echo, missing, wrong};
use crate::shape::{Field, Kind, Shape};

/// What a query asks for. A name without a value counts as absent.
#[derive(Debug)]
pub(crate) struct Asked(BTreeMap<String, String>);

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its number, from one.
    pub(crate) number: u32,
    /// Most entries of it.
    pub(crate) size: u32,
}

impl Asked {
    /// # Errors
    /// Refused when the query cannot be read, when a name is none of the shape's, because a filter
    /// that is passed over shows too much, and when one is missing.
    pub(crate) fn read(uri: &Uri, shape: &Shape, path: &[(&str, &str)]) -> Result<Self, Refusal> {
        let Query(map) = Query::<BTreeMap<String, String>>::try_from_uri(uri)
            .map_err(|problem| Refusal::new(Reason::BodyMalformed, problem.body_text()))?;
        let named = path.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let asked = map.into_iter().filter(|(_, value)| !value.is_empty()).chain(named);
        let asked = Self(asked.collect());
        let asks =
            |(name, value): &(&String, &String)| shape.find(name).is_none() && *value != "false";
        if let Some((name, _)) = asked.0.iter().find(asks) {
            let message = format!("`{}`: this cannot be asked by it", echo(name));
            let refusal = Refusal::new(Reason::ParameterUnsupported, message);
            return Err(refusal.with_param(echo(name)));
        }
        let fields = || shape.fields.iter();
        fields()
            .try_for_each(|field| asked.text(field.name).map_or(Ok(()), |it| sound(field, it)))?;
        let required = fields().filter(|field| field.required);
        required.map(|field| field.name).try_for_each(|name| asked.required(name).map(drop))?;
        Ok(asked)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// # Errors
    /// Refused when it is absent.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name).ok_or_else(|| missing(name, &format!("name one with `?{name}=`")))
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The wanted page, with `usual` entries unless the query says otherwise under `size`.
    ///
    /// # Errors
    /// Refused when a number is none, or out of its range.
    pub(crate) fn page(&self, size: &str, usual: u32) -> Result<Page, Refusal> {
        let number = self.number("page", 1, u32::MAX)?;
        Ok(Page { number, size: self.number(size, usual, PAGE_SIZE_MAX)? })
    }

    /// A whole number from one on, `usual` unless the query says otherwise.
    ///
    /// # Errors
    /// Refused when it is none, or above `most`.
    pub(crate) fn number(&self, name: &str, usual: u32, most: u32) -> Result<u32, Refusal> {
        let Some(text) = self.text(name) else { return Ok(usual) };
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| wrong(name, format!("expected a whole number from 1 to {most}")))
    }
}

impl Page {
    /// How many pages so many entries fill.
    pub(crate) fn count(self, total: u64) -> u64 {
        total.div_ceil(u64::from(self.size.max(1)))
    }

    /// How many entries come before it.
    pub(crate) fn skipped(self) -> usize {
        let before = u64::from(self.number.saturating_sub(1)) * u64::from(self.size);
        usize::try_from(before).unwrap_or(usize::MAX)
    }
}

/// A value that can be read as its field is declared.
fn sound(field: &Field, value: &str) -> Result<(), Refusal> {
    let wrong = |message: String| Err(wrong(field.name, message));
    match field.kind {
        _ if value.len() > ASKED_BYTES_MAX => wrong(format!("longer than {ASKED_BYTES_MAX} bytes")),
        // A database of text columns cannot hold it, so that nothing can be found by it.
        _ if value.contains('\0') => wrong("holds a zero byte".to_owned()),
        Kind::Flag if !["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word)) => {
            wrong("expected `true` or `false`".to_owned())
        }
        Kind::Count if value.parse::<u64>().is_err() => {
            wrong("expected a whole number that is not negative".to_owned())
        }
        Kind::Choice(among) if !among.contains(&value) => {
            wrong(format!("expected one of `{}`", among.join("`, `")))
        }
        _ => Ok(()),
    }
}

/// Longest value in a query, in bytes: lists of identities stand in them, between commas.
const ASKED_BYTES_MAX: usize = 16 * 1024;
/// Most entries of one page, as LiteLLM has it.
const PAGE_SIZE_MAX: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{choice, count, flag, text};

    fn asked(query: &str) -> Result<Asked, Refusal> {
        let uri = format!("/list?{query}").parse().expect("a path");
        let names = [text("team_id", ""), count("page", ""), count("size", "")];
        Asked::read(&uri, &Shape::of(&names), &[])
    }

    #[test]
    fn a_page_is_within_its_limits_or_refused() {
        let page = |query: &str| {
            let page = asked(query).and_then(|asked| asked.page("size", 10));
            page.map_err(|refusal| refusal.param)
        };
        assert_eq!(page(""), Ok(Page { number: 1, size: 10 }));
        assert_eq!(page("page=3&size=100"), Ok(Page { number: 3, size: 100 }));
        for (query, name) in [("size=101", "size"), ("size=0", "size"), ("page=-1", "page")] {
            assert_eq!(page(query), Err(Some(name.to_owned())), "{query}");
        }
        let page = Page { number: 3, size: 10 };
        assert_eq!((page.skipped(), page.count(21), page.count(0)), (20, 3, 0));
    }

    #[test]
    fn a_filter_that_is_not_there_is_refused_and_an_empty_one_is_not() {
        assert!(asked("team_id=t&other=&flag=false").is_ok());
        let refusal = asked("team=t").expect_err("an unknown filter");
        assert_eq!(refusal.param.as_deref(), Some("team"));
        let empty = asked("team_id=").expect("a query");
        assert_eq!(empty.text("team_id"), None);
        assert!(empty.required("team_id").is_err());
        let uri = "/list".parse().expect("a path");
        let refusal = Asked::read(&uri, &Shape::of(&[text("team_id", "").required()]), &[]);
        assert_eq!(refusal.expect_err("it is missing").param.as_deref(), Some("team_id"));
    }

    #[test]
    fn a_value_that_is_not_what_its_name_holds_is_refused_by_name() {
        let fields = [flag("full", ""), count("page", ""), choice("status", &["a", "b"], "")];
        let shape = Shape::of(&fields).and(&[text("team_id", "")]);
        let read = |query: &str| {
            let uri = format!("/list?{query}").parse().expect("a path");
            Asked::read(&uri, &shape, &[]).map(drop).map_err(|refusal| refusal.param)
        };
        for query in ["full=True", "full=false", "page=0", "status=b", "team_id=t", "full="] {
            assert_eq!(read(query), Ok(()), "{query}");
        }
        let long = format!("team_id={}", "t".repeat(ASKED_BYTES_MAX + 1));
        for query in ["full=yes", "page=-1", "page=x", "status=c", "team_id=%00", &long] {
            let name = query.split('=').next().map(str::to_owned);
            assert_eq!(read(query), Err(name), "{query}");
        }
    }
}
