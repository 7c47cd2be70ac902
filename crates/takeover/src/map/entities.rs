//! Organizations, users, teams, projects, customers and tags.

use serde_json::{Map, Value, json};
use tollgate_domain::{CustomerId, IdError, Level, ModelName, Money, OrganizationId, Timestamp};
use tollgate_store::{EntityRow, LimitFields};

use super::budgets::WHOLE_PROXY;
use super::kept::{keep, remark_metadata};
use super::windows::Said;
use super::{IMPORTED_BY, Mapping, instant, limits, spend, text};
use crate::grade::Marks;
use crate::source::{self, Row, Table};

/// One kind of them at the source.
struct Kind {
    what: &'static str,
    level: Level,
    id: &'static str,
    alias: &'static str,
    /// Columns that mean something here.
    known: &'static [&'static str],
    /// Columns that nothing here acts on.
    without_effect: &'static [&'static str],
}

impl Mapping<'_> {
    pub(super) fn organizations(&mut self) {
        for row in self.source.rows(Table::Organizations) {
            let mut marks = Marks::default();
            let Some(mut entity) = self.entity(&ORGANIZATION, row, &mut marks) else { continue };
            entity.models = models(row, "models", &mut marks);
            if !entity.models.is_empty() {
                marks.approximated(
                    "LiteLLM holds an organization's models against teams when they are changed; \
                     here they bind each call",
                );
            }
            self.enter(&ORGANIZATION, row, entity, marks);
        }
    }

    pub(super) fn users(&mut self) {
        for row in self.source.rows(Table::Users) {
            if row.text("user_id") == Some(WHOLE_PROXY) {
                self.whole_proxy(row);
                continue;
            }
            let mut marks = Marks::default();
            let Some(mut entity) = self.entity(&USER, row, &mut marks) else { continue };
            entity.models = models(row, "models", &mut marks);
            if entity.limits.max_budget.is_some() {
                marks.approximated(
                    "a user's budget binds the user's keys of teams too; at LiteLLM it does so \
                     only with `apply_user_budget_to_team_keys`",
                );
            }
            for name in ["user_email", "user_role", "sso_user_id"] {
                if let Some(value) = row.text(name) {
                    entity.metadata.insert(name.to_owned(), json!(value));
                }
            }
            if row.text("password").is_some() {
                marks.manual(
                    "passwords are not brought; whoever signed in with one needs a new one",
                );
            }
            self.enter(&USER, row, entity, marks);
        }
    }

    pub(super) fn teams(&mut self) {
        for row in self.source.rows(Table::Teams) {
            let mut marks = Marks::default();
            let Some(mut entity) = self.entity(&TEAM, row, &mut marks) else { continue };
            entity.models =
                self.with_access_groups(row, models(row, "models", &mut marks), &mut marks);
            entity.organization = organization(row, &mut marks);
            self.team_aliases(row, &mut entity, &mut marks);
            let permissions = row.texts("team_member_permissions");
            if !permissions.is_empty() {
                entity.metadata.insert("team_member_permissions".to_owned(), json!(permissions));
            }
            if entity.limits.max_budget == Some(Money::ZERO) {
                marks.approximated(
                    "a team with a budget of 0 may spend once at LiteLLM; here it may not",
                );
            }
            self.enter(&TEAM, row, entity, marks);
        }
    }

    pub(super) fn projects(&mut self) {
        for row in self.source.rows(Table::Projects) {
            let mut marks = Marks::default();
            let Some(mut entity) = self.entity(&PROJECT, row, &mut marks) else { continue };
            entity.models = models(row, "models", &mut marks);
            for name in ["team_id", "description"] {
                if let Some(value) = row.text(name) {
                    entity.metadata.insert(name.to_owned(), json!(value));
                }
            }
            self.enter(&PROJECT, row, entity, marks);
        }
    }

    pub(super) fn customers(&mut self) {
        for row in self.source.rows(Table::Customers) {
            let mut marks = Marks::default();
            let Some(entity) = self.entity(&CUSTOMER, row, &mut marks) else { continue };
            if entity.blocked {
                marks.approximated(
                    "a blocked customer is always refused here; LiteLLM does so only with its hook",
                );
            }
            self.enter(&CUSTOMER, row, entity, marks);
        }
    }

    pub(super) fn tags(&mut self) {
        for row in self.source.rows(Table::Tags) {
            let mut marks = Marks::default();
            let Some(mut entity) = self.entity(&TAG, row, &mut marks) else { continue };
            if let Some(description) = row.text("description") {
                entity.metadata.insert("description".to_owned(), json!(description));
            }
            self.enter(&TAG, row, entity, marks);
        }
    }

    /// What all kinds have in common. One whose identity can be none here stays behind.
    fn entity(&mut self, kind: &Kind, row: &Row, marks: &mut Marks) -> Option<EntityRow> {
        let id = text(row, kind.id);
        // Every identity has the same rules.
        if let Err(problem) = CustomerId::new(id) {
            self.stays_behind(kind.what, id, &problem);
            return None;
        }
        let created_at = instant(row, "created_at");
        let mut metadata = row.object("metadata");
        let mut limits = limits::of_row(row, marks);
        limits::take_from(&mut metadata, &mut limits, marks);
        remark_metadata(&metadata, marks);
        keep(row, (kind.without_effect, kind.known), &mut metadata, marks);
        Some(EntityRow {
            alias: row.owned(kind.alias),
            budget: self.named_budget(row, marks),
            blocked: row.flag("blocked"),
            limits,
            metadata,
            created_by: row.owned("created_by"),
            updated_at: row.instant("updated_at").unwrap_or(created_at),
            updated_by: Some(IMPORTED_BY.to_owned()),
            ..EntityRow::new(kind.level, "", id, created_at)
        })
    }

    /// Settles the running windows and takes the row.
    fn enter(&mut self, kind: &Kind, row: &Row, mut entity: EntityRow, mut marks: Marks) {
        let subject = entity.subject();
        if kind.level == Level::Organization && entity.limits.max_budget == Some(Money::ZERO) {
            entity.limits.max_budget = None;
        }
        let mut main = Said {
            spent: spend(row, &mut marks),
            resets_at: row.instant("budget_reset_at"),
            began_at: None,
        };
        let created = Some(entity.created_at);
        if let Some(word) = &entity.limits.budget_duration {
            entity.limits.running = self.at().running(word, &mut main, created, &mut marks);
        }
        let id = entity.id.clone();
        let said = self.windows_of((row, &id), &mut entity.limits, entity.created_at, &mut marks);
        let budget = entity.budget.clone();
        let spent = (main.spent, &*said);
        self.note_spend(subject, (&entity.limits, budget.as_ref()), entity.created_at, spent);
        let name = entity.alias.clone().unwrap_or_else(|| entity.id.clone());
        self.grades.enter(kind.what, &name, marks);
        self.entities.push(entity);
    }

    /// The windows of `budget_limits`: their edges, and what was spent in each.
    pub(super) fn windows_of(
        &self,
        (row, id): (&Row, &str),
        fields: &mut LimitFields,
        created_at: Timestamp,
        marks: &mut Marks,
    ) -> Vec<(String, Said)> {
        let listed = row.list("budget_limits");
        let resets_at = |word: &str| {
            let of = |window: &&Value| {
                window.get("budget_duration").and_then(Value::as_str) == Some(word)
            };
            let reset = listed.iter().find(of)?.get("reset_at")?.as_str()?;
            source::instant(reset)
        };
        let spent = |word: &str| {
            let rows = self.source.rows(Table::WindowSpend).iter();
            rows.filter(|row| row.text("entity_id") == Some(id))
                .find(|row| row.text("window_duration") == Some(word))
        };
        let mut all = Vec::new();
        for window in &mut fields.budget_limits {
            let counted = spent(&window.budget_duration);
            let mut said = Said {
                spent: Some(Money::ZERO),
                resets_at: resets_at(&window.budget_duration),
                began_at: counted.and_then(|row| row.instant("window_start")),
            };
            if let Some(row) = counted {
                said.spent = spend(row, marks);
            }
            let word = window.budget_duration.clone();
            window.running = self.at().running(&word, &mut said, Some(created_at), marks);
            all.push((word, said));
        }
        all
    }

    pub(super) fn stays_behind(&mut self, what: &'static str, id: &str, problem: &IdError) {
        let mut marks = Marks::default();
        marks.manual(format!("it is not brought: {problem}"));
        self.grades.enter(what, id.get(..32).unwrap_or(id), marks);
    }

    /// Names that a team gave to models.
    fn team_aliases(&self, row: &Row, entity: &mut EntityRow, marks: &mut Marks) {
        let Some(id) = row.integer("model_id") else { return };
        let mut of_team = self.source.rows(Table::TeamAliases).iter();
        let aliases = of_team.find(|aliases| aliases.integer("id") == Some(id));
        let aliases = aliases.map(|row| row.object("aliases")).unwrap_or_default();
        let is_model =
            |value: &Value| value.as_str().is_some_and(|name| ModelName::new(name).is_ok());
        let (named, rest): (Map<_, _>, Map<_, _>) =
            aliases.into_iter().partition(|(_, model)| is_model(model));
        if !rest.is_empty() {
            marks
                .manual("a model alias of a team is not brought: it stands for no name of a model");
        }
        if !named.is_empty() {
            entity.metadata.insert("model_aliases".to_owned(), Value::Object(named));
        }
    }

    /// A list of models with those of the access groups that a row names, which are granted where
    /// the list alone would not (management-api §2).
    pub(super) fn with_access_groups(
        &self,
        row: &Row,
        mut models: Vec<String>,
        marks: &mut Marks,
    ) -> Vec<String> {
        let ids = row.texts("access_group_ids");
        if ids.is_empty() || models.is_empty() {
            return models;
        }
        let groups = self.source.rows(Table::AccessGroups).iter();
        let named =
            groups.filter(|group| ids.iter().any(|id| group.text("access_group_id") == Some(id)));
        for model in named.flat_map(|group| group.texts("access_model_names")) {
            if !models.contains(&model) {
                models.push(model);
            }
        }
        marks.approximated(
            "access groups are written out as the models they hold; what is added to a group later \
             does not follow",
        );
        models
    }
}

