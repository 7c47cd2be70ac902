//! Tables of who may do what.

use super::*;

fn user(id: &str) -> UserId {
    UserId::new(id).expect("a user")
}

fn team(id: &str) -> TeamId {
    TeamId::new(id).expect("a team")
}

fn organization(id: &str) -> OrganizationId {
    OrganizationId::new(id).expect("an organization")
}

/// Ada is in the teams `loom` (as its admin) and `engine`, and administrates the organization
/// `mill`; she is a member of `works`.
fn ada(role: Role) -> Authority {
    let permissions = BTreeSet::from(["/key/info".to_owned(), "/key/generate".to_owned()]);
    Authority {
        role,
        user: Some(user("ada")),
        key: Some(KeyId::new("key_ada").expect("a key")),
        key_team: None,
        views_spend: false,
        teams: BTreeMap::from([
            (team("loom"), Membership { admin: true, ..Membership::default() }),
            (team("engine"), Membership { admin: false, permissions }),
        ]),
        organizations: BTreeMap::from([
            (organization("mill"), true),
            (organization("works"), false),
        ]),
    }
}

#[test]
fn an_audience_lets_through_whom_it_names_and_viewers_to_what_changes_nothing() {
    let plain = |role| Authority { organizations: BTreeMap::new(), ..ada(role) };
    for (caller, reads, passed) in [
        (plain(Role::ProxyAdmin), false, [true, true, true, true]),
        (plain(Role::ProxyAdminViewer), true, [true, true, true, true]),
        (plain(Role::ProxyAdminViewer), false, [true, false, false, false]),
        (plain(Role::InternalUser), false, [true, true, false, false]),
        (plain(Role::InternalUserViewer), true, [true, true, false, false]),
        (plain(Role::InternalUserViewer), false, [true, false, false, false]),
        (ada(Role::InternalUser), false, [true, true, true, false]),
    ] {
        let audiences =
            [Audience::Keys, Audience::Managers, Audience::OrganizationAdmins, Audience::Admins];
        let found = audiences.map(|audience| caller.passes(audience, reads));
        assert_eq!(found, passed, "{:?} {reads}", caller.role);
    }
}

#[test]
fn what_everybody_spent_is_seen_with_a_key_that_may_and_changed_with_none() {
    for (views_spend, reads, passed) in
        [(false, true, false), (true, true, true), (true, false, false)]
    {
        let caller = Authority { views_spend, ..ada(Role::InternalUser) };
        assert_eq!(caller.passes(Audience::SpendViewers, reads), passed, "{views_spend} {reads}");
        assert!(!caller.passes(Audience::Admins, reads));
        assert!(!caller.may_see(Scope::Gateway, "/global/spend"));
    }
}

#[test]
fn a_scope_is_seen_and_changed_by_those_it_belongs_to() {
    let (loom, engine, other) = (team("loom"), team("engine"), team("other"));
    let (mill, works, far) = (organization("mill"), organization("works"), organization("far"));
    let (me, bob) = (user("ada"), user("bob"));
    let of = |organization| KeyScope { organization: Some(organization), ..KeyScope::default() };
    let keys = [
        (KeyScope { user: Some(&me), ..KeyScope::default() }, (true, true)),
        (KeyScope { user: Some(&bob), ..KeyScope::default() }, (false, false)),
        (KeyScope { user: Some(&bob), team: Some(&loom), ..KeyScope::default() }, (true, true)),
        (KeyScope { user: Some(&bob), team: Some(&engine), ..KeyScope::default() }, (true, false)),
        // She left that team, so its key is not hers to change.
        (KeyScope { user: Some(&me), team: Some(&other), ..KeyScope::default() }, (true, false)),
        (of(&mill), (true, true)),
        (of(&works), (false, false)),
    ];
    for (key, expected) in keys {
        let scope = Scope::Key(key);
        let caller = ada(Role::InternalUser);
        let found = (caller.may_see(scope, "/key/info"), caller.may_change(scope, "/key/update"));
        assert_eq!(found, expected, "{key:?}");
    }
    for (scope, expected) in [
        (Scope::Gateway, (false, false)),
        (Scope::Organization(&mill), (true, true)),
        (Scope::Organization(&works), (true, false)),
        (Scope::Organization(&far), (false, false)),
        (Scope::Team { id: &loom, organization: None }, (true, true)),
        (Scope::Team { id: &engine, organization: None }, (true, false)),
        (Scope::Team { id: &other, organization: Some(&mill) }, (true, true)),
        (Scope::Team { id: &other, organization: Some(&works) }, (false, false)),
        (Scope::User { id: &me, organizations: &[] }, (true, true)),
        (Scope::User { id: &bob, organizations: &[] }, (false, false)),
        (Scope::User { id: &bob, organizations: std::slice::from_ref(&mill) }, (true, true)),
    ] {
        let caller = ada(Role::InternalUser);
        assert_eq!((caller.may_see(scope, "/x"), caller.may_change(scope, "/x")), expected);
        let viewer = ada(Role::InternalUserViewer);
        assert_eq!(
            (viewer.may_see(scope, "/x"), viewer.may_change(scope, "/x")),
            (expected.0, false)
        );
        let all = ada(Role::ProxyAdminViewer);
        assert_eq!((all.may_see(scope, "/x"), all.may_change(scope, "/x")), (true, false));
        assert!(Authority::master().may_change(scope, "/x"));
    }
}

#[test]
fn a_team_gives_its_members_routes_for_its_keys() {
    let (engine, bob) = (team("engine"), user("bob"));
    let scope =
        Scope::Key(KeyScope { user: Some(&bob), team: Some(&engine), ..KeyScope::default() });
    let caller = ada(Role::InternalUser);
    assert!(caller.may_change(scope, "/key/generate"));
    assert!(!caller.may_change(scope, "/key/delete"));
}

#[test]
fn a_key_is_made_for_oneself_or_where_one_is_let_and_overseen_by_others_than_its_owner() {
    let (loom, engine, other) = (team("loom"), team("engine"), team("other"));
    let (mill, works) = (organization("mill"), organization("works"));
    let (me, bob) = (user("ada"), user("bob"));
    let of = |user, team, organization| KeyScope { id: None, user, team, organization };
    for (key, made, overseen) in [
        (of(Some(&me), None, None), true, false),
        (of(Some(&bob), None, None), false, false),
        (of(None, None, None), false, false),
        (of(Some(&me), Some(&loom), None), true, true),
        (of(None, Some(&loom), None), true, true),
        (of(Some(&me), Some(&engine), None), true, true),
        (of(Some(&me), Some(&other), None), false, false),
        (of(Some(&me), None, Some(&mill)), true, true),
        (of(Some(&me), None, Some(&works)), false, false),
        (of(Some(&bob), Some(&other), Some(&mill)), true, true),
    ] {
        let caller = ada(Role::InternalUser);
        let route = "/key/generate";
        let found = (caller.may_make(key, route), caller.may_oversee(key, route));
        assert_eq!(found, (made, overseen), "{key:?}");
        let viewer = ada(Role::InternalUserViewer);
        assert!(!viewer.may_make(key, route) && !viewer.may_oversee(key, route), "{key:?}");
        assert!(Authority::master().may_make(key, route));
        // A route that the team does not give.
        let without = key.team == Some(&engine);
        assert_eq!(caller.may_oversee(key, "/key/block"), overseen && !without, "{key:?}");
    }
}

#[test]
fn a_role_reads_back_from_its_name() {
    for role in Role::ALL {
        assert_eq!(Role::parse(role.as_str()), Some(role));
    }
    assert_eq!(Role::parse("org_admin"), None);
}
