//! The one place that reads the environment.

/// The value of an environment variable; one that is not Unicode counts as unset.
#[expect(clippy::disallowed_methods, reason = "this is the home of the environment")]
pub(crate) fn lookup(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The first of these variables that is set to something.
pub(crate) fn first(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| lookup(name).filter(|value| !value.is_empty()))
}

/// The names of our own that are set but mean nothing.
#[expect(clippy::disallowed_methods, reason = "this is the home of the environment")]
pub(crate) fn unknown_names() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("TOLLGATE_") && !KNOWN.contains(&name.as_str()))
        .collect()
}

/// Every variable of our own.
pub(crate) const KNOWN: [&str; 6] = [
    "TOLLGATE_MASTER_KEY",
    "TOLLGATE_SALT_KEY",
    "TOLLGATE_LOG",
    "TOLLGATE_SIMULATOR_URL",
    "TOLLGATE_URL",
    "TOLLGATE_KEY",
];
