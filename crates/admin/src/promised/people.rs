//! What answers about teams, users, organizations, projects, customers, budgets and tags promise.

use super::keys::LISTED as KEY;
use super::usage::ACTIVITY;
use super::{ACCOUNT, DONE, MADE, MESSAGE, METADATA, PAGE, Promise};
use crate::answer::{Answer, Part, Told};
use crate::limits::LIMITS;
use crate::shape::{Field, count, dollars, flag, instant, object, text, texts};

const MODELS: Field = texts("models", "The granted models; empty grants every one");
const BLOCKED: Field = flag("blocked", "Whether its calls are refused for now");
const BUDGET_ID: Field = text("budget_id", "The shared budget whose rules fill what is left open");
const ORGANIZATION_ID: Field = text("organization_id", "The organization");
const TEAM_ID: Field = text("team_id", "The team");
const USER_ID: Field = text("user_id", "The user");
/// What every one of them has.
const LIMITED: Told = Told {
    name: "Limited",
    parts: &[Part::Fields(&[BUDGET_ID]), Part::Fields(&LIMITS), ACCOUNT, MADE],
};
const OWN_BUDGET: Field = object("litellm_budget_table", "Its limits");

const TEAM: Told = Told {
    name: "Team",
    parts: &[
        Part::Fields(&[
            TEAM_ID,
            text("team_alias", "The name that people chose"),
            ORGANIZATION_ID,
            MODELS,
            METADATA,
            BLOCKED,
            texts("team_member_permissions", "The routes that members may use for its keys"),
            texts("default_team_member_models", "The models that new members are granted"),
            text("team_member_budget_id", "The shared budget of members"),
            dollars("team_member_budget", "Most dollars of one member in one period"),
            object("team_member_budget_table", "That budget"),
        ]),
        Part::List("members_with_roles", &IN_TEAM),
        Part::All(&LIMITED),
    ],
};
const IN_TEAM: Told = Told {
    name: "RoleInTeam",
    parts: &[Part::Fields(&[
        USER_ID,
        text("user_email", "Their address"),
        text("role", "`admin` or `user`"),
    ])],
};
const MEMBERSHIP: Told = Told {
    name: "Membership",
    parts: &[Part::Fields(&[
        USER_ID,
        TEAM_ID,
        BUDGET_ID,
        dollars("spend", "Dollars spent in the team"),
        OWN_BUDGET,
    ])],
};
const CHANGED_TEAM: Told =
    Told { name: "ChangedTeam", parts: &[Part::Fields(&[TEAM_ID]), Part::One("data", &TEAM)] };
const TEAM_INFO: Told = Told {
    name: "TeamInfo",
    parts: &[
        Part::Fields(&[TEAM_ID]),
        Part::One("team_info", &TEAM),
        Part::List("keys", &KEY),
        Part::List("team_memberships", &MEMBERSHIP),
    ],
};
const TEAMS: Told = Told { name: "PageOfTeams", parts: &[Part::List("teams", &TEAM), PAGE] };
const DELETED_TEAMS: Told = Told {
    name: "DeletedTeams",
    parts: &[Part::Fields(&[
        texts("deleted_teams", "The teams"),
        count("deleted_keys", "How many keys they had"),
    ])],
};
const ADDED: Told = Told {
    name: "TeamWithNewMembers",
    parts: &[
        Part::All(&TEAM),
        Part::List("updated_users", &USER_NAMED),
        Part::List("updated_team_memberships", &MEMBERSHIP),
    ],
};
const USER_NAMED: Told = Told { name: "NamedUser", parts: &[Part::Fields(&[USER_ID])] };
const CHANGED_MEMBER: Told = Told {
    name: "ChangedMember",
    parts: &[Part::Fields(&[
        USER_ID,
        text("user_email", "Their address"),
        TEAM_ID,
        text("role", "`admin` or `user`"),
        dollars("max_budget_in_team", "Most dollars in one period"),
        text("budget_duration", "That period"),
        count("tpm_limit", "Most tokens a minute"),
        count("rpm_limit", "Most requests a minute"),
        texts("allowed_models", "The granted models"),
    ])],
};
const PERMISSIONS: Told = Told {
    name: "TeamPermissions",
    parts: &[Part::Fields(&[
        TEAM_ID,
        texts("team_member_permissions", "The routes that members may use for its keys"),
        texts("all_available_permissions", "The routes that they can be given"),
    ])],
};
const OPEN_TEAM: Told = Told { name: "OpenTeam", parts: &[Part::Fields(&[TEAM_ID])] };

const USER: Told = Told {
    name: "User",
    parts: &[
        Part::Fields(&[
            USER_ID,
            text("user_alias", "The name that people chose"),
            text("user_email", "Their address"),
            text("user_role", "What they may manage"),
            text("sso_user_id", "Their identity at the identity provider"),
            MODELS,
            METADATA,
            BLOCKED,
        ]),
        Part::All(&LIMITED),
    ],
};
const TEAM_IDS: Field = texts("teams", "The teams they are in");
const IN_TEAMS: Told =
    Told { name: "UserInTeams", parts: &[Part::All(&USER), Part::Fields(&[TEAM_IDS])] };
