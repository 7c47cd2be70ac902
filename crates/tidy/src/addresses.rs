//! No committed file ties the repository to one machine or one registry.

use crate::problem::Problem;
use crate::tree::File;

/// Parts of addresses and paths that no file may hold. Each is written in two halves, so that this
/// file does not hold them either.
const FORBIDDEN: [&str; 12] = [
    concat!("pypi", ".org"),
    concat!("files.python", "hosted.org"),
    concat!("registry.npm", "js.org"),
    concat!("registry.yarn", "pkg.com"),
    concat!("deb.deb", "ian.org"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("proxy.go", "lang.org"),
    concat!("/opt/", "wheels"),
    concat!("\"res", "olved\": \"http"),
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
];

/// Checks one file.
#[must_use]
pub fn check(file: &File) -> Vec<Problem> {
    let lines = file.text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let found = FORBIDDEN.iter().find(|part| line.contains(**part))?;
            Some(Problem::at(&file.path, index + 1, format!("names `{found}`")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_registries_and_paths_of_one_machine_are_reported() {
        let hit = format!("ok\nsee {}main\n", concat!("/wo", "rk/"));
        assert_eq!(check(&File::new("a.md", hit)).first().map(|problem| problem.line), Some(2));
        for part in FORBIDDEN {
            assert_eq!(check(&File::new("a.json", format!("x {part} y"))).len(), 1, "{part}");
        }
        assert_eq!(check(&File::new("a.md", "https://tollgate.test/framework/main")), []);
    }
}
