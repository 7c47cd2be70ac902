//! `options`: how the model is run and tokens are drawn.

use bytestring::ByteString;

use crate::conversation::Conversation;
use crate::formats::report::Report;
use crate::formats::translation::Unsupported;
use crate::json::Object;
use crate::json::write::JsonWriter;

/// Options that the hub has no word for, by the names that clients put at the top level (the
/// vendor's API reference, `options`).
const OWN: [&str; 18] = [
    "num_ctx",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "num_thread",
    "num_keep",
    "use_mmap",
    "min_p",
    "tfs_z",
    "typical_p",
    "repeat_last_n",
    "repeat_penalty",
    "penalize_newline",
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
    "low_vram",
    "numa",
];

/// What `options` says.
#[derive(Debug)]
pub(super) struct Options<'c> {
    /// Names and raw JSON.
    members: Vec<(&'c str, String)>,
    stop: &'c [ByteString],
}

/// Whether a field of the client's that the hub has no word for is one of the options.
pub(super) fn is_option(name: &str) -> bool {
    OWN.contains(&name) || name == "options"
}

/// Collects the options: what the hub has words for, then the client's own. An option that is said
/// at the top level goes before one inside a client's `options`.
pub(super) fn options<'c>(
    c: &'c Conversation,
    report: &mut Report<'_>,
) -> Result<Options<'c>, Unsupported> {
    if c.choices > 1 {
        report.leave_out("n", "the API gives one answer for each call")?;
    }
    let given = &c.sampling;
    let numbers = [
        ("temperature", &given.temperature),
        ("top_p", &given.top_p),
        ("top_k", &given.top_k),
        ("presence_penalty", &given.presence_penalty),
        ("frequency_penalty", &given.frequency_penalty),
        ("seed", &given.seed),
    ];
    let mut members: Vec<(&str, String)> = numbers
        .into_iter()
        .filter_map(|(name, number)| Some((name, number.as_ref()?.0.to_string())))
        .collect();
    members.extend(c.output_tokens_max.map(|most| ("num_predict", most.to_string())));
    let own = c.unmapped.iter().filter(|(name, _)| OWN.contains(&&**name));
    members.extend(own.map(|(name, raw)| (&**name, raw.to_string())));
    Ok(Options { members, stop: &given.stop })
}

/// Writes `options`, where there are any. `whole` is the client's own object of this name.
pub(super) fn write_options(o: &mut JsonWriter<'_>, options: &Options<'_>, whole: Option<&str>) {
    let scanned = whole.and_then(|raw| Object::scan(raw.as_bytes()).ok());
    let beside = scanned.as_ref().map(Object::members).unwrap_or_default();
    let said = |name: &str| {
        let among = options.members.iter().any(|(member, _)| *member == name);
        among || name == "stop" && !options.stop.is_empty()
    };
    if options.members.is_empty() && options.stop.is_empty() && beside.is_empty() {
        return;
    }
    o.object("options", |o| {
        for (name, raw) in &options.members {
            o.raw(name, raw);
        }
        if !options.stop.is_empty() {
            o.strings("stop", options.stop);
        }
        for member in beside.iter().filter(|member| !said(&member.name)) {
            o.raw(&member.name, member.value);
        }
    });
}
