//! Messages of an AWS event stream (`application/vnd.amazon.eventstream`), written apart from the
//! gateway's own code, so that the two cannot be wrong together.

use bytes::Bytes;

/// One message: its lengths with their checksum, headers of type string, payload, checksum.
///
/// # Panics
/// When a header or the whole is longer than its length can say.
#[must_use]
pub fn message(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(u8::try_from(name.len()).expect("a header's name is short"));
        block.extend_from_slice(name.as_bytes());
        block.push(STRING);
        let length = u16::try_from(value.len()).expect("a header's value is short");
        block.extend_from_slice(&length.to_be_bytes());
        block.extend_from_slice(value.as_bytes());
    }
    let whole = PRELUDE_BYTES + block.len() + payload.len() + CHECKSUM_BYTES;
    let mut out = Vec::with_capacity(whole);
    for length in [whole, block.len()] {
        let length = u32::try_from(length).expect("a message is short");
        out.extend_from_slice(&length.to_be_bytes());
    }
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out.extend_from_slice(&block);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out.into()
}

/// An event of this type with a JSON payload.
#[must_use]
pub fn event(kind: &str, payload: &str) -> Bytes {
    let headers =
        [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    message(&headers, payload.as_bytes())
}

/// An exception of this type with a JSON payload.
#[must_use]
pub fn exception(kind: &str, payload: &str) -> Bytes {
    let headers = [
        (":exception-type", kind),
        (":content-type", "application/json"),
        (":message-type", "exception"),
    ];
    message(&headers, payload.as_bytes())
}

/// CRC-32 as zlib has it (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..u8::BITS {
            sum = if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
        }
    }
    !sum
}

/// The type of a header whose value is text.
const STRING: u8 = 7;
/// Two lengths and their checksum.
const PRELUDE_BYTES: usize = 12;
const CHECKSUM_BYTES: usize = 4;
const POLYNOMIAL: u32 = 0xEDB8_8320;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_has_its_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_message_is_laid_out_as_documented() {
        let message = message(&[("ab", "cde")], b"{}");
        let laid_out = [
            &[0, 0, 0, 27, 0, 0, 0, 9][..],
            &crc32(&[0, 0, 0, 27, 0, 0, 0, 9]).to_be_bytes(),
            b"\x02ab\x07\x00\x03cde{}",
        ]
        .concat();
        assert_eq!(message[..23], laid_out);
        assert_eq!(message[23..], crc32(&laid_out).to_be_bytes());
    }
}
