//! The master key: the operator's own, or one made at the first start, of which only the hash is
//! kept.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tollgate_domain::{KeyHash, Random, Secret};
use tollgate_store::Db;

/// The setting that holds the hash of a key made here.
const SETTING: &str = "master_key_hash";
/// Randomness in a key made here, in bytes.
const RANDOM_BYTES: usize = 32;
/// Shortest key an operator may choose, in bytes.
const LENGTH_MIN: usize = 8;

/// The master key as the gateway knows it.
pub(crate) struct MasterKey {
    pub(crate) hash: KeyHash,
    /// The key itself, when it has just been made.
    pub(crate) fresh: Option<Secret>,
}

/// Finds or makes the master key.
///
/// # Errors
/// When the operator's key is too short to be one, or the store cannot be read or written.
pub(crate) async fn settle(
    db: &Db,
    configured: Option<&Secret>,
    random: &dyn Random,
) -> anyhow::Result<MasterKey> {
    if let Some(own) = configured {
        anyhow::ensure!(
            own.expose().len() >= LENGTH_MIN,
            "the master key has fewer than {LENGTH_MIN} characters; whoever guesses it owns the \
             gateway"
        );
        return Ok(MasterKey { hash: KeyHash::of(own.expose()), fresh: None });
    }
    if let Some(hash) = known(db).await? {
        return Ok(MasterKey { hash, fresh: None });
    }
    let key = fresh(random);
    let hash = KeyHash::of(key.expose());
    let kept = read(&db.put_setting_once(SETTING, &hash.expose_hex()).await?)?;
    // Another node may have made one in the meantime; then that one holds.
    let fresh = kept.matches(&hash).then_some(key);
    Ok(MasterKey { hash: kept, fresh })
}

async fn known(db: &Db) -> anyhow::Result<Option<KeyHash>> {
    db.setting(SETTING).await?.map(|hex| read(&hex)).transpose()
}

fn read(hex: &str) -> anyhow::Result<KeyHash> {
    KeyHash::parse_hex(hex)
        .with_context(|| format!("the setting `{SETTING}` in the database is no hash"))
}

fn fresh(random: &dyn Random) -> Secret {
    let mut bytes = [0; RANDOM_BYTES];
    random.fill(&mut bytes);
    Secret::new(format!("sk-{}", URL_SAFE_NO_PAD.encode(bytes)))
}
