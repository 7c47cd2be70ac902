//! What the gateway draws once and keeps for ever, such as an installation's identity.

use sqlx::Row as _;

use crate::db::on;
use crate::{Db, StoreError};

const SETTING: &str = "SELECT value FROM settings WHERE name = $1";
const PUT_SETTING_ONCE: &str =
    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

impl Db {
    /// The value kept under a name.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        on!(
            self,
            read | pool | {
                let row = sqlx::query(SETTING).bind(name).fetch_optional(pool).await?;
                Ok(row.map(|row| row.try_get("value")).transpose()?)
            }
        )
    }

    /// Keeps a value under a name unless one is kept there, and gives the one that is kept: of
    /// several gateways that start at once, all get the first one's.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn put_setting_once(&self, name: &str, value: &str) -> Result<String, StoreError> {
        on!(
            self,
            write | pool | {
                sqlx::query(PUT_SETTING_ONCE).bind(name).bind(value).execute(pool).await?;
                let row = sqlx::query(SETTING).bind(name).fetch_one(pool).await?;
                Ok(row.try_get("value")?)
            }
        )
    }
}
