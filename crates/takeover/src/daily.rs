//! Totals by day to sums by quarter-hour.
//!
//! A day's total becomes a sum at the day's first quarter-hour, in UTC as LiteLLM dates it. Totals
//! by user hold every call, so that those of keys, models, providers and of everything come from
//! there; teams, organizations, customers and tags have totals of their own.

use std::collections::BTreeMap;

use tollgate_domain::{KeyHash, KeyId, Level, Money, Subject, Timestamp, UsageKind};
use tollgate_store::{ImportedSum, Spend, SumOf};

use crate::source::{Daily, Row, instant};

/// The sums that rows add up to.
#[derive(Debug, Default)]
pub struct DailySums {
    sums: BTreeMap<(SumOf, Timestamp), Spend>,
    /// Rows, spend and unreadable rows of each family.
    pub families: BTreeMap<Daily, Family>,
    /// Whose calls are those of the master key.
    master: Option<KeyHash>,
}

/// What a family's rows add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Family {
    /// All rows.
    pub rows: u64,
    /// What they say was spent, as far as it can be read.
    pub spend: Money,
    /// Rows whose day or spend cannot be read, or that belong to nobody.
    pub unreadable: u64,
}

impl DailySums {
    /// No sums yet. Calls of the key with this hash are those of the master key.
    #[must_use]
    pub fn new(master: Option<KeyHash>) -> Self {
        Self { master, ..Self::default() }
    }

    /// Adds a row. By user, one that names nobody still tells what a key and everybody spent.
    pub fn add(&mut self, family: Daily, row: &Row) {
        let subject = subject(family, row);
        let counts = self.families.entry(family).or_default();
        counts.rows += 1;
        let belongs = subject.is_some() || family == Daily::Users;
        let Some((at, spend)) = read(row).filter(|_| belongs) else {
            counts.unreadable += 1;
            return;
        };
        counts.spend = counts.spend.saturating_add(spend.cost);
        if family == Daily::Users {
            self.everybody(row, at, &spend);
        }
        if let Some(subject) = subject {
            self.whole_and_model(subject, row, at, &spend);
        }
    }

    /// What a row by user says of all but the user.
    fn everybody(&mut self, row: &Row, at: Timestamp, spend: &Spend) {
        self.put(SumOf::Whole(Subject::new(Level::All, "")), at, spend);
        if let Some(model) = model(row) {
            self.put(SumOf::Whole(Subject::new(Level::ModelGroup, model)), at, spend);
        }
        if let Some(provider) = row.text("custom_llm_provider") {
            self.put(SumOf::Whole(Subject::new(Level::Provider, provider)), at, spend);
        }
        if let Some(key) = row.text("api_key").and_then(KeyHash::parse_hex) {
            let id = match self.master {
                Some(master) if master.matches(&key) => KeyId::MASTER.to_owned(),
                _ => key_id(&key),
            };
            self.whole_and_model(Subject::new(Level::Key, &id), row, at, spend);
        }
    }

    fn whole_and_model(&mut self, subject: Subject, row: &Row, at: Timestamp, spend: &Spend) {
        if let Some(model) = model(row) {
            self.put(SumOf::Model(subject.clone(), model.to_owned()), at, spend);
        }
        self.put(SumOf::Whole(subject), at, spend);
    }

    fn put(&mut self, of: SumOf, at: Timestamp, spend: &Spend) {
        self.sums.entry((of, at)).or_default().add(spend);
    }

    /// What each subject spent, by the start of the quarter-hour.
    #[must_use]
    pub fn by_subject(&self) -> BTreeMap<Subject, BTreeMap<Timestamp, Money>> {
        let mut by_subject: BTreeMap<Subject, BTreeMap<Timestamp, Money>> = BTreeMap::new();
        for ((of, at), spend) in &self.sums {
            if let SumOf::Whole(subject) = of {
                by_subject.entry(subject.clone()).or_default().insert(*at, spend.cost);
            }
        }
        by_subject
    }

    /// The sums, in order.
    #[must_use]
    pub fn into_sums(self) -> Vec<ImportedSum> {
        let sum = |((of, at), spend)| ImportedSum { of, at, spend };
        self.sums.into_iter().map(sum).collect()
    }
}

/// The public identity that a key gets here: one that is made of its hash and tells nothing of it,
/// so that a second import finds the same.
#[must_use]
pub fn key_id(hash: &KeyHash) -> String {
    use std::fmt::Write as _;
    hash.derive("tollgate takeover: key id").iter().take(KEY_ID_BYTES).fold(
        String::with_capacity(2 * KEY_ID_BYTES),
        |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        },
    )
}