const NEW_USER: Told = Told {
    name: "NewUser",
    parts: &[
        Part::All(&IN_TEAMS),
        Part::Fields(&[text("key", "The text of their key, told once; empty without one")]),
        Part::May(&[text("token", "The hash of their key")]),
    ],
};
const CHANGED_USER: Told =
    Told { name: "ChangedUser", parts: &[Part::Fields(&[USER_ID]), Part::One("data", &USER)] };
const USER_INFO: Told = Told {
    name: "UserInfo",
    parts: &[
        Part::Fields(&[USER_ID]),
        Part::One("user_info", &IN_TEAMS),
        Part::List("keys", &KEY),
        Part::List("teams", &TEAM),
    ],
};
const USERS: Told = Told { name: "PageOfUsers", parts: &[Part::List("users", &IN_TEAMS), PAGE] };
const ROLE: Told = Told {
    name: "Role",
    parts: &[Part::Fields(&[
        text("description", "What it is for"),
        text("ui_label", "What people call it"),
    ])],
};

const ORGANIZATION: Told = Told {
    name: "Organization",
    parts: &[
        Part::Fields(&[
            ORGANIZATION_ID,
            text("organization_alias", "The name that people chose"),
            MODELS,
            METADATA,
        ]),
        Part::All(&LIMITED),
    ],
};
const ORGANIZATION_INFO: Told = Told {
    name: "OrganizationInfo",
    parts: &[
        Part::All(&ORGANIZATION),
        Part::List("teams", &TEAM),
        Part::List("members", &IN_ORGANIZATION),
    ],
};
const DELETED_ORGANIZATION: Told = Told {
    name: "DeletedOrganization",
    parts: &[Part::Fields(&[
        ORGANIZATION_ID,
        text("organization_alias", "The name that people chose"),
        MODELS,
    ])],
};
const IN_ORGANIZATION: Told = Told {
    name: "OrganizationMember",
    parts: &[Part::Fields(&[
        USER_ID,
        ORGANIZATION_ID,
        text("user_role", "Their role in it"),
        dollars("spend", "Dollars spent in it"),
        BUDGET_ID,
        OWN_BUDGET,
        instant("created_at", "Since when they are in it"),
        instant("updated_at", "When that was last changed"),
    ])],
};
const ADDED_TO_ORGANIZATION: Told = Told {
    name: "NewOrganizationMembers",
    parts: &[
        Part::Fields(&[ORGANIZATION_ID]),
        Part::List("updated_users", &USER_NAMED),
        Part::List("updated_organization_memberships", &IN_ORGANIZATION),
    ],
};

const PROJECT: Told = Told {
    name: "Project",
    parts: &[
        Part::Fields(&[
            text("project_id", "The project"),
            text("project_alias", "The name that people chose"),
            TEAM_ID,
            text("description", "What it is for"),
            MODELS,
            METADATA,
            BLOCKED,
        ]),
        Part::All(&LIMITED),
    ],
};
const CUSTOMER: Told = Told {
    name: "Customer",
    parts: &[
        Part::Fields(&[
            text("user_id", "The customer"),
            text("alias", "The name that people chose"),
            BLOCKED,
        ]),
        Part::All(&LIMITED),
    ],
};
const BLOCKED_CUSTOMERS: Told =
    Told { name: "BlockedCustomers", parts: &[Part::List("blocked_users", &CUSTOMER)] };
const UNBLOCKED_CUSTOMERS: Told =
    Told { name: "UnblockedCustomers", parts: &[Part::List("unblocked_users", &CUSTOMER)] };
const DELETED_CUSTOMERS: Told = Told {
    name: "DeletedCustomers",
    parts: &[Part::Fields(&[count("deleted_customers", "How many"), MESSAGE])],
};
const BUDGET: Told = Told {
    name: "Budget",
    parts: &[Part::Fields(&[text("budget_id", "The budget")]), Part::Fields(&LIMITS), MADE],
};
const TAG: Told = Told {
    name: "Tag",
    parts: &[
        Part::Fields(&[text("name", "The tag"), text("description", "What it is for")]),
        Part::All(&LIMITED),
    ],
};
const CHANGED_TAG: Told =
    Told { name: "ChangedTag", parts: &[Part::Fields(&[MESSAGE]), Part::One("tag", &TAG)] };

