//! Which routes a key may call: one function for the data path and for the management API.
//!
//! An entry of `allowed_routes` is a path, the beginning of paths (`/key/*`), or the name of a
//! group of routes (endpoints, group names). A path lets in what is below it, as LiteLLM does.

/// What a key is for; each is short for a group of routes (management-api §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// Every route.
    Default,
    /// The routes on which models are called.
    LlmApi,
    /// The management API.
    Management,
    /// What only tells something.
    ReadOnly,
}

impl KeyType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::Default, Self::LlmApi, Self::Management, Self::ReadOnly];

    /// The type's name in the management API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::LlmApi => "llm_api",
            Self::Management => "management",
            Self::ReadOnly => "read_only",
        }
    }

    /// The type with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The group of routes it stands for; `None` for every route.
    #[must_use]
    pub const fn group(self) -> Option<&'static str> {
        match self {
            Self::Default => None,
            Self::LlmApi => Some("llm_api_routes"),
            Self::Management => Some("management_routes"),
            Self::ReadOnly => Some("info_routes"),
        }
    }

    /// The type of a key that may call these routes.
    #[must_use]
    pub fn of(allowed: &[String]) -> Self {
        let [only] = allowed else { return Self::Default };
        Self::ALL.into_iter().find(|kind| kind.group() == Some(only)).unwrap_or(Self::Default)
    }
}

/// Whether a key with these `allowed_routes` may call a path; an empty list allows every path.
#[must_use]
pub fn may_call_route(allowed: &[String], path: &str) -> bool {
    allowed.is_empty() || allowed.iter().any(|entry| entry_allows(entry, path))
}

/// Whether a path calls models, or lists those that can be called.
#[must_use]
pub fn calls_models(path: &str) -> bool {
    group("llm_api_routes").is_some_and(|group| group_has(group, path))
}

/// Whether an entry of `allowed_routes` means something: a path, or a group that there is.
#[must_use]
pub fn names_routes(entry: &str) -> bool {
    entry.starts_with('/') || entry == "*" || group(entry).is_some()
}

fn entry_allows(entry: &str, path: &str) -> bool {
    match group(entry) {
        Some(group) => group_has(group, path),
        None => matches(entry, path),
    }
}

/// Whether a path is one that an entry names, or lies below it.
fn matches(entry: &str, path: &str) -> bool {
    let path = path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path);
    match entry.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => {
            path.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
    }
}

fn group_has(group: &Group, path: &str) -> bool {
    group.paths.iter().any(|entry| matches(entry, path))
        || group.within.iter().any(|name| self::group(name).is_some_and(|g| group_has(g, path)))
}

fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

/// Routes that one name stands for: paths, and other groups.
struct Group {
    name: &'static str,
    paths: &'static [&'static str],
    within: &'static [&'static str],
}

