//! Platforms whose requests are signed, or carry a token that is fetched: from the configuration's
//! text to what arrives, with the platform's own service on the loopback.

mod aws;
mod entra;
mod google;
mod platform;

use tollgate_simulator::{CallRecord, Simulator};
use tollgate_testkit::config_text::ConfigText;
use tollgate_testkit::gateway::{GatewayProcess, Home};

use crate::matrix::client::{CLIENTS, Client, Seen};
use crate::matrix::scene::Scene;
use crate::matrix::sse::events;
use crate::matrix::upstream::speaking;
use crate::stage::{Stage, binary};

/// A gateway before the models of a platform.
async fn stage(models: Simulator, config: ConfigText, furnish: impl FnOnce(Home) -> Home) -> Stage {
    let config = config.setting("router_settings", "num_retries: 0");
    let home = furnish(Home::new(&config.build()));
    let gateway = GatewayProcess::start(binary(), &home).await;
    Stage { simulator: models, home, gateway, database: None }
}

/// The calls that arrived after the first so many.
fn calls_after(models: &Simulator, seen: u64) -> Vec<CallRecord> {
    models.calls().kept().split_off(usize::try_from(seen).expect("few calls"))
}

/// Asks a model group as a client of this format does, whole and streamed, and fails unless each
/// answer is what an upstream of the other format says.
async fn must_answer(stage: &Stage, key: &str, (client, group, upstream): (&str, &str, &str)) {
    for stream in [false, true] {
        let seen = ask(stage, key, (client, group, upstream), stream).await;
        let about = format!("{client} → {group}, streamed: {stream}");
        assert_eq!(seen.text, Scene::Text.said().concat(), "{about}");
        assert_eq!(seen.usage, speaking(upstream).usage(Scene::Text), "{about}");
    }
}

/// Asks once, and reads the answer as the client does.
async fn ask(
    stage: &Stage,
    key: &str,
    (client, group, upstream): (&str, &str, &str),
    stream: bool,
) -> Seen {
    let client = speaker(client);
    let passes = client.name() == upstream && upstream != "openai_chat";
    let model = if passes { speaking(upstream).own_model() } else { group.to_owned() };
    let (path, body) = (client.path(group, stream), client.request(group, Scene::Text, stream));
    let answer = stage.gateway.client(key).post(&path, body.to_string()).await;
    let about = format!("{} → {group}: {}", client.name(), answer.text());
    assert_eq!(answer.status, 200, "{about}\n{}", stage.gateway.output());
    let seen = if stream {
        events(&answer.body).and_then(|events| client.stream(&model, &events))
    } else {
        client.answer(&model, &answer.json())
    };
    seen.unwrap_or_else(|why| panic!("{why}\n{about}"))
}

fn speaker(format: &str) -> &'static dyn Client {
    let found = CLIENTS.into_iter().find(|client| client.name() == format);
    found.unwrap_or_else(|| panic!("no client speaks {format}"))
}
