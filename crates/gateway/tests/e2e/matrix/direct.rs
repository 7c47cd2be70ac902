//! The builders and checkers of one format against each other, without a gateway between them: what
//! they share with nobody but the format's definition must fit together.

use serde_json::Value;

use super::client::{CLIENTS, Client};
use super::scene::{FAILURE, Scene};
use super::sse::{Event, events};
use super::table::MODES;
use super::upstream::{UPSTREAMS, Upstream};

/// The formats that both sides speak.
fn pairs() -> Vec<(&'static dyn Client, &'static dyn Upstream)> {
    let pairs = CLIENTS.into_iter().filter_map(|client| {
        let upstream = UPSTREAMS.into_iter().find(|upstream| upstream.name() == client.name())?;
        Some((client, upstream))
    });
    pairs.collect()
}

fn read(bytes: &[bytes::Bytes]) -> Vec<Event> {
    events(&bytes.concat()).expect("an upstream's stream is text")
}

#[test]
fn an_upstream_understands_a_client_of_its_own_format() {
    for (client, upstream) in pairs() {
        let (_, model) = upstream.model().rsplit_once('/').expect("a provider and a model");
        for (scene, stream) in Scene::ALL.into_iter().flat_map(|s| MODES.map(|mode| (s, mode))) {
            let request = client.request(model, scene, stream);
            let received = upstream.received(&request, scene, stream);
            assert_eq!(received, Ok(()), "{} {scene:?} {stream}", client.name());
        }
    }
}

#[test]
fn a_client_understands_an_upstream_of_its_own_format() {
    for (client, upstream) in pairs() {
        let model = upstream.own_model();
        for scene in Scene::ALL {
            let name = client.name();
            let whole = client.answer(&model, &upstream.answer(scene));
            let streamed = client.stream(&model, &read(&upstream.stream(scene).records));
            assert_eq!(whole, streamed, "{name} {scene:?}");
            let whole = whole.unwrap_or_else(|why| panic!("{name} {scene:?}: {why}"));
            assert_eq!(whole.text, scene.said().concat(), "{name}");
            assert_eq!(whole.thought, scene.thought().concat(), "{name}");
            assert_eq!(whole.calls.len(), scene.calls().len(), "{name}");
            assert_eq!(whole.usage, upstream.usage(scene), "{name}");
            assert_eq!(whole.finish, client.finish(scene), "{name}");
        }
    }
}

#[test]
fn a_client_takes_no_part_of_a_stream_for_the_whole_and_no_whole_for_a_broken_one() {
    for (client, upstream) in pairs() {
        let (model, name) = (upstream.own_model(), client.name());
        let stream = upstream.stream(Scene::Text);
        assert!(0 < stream.visible && stream.visible < stream.complete, "{name}: {stream:?}");
        for count in 0..=stream.complete {
            let part = client.stream(&model, &read(&stream.records[..count]));
            assert!(part.is_err(), "{name}: {count} records of {stream:?}");
        }
        assert!(client.broken(&read(&stream.records)).is_err(), "{name}");
        let mut failed = stream.records[..stream.visible].to_vec();
        failed.push(upstream.failure(FAILURE));
        let broken = client.broken(&read(&failed)).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(
            (broken.text.as_str(), broken.message.as_str()),
            (Scene::Text.said()[0], FAILURE)
        );
    }
}

#[test]
fn every_upstream_tells_the_same_of_each_scene() {
    for upstream in UPSTREAMS {
        for scene in Scene::ALL {
            let whole = upstream.answer(scene);
            for piece in scene.calls().iter().map(|tool| tool.name) {
                assert!(holds(&whole, piece), "{} {scene:?}: no {piece}", upstream.name());
            }
            for text in [scene.said().concat(), scene.thought().concat()] {
                assert!(holds(&whole, &text), "{} {scene:?}: no {text}", upstream.name());
            }
            let stream = upstream.stream(scene);
            assert!(stream.complete < stream.records.len(), "{} {scene:?}", upstream.name());
        }
    }
}

/// Whether a text stands in a value; an empty one does everywhere.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(told) => told.contains(text),
        Value::Array(values) => values.iter().any(|value| holds(value, text)),
        Value::Object(members) => members.values().any(|value| holds(value, text)),
        _ => text.is_empty(),
    }
}
