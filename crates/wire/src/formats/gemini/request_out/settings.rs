//! Writing tools, and how the answer is generated.

use bytestring::ByteString;

use super::thinking::{Plan, plan, write_thinking};
use super::unmapped_of;
use crate::conversation::{
    Conversation, Number, ResponseFormat, Sampling, Tool, ToolChoice, ToolKind,
};
use crate::formats::gemini::model::Model;
use crate::formats::gemini::report::Report;
use crate::formats::gemini::schema;
use crate::formats::translation::Unsupported;
use crate::json::Object;
use crate::json::write::{JsonWriter, object};

/// Tools that the provider runs, by the member that declares them (Gemini API reference, `Tool`).
const HOSTED: [&str; 10] = [
    "googleSearch",
    "googleSearchRetrieval",
    "urlContext",
    "codeExecution",
    "googleMaps",
    "enterpriseWebSearch",
    "fileSearch",
    "computerUse",
    "mcpServers",
    "retrieval",
];

/// The schema of a tool that takes free text, by the name that calls in the history have for it.
const TEXT_SCHEMA: &str =
    r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;

/// Most candidates of one call (Gemini API reference, `GenerationConfig`).
const CANDIDATES_MAX: u64 = 8;

/// Most texts that end an answer (Gemini API reference, `GenerationConfig`).
const STOPS_MAX: usize = 5;

/// The tools that go out.
#[derive(Debug, Default)]
pub(super) struct Offer<'c> {
    functions: Vec<&'c Tool>,
    hosted: Vec<&'c ByteString>,
    /// Both kinds in one call, which the third generation takes where it is told so.
    mixed: bool,
}

/// What `generationConfig` says.
#[derive(Debug)]
pub(super) struct Generation<'c> {
    sampling: Sampling,
    choices: Option<u64>,
    format: &'c ResponseFormat,
    thinking: Option<Plan>,
}

/// The tools that the target takes.
pub(super) fn offer<'c>(
    c: &'c Conversation,
    model: Model,
    report: &mut Report<'_>,
) -> Result<Offer<'c>, Unsupported> {
    let mut offer = Offer::default();
    for (index, tool) in c.tools.iter().enumerate() {
        match &tool.kind {
            // Free text is taken as a function's only argument.
            ToolKind::Function { .. } | ToolKind::Custom { .. } => offer.functions.push(tool),
            ToolKind::Hosted { declaration } if is_own(declaration) => {
                offer.hosted.push(declaration);
            }
            ToolKind::Hosted { .. } => {
                let why = "it is a tool that another provider runs";
                report.leave_out(&format!("tools[{index}]"), why)?;
            }
        }
    }
    offer.mixed = model.is_third() && !offer.functions.is_empty() && !offer.hosted.is_empty();
    Ok(offer)
}

/// Whether a declaration is one of this format's: an object whose only member names the tool.
fn is_own(declaration: &str) -> bool {
    let Ok(object) = Object::scan(declaration.as_bytes()) else { return false };
    matches!(object.members(), [only] if HOSTED.contains(&&*only.name))
}

/// What of the client's settings the target takes.
pub(super) fn generation<'c>(
    c: &'c Conversation,
    model: Model,
    offer: &Offer<'_>,
    report: &mut Report<'_>,
) -> Result<Generation<'c>, Unsupported> {
    let mut format = &c.response_format;
    if *format != ResponseFormat::Text && !offer.functions.is_empty() && !model.is_third() {
        let why = "before the third generation a model gives JSON or calls functions, not both";
        if !report.lacks("response_format", why)? {
            format = &ResponseFormat::Text;
        }
    }
    let mut choices = (c.choices > 1).then_some(c.choices);
    if c.choices > CANDIDATES_MAX && !report.lacks("n", "there are 8 choices at most")? {
        choices = None;
    }
    Ok(Generation {
        sampling: sampling(c, model, report)?,
        choices,
        format,
        thinking: plan(c, model, report)?,
    })
}

fn sampling(
    c: &Conversation,
    model: Model,
    report: &mut Report<'_>,
) -> Result<Sampling, Unsupported> {
    let mut sampling = c.sampling.clone();
    if model.is_third() {
        let why = "models of the third generation take no penalties";
        for (name, penalty) in [
            ("presence_penalty", &mut sampling.presence_penalty),
            ("frequency_penalty", &mut sampling.frequency_penalty),
        ] {
            if penalty.is_some() && !report.lacks(name, why)? {
                *penalty = None;
            }
        }
    }
    if sampling.stop.len() > STOPS_MAX && !report.lacks("stop", "there are 5 texts at most")? {
        sampling.stop.truncate(STOPS_MAX);
    }
    Ok(sampling)
}

