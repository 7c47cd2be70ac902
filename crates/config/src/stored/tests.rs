//! Deployments and credentials of a database beside those of a file.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tollgate_domain::{DeploymentId, ModelName};
use tollgate_wire::Catalog;

use crate::{
    Compiled, ModelEntry, PriceList, Source, Stored, StoredCredential, StoredDeployment,
    compile_with,
};

const FILE: &str = "model_list:
  - model_name: chat
    litellm_params: {model: openai/gpt-4o, api_key: sk-file}
    model_info: {id: of-the-file}
credential_list:
  - credential_name: shared
    credential_values: {api_key: os.environ/SHARED, api_base: 'http://file.test/v1'}
";

/// No model in the file, and a setting that allows for it.
const EMPTY: &str = "general_settings: {store_model_in_db: true}\n";

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).expect("an object")
}

fn deployment(id: &str, params: Value) -> StoredDeployment {
    StoredDeployment {
        id: DeploymentId::new(id).expect("an id"),
        model_name: ModelName::new("chat").expect("a name"),
        params: object(params),
        info: Map::new(),
        blocked: false,
    }
}

fn credential(name: &str, values: Value) -> StoredCredential {
    StoredCredential { name: name.to_owned(), values: object(values), info: Map::new() }
}

fn compiled(text: &str, stored: &Stored) -> Compiled {
    let catalog = Catalog::embedded().expect("the catalog");
    let env = |name: &str| (name == "SHARED").then(|| "sk-shared".to_owned());
    let source = Source { name: "config.yaml", text };
    let compiled = compile_with(source, &env, &catalog, &PriceList::embedded(), stored);
    compiled.unwrap_or_else(|findings| panic!("{text}\n{findings:?}"))
}

fn of(deployments: Vec<StoredDeployment>) -> Stored {
    Stored { deployments, credentials: Vec::new() }
}

/// The ids of the deployments of `chat`.
fn served(compiled: &Compiled) -> Vec<String> {
    let resolved = compiled.snapshot.resolve("chat");
    let deployments = resolved.iter().flat_map(|resolved| resolved.deployments.iter());
    deployments.map(|deployment| deployment.id.to_string()).collect()
}

fn left_out(compiled: &Compiled) -> Vec<(&str, &str, bool)> {
    let rows = compiled.left_out.iter();
    rows.map(|row| (&*row.id, &*row.problem, row.lacking)).collect()
}

fn entry<'c>(compiled: &'c Compiled, id: &str) -> &'c ModelEntry {
    let found = compiled.snapshot.entries.iter().find(|entry| entry.id.as_str() == id);
    found.expect("an entry")
}

#[test]
fn a_deployment_of_the_database_joins_the_group_of_the_file() {
    let row = deployment("stored", json!({"model": "openai/gpt-4o-mini", "api_key": "sk-row"}));
    let compiled = compiled(FILE, &of(vec![row]));
    assert_eq!(served(&compiled), ["of-the-file", "stored"]);
    assert_eq!(compiled.left_out, []);
    let (file, row) = (entry(&compiled, "of-the-file"), entry(&compiled, "stored"));
    assert!(!file.stored && row.stored);
    assert_eq!(row.params, object(json!({"model": "openai/gpt-4o-mini"})));
    assert_eq!(file.params, object(json!({"model": "openai/gpt-4o"})));
    let key = row.deployments[0].key.as_ref().expect("a key");
    assert_eq!(key.expose(), "sk-row");
}

#[test]
fn what_is_wrong_in_the_database_is_left_out_and_nothing_else() {
    let rows = vec![
        deployment("wrong", json!({"model": "nobody/knows", "api_key": "k", "timeout": 0})),
        deployment("no-model", json!({})),
        deployment("lacking", json!({"model": "openai/gpt-4o"})),
        deployment("of-the-file", json!({"model": "openai/gpt-4o", "api_key": "k"})),
        deployment("fine", json!({"model": "openai/gpt-4o", "api_key": "k", "rpmm": 5})),
    ];
    let compiled = compiled(FILE, &of(rows));
    assert_eq!(served(&compiled), ["of-the-file", "fine"]);
    let left_out = left_out(&compiled);
    let about = |id: &str| *left_out.iter().find(|row| row.0 == id).expect(id);
    assert!(about("wrong").1.contains("`nobody`") && about("wrong").1.contains("`timeout`"));
    assert!(about("no-model").1.contains("`model` is missing"));
    assert!(about("lacking").1.contains("OPENAI_API_KEY") && about("lacking").2);
    assert!(about("of-the-file").1.contains("file has this id") && !about("of-the-file").2);
    assert_eq!(left_out.len(), 4);
    assert!(entry(&compiled, "fine").warnings[0].contains("rpmm"));
    assert!(entry(&compiled, "lacking").left_out.is_some());
}