/// A list of models. A name that can be none here grants nothing at LiteLLM either.
pub(super) fn models(row: &Row, column: &str, marks: &mut Marks) -> Vec<String> {
    let listed = row.texts(column);
    let (named, other): (Vec<String>, Vec<String>) =
        listed.into_iter().partition(|name| ModelName::new(name).is_ok());
    if !other.is_empty() {
        marks.approximated(format!("`{column}` lists what can be the name of no model"));
        if named.is_empty() {
            // An empty list would grant everything.
            return vec!["no-default-models".to_owned()];
        }
    }
    named
}

/// The organization that a row belongs to.
pub(super) fn organization(row: &Row, marks: &mut Marks) -> Option<OrganizationId> {
    let id = OrganizationId::new(row.text("organization_id")?);
    id.map_err(|problem| marks.manual(format!("its organization is not brought: {problem}"))).ok()
}

/// Columns of limits, spend and dates, which every kind may have.
macro_rules! known {
    ($($name:literal),*) => {
        &[
            "max_budget", "soft_budget", "budget_duration", "budget_reset_at", "budget_limits",
            "model_max_budget", "rpm_limit", "tpm_limit", "max_parallel_requests",
            "model_rpm_limit", "model_tpm_limit", "budget_id", "spend", "model_spend", "metadata",
            "models", "blocked", "created_at", "created_by", "updated_at", "updated_by", $($name),*
        ]
    };
}
pub(super) use known;

