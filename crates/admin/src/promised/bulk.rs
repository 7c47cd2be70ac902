//! What answers about many users and members at once promise, and about what single members spent.

use super::Promise;
use crate::answer::{Answer, Part, Told};
use crate::shape::{count, dollars, flag, object, text, texts};

/// How one of many fared.
const ONE: Part = Part::Fields(&[
    text("user_id", "The user, where one was named"),
    text("user_email", "Their address, where one was named"),
    flag("success", "Whether it was done"),
    text("error", "Why it was not"),
]);
const USER: Told = Told {
    name: "UpdatedOfMany",
    parts: &[ONE, Part::Fields(&[object("updated_user", "The user as it is now")])],
};
const USERS: Told = Told {
    name: "UpdatedUsers",
    parts: &[
        Part::List("results", &USER),
        Part::Fields(&[
            count("total_requested", "How many were asked for"),
            count("successful_updates", "How many were done"),
            count("failed_updates", "How many were not"),
        ]),
    ],
};
const MEMBER: Told = Told {
    name: "AddedOfMany",
    parts: &[ONE, Part::Fields(&[object("updated_team_membership", "The new membership")])],
};
const MEMBERS: Told = Told {
    name: "AddedMembers",
    parts: &[
        Part::List("results", &MEMBER),
        Part::Fields(&[
            text("team_id", "The team"),
            count("total_requested", "How many were asked for"),
            count("successful_additions", "How many were done"),
            count("failed_additions", "How many were not"),
            object("updated_team", "The team as it is now"),
        ]),
    ],
};
const RESET: Told = Told {
    name: "ResetMember",
    parts: &[Part::Fields(&[
        text("team_id", "The team"),
        text("user_id", "The user"),
        dollars("spend", "Dollars that count now"),
        dollars("previous_spend", "Dollars that counted before"),
        dollars("max_budget", "Most dollars of the member in one period"),
    ])],
};
const CALLBACKS: Told = Told {
    name: "TeamCallbacks",
    parts: &[
        Part::Fields(&[text("status", "`success`")]),
        Part::One(
            "data",
            &Told {
                name: "CallbacksOfTeam",
                parts: &[Part::Fields(&[
                    text("team_id", "The team"),
                    texts("success_callback", "Those that hear of answers: none"),
                    texts("failure_callback", "Those that hear of failures: none"),
                    object("callback_vars", "How they are reached"),
                ])],
            },
        ),
    ],
};

pub(super) const ALL: &[Promise] = &[
    ("POST", "/user/bulk_update", Answer::One(&USERS)),
    ("POST", "/team/bulk_member_add", Answer::One(&MEMBERS)),
    ("POST", "/team/{team_id}/member/{user_id}/reset_spend", Answer::One(&RESET)),
    ("GET", "/team/{team_id}/callback", Answer::One(&CALLBACKS)),
];