pub(super) const ALL: &[Promise] = &[
    ("POST", "/team/new", Answer::One(&TEAM)),
    ("POST", "/team/update", Answer::One(&CHANGED_TEAM)),
    ("PATCH", "/team/{team_id}", Answer::One(&CHANGED_TEAM)),
    ("POST", "/team/delete", Answer::One(&DELETED_TEAMS)),
    ("POST", "/team/block", Answer::One(&TEAM)),
    ("POST", "/team/unblock", Answer::One(&TEAM)),
    ("GET", "/team/info", Answer::One(&TEAM_INFO)),
    ("GET", "/team/list", Answer::List(&TEAM)),
    ("GET", "/v2/team/list", Answer::One(&TEAMS)),
    ("GET", "/team/available", Answer::List(&OPEN_TEAM)),
    ("GET", "/team/{team_id}/members/me", Answer::One(&MEMBERSHIP)),
    ("POST", "/team/member_add", Answer::One(&ADDED)),
    ("POST", "/team/member_update", Answer::One(&CHANGED_MEMBER)),
    ("POST", "/team/member_delete", Answer::One(&TEAM)),
    ("POST", "/team/model/add", Answer::One(&TEAM)),
    ("POST", "/team/model/delete", Answer::One(&TEAM)),
    ("GET", "/team/permissions_list", Answer::One(&PERMISSIONS)),
    ("POST", "/team/permissions_update", Answer::One(&PERMISSIONS)),
    ("GET", "/team/daily/activity", Answer::One(&ACTIVITY)),
    ("GET", "/team/daily/activity/aggregated", Answer::One(&ACTIVITY)),
    ("POST", "/user/new", Answer::One(&NEW_USER)),
    ("POST", "/user/update", Answer::One(&CHANGED_USER)),
    ("POST", "/user/delete", Answer::Count),
    ("GET", "/user/info", Answer::One(&USER_INFO)),
    ("GET", "/v2/user/info", Answer::One(&IN_TEAMS)),
    ("GET", "/user/list", Answer::One(&USERS)),
    ("GET", "/user/available_roles", Answer::Each(&ROLE)),
    ("GET", "/user/daily/activity", Answer::One(&ACTIVITY)),
    ("GET", "/user/daily/activity/aggregated", Answer::One(&ACTIVITY)),
    ("POST", "/organization/new", Answer::One(&ORGANIZATION)),
    ("PATCH", "/organization/update", Answer::One(&ORGANIZATION)),
    ("PATCH", "/v2/organization/{organization_id}", Answer::One(&ORGANIZATION)),
    ("DELETE", "/organization/delete", Answer::List(&DELETED_ORGANIZATION)),
    ("GET", "/organization/info", Answer::One(&ORGANIZATION_INFO)),
    ("GET", "/organization/list", Answer::List(&ORGANIZATION)),
    ("POST", "/organization/member_add", Answer::One(&ADDED_TO_ORGANIZATION)),
    ("PATCH", "/organization/member_update", Answer::One(&IN_ORGANIZATION)),
    ("DELETE", "/organization/member_delete", Answer::One(&IN_ORGANIZATION)),
    ("GET", "/organization/daily/activity", Answer::One(&ACTIVITY)),
    ("GET", "/organization/daily/activity/aggregated", Answer::One(&ACTIVITY)),
    ("POST", "/project/new", Answer::One(&PROJECT)),
    ("POST", "/project/update", Answer::One(&PROJECT)),
    ("DELETE", "/project/delete", Answer::List(&PROJECT)),
    ("GET", "/project/info", Answer::One(&PROJECT)),
    ("GET", "/project/list", Answer::List(&PROJECT)),
    ("POST", "/customer/new", Answer::One(&CUSTOMER)),
    ("POST", "/customer/update", Answer::One(&CUSTOMER)),
    ("POST", "/customer/delete", Answer::One(&DELETED_CUSTOMERS)),
    ("POST", "/customer/block", Answer::One(&BLOCKED_CUSTOMERS)),
    ("POST", "/customer/unblock", Answer::One(&UNBLOCKED_CUSTOMERS)),
    ("GET", "/customer/info", Answer::One(&CUSTOMER)),
    ("GET", "/customer/list", Answer::List(&CUSTOMER)),
    ("GET", "/customer/daily/activity", Answer::One(&ACTIVITY)),
    ("GET", "/customer/daily/activity/aggregated", Answer::One(&ACTIVITY)),
    ("POST", "/end_user/new", Answer::One(&CUSTOMER)),
    ("POST", "/end_user/update", Answer::One(&CUSTOMER)),
    ("POST", "/end_user/delete", Answer::One(&DELETED_CUSTOMERS)),
    ("POST", "/end_user/block", Answer::One(&BLOCKED_CUSTOMERS)),
    ("POST", "/end_user/unblock", Answer::One(&UNBLOCKED_CUSTOMERS)),
    ("GET", "/end_user/info", Answer::One(&CUSTOMER)),
    ("GET", "/end_user/list", Answer::List(&CUSTOMER)),
    ("POST", "/budget/new", Answer::One(&BUDGET)),
    ("POST", "/budget/update", Answer::One(&BUDGET)),
    ("POST", "/budget/delete", Answer::One(&BUDGET)),
    ("POST", "/budget/info", Answer::List(&BUDGET)),
    ("GET", "/budget/list", Answer::List(&BUDGET)),
    ("POST", "/tag/new", Answer::One(&CHANGED_TAG)),
    ("POST", "/tag/update", Answer::One(&CHANGED_TAG)),
    ("POST", "/tag/delete", Answer::One(&DONE)),
    ("POST", "/tag/info", Answer::Each(&TAG)),
    ("GET", "/tag/list", Answer::List(&TAG)),
    ("GET", "/tag/daily/activity", Answer::One(&ACTIVITY)),
    ("GET", "/tag/daily/activity/aggregated", Answer::One(&ACTIVITY)),
];