/// `tools`: all functions in one element, as the API wants them.
pub(super) fn write_tools(o: &mut JsonWriter<'_>, offer: &Offer<'_>) {
    if offer.functions.is_empty() && offer.hosted.is_empty() {
        return;
    }
    o.array("tools", |a| {
        if !offer.functions.is_empty() {
            a.object(|o| {
                o.array("functionDeclarations", |a| {
                    for tool in &offer.functions {
                        a.object(|o| write_function(o, tool));
                    }
                });
            });
        }
        for declaration in &offer.hosted {
            a.raw(declaration);
        }
    });
}

fn write_function(o: &mut JsonWriter<'_>, tool: &Tool) {
    o.string("name", &tool.name);
    if let Some(description) = &tool.description {
        o.string("description", description);
    }
    match &tool.kind {
        ToolKind::Function { parameters: Some(parameters) } => {
            write_schema(o, "parametersJsonSchema", parameters);
        }
        ToolKind::Custom { .. } => _ = o.raw("parametersJsonSchema", TEXT_SCHEMA),
        ToolKind::Function { parameters: None } | ToolKind::Hosted { .. } => {}
    }
}

fn write_schema(o: &mut JsonWriter<'_>, name: &str, schema: &str) {
    match schema::without_refused(schema) {
        Some(schema) => o.raw(name, &schema),
        None => o.raw(name, schema),
    };
}

/// `toolConfig`.
pub(super) fn write_tool_config(o: &mut JsonWriter<'_>, c: &Conversation, offer: &Offer<'_>) {
    let calling = calling(&c.tool_choice).filter(|_| !offer.functions.is_empty());
    let mut others = unmapped_of(c, "toolConfig").peekable();
    if calling.is_none() && !offer.mixed && others.peek().is_none() {
        return;
    }
    o.object("toolConfig", |o| {
        if let Some((mode, names)) = calling {
            o.object("functionCallingConfig", |o| {
                o.string("mode", mode);
                if !names.is_empty() {
                    o.strings("allowedFunctionNames", names);
                }
            });
        }
        if offer.mixed {
            o.boolean("includeServerSideToolInvocations", true);
        }
        let told = "includeServerSideToolInvocations";
        for (name, raw) in others.filter(|(name, _)| !offer.mixed || *name != told) {
            o.raw(name, raw);
        }
    });
}

/// The mode and the names it is limited to. Names go with `ANY` and `VALIDATED` only; the latter
/// leaves the model free to answer in words.
fn calling(choice: &ToolChoice) -> Option<(&'static str, &[ByteString])> {
    match choice {
        ToolChoice::Unsaid => None,
        ToolChoice::Auto => Some(("AUTO", &[])),
        ToolChoice::None => Some(("NONE", &[])),
        ToolChoice::Required => Some(("ANY", &[])),
        ToolChoice::Named(name) => Some(("ANY", std::slice::from_ref(name))),
        ToolChoice::Among { names, required: true } => Some(("ANY", names)),
        ToolChoice::Among { names, required: false } => Some(("VALIDATED", names)),
    }
}

/// `generationConfig`, where there is anything to say.
pub(super) fn write_generation(
    o: &mut JsonWriter<'_>,
    c: &Conversation,
    generation: &Generation<'_>,
) {
    let mut config = Vec::new();
    object(&mut config, |o| {
        write_sampling(o, c, generation);
        match generation.format {
            ResponseFormat::Text => {}
            ResponseFormat::JsonObject => _ = o.string("responseMimeType", "application/json"),
            ResponseFormat::JsonSchema { schema, .. } => {
                o.string("responseMimeType", "application/json");
                write_schema(o, "responseJsonSchema", schema);
            }
        }
        if let Some(plan) = &generation.thinking {
            write_thinking(o, plan);
        }
        for (name, raw) in unmapped_of(c, "generationConfig") {
            o.raw(name, raw);
        }
    });
    let written = String::from_utf8(config).unwrap_or_default();
    if written.len() > "{}".len() {
        o.raw("generationConfig", &written);
    }
}

fn write_sampling(o: &mut JsonWriter<'_>, c: &Conversation, generation: &Generation<'_>) {
    let sampling = &generation.sampling;
    write_number(o, "temperature", sampling.temperature.as_ref());
    write_number(o, "topP", sampling.top_p.as_ref());
    write_number(o, "topK", sampling.top_k.as_ref());
    if let Some(choices) = generation.choices {
        o.number("candidateCount", choices);
    }
    if let Some(most) = c.output_tokens_max {
        o.number("maxOutputTokens", most);
    }
    if !sampling.stop.is_empty() {
        o.strings("stopSequences", &sampling.stop);
    }
    write_number(o, "seed", sampling.seed.as_ref());
    write_number(o, "presencePenalty", sampling.presence_penalty.as_ref());
    write_number(o, "frequencyPenalty", sampling.frequency_penalty.as_ref());
}

fn write_number(o: &mut JsonWriter<'_>, name: &str, number: Option<&Number>) {
    if let Some(Number(text)) = number {
        o.raw(name, text);
    }
}
