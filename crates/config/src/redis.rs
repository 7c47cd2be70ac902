//! Where the Redis is that many nodes share their counters in.

use std::fmt::Write as _;

use tollgate_domain::Secret;

use crate::environment::Environment;
use crate::schema::{KnownKeys, Reader, Section};
use crate::settings::Sections;
use crate::yaml::Value;

/// The port where neither the file nor the environment says.
const PORT: u64 = 6379;
/// The schemes that lead to a Redis server.
const SCHEMES: [&str; 4] = ["redis://", "rediss://", "redis+unix://", "unix://"];

/// The names of a section's keys: URL, host, port, password.
type Names = [&'static str; 4];

/// The server's URL: of `coordination_redis`, the router's settings, the cache's parameters or the
/// environment, the first that names one (config.md, "Precedence for the coordination Redis").
pub(crate) fn read(reader: &mut Reader<'_>, sections: &mut Sections<'_>) -> Option<Secret> {
    const OWN: Names = ["url", "host", "port", "password"];
    const ROUTERS: Names = ["redis_url", "redis_host", "redis_port", "redis_password"];
    let own = sections.general.take("coordination_redis");
    let own = own.and_then(|entry| reader.mapping(entry)).and_then(|mapping| {
        let mut section = Section::new("general_settings.coordination_redis", mapping);
        let url = of_section(reader, &mut section, OWN);
        section.finish(&KnownKeys::ENTRY, &mut reader.findings);
        url
    });
    let routers = of_section(reader, &mut sections.router, ROUTERS);
    // The cache itself is read elsewhere.
    let cache = sections.litellm.peek("cache_params").map(|entry| &entry.node.value);
    let caches = match cache {
        Some(Value::Map(mapping)) => {
            let mut section = Section::new("litellm_settings.cache_params", mapping);
            let kind = section.take("type").and_then(|entry| reader.text(entry));
            let is_redis = kind.is_none_or(|kind| kind == "redis");
            is_redis.then(|| of_section(reader, &mut section, OWN)).flatten()
        }
        _ => None,
    };
    own.or(routers).or(caches).or_else(|| of_environment(&reader.env))
}

fn of_section(
    reader: &mut Reader<'_>,
    section: &mut Section<'_>,
    [url, host, port, password]: Names,
) -> Option<Secret> {
    let mut text = |name| section.take(name).map(|entry| (entry, reader.text(entry)));
    let (url, host, password) = (text(url), text(host), text(password));
    let port = section.take(port).and_then(|entry| reader.count(entry, u64::from(u16::MAX)));
    if let Some((entry, Some(url))) = url {
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            let message = format!("`{}` names no Redis server", entry.name);
            reader.out_of_range(entry, message, "write `redis://host:6379` or `rediss://host`");
            return None;
        }
        return Some(Secret::new(url));
    }
    let password = password.and_then(|(_, text)| text);
    let (_, host) = host?;
    Some(built(&host?, &port.unwrap_or(PORT).to_string(), password.as_deref()))
}

fn of_environment(env: &Environment<'_>) -> Option<Secret> {
    if let Some(url) = env.variable("REDIS_URL") {
        return Some(Secret::new(url));
    }
    let host = env.variable("REDIS_HOST")?;
    let port = env.variable("REDIS_PORT").unwrap_or_else(|| PORT.to_string());
    Some(built(&host, &port, env.variable("REDIS_PASSWORD").as_deref()))
}

fn built(host: &str, port: &str, password: Option<&str>) -> Secret {
    let mut url = String::from("redis://");
    if let Some(password) = password {
        url.push(':');
        for byte in password.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => url.push(char::from(byte)),
                // Writing to a text cannot fail.
                _ => drop(write!(url, "%{byte:02X}")),
            }
        }
        url.push('@');
    }
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Secret::new(format!("{url}{host}:{port}"))
}