/// When and how much; `None` when either cannot be read.
fn read(row: &Row) -> Option<(Timestamp, Spend)> {
    let day = row.text("date").filter(|day| day.len() == DAY_BYTES)?;
    let at = instant(&format!("{day}T00:00:00Z"))?;
    let cost = row.money("spend").ok()?.unwrap_or(Money::ZERO);
    let count = |column: &str| row.integer(column).unwrap_or(0).max(0);
    let (read, written) = (count("cache_read_input_tokens"), count("cache_creation_input_tokens"));
    // Prompt tokens are all of them; here the kinds are disjoint.
    let plain = (count("prompt_tokens") - read - written).max(0);
    let mut spend = Spend {
        entries: count("api_requests"),
        failed: count("failed_requests"),
        cost,
        ..Spend::default()
    };
    let milli = |tokens: i64| tokens.saturating_mul(1_000);
    spend.usage_milli[UsageKind::Input as usize] = milli(plain);
    spend.usage_milli[UsageKind::CachedRead as usize] = milli(read);
    spend.usage_milli[UsageKind::CacheWrite as usize] = milli(written);
    spend.usage_milli[UsageKind::Output as usize] = milli(count("completion_tokens"));
    Some((at, spend))
}

/// Whose total a row is.
fn subject(family: Daily, row: &Row) -> Option<Subject> {
    let (level, column) = match family {
        Daily::Users => (Level::User, "user_id"),
        Daily::Teams => (Level::Team, "team_id"),
        Daily::Organizations => (Level::Organization, "organization_id"),
        Daily::Customers => (Level::Customer, "end_user_id"),
        Daily::Tags => (Level::Tag, "tag"),
    };
    Some(Subject::new(level, row.text(column)?))
}

/// The public name of the model, where it is known.
fn model(row: &Row) -> Option<&str> {
    row.text("model_group").or_else(|| row.text("model"))
}

/// How many bytes of the derived secret make an identity.
const KEY_ID_BYTES: usize = 12;
/// The length of `2026-11-29`.
const DAY_BYTES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        Row::parse(text).expect("a row")
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("an instant")
    }

    #[test]
    fn a_row_by_user_counts_for_its_user_key_model_provider_and_everybody() {
        let hash = KeyHash::of("sk-one");
        let mut sums = DailySums::new(None);
        let text = format!(
            r#"{{"user_id": "ada", "date": "2026-11-05", "api_key": "{}", "model": "m-1",
                "model_group": "chat", "custom_llm_provider": "acme", "spend": 0.25,
                "prompt_tokens": 100, "cache_read_input_tokens": 30, "completion_tokens": 7,
                "cache_creation_input_tokens": 10, "api_requests": 4, "failed_requests": 1}}"#,
            hash.expose_hex()
        );
        sums.add(Daily::Users, &row(&text));
        sums.add(Daily::Users, &row(&text.replace("\"ada\"", "null")));
        let day = at("2026-11-05T00:00:00Z");
        let of = sums.by_subject();
        let spent = |level, id: &str| of[&Subject::new(level, id)][&day].nanos();
        assert_eq!(spent(Level::User, "ada"), 250_000_000);
        for (level, id) in [
            (Level::All, ""),
            (Level::Key, &*key_id(&hash)),
            (Level::ModelGroup, "chat"),
            (Level::Provider, "acme"),
        ] {
            assert_eq!(spent(level, id), 500_000_000, "{level:?}");
        }
        let sums = sums.into_sums();
        let of_model = SumOf::Model(Subject::new(Level::User, "ada"), "chat".to_owned());
        let sum = sums.iter().find(|sum| sum.of == of_model).expect("the user's part");
        assert_eq!((sum.spend.entries, sum.spend.failed), (4, 1));
        let tokens: Vec<i64> = sum.spend.usage_milli.iter().map(|milli| milli / 1_000).collect();
        assert_eq!(tokens[..7], [60, 30, 10, 0, 0, 0, 7]);
    }

    #[test]
    fn rows_that_cannot_be_read_are_counted_and_add_nothing() {
        let mut sums = DailySums::new(None);
        for text in [
            r#"{"team_id": "t", "date": "soon", "spend": 1}"#,
            r#"{"team_id": "t", "date": "2026-11-05", "spend": "NaN"}"#,
            r#"{"team_id": null, "date": "2026-11-05", "spend": 1}"#,
        ] {
            sums.add(Daily::Teams, &row(text));
        }
        let family = sums.families[&Daily::Teams];
        assert_eq!((family.rows, family.unreadable, family.spend), (3, 3, Money::ZERO));
        assert!(sums.into_sums().is_empty());
    }

    #[test]
    fn calls_of_the_master_key_are_the_master_keys() {
        let hash = KeyHash::of("sk-master");
        let mut sums = DailySums::new(Some(hash));
        let text = format!(
            r#"{{"user_id": "a", "date": "2026-11-05", "api_key": "{}", "spend": 1}}"#,
            hash.expose_hex()
        );
        sums.add(Daily::Users, &row(&text));
        assert!(sums.by_subject().contains_key(&Subject::new(Level::Key, KeyId::MASTER)));
    }
}
