//! Those whom limits bind beside the keys: what is the same for every family of them.
//!
//! A request is read into a row, the row is stored, what memory knew of it is forgotten, and the
//! row is the answer.

mod bulk;
pub(crate) mod customers;
pub(crate) mod member_bulk;
pub(crate) mod members;
pub(crate) mod organization_members;
pub(crate) mod organizations;
pub(crate) mod projects;
pub(crate) mod tags;
pub(crate) mod team_callbacks;
pub(crate) mod team_defaults;
pub(crate) mod team_grants;
pub(crate) mod team_pages;
pub(crate) mod teams;
pub(crate) mod user_bulk;
mod user_new;
pub(crate) mod users;

use serde_json::{Map, Value, json};
use tollgate_domain::{BudgetId, CustomerId, IdError, Level, OrganizationId};
use tollgate_faults::Refusal;
use tollgate_store::{DeleteEntitiesError, Deleted, ENTITIES_PER_PAGE_MAX, EntityRow};

use crate::account::Account;
use crate::desk::Desk;
use crate::fields::{Change, Fields};
use crate::keys::{alias, empty, models};
use crate::limits::{self, LIMITS};
use crate::problem::{self, missing, wrong};
use crate::routes::Admin;
use crate::shape::{Field, Kind, Shape, flag, object, text, texts};

/// Most entities that one request names.
const NAMED_MAX: usize = 500;
/// Most entities that one list considers.
const LISTED_MAX: usize = 10_000;

/// What a family may have beside its limits.
const FIELDS: [Field; 4] = [
    flag("blocked", "Whether its calls are refused for now"),
    texts("models", "The granted models, patterns and access groups; empty grants every model"),
    object("metadata", "What is kept beside it; replaced whole"),
    text("organization_id", "The organization it belongs to"),
];

/// One family of entities: the names of its fields.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) level: Level,
    /// The field that holds the identity.
    pub(crate) id: &'static str,
    /// The field that holds the name people chose.
    pub(crate) alias: Option<&'static str>,
    /// Which of `blocked`, `models`, `metadata` and `organization_id` it has.
    pub(crate) fields: &'static [&'static str],
    /// Texts, lists of texts and objects that are kept in its metadata.
    pub(crate) kept: &'static [Field],
    /// LiteLLM's other fields, refused when they ask for something.
    pub(crate) not_yet: &'static [&'static str],
}

impl Family {
    /// What a request about one of the family may hold.
    pub(crate) fn shape(&self) -> Shape {
        let id = text(self.id, "The identity; a fresh one where it is left out");
        let budget = text("budget_id", "The shared budget whose rules fill what is left open");
        let alias = self.alias.map(|name| text(name, "A name that people chose"));
        let own = FIELDS.iter().filter(|field| self.fields.contains(&field.name));
        let fields: Vec<Field> = [id, budget]
            .into_iter()
            .chain(alias)
            .chain(own.copied())
            .chain(self.kept.iter().copied())
            .collect();
        Shape::of(&fields).and(&LIMITS).but_not(self.not_yet)
    }

    /// What a request holds that lists some of the family in this field.
    pub(crate) fn listing(field: &'static str) -> Shape {
        Shape::of(&[texts(field, "The identities").required()])
    }

    /// What a request holds that names one of the family.
    pub(crate) fn naming(&self) -> Shape {
        Shape::of(&[text(self.id, "The identity").required()])
    }

    /// A new row with the identity that the request gives, or with a fresh one.
    pub(crate) fn blank(&self, desk: &Desk, fields: &Fields) -> Result<EntityRow, Refusal> {
        let id = fields.parsed(self.id, identity)?.value().unwrap_or_else(|| desk.fresh_id());
        let row = EntityRow::new(self.level, "", &id, desk.clock.now());
        let by = Some(desk.name());
        Ok(EntityRow { created_by: by.clone(), updated_by: by, ..row })
    }

    /// Applies what a request sent.
    pub(crate) async fn apply(
        &self,
        admin: &Admin,
        fields: &Fields,
        row: &mut EntityRow,
    ) -> Result<(), Refusal> {
        if let Some(name) = self.alias {
            fields.parsed(name, alias)?.apply(&mut row.alias);
        }
        if self.fields.contains(&"organization_id") {
            fields.parsed("organization_id", OrganizationId::new)?.apply(&mut row.organization);
            if let (true, Some(id)) = (fields.has("organization_id"), &row.organization) {
                organizations::ORGANIZATION.must_exist(admin, id.as_str()).await?;
            }
        }
        fields.flag("blocked")?.apply_or_default(&mut row.blocked);
        models(fields, "models")?.apply_or_default(&mut row.models);
        self.describe(fields, row)?;
        limits::apply(fields, &mut row.limits)?;
        fields.parsed("budget_id", BudgetId::new)?.apply(&mut row.budget);
        if fields.has("budget_id") {
            admin.must_have_budget(row.budget.as_ref()).await?;
        }
        Ok(())
    }

