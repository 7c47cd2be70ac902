//! Deployments and credentials of the source's database.

use super::*;

/// `sk-upstream-ü`, as PyNaCl encrypts it with the salt key of these tests.
const SECRET_BOX: &str = "A9GxYrrBm9cP866iBIGbXZ4CZxywHgjC-krQzbVqkUq2ZCTTalbtZrFh9SUmFrPIF-oSNI5q";
/// The same in the newer form, by Python's `cryptography`.
const V2: &str = "v2:gcm:5EukeHpFA84eGh8tF8n-k48qqf4hB8GqIihqBp4cyobCFdRUEbxkPoNL";

fn models() -> Vec<(Table, Value)> {
    let deployments = json!([
        {
            "model_id": "m", "model_name": "chat",
            "model_info": {"id": "m", "db_model": true, "mode": "chat"},
            "litellm_params": {"api_key": SECRET_BOX, "rpm": 5, "organization": ""},
            "created_by": "ada", "created_at": "2026-05-01T00:00:00", "blocked": true,
        },
        {
            "model_id": "n", "model_name": "closed", "model_info": {},
            "litellm_params": {"model": "bm90IGl0", "api_key": SECRET_BOX},
        },
        {
            "model_id": "o", "model_name": "model_name_t_1", "litellm_params": {"rpm": 5},
            "model_info": {"team_id": "t", "team_public_model_name": "ours"},
        },
    ]);
    let credentials =
        json!([{"credential_name": "shared", "credential_values": {"api_key": V2, "n": 1}}]);
    vec![(Table::Models, deployments), (Table::Credentials, credentials)]
}

fn told_otherwise(tables: &[(Table, Value)], salt: Option<&str>, store_models: bool) -> Mapped {
    let salt_key = salt.map(|text| SaltKey::new(&Secret::new(text)));
    let calendar = Calendar::default();
    let told = Told {
        calendar: &calendar,
        now: at(NOW),
        salt_key: salt_key.as_ref(),
        store_models,
        gateway_period: None,
    };
    map(&source(tables), &told)
}

#[test]
fn what_can_be_decrypted_comes_over_and_what_cannot_is_named_and_stays() {
    let mapped = mapped(&models());
    let [deployment] = &mapped.deployments[..] else { panic!("{:?}", mapped.deployments) };
    assert_eq!((deployment.id.as_str(), deployment.model_name.as_str()), ("m", "chat"));
    let values = json!({"api_key": "sk-upstream-ü", "rpm": 5});
    assert_eq!(Value::Object(deployment.params.expose()), values);
    assert_eq!(Value::Object(deployment.info.clone()), json!({"mode": "chat"}));
    assert!(deployment.blocked);
    assert_eq!(deployment.created_at, at("2026-05-01T00:00:00Z"));
    assert_eq!(deployment.created_by.as_deref(), Some("ada"));
    assert_eq!(deployment.updated_by.as_deref(), Some(IMPORTED_BY));
    let credential = &mapped.credentials[0];
    assert_eq!(credential.name, "shared");
    assert_eq!(
        Value::Object(credential.values.expose()),
        json!({"api_key": "sk-upstream-ü", "n": 1})
    );
    let counts = mapped.grades.counts()["deployments"];
    assert_eq!((counts.exact, counts.manual, counts.unsupported), (1, 1, 1));
    assert!(remarked(&mapped, Grade::Manual, "`model` cannot be decrypted with this salt key"));
    assert!(remarked(&mapped, Grade::Unsupported, "one team's own"));
}

#[test]
fn with_another_salt_key_or_none_nothing_comes_over_and_each_entry_is_named() {
    for (salt, part) in [(Some("sk-wrong"), "`api_key` cannot be"), (None, "no salt key is known")]
    {
        let mapped = told_otherwise(&models(), salt, true);
        assert!(mapped.deployments.is_empty() && mapped.credentials.is_empty(), "{salt:?}");
        assert!(remarked(&mapped, Grade::Manual, part), "{:?}", mapped.grades.remarks());
        let remarks = mapped.grades.remarks();
        let named = |name: &str| {
            remarks.iter().any(|remark| remark.examples.iter().any(|given| given == name))
        };
        assert!(["chat", "closed", "shared"].into_iter().all(named), "{remarks:?}");
    }
}

#[test]
fn what_the_source_does_not_use_is_not_brought() {
    let without = told_otherwise(&models(), Some("sk-salt"), false);
    assert!(without.deployments.is_empty() && without.credentials.is_empty());
    assert!(remarked(&without, Grade::Manual, "`STORE_MODEL_IN_DB`"));
    let setting = json!([
        {"param_name": "general_settings", "param_value": {"store_model_in_db": true}}
    ]);
    let tables = [models(), vec![(Table::Settings, setting)]].concat();
    let with = told_otherwise(&tables, Some("sk-salt"), false);
    assert_eq!((with.deployments.len(), with.credentials.len()), (1, 1));
}

#[test]
fn names_that_cannot_be_names_here_are_said() {
    let row = json!([{"model_id": "", "model_name": "", "litellm_params": {"rpm": 5}}]);
    let mapped = mapped(&[(Table::Models, row)]);
    assert!(mapped.deployments.is_empty());
    assert!(remarked(&mapped, Grade::Manual, "cannot be one here"));
}