const fn paths(name: &'static str, paths: &'static [&'static str]) -> Group {
    Group { name, paths, within: &[] }
}

/// The groups of LiteLLM's that have routes here (endpoints, group names).
static GROUPS: [Group; 20] = [
    paths(
        "openai_routes",
        &[
            "/v1/chat/completions",
            "/chat/completions",
            "/openai/deployments/*",
            "/engines/*",
            "/v1/responses",
            "/responses",
            "/openai/v1/responses",
            "/v1/completions",
            "/completions",
            "/v1/embeddings",
            "/embeddings",
            "/v1/images",
            "/images",
            "/v1/audio",
            "/audio",
            "/v1/moderations",
            "/moderations",
            "/v1/rerank",
            "/v2/rerank",
            "/rerank",
            "/v1/models",
            "/models",
            "/utils/token_counter",
        ],
    ),
    paths("anthropic_routes", &["/v1/messages"]),
    paths("google_routes", &["/v1beta/models", "/v1/models", "/models"]),
    Group {
        name: "llm_api_routes",
        paths: &[],
        within: &["openai_routes", "anthropic_routes", "google_routes"],
    },
    paths(
        "model_info_routes",
        &["/model/info", "/v1/model/info", "/v2/model/info", "/model_group/info"],
    ),
    Group {
        name: "info_routes",
        paths: &[
            "/key/info",
            "/key/health",
            "/key/list",
            "/key/aliases",
            "/v2/key/info",
            "/team/info",
            "/team/list",
            "/v2/team/list",
            "/team/available",
            "/user/info",
            "/v2/user/info",
            "/organization/info",
            "/organization/list",
            "/customer/info",
            "/end_user/info",
            "/v1/models",
            "/models",
            "/health",
            "/tag/list",
            "/tag/info",
        ],
        within: &["model_info_routes", "spend_tracking_routes"],
    },
    paths("key_management_routes", &["/key/*", "/v2/key/*", "/team/key/*"]),
    Group {
        name: "management_routes",
        paths: &[
            "/key/*",
            "/v2/key/*",
            "/user/*",
            "/v2/user/*",
            "/team/*",
            "/v2/team/*",
            "/organization/*",
            "/v2/organization/*",
            "/customer/*",
            "/end_user/*",
            "/budget/*",
            "/tag/*",
            "/model/*",
            "/v1/model/*",
            "/v2/model/*",
            "/model_group/*",
            "/access_group/*",
            "/v1/access_group/*",
            "/credentials",
            "/invitation/*",
            "/config/*",
            "/audit*",
        ],
        within: &[],
    },
    paths(
        "spend_tracking_routes",
        &[
            "/spend/*",
            "/user/daily/activity",
            "/team/daily/activity",
            "/tag/daily/activity",
            "/organization/daily/activity",
            "/customer/daily/activity",
            "/end_user/daily/activity",
        ],
    ),
    paths("global_spend_tracking_routes", &["/global/*"]),
    paths(
        "public_routes",
        &["/routes", "/health/liveliness", "/health/liveness", "/health/readiness", "/errors"],
    ),
    paths("openai_route_names", &["/v1/chat/completions", "/v1/embeddings", "/v1/responses"]),
    Group { name: "litellm_native_routes", paths: &["/utils/token_counter"], within: &[] },
    Group {
        name: "internal_user_routes",
        paths: &["/key/*", "/v2/key/*"],
        within: &["spend_tracking_routes", "info_routes"],
    },
    Group {
        name: "internal_user_view_only_routes",
        paths: &[],
        within: &["spend_tracking_routes", "info_routes"],
    },
    paths(
        "self_managed_routes",
        &[
            "/team/member_add",
            "/team/member_update",
            "/team/member_delete",
            "/team/permissions_list",
            "/team/permissions_update",
            "/team/daily/activity",
            "/team/update",
            "/team/model/add",
            "/team/model/delete",
            "/model/new",
            "/model/update",
            "/model/delete",
            "/user/daily/activity",
        ],
    ),
    paths("org_admin_only_routes", &["/organization/*", "/v2/organization/*"]),
    Group {
        name: "org_admin_allowed_routes",
        paths: &["/team/*", "/v2/team/*", "/user/*", "/v2/user/*"],
        within: &["org_admin_only_routes", "key_management_routes"],
    },
    Group {
        name: "admin_viewer_routes",
        paths: &["/user/list", "/customer/list", "/end_user/list", "/budget/*", "/config/*"],
        within: &["info_routes", "spend_tracking_routes", "global_spend_tracking_routes"],
    },
    paths("master_key_only_routes", &["/metrics", "/global/spend/reset"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn may_call(allowed: &[&str], path: &str) -> bool {
        let allowed: Vec<String> = allowed.iter().map(|entry| (*entry).to_owned()).collect();
        may_call_route(&allowed, path)
    }

    #[test]
    fn an_entry_is_a_path_with_what_is_below_it_a_beginning_or_a_group() {
        let cases: [(&[&str], &str, bool); 18] = [
            (&[], "/anything", true),
            (&["/key/info"], "/key/info", true),
            (&["/key/info"], "/key/info/", true),
            (&["/key/info"], "/key/information", false),
            (&["/key"], "/key/generate", true),
            (&["/key/gen*"], "/key/generate", true),
            (&["/key/gen*"], "/key/info", false),
            (&["*"], "/anything", true),
            (&["llm_api_routes"], "/v1/chat/completions", true),
            (&["llm_api_routes"], "/engines/a/b/chat/completions", true),
            (&["llm_api_routes"], "/v1beta/models/gemini:generateContent", true),
            (&["llm_api_routes"], "/v1/models/chat", true),
            (&["llm_api_routes"], "/key/info", false),
            (&["management_routes"], "/key/generate", true),
            (&["management_routes"], "/v1/chat/completions", false),
            (&["info_routes"], "/key/info", true),
            (&["info_routes"], "/key/generate", false),
            (&["no_such_group"], "/key/info", false),
        ];
        for (allowed, path, expected) in cases {
            assert_eq!(may_call(allowed, path), expected, "{allowed:?} {path}");
        }
        assert!(calls_models("/v1/messages/count_tokens") && !calls_models("/key/list"));
    }

    #[test]
    fn every_group_names_groups_that_there_are_and_none_names_itself() {
        for one in &GROUPS {
            for name in one.within {
                let within = group(name).expect("a group that there is");
                assert!(within.within.iter().all(|deeper| *deeper != one.name), "{name}");
            }
            assert_eq!(GROUPS.iter().filter(|other| other.name == one.name).count(), 1);
        }
        assert!(names_routes("/x") && names_routes("info_routes") && !names_routes("llm_routes"));
    }

    #[test]
    fn a_key_type_is_short_for_a_group() {
        for kind in KeyType::ALL {
            let allowed: Vec<String> = kind.group().into_iter().map(str::to_owned).collect();
            assert_eq!(KeyType::of(&allowed), kind);
            assert_eq!(KeyType::parse(kind.as_str()), Some(kind));
            assert!(allowed.iter().all(|entry| names_routes(entry)));
        }
        assert_eq!(KeyType::of(&["/key/info".to_owned()]), KeyType::Default);
    }
}