    /// The metadata is replaced whole, except for what is kept in it under names of its own.
    fn describe(&self, fields: &Fields, row: &mut EntityRow) -> Result<(), Refusal> {
        let names = || self.kept.iter().map(|field| field.name);
        let kept: Map<String, Value> = names()
            .filter_map(|name| Some((name.to_owned(), row.metadata.get(name)?.clone())))
            .collect();
        if let Some(name) = names().find(|name| sent_within(fields, name)) {
            return Err(wrong("metadata", format!("`{name}` is a field beside the metadata")));
        }
        fields.metadata()?.apply_or_default(&mut row.metadata);
        row.metadata.extend(kept);
        for field in self.kept {
            let sent = match field.kind {
                Kind::Texts => fields.texts(field.name)?.map(Value::from),
                Kind::Object => fields.object(field.name)?.map(Value::Object),
                _ => fields.text(field.name)?.map(Value::from),
            };
            match sent {
                Change::Unchanged => {}
                Change::Removed => drop(row.metadata.remove(field.name)),
                Change::Set(value) => drop(row.metadata.insert(field.name.to_owned(), value)),
            }
        }
        Ok(())
    }

    /// The entity with this identity.
    pub(crate) async fn find(&self, admin: &Admin, id: &str) -> Result<EntityRow, Refusal> {
        let found = admin.db.find_entity(self.level, "", id).await;
        let found = found.map_err(|problem| problem::store(&problem))?;
        found.ok_or_else(|| self.absent(id))
    }

    /// The entity that the request names.
    pub(crate) async fn named(&self, admin: &Admin, fields: &Fields) -> Result<EntityRow, Refusal> {
        self.find(admin, &fields.required(self.id, identity)?).await
    }

    pub(crate) async fn must_exist(&self, admin: &Admin, id: &str) -> Result<(), Refusal> {
        self.find(admin, id).await.map(drop)
    }

    /// Stores new rows, all or none; the first is what the request is about.
    pub(crate) async fn insert(&self, desk: &Desk, rows: &[EntityRow]) -> Result<(), Refusal> {
        let inserted = desk.edit().insert_entities(rows).await;
        let inserted = inserted.map_err(|problem| problem::store(&problem))?;
        rows.iter().for_each(|row| desk.keys.forget_level(&row.subject()));
        if inserted {
            return Ok(());
        }
        let id = rows.first().map_or("", |row| &row.id);
        Err(problem::exists(self.level.as_str(), self.id, id))
    }

    /// Stores a changed row.
    pub(crate) async fn save(&self, desk: &Desk, row: &mut EntityRow) -> Result<(), Refusal> {
        let updated = desk.edit().update_entity(row).await;
        let updated = updated.map_err(|problem| problem::store(&problem))?;
        desk.keys.forget_level(&row.subject());
        problem::replaced(updated)?.ok_or_else(|| self.absent(&row.id))
    }

    /// Creates an entity from a request that holds nothing but the family's fields.
    pub(crate) async fn create(&self, desk: &Desk, fields: &Fields) -> Result<EntityRow, Refusal> {
        let mut row = self.blank(desk, fields)?;
        self.apply(desk, fields, &mut row).await?;
        self.insert(desk, std::slice::from_ref(&row)).await?;
        Ok(row)
    }

    /// Changes an entity: absent fields stay, null removes, a value replaces.
    pub(crate) async fn change(&self, desk: &Desk, fields: &Fields) -> Result<EntityRow, Refusal> {
        let mut row = self.named(desk, fields).await?;
        self.apply(desk, fields, &mut row).await?;
        self.save(desk, &mut row).await?;
        Ok(row)
    }

    /// Deletes the entities that a field of the request lists, all or none, with what is below
    /// them.
    pub(crate) async fn delete(
        &self,
        desk: &Desk,
        fields: &Fields,
        field: &'static str,
    ) -> Result<(Vec<String>, Deleted), Refusal> {
        let ids = listed(fields, field)?;
        let deleted = self.delete_named(desk, "", &ids).await?;
        Ok((ids, deleted))
    }

    /// Deletes entities and forgets everything that memory knew of them.
    pub(crate) async fn delete_named(
        &self,
        desk: &Desk,
        within: &str,
        ids: &[String],
    ) -> Result<Deleted, Refusal> {
        let deleted = desk.edit().delete_entities(self.level, within, ids).await;
        let deleted = deleted.map_err(|problem| match problem {
            DeleteEntitiesError::Absent(id) => self.absent(&id),
            DeleteEntitiesError::Store(problem) => problem::store(&problem),
        })?;
        deleted.keys.iter().for_each(|hash| desk.keys.forget(hash));
        deleted.entities.iter().for_each(|row| desk.keys.forget_level(&row.subject()));
        Ok(deleted)
    }

