//! Members of teams and of organizations: who is listed there, and what each spent.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate_domain::{BudgetId, Level, OrganizationId, TeamId, Timestamp, UserId};
use tollgate_store::{EntityRow, LimitFields};

use super::{IMPORTED_BY, Mapping, instant, spend, text};
use crate::grade::{Grade, Marks};
use crate::source::{Row, Table};

/// A member as the two places that tell of one say.
#[derive(Default)]
struct Member<'a> {
    role: Option<&'a str>,
    email: Option<&'a str>,
    membership: Option<&'a Row>,
    team: Option<&'a Row>,
}

impl<'a> Mapping<'a> {
    pub(super) fn members(&mut self) {
        let source = self.source;
        let mut members: BTreeMap<(&'a str, &'a str), Member<'a>> = BTreeMap::new();
        for team in source.rows(Table::Teams) {
            for listed in team.list("members_with_roles") {
                let field = |name: &str| listed.get(name).and_then(Value::as_str);
                let Some(user) = field("user_id").filter(|user| !user.is_empty()) else {
                    self.nobody(field("user_email").unwrap_or_default(), team);
                    continue;
                };
                let member = members.entry((text(team, "team_id"), user)).or_default();
                (member.role, member.email) = (field("role"), field("user_email"));
                member.team = Some(team);
            }
        }
        for row in source.rows(Table::Memberships) {
            let place = (text(row, "team_id"), text(row, "user_id"));
            members.entry(place).or_default().membership = Some(row);
        }
        for ((team, user), member) in members {
            self.member((team, user), &member);
        }
    }

    pub(super) fn organization_members(&mut self) {
        for row in self.source.rows(Table::OrganizationMemberships) {
            let (organization, user) = (text(row, "organization_id"), text(row, "user_id"));
            let (name, mut marks) = (format!("{user} in {organization}"), Marks::default());
            let named = OrganizationId::new(organization).map(drop);
            if let Err(problem) = named.and(UserId::new(user).map(drop)) {
                self.stays_behind("organization members", &name, &problem);
                continue;
            }
            let budget = self.named_budget(row, &mut marks);
            let created_at = instant(row, "created_at");
            let level = Level::OrganizationMember;
            let mut member = EntityRow {
                budget: budget.clone(),
                updated_at: row.instant("updated_at").unwrap_or(created_at),
                updated_by: Some(IMPORTED_BY.to_owned()),
                ..EntityRow::new(level, organization, user, created_at)
            };
            let role = row.text("user_role").unwrap_or("internal_user");
            member.metadata.insert("role".to_owned(), json!(role));
            let spent = spend(row, &mut marks);
            let own = LimitFields::default();
            let limits = (&own, budget.as_ref());
            self.note_spend(member.subject(), limits, created_at, (spent, &[]));
            self.grades.enter("organization members", &name, marks);
            self.entities.push(member);
        }
    }

    /// Somebody who was invited by e-mail and never came has no identity yet.
    fn nobody(&mut self, email: &str, team: &Row) {
        let note = "a member without a user id is nobody here yet; add them once they have one";
        let name = format!("{email} in {}", text(team, "team_id"));
        self.grades.remark(Grade::Manual, "members", note.to_owned(), &name);
    }

    fn member(&mut self, (team, user): (&str, &str), member: &Member<'_>) {
        let mut marks = Marks::default();
        let name = format!("{user} in {team}");
        if let Err(problem) = TeamId::new(team).map(drop).and(UserId::new(user).map(drop)) {
            self.stays_behind("members", &name, &problem);
            return;
        }
        let budget = self.member_budget(member, &mut marks);
        let created_at = member.team.map_or(Timestamp::EPOCH, |team| instant(team, "created_at"));
        let mut row = EntityRow {
            budget: budget.clone(),
            updated_by: Some(IMPORTED_BY.to_owned()),
            ..EntityRow::new(Level::Member, team, user, created_at)
        };
        let shared = budget.as_ref().and_then(|id| self.budgets.get(id));
        row.models = shared.map(|budget| budget.models.clone()).unwrap_or_default();
        let role = if member.role == Some("admin") { "admin" } else { "user" };
        row.metadata.insert("role".to_owned(), json!(role));
        if let Some(email) = member.email {
            row.metadata.insert("user_email".to_owned(), json!(email));
        }
        let spent = member.membership.and_then(|row| spend(row, &mut marks));
        let own = LimitFields::default();
        let limits = (&own, budget.as_ref());
        self.note_spend(row.subject(), limits, created_at, (spent, &[]));
        self.grades.enter("members", &name, marks);
        self.entities.push(row);
    }

    /// A member's own budget, else the one that the team has for members without.
    fn member_budget(&self, member: &Member<'_>, marks: &mut Marks) -> Option<BudgetId> {
        if let Some(row) = member.membership.filter(|row| row.text("budget_id").is_some()) {
            return self.named_budget(row, marks);
        }
        let metadata = member.team?.object("metadata");
        let id = BudgetId::new(metadata.get("team_member_budget_id")?.as_str()?).ok()?;
        self.budgets.contains_key(&id).then(|| {
            marks.approximated(
                "the team's budget for members without their own is written to each of them; it \
                 does not follow for members who are added later",
            );
            id
        })
    }
}
