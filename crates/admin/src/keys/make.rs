//! Keys are made: for oneself, for others, and for services that no user stands behind.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tollgate_domain::{KeyId, Level, UserId, VirtualKey};
use tollgate_faults::{Reason, Refusal};
use tollgate_store::{InsertKeyError, KeyRow, KeyRules, LimitFields};

use super::record::{apply, shown};
use super::{account, alias_taken, ceiling, command, making, shape, theirs};
use crate::desk::Desk;
use crate::entities::projects::PROJECT;
use crate::fields::{Change, Fields};
use crate::problem::{self, wrong};
use crate::route::Route;
use crate::routes::Admin;
use crate::shape::text;

/// Randomness in a key made here, in bytes, as LiteLLM makes them.
const KEY_RANDOM_BYTES: usize = 16;
/// Randomness in a key's public identity, in bytes.
const ID_RANDOM_BYTES: usize = 12;
/// Where a key's metadata names the service that it is for.
pub(super) const SERVICE: &str = "service_account_id";

pub(super) fn routes() -> Vec<Route> {
    let own = text("key", "The key's text; a fresh one where it is left out");
    vec![
        command("/key/generate", ("Make a key", shape(own)), |desk, fields| {
            make(desk, fields, Kind::Usual)
        }),
        command(
            "/key/service-account/generate",
            ("Make a key of a team that no user stands behind", shape(own)),
            |desk, fields| make(desk, fields, Kind::Service),
        ),
    ]
}

/// Who stands behind a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A user, or with the master key nobody.
    Usual,
    /// A team alone.
    Service,
}

async fn make(desk: Desk, fields: Fields, kind: Kind) -> Result<Value, Refusal> {
    let snapshot = desk.gatekeeper.snapshot();
    let rules = &snapshot.settings.key_making;
    let fields = fields.or(&rules.defaults);
    let key = match fields.parsed("key", VirtualKey::new)? {
        Change::Set(key) => key,
        Change::Unchanged | Change::Removed => fresh_key(&desk)?,
    };
    let mut row = blank(&desk, fresh_id(&desk)?, &key);
    apply(&fields, &mut row, desk.clock.now())?;
    match kind {
        Kind::Service => serve(&fields, &mut row)?,
        Kind::Usual if row.user.is_none() && !desk.by.is_admin() => {
            row.user = Some(ceiling::holder(&desk)?);
        }
        Kind::Usual => {}
    }
    complete(&desk, &fields, &mut row).await?;
    making::fill(&rules.most, &mut row, desk.clock.now());
    making::must_be_within(&rules.most, &row, desk.clock.now())?;
    ceiling::may_make(&desk, &fields, &mut row).await?;
    Ok(Value::Object(insert(&desk, &row, &key).await?))
}

/// A key that no user stands behind belongs to a team, and says for which service it is.
fn serve(fields: &Fields, row: &mut KeyRow) -> Result<(), Refusal> {
    if row.team.is_none() {
        return Err(problem::missing("team_id", "a key of a service belongs to a team"));
    }
    if fields.has("user_id") && row.user.is_some() {
        return Err(wrong("user_id", "no user stands behind a key of a service"));
    }
    row.user = None;
    let name = row.alias.clone().unwrap_or_else(|| row.id.as_str().to_owned());
    row.metadata.entry(SERVICE).or_insert_with(|| json!(name));
    Ok(())
}

/// Makes a key for a user.
pub(crate) async fn make_for(desk: &Desk, user: UserId) -> Result<Map<String, Value>, Refusal> {
    let key = fresh_key(desk)?;
    let row = blank(desk, fresh_id(desk)?, &key);
    insert(desk, &KeyRow { user: Some(user), ..row }, &key).await
}