    /// Every entity of the family, at most [`LISTED_MAX`].
    pub(crate) async fn every(&self, admin: &Admin) -> Result<Vec<EntityRow>, Refusal> {
        let mut rows: Vec<EntityRow> = Vec::new();
        while rows.len() < LISTED_MAX {
            let after = rows.last().map_or(("", ""), |last| (&*last.within, &*last.id));
            let page = admin.db.list_entities(self.level, after, ENTITIES_PER_PAGE_MAX).await;
            let page = page.map_err(|problem| problem::store(&problem))?;
            if page.is_empty() {
                break;
            }
            rows.extend(page);
        }
        Ok(rows)
    }

    /// The entity as LiteLLM's clients expect it.
    pub(crate) async fn shown(
        &self,
        admin: &Admin,
        row: &EntityRow,
    ) -> Result<Map<String, Value>, Refusal> {
        let account = account(admin, row).await?;
        let mut shown = Map::new();
        shown.extend(self.not_yet.iter().map(|name| ((*name).to_owned(), empty(name))));
        let mut metadata = row.metadata.clone();
        for field in self.kept {
            let kept = metadata.remove(field.name);
            shown.insert(field.name.to_owned(), kept.unwrap_or_else(|| empty(field.name)));
        }
        let organization = row.organization.as_ref().map(OrganizationId::as_str);
        let own = [
            ("blocked", json!(row.blocked)),
            ("models", json!(row.models)),
            ("metadata", Value::Object(metadata)),
            ("organization_id", json!(organization)),
        ];
        shown.extend(
            own.into_iter()
                .filter(|(name, _)| self.fields.contains(name))
                .map(|(name, value)| (name.to_owned(), value)),
        );
        let fields = [
            (self.id, json!(row.id)),
            ("budget_id", json!(row.budget.as_ref().map(BudgetId::as_str))),
            ("created_at", json!(row.created_at.to_string())),
            ("created_by", json!(row.created_by)),
            ("updated_at", json!(row.updated_at.to_string())),
            ("updated_by", json!(row.updated_by)),
        ];
        shown.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        shown.extend(self.alias.map(|name| (name.to_owned(), json!(row.alias))));
        limits::show(&row.limits, &mut shown);
        account.show(&mut shown);
        Ok(shown)
    }

    /// The same with its own limits where LiteLLM has made a budget of them.
    pub(crate) async fn shown_with_budget(
        &self,
        admin: &Admin,
        row: &EntityRow,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut shown = self.shown(admin, row).await?;
        if shown.get("litellm_budget_table").is_none_or(Value::is_null) {
            let mut own = Map::new();
            limits::show(&row.limits, &mut own);
            own.insert("budget_id".to_owned(), Value::Null);
            shown.insert("litellm_budget_table".to_owned(), Value::Object(own));
        }
        Ok(shown)
    }

    /// Blocks an entity, or lets it call again.
    pub(crate) async fn block(
        &self,
        desk: &Desk,
        row: &mut EntityRow,
        blocked: bool,
    ) -> Result<(), Refusal> {
        row.blocked = blocked;
        self.save(desk, row).await
    }

    pub(crate) fn absent(&self, id: &str) -> Refusal {
        problem::absent(self.level.as_str(), self.id, id)
    }
}

/// The money of an entity.
pub(crate) async fn account(admin: &Admin, row: &EntityRow) -> Result<Account, Refusal> {
    let level = admin.keys.level(&row.subject()).await;
    admin.account(&*level.map_err(|problem| problem::store(&problem))?).await
}

/// The identities that a field lists.
pub(crate) fn listed(fields: &Fields, field: &'static str) -> Result<Vec<String>, Refusal> {
    let ids = fields.texts(field)?.value().unwrap_or_default();
    if ids.is_empty() || ids.len() > NAMED_MAX {
        return Err(missing(field, &format!("`{field}` names 1 to {NAMED_MAX}")));
    }
    Ok(ids)
}

/// A text that can be an identity; every family has the same rules.
pub(crate) fn identity(text: &str) -> Result<String, IdError> {
    CustomerId::new(text).map(|id| id.as_str().to_owned())
}

/// Whether the metadata that was sent holds this name.
fn sent_within(fields: &Fields, name: &str) -> bool {
    let metadata = fields.object("metadata").ok().and_then(Change::value);
    metadata.is_some_and(|metadata| metadata.contains_key(name))
}

#[cfg(test)]
mod tests;
