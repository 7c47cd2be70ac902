//! AWS's shared files: sections of `name = value` lines.

use std::path::Path;

use super::grant::read;

/// The settings of one profile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Profile(Vec<(String, String)>);

impl Profile {
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(there, _)| there == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A profile of both files; a setting of the credentials file wins.
    pub(super) async fn load(
        name: &str,
        credentials: &Path,
        config: &Path,
    ) -> Result<Self, String> {
        let (keys, rest) = (read(credentials).await, read(config).await);
        if let (Err(why), Err(_)) = (&keys, &rest) {
            return Err(why.clone());
        }
        let headed = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let keys = keys.ok().and_then(|text| section(&text, name));
        let rest = rest.ok().and_then(|text| section(&text, &headed));
        if keys.is_none() && rest.is_none() {
            return Err(format!("no profile is called `{name}`"));
        }
        let both = [keys, rest].into_iter().flatten().flatten().collect();
        Ok(Self(both))
    }
}

fn section(text: &str, name: &str) -> Option<Vec<(String, String)>> {
    let mut found = None;
    let mut within = false;
    for line in text.lines() {
        let outer = line.trim_end();
        if outer.starts_with(['#', ';']) {
            continue;
        }
        if let Some(title) = outer.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            within = title.split_whitespace().eq(name.split_whitespace());
            if within {
                found.get_or_insert_with(Vec::new);
            }
            continue;
        }
        // An indented line belongs to the setting above it, such as `s3 =`.
        let nested = outer.starts_with([' ', '\t']);
        if let (true, false, Some((name, value))) = (within, nested, outer.split_once('=')) {
            let setting = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
            found.get_or_insert_with(Vec::new).push(setting);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let text = "# [b]\n[a]\nx = 1\ns3 =\n  y = 2\n[profile  b]\nX=3=4\n; z = 5\n[empty]\n";
        let settings = |name| section(text, name).map(Profile);
        let a = settings("a").expect("a section");
        assert_eq!((a.setting("x"), a.setting("y"), a.setting("s3")), (Some("1"), None, None));
        assert_eq!(settings("profile b").expect("a section").setting("x"), Some("3=4"));
        assert_eq!(settings("empty"), Some(Profile::default()));
        assert_eq!(settings("b"), None);
    }
}