/// Stores a new key. Its text is shown this once.
async fn insert(
    desk: &Desk,
    row: &KeyRow,
    key: &VirtualKey,
) -> Result<Map<String, Value>, Refusal> {
    desk.edit().insert_key(row).await.map_err(|problem| match problem {
        InsertKeyError::AliasTaken => alias_taken(row),
        InsertKeyError::KeyTaken => key_taken(),
        InsertKeyError::Store(problem) => problem::store(&problem),
    })?;
    desk.keys.forget(&row.hash);
    with_text(desk, row, key).await
}

pub(super) fn key_taken() -> Refusal {
    Refusal::new(Reason::FieldWrongType, "`key`: this key exists").with_param("key")
}

/// A key with its text, which is shown when it is made and never again.
pub(super) async fn with_text(
    admin: &Admin,
    row: &KeyRow,
    key: &VirtualKey,
) -> Result<Map<String, Value>, Refusal> {
    let mut answer = shown(row, &account(admin, row).await?);
    let token = row.hash.expose_hex();
    answer.insert("key".to_owned(), json!(key.expose()));
    answer.insert("token_id".to_owned(), json!(&token));
    answer.insert("token".to_owned(), json!(token));
    Ok(answer)
}

/// What depends on other rows: the shared budget and the project have to exist, and a key that is
/// put in a team belongs to the team's organization. Only who manages everything may say otherwise,
/// or name a team that does not exist.
pub(super) async fn complete(
    desk: &Desk,
    fields: &Fields,
    row: &mut KeyRow,
) -> Result<(), Refusal> {
    if fields.has("budget_id") {
        desk.must_have_budget(row.budget.as_ref()).await?;
    }
    if let (true, true, Some(project)) =
        (fields.has("project_id"), desk.by.is_admin(), &row.project)
    {
        PROJECT.must_exist(desk, project.as_str()).await?;
    }
    let says_whose = fields.has("organization_id");
    if !fields.has("team_id") {
        return Ok(());
    }
    let Some(team) = &row.team else {
        // A key that leaves a team leaves its organization.
        row.organization = row.organization.take().filter(|_| says_whose);
        return Ok(());
    };
    if desk.by.is_admin() && says_whose {
        return Ok(());
    }
    let found = desk.db.find_entity(Level::Team, "", team.as_str()).await;
    let found = found.map_err(|problem| problem::store(&problem))?;
    let (exists, organization) = (found.is_some(), found.and_then(|team| team.organization));
    let other = says_whose && row.organization != organization;
    row.organization = organization;
    if !desk.by.is_admin() && (other || !exists) {
        // Whether there is such a team is nobody's to learn who may not make keys for it.
        desk.must_make(theirs(row))?;
        let message = "there is no such team in this organization";
        return Err(wrong("team_id", message));
    }
    Ok(())
}

fn blank(desk: &Desk, id: KeyId, key: &VirtualKey) -> KeyRow {
    let (now, by) = (desk.clock.now(), Some(desk.name()));
    KeyRow {
        id,
        hash: key.hash(),
        name: key.display_name(),
        alias: None,
        user: None,
        team: None,
        organization: None,
        models: Vec::new(),
        project: None,
        limits: LimitFields::default(),
        budget: None,
        expires_at: None,
        blocked: false,
        rules: KeyRules::default(),
        metadata: Map::new(),
        created_at: now,
        created_by: by.clone(),
        updated_at: now,
        updated_by: by,
    }
}

pub(super) fn fresh_key(admin: &Admin) -> Result<VirtualKey, Refusal> {
    let mut bytes = [0; KEY_RANDOM_BYTES];
    admin.random.fill(&mut bytes);
    VirtualKey::new(&format!("sk-{}", URL_SAFE_NO_PAD.encode(bytes)))
        .map_err(|problem| Refusal::new(Reason::GatewayBug, problem.to_string()))
}

fn fresh_id(admin: &Admin) -> Result<KeyId, Refusal> {
    let mut bytes = [0; ID_RANDOM_BYTES];
    admin.random.fill(&mut bytes);
    KeyId::new(&format!("key_{}", URL_SAFE_NO_PAD.encode(bytes)))
        .map_err(|problem| Refusal::new(Reason::GatewayBug, problem.to_string()))
}
