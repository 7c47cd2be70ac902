//! The key that the database's secrets are sealed with: the operator's own, or one made at the
//! first start and kept in the data directory.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tollgate_domain::{Random, Secret};
use tollgate_store::{Db, Vault, VaultFit};

use crate::environment;

/// The variables that hold the operator's own, ours first.
const VARIABLES: [&str; 2] = ["TOLLGATE_SALT_KEY", "LITELLM_SALT_KEY"];
/// The file of one that was made here.
const FILE: &str = "salt_key";
/// For its owner only.
const FILE_MODE: u32 = 0o600;
/// Randomness in a key made here, in bytes.
const RANDOM_BYTES: usize = 32;
/// Shortest key that is not worth a warning, in bytes.
pub(crate) const LENGTH_MIN: usize = 16;

/// Finds or makes the key. One that the operator chose and that does not fit the database keeps the
/// gateway from starting; one that was made here does not, because its secrets may be another
/// gateway's.
///
/// # Errors
/// When the operator's key is not the one that the database's secrets are sealed with, and when the
/// file or the database cannot be used.
pub(crate) async fn settle(
    db: &Db,
    data_dir: &Path,
    random: &Arc<dyn Random>,
) -> anyhow::Result<Vault> {
    let Some((variable, key)) = chosen() else {
        let key = kept(&data_dir.join(FILE), &**random)?;
        return Ok(Vault::new(&key, Arc::clone(random)));
    };
    if !is_long_enough(&key) {
        tracing::warn!(
            "`{variable}` has fewer than {LENGTH_MIN} characters; whoever reads the database can \
             try out such keys"
        );
    }
    let vault = Vault::new(&key, Arc::clone(random));
    anyhow::ensure!(
        vault.fit(db).await? != VaultFit::Other,
        "the secrets in the database are sealed with another key than the one in `{variable}` \
         (salt_key_differs); set it to the text that they were sealed with, which is the same on \
         every gateway of a database. A gateway without the variable keeps its own key in the file \
         `{FILE}` of its data directory; leave the variable out there, or give every gateway that \
         file's text"
    );
    Ok(vault)
}

/// The key that a gateway here would use, where there is one already. Nothing is made.
///
/// # Errors
/// When the file is there and cannot be used.
pub(crate) fn known(data_dir: &Path) -> anyhow::Result<Option<Secret>> {
    let file = data_dir.join(FILE);
    match chosen() {
        Some((_, key)) => Ok(Some(key)),
        None if file.exists() => of_file(&file).map(Some),
        None => Ok(None),
    }
}

/// The key in a file, without the spaces around it.
///
/// # Errors
/// When the file cannot be read or holds no key.
pub(crate) fn of_file(file: &Path) -> anyhow::Result<Secret> {
    let text = fs::read_to_string(file).with_context(|| failed(file))?;
    anyhow::ensure!(!text.trim().is_empty(), "the file {} holds no key", file.display());
    Ok(Secret::new(text.trim()))
}

/// The key in a variable.
///
/// # Errors
/// When it is not set.
pub(crate) fn of_variable(name: &str) -> anyhow::Result<Secret> {
    let text = environment::first(&[name]);
    text.map(Secret::new).with_context(|| format!("the variable `{name}` is not set"))
}

/// Whether a key is long enough to be a new one.
pub(crate) fn is_long_enough(key: &Secret) -> bool {
    key.expose().len() >= LENGTH_MIN
}

/// The operator's own, with the variable that holds it.
fn chosen() -> Option<(&'static str, Secret)> {
    VARIABLES.into_iter().find_map(|name| {
        let text = environment::lookup(name).filter(|text| !text.is_empty())?;
        Some((name, Secret::new(text)))
    })
}

fn failed(file: &Path) -> String {
    format!("cannot use the file {} of the salt key", file.display())
}

/// The key in a file, which is made if it is not there.
fn kept(file: &Path, random: &dyn Random) -> anyhow::Result<Secret> {
    let failed = || failed(file);
    match fs::read_to_string(file) {
        Ok(text) => {
            let key = Secret::new(text.trim());
            anyhow::ensure!(
                is_long_enough(&key),
                "the file {} holds no key; give it the key back, or delete it if nothing was \
                 sealed with it",
                file.display()
            );
            let mode = fs::metadata(file).with_context(failed)?.permissions().mode();
            if mode & 0o077 != 0 {
                let file = file.display();
                tracing::warn!(%file, "others than its owner can read the salt key");
            }
            Ok(key)
        }
        Err(problem) if problem.kind() == ErrorKind::NotFound => {
            make(file, random).with_context(failed)
        }
        Err(problem) => Err(problem).with_context(failed),
    }
}

/// Writes a new key beside and moves it into place, so that no crash leaves half of one.
fn make(file: &Path, random: &dyn Random) -> anyhow::Result<Secret> {
    let mut bytes = [0; RANDOM_BYTES];
    random.fill(&mut bytes);
    let key = Secret::new(URL_SAFE_NO_PAD.encode(bytes));
    let fresh: PathBuf = file.with_extension("new");
    let mut options = OpenOptions::new();
    let mut open = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(&fresh)?;
    open.write_all(key.expose().as_bytes())?;
    open.sync_all()?;
    fs::rename(&fresh, file)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_key_that_was_made_is_kept_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        let made = kept(&file, &SystemRandom).expect("a key");
        assert_eq!(kept(&file, &SystemRandom).expect("the same key"), made);
        let mode = fs::metadata(&file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, FILE_MODE);
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
    }

    #[test]
    fn a_file_without_a_key_is_not_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(FILE);
        fs::write(&file, "\n").expect("a file");
        let problem = kept(&file, &SystemRandom).expect_err("no key");
        assert!(problem.to_string().contains("holds no key"), "{problem}");
        assert_eq!(fs::read_to_string(&file).expect("the file"), "\n");
    }
}