#[test]
fn a_credential_fills_what_an_entry_leaves_open_wherever_it_is_kept() {
    let rows = vec![
        deployment("a", json!({"model": "openai/gpt-4o", "litellm_credential_name": "shared"})),
        deployment("b", json!({"model": "openai/gpt-4o", "litellm_credential_name": "stored"})),
        deployment("c", json!({"model": "openai/gpt-4o", "litellm_credential_name": "absent"})),
    ];
    let credentials = vec![
        credential("stored", json!({"api_key": "sk-stored", "api_base": "http://row.test/v1"})),
        credential("shared", json!({"api_key": "sk-never"})),
    ];
    let compiled = compiled(FILE, &Stored { deployments: rows, credentials });
    let called = |id: &str| {
        let deployment = &entry(&compiled, id).deployments[0];
        let key = deployment.key.as_ref().expect("a key").expose().to_owned();
        (key, deployment.base_url.to_string())
    };
    assert_eq!(called("a"), ("sk-shared".to_owned(), "http://file.test/v1".to_owned()));
    assert_eq!(called("b"), ("sk-stored".to_owned(), "http://row.test/v1".to_owned()));
    let problems = left_out(&compiled);
    assert!(problems.iter().any(|row| row.0 == "shared" && row.1.contains("file has")));
    assert!(problems.iter().any(|row| row.0 == "c" && row.1.contains("`absent`") && row.2));
    let shown = &compiled.snapshot.credentials;
    assert_eq!(
        shown.iter().map(|one| (&*one.name, one.stored)).collect::<Vec<_>>(),
        [("shared", false), ("stored", true)]
    );
    let secret = shown[1].values["api_key"].to_string();
    assert!(!secret.contains("sk-stored"), "{secret}");
}

#[test]
fn a_file_without_models_is_fine_once_the_database_may_hold_them() {
    let row = deployment("stored", json!({"model": "openai/gpt-4o", "api_key": "sk-row"}));
    assert_eq!(served(&compiled(EMPTY, &of(vec![row]))), ["stored"]);
    assert!(compiled(EMPTY, &Stored::default()).snapshot.groups.is_empty());
    let alias = format!("{EMPTY}router_settings: {{model_group_alias: {{other: chat}}}}\n");
    let compiled = compiled(&alias, &Stored::default());
    assert!(compiled.warnings.iter().any(|finding| finding.code == "model_unknown"));
}

#[test]
fn a_blocked_deployment_is_there_and_not_planned() {
    let row = deployment("stored", json!({"model": "openai/gpt-4o", "api_key": "sk-row"}));
    let blocked = StoredDeployment { blocked: true, ..row };
    let compiled = compiled(EMPTY, &of(vec![blocked]));
    let deployment = &entry(&compiled, "stored").deployments[0];
    assert!(deployment.blocked && !deployment.candidate.available);
}

#[test]
fn a_credential_twice_in_the_file_is_an_error() {
    let text = format!("{FILE}  - {{credential_name: shared, credential_values: {{a: b}}}}\n");
    let catalog = Catalog::embedded().expect("the catalog");
    let source = Source { name: "config.yaml", text: &text };
    let prices = PriceList::embedded();
    let found = compile_with(source, &|_| None, &catalog, &prices, &Stored::default());
    let codes: Vec<&str> = found.expect_err("findings").iter().map(|one| one.code).collect();
    assert!(codes.contains(&"duplicate_id"), "{codes:?}");
}

/// Any JSON, with names and values that mean something among it.
fn anything() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec![
        "",
        "chat",
        "openai/gpt-4o",
        "*",
        "openai/*",
        "os.environ/SHARED",
        "shared",
        "1e9",
        "-1",
        "http://x",
        "azure/x",
        "bedrock/x",
        "vertex_ai/x",
        "\u{0}",
        "é",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            fields(inner).prop_map(Value::Object),
        ]
    })
}

fn fields(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(vec![
        "model",
        "api_key",
        "api_base",
        "timeout",
        "rpm",
        "extra_headers",
        "extra_body",
        "tags",
        "litellm_credential_name",
        "custom_llm_provider",
        "input_cost_per_token",
        "mode",
        "id",
        "access_groups",
        "base_model",
        "blocked",
        "vertex_credentials",
        "aws_region_name",
        "\u{0}",
        "max_tokens",
        "organization",
        "additional_drop_params",
        "azure_ad_token",
        "whatever",
    ]);
    let pairs = prop::collection::vec((name, value), 0..6);
    pairs
        .prop_map(|pairs| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_that_a_database_may_hold_breaks_the_configuration_of_the_file(
        params in fields(anything()),
        info in fields(anything()),
        values in fields(anything()),
        blocked in any::<bool>(),
    ) {
        let row = StoredDeployment { info, blocked, ..deployment("row", Value::Object(params)) };
        let info = Map::new();
        let credentials = vec![StoredCredential { name: "c".to_owned(), values, info }];
        let compiled = compiled(FILE, &Stored { deployments: vec![row], credentials });
        prop_assert!(served(&compiled).contains(&"of-the-file".to_owned()));
        let entry = entry(&compiled, "row");
        let is_left_out = compiled.left_out.iter().any(|row| row.id == "row");
        prop_assert_eq!(entry.deployments.is_empty(), is_left_out);
    }
}

#[test]
fn a_variable_of_the_gateways_own_is_given_to_no_provider() {
    let deployment = |id: &str, name: &str| {
        let params = json!({"model": "openai/m", "api_key": name, "api_base": "http://far.test"});
        deployment(id, params)
    };
    let stored = of(vec![
        deployment("own", "os.environ/DATABASE_URL"),
        deployment("salt", "os.environ/TOLLGATE_SALT_KEY"),
        deployment("fine", "os.environ/SHARED"),
    ]);
    let compiled = compiled(EMPTY, &stored);
    assert_eq!(served(&compiled), ["fine"]);
    let left_out: Vec<&str> = compiled.left_out.iter().map(|row| &*row.id).collect();
    assert_eq!(left_out, ["own", "salt"]);
    assert!(compiled.left_out.iter().all(|row| row.problem.contains("the gateway's own")));
}
