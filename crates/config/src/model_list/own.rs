//! The fields by which an entry itself says who it is.

use std::path::PathBuf;

use tollgate_domain::{Assertion, Secret};

use super::credential::{Needed, Subject, leave_out};
use crate::diagnostic::{Finding, code};
use crate::schema::{Given, Reader, Section};
use crate::yaml::Entry;

/// The fields of one identity that the entry holds.
#[derive(Debug)]
pub(super) struct Own<'e> {
    found: Vec<(&'e Entry, String)>,
    /// The first that names a variable which is not set.
    unset: Option<(&'e Entry, Box<str>)>,
}

impl<'e> Own<'e> {
    pub(super) fn take(
        reader: &mut Reader<'_>,
        params: &mut Section<'e>,
        names: &[&'static str],
    ) -> Self {
        let mut own = Self { found: Vec::new(), unset: None };
        for entry in names.iter().filter_map(|name| params.take(name)) {
            match reader.given(entry) {
                Some(Given::Text(text)) => own.found.push((entry, text)),
                Some(Given::Unset(variable)) => {
                    own.unset.get_or_insert((entry, variable));
                }
                None => {}
            }
        }
        own
    }

    pub(super) fn entry(&self, name: &str) -> Option<&'e Entry> {
        self.found.iter().map(|(entry, _)| *entry).find(|entry| *entry.name == *name)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        let found = self.found.iter().find(|(entry, _)| *entry.name == *name);
        found.map(|(_, text)| text.clone())
    }

    pub(super) fn first(&self) -> Option<&'e Entry> {
        self.found.first().map(|(entry, _)| *entry)
    }

    /// Whether a field's variable is not set, which a note says. Nothing replaces it: the operator
    /// chose an identity, and another one may belong to somebody else.
    pub(super) fn lacks(&self, reader: &mut Reader<'_>, subject: Subject<'_>) -> bool {
        let Some((entry, variable)) = &self.unset else { return false };
        let missing = format!("the variable `{variable}` is not set");
        let help = format!("set it, or leave `{}` out", entry.name);
        leave_out(reader, &entry.node.span, (subject.model_name, &missing), &help);
        true
    }

    /// Whether each of the fields has the one that it needs; a finding says which has not.
    pub(super) fn is_complete(&self, reader: &mut Reader<'_>, needs: &[(&str, &str)]) -> bool {
        let lacking = |(name, needed): &&(&str, &str)| {
            self.entry(name).is_some() && self.entry(needed).is_none()
        };
        let Some((name, needed)) = needs.iter().find(lacking) else { return true };
        if let Some(entry) = self.entry(name) {
            let message = format!("`{name}` is without `{needed}`");
            let finding = Finding::error(code::FIELD_MISSING, entry.name_span.clone(), message);
            reader.findings.push(finding.with_help(format!("add `{needed}`")));
        }
        false
    }
}

/// Notes that the environment's key is not used.
pub(super) fn note_ignored(reader: &mut Reader<'_>, entry: &Entry, (keys, by): (&[String], &str)) {
    if let Some(variable) = keys.iter().find(|name| reader.env.variable(name).is_some()) {
        let message = format!("`{variable}` is ignored: this deployment uses {by}");
        reader.findings.push(Finding::note(code::CONFLICT, entry.name_span.clone(), message));
    }
}

/// What vouches for us: a path, `oidc/file/PATH`, `oidc/env/NAME`, `oidc/env_path/NAME`, or a
/// token of three parts itself (config.md, integrations.md: `oidc/<provider>/<audience>`).
pub(super) fn assertion(
    reader: &mut Reader<'_>,
    entry: &Entry,
    written: &str,
    subject: Subject<'_>,
) -> Needed<Assertion> {
    let of = |prefix: &str| written.strip_prefix(prefix).filter(|rest| !rest.is_empty());
    if written.starts_with('/') {
        return Needed::Found(Assertion::File(PathBuf::from(written)));
    }
    if let Some(path) = of("oidc/file/") {
        return Needed::Found(Assertion::File(PathBuf::from(path)));
    }
    if let Some(name) = of("oidc/env/").or_else(|| of("oidc/env_path/")) {
        let Some(value) = reader.env.variable(name) else {
            let missing = format!("the variable `{name}` is not set");
            leave_out(reader, &entry.node.span, (subject.model_name, &missing), "set it");
            return Needed::Lacking;
        };
        return Needed::Found(match of("oidc/env_path/") {
            Some(_) => Assertion::File(PathBuf::from(value)),
            None => Assertion::Given(Secret::new(value)),
        });
    }
    if written.split('.').count() == 3 && !written.starts_with("oidc/") {
        return Needed::Found(Assertion::Given(Secret::new(written)));
    }
    let message = format!("`{}` is neither a token nor a source of one", entry.name);
    let finding = Finding::error(code::MALFORMED, entry.node.span.clone(), message);
    let help = "a path, `oidc/file/PATH`, `oidc/env/NAME`, `oidc/env_path/NAME` or a token";
    reader.findings.push(finding.with_help(help));
    Needed::Wrong
}
