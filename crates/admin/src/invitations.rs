//! LiteLLM's invitations. There is nobody whom one could let in, and they say so.

use tollgate_faults::{Reason, Refusal};
use tollgate_policy::Audience;

use crate::asked::Asked;
use crate::desk::Desk;
use crate::route::Route;

const ABOUT: &str = "Refused: a user is let in by a key";

pub(crate) fn routes() -> Vec<Route> {
    let refused = |path, audience| Route::refused((("POST", path), audience, ABOUT), &[], none);
    let info = async |_: Desk, _: Asked| Err(none());
    vec![
        refused("/invitation/new", Audience::OrganizationAdmins),
        refused("/invitation/update", Audience::Admins),
        refused("/invitation/delete", Audience::OrganizationAdmins),
        Route::question("/invitation/info", Audience::OrganizationAdmins, (ABOUT, &[]), info),
    ]
}

fn none() -> Refusal {
    let message = "an invitation ends in a password, and nobody logs in with one here";
    Refusal::new(Reason::ParameterUnsupported, message)
        .with_fix("make the user with `/user/new`, and give them the key in its answer")
}
