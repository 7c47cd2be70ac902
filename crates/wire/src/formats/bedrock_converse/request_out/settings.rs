//! What stands beside the messages: sampling, the output limit, the model family's own fields, and
//! fields that the hub has no word for.

use super::reasoning::Asked;
use super::tools::Tools;
use crate::capability::TopK;
use crate::conversation::Conversation;
use crate::formats::anthropic_messages::request_out::default_output;
use crate::formats::anthropic_messages::request_out::settings::{Sampled, sampling};
use crate::formats::report::Report;
use crate::formats::translation::{Target, Unsupported};
use crate::json::Object;
use crate::json::write::{JsonWriter, object};

/// Fields of this API that the hub has no word for. From a client that knows them they go out as
/// they came.
const OWN: [&str; 5] =
    ["guardrailConfig", "performanceConfig", "promptVariables", "requestMetadata", "serviceTier"];

/// Tiers of service by the names that other dialects share with this one.
const TIERS: [&str; 4] = ["default", "flex", "priority", "reserved"];

/// Names under which a client sends betas of the Messages API in its body.
const BETAS: [&str; 2] = ["anthropic_beta", "betas"];

/// Where the model's reasoning tokens stand in its own answer.
const THINKING_TOKENS: &str = "/usage/output_tokens_details";

/// The settings of a request.
#[derive(Debug, Default)]
pub(super) struct Settings<'a> {
    sampled: Sampled<'a>,
    output_tokens_max: Option<u64>,
    top_k: Option<TopK>,
    tells_thinking_tokens: bool,
    betas: Option<&'a str>,
    tier: Option<&'static str>,
    own: Vec<(&'a str, &'a str)>,
    /// Fields for the model that the operator lets pass.
    passed: Vec<(&'a str, &'a str)>,
}

/// Decides the settings.
pub(super) fn settings<'a>(
    c: &'a Conversation,
    asked: &Asked,
    target: &Target<'_>,
    report: &mut Report<'_>,
) -> Result<Settings<'a>, Unsupported> {
    let converse = report.capability().converse;
    let mut sampled = sampling(c, &asked.plan, report)?;
    if sampled.top_k.is_some() && converse.top_k.is_none() {
        report.leave_out("top_k", "the model has no such field")?;
        sampled.top_k = None;
    }
    if let Some(most) = converse.stops_max.filter(|most| sampled.stop.len() > *most) {
        report.leave_out("stop", &format!("there are {most} texts at most"))?;
        sampled.stop.truncate(most);
    }
    let budget = asked.has_budget().then(|| default_output(c, target));
    let mut settings = Settings {
        sampled,
        output_tokens_max: c.output_tokens_max.or(budget),
        top_k: converse.top_k,
        tells_thinking_tokens: asked.tells_tokens(report),
        ..Settings::default()
    };
    if asked.effort.is_some() && asked.effort == converse.bare_effort {
        settings.bare(report);
    }
    if c.user.is_some() {
        report.drop("user");
    }
    settings.take_unmapped(c, asked, report)?;
    Ok(settings)
}

impl<'a> Settings<'a> {
    /// Leaves out what does not go beside the highest effort of some families.
    fn bare(&mut self, report: &mut Report<'_>) {
        for (name, given) in [
            ("temperature", self.sampled.temperature.take().is_some()),
            ("top_p", self.sampled.top_p.take().is_some()),
            ("max_tokens", self.output_tokens_max.take().is_some()),
        ] {
            if given {
                report.drop(name);
            }
        }
    }

    fn take_unmapped(
        &mut self,
        c: &'a Conversation,
        asked: &Asked,
        report: &mut Report<'_>,
    ) -> Result<(), Unsupported> {
        for (name, raw) in &c.unmapped {
            let (name, raw) = (&**name, &**raw);
            if OWN.contains(&name) {
                self.own.push((name, raw));
            } else if BETAS.contains(&name) && asked.speaks_messages() && raw.starts_with('[') {
                self.betas = Some(raw);
            } else if report.passes(name) && !name.contains(['.', '[']) {
                self.passed.push((name, raw));
            } else if name == "service_tier" {
                let tier = TIERS.iter().find(|tier| raw == format!("\"{tier}\""));
                self.tier = tier.copied();
                if tier.is_none() {
                    report.drop(name);
                }
            } else {
                report.leave_out_unmapped(name, raw)?;
            }
        }
        Ok(())
    }
}

/// `inferenceConfig`, where there is anything to say.
pub(super) fn write_inference(o: &mut JsonWriter<'_>, settings: &Settings<'_>) {
    let sampled = &settings.sampled;
    let config = filled(|o| {
        if let Some(most) = settings.output_tokens_max {
            o.number("maxTokens", most);
        }
        for (name, number) in [("temperature", sampled.temperature), ("topP", sampled.top_p)] {
            if let Some(number) = number {
                o.raw(name, number);
            }
        }
        if !sampled.stop.is_empty() {
            o.strings("stopSequences", &sampled.stop);
        }
    });
    if let Some(config) = config {
        o.raw("inferenceConfig", &config);
    }
}

/// `additionalModelRequestFields`, where there is anything to say, and what is asked back.
pub(super) fn write_model_fields(
    o: &mut JsonWriter<'_>,
    asked: &Asked,
    settings: &Settings<'_>,
    tools: &Tools<'_>,
) {
    let fields = filled(|o| {
        asked.write(o);
        match (settings.top_k, settings.sampled.top_k) {
            (Some(TopK::Plain), Some(number)) => _ = o.raw("top_k", number),
            (Some(TopK::InferenceConfig), Some(number)) => {
                o.object("inferenceConfig", |o| _ = o.raw("topK", number));
            }
            _ => {}
        }
        tools.write_single(o);
        if let Some(betas) = settings.betas {
            o.raw("anthropic_beta", betas);
        }
        for (name, raw) in &settings.passed {
            o.raw(name, raw);
        }
    });
    if let Some(fields) = fields {
        o.raw("additionalModelRequestFields", &fields);
    }
    if settings.tells_thinking_tokens {
        o.strings("additionalModelResponseFieldPaths", &[THINKING_TOKENS]);
    }
}

/// Fields at the top level that go out as the client wrote them.
pub(super) fn write_others(o: &mut JsonWriter<'_>, settings: &Settings<'_>) {
    let own_tier = settings.own.iter().any(|(name, _)| *name == "serviceTier");
    if let Some(tier) = settings.tier.filter(|_| !own_tier) {
        o.object("serviceTier", |o| _ = o.string("type", tier));
    }
    for (name, raw) in &settings.own {
        o.raw(name, raw);
    }
}

/// An object, unless nothing is written into it.
fn filled(fill: impl FnOnce(&mut JsonWriter<'_>)) -> Option<String> {
    let mut out = Vec::new();
    object(&mut out, fill);
    let holds = Object::scan(&out).is_ok_and(|object| !object.members().is_empty());
    holds.then(|| String::from_utf8(out).unwrap_or_default())
}