const ORGANIZATION: Kind = Kind {
    what: "organizations",
    level: Level::Organization,
    id: "organization_id",
    alias: "organization_alias",
    known: known!("organization_id", "organization_alias"),
    without_effect: &["object_permission_id"],
};
const USER: Kind = Kind {
    what: "users",
    level: Level::User,
    id: "user_id",
    alias: "user_alias",
    known: known!(
        "user_id",
        "user_alias",
        "user_email",
        "user_role",
        "sso_user_id",
        "password",
        "teams"
    ),
    without_effect: &[
        "team_id",
        "organization_id",
        "object_permission_id",
        "allowed_cache_controls",
        "policies",
    ],
};
const TEAM: Kind = Kind {
    what: "teams",
    level: Level::Team,
    id: "team_id",
    alias: "team_alias",
    known: known!(
        "team_id",
        "team_alias",
        "organization_id",
        "members_with_roles",
        "model_id",
        "access_group_ids",
        "team_member_permissions",
        "admins",
        "members"
    ),
    without_effect: &[
        "object_permission_id",
        "router_settings",
        "policies",
        "default_team_member_models",
        "allow_team_guardrail_config",
    ],
};
const PROJECT: Kind = Kind {
    what: "projects",
    level: Level::Project,
    id: "project_id",
    alias: "project_alias",
    known: known!("project_id", "project_alias", "team_id", "description"),
    without_effect: &["object_permission_id"],
};
const CUSTOMER: Kind = Kind {
    what: "customers",
    level: Level::Customer,
    id: "user_id",
    alias: "alias",
    known: known!("user_id", "alias"),
    without_effect: &["allowed_model_region", "default_model", "object_permission_id"],
};
/// The models of a tag are deployments that carry it, not a grant.
const TAG: Kind = Kind {
    what: "tags",
    level: Level::Tag,
    id: "tag_name",
    alias: "",
    known: &[
        "tag_name",
        "description",
        "budget_id",
        "spend",
        "created_at",
        "created_by",
        "updated_at",
    ],
    without_effect: &["models", "model_info"],
};
