//! Names what a body is when it is not JSON, so that it is refused by its name.

use crate::rules::{Media, media_of};

/// The name of the format of a file that is not read here, by its ending and then by its content.
#[must_use]
pub fn foreign_file(name: &str, bytes: &[u8]) -> Option<&'static str> {
    by_ending(name).or_else(|| foreign_format(None, bytes)).or_else(|| match media_of(bytes) {
        Media::Csv => Some("CSV"),
        Media::Binary => Some("binary data"),
        Media::Json
        | Media::Empty
        | Media::CutJson
        | Media::JsonLines
        | Media::Html
        | Media::Xml
        | Media::Text => None,
    })
}

/// What to do with a file of a format that is not read.
#[must_use]
pub fn next_step(format: &str) -> &'static str {
    match format {
        "gzip data" | "a ZIP archive" => "unpack it first",
        "UTF-16 text" => "save it as UTF-8",
        "HTML" | "HTML or XML" => "take the answer of the API, and not a page of it",
        _ => "turn its records into JSON, one object a line (.jsonl)",
    }
}

/// What the ending of a name says that a file is.
pub(super) fn by_ending(name: &str) -> Option<&'static str> {
    let ending = name.rsplit(['/', '\\']).next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    match ending.as_str() {
        "csv" | "tsv" => Some("CSV"),
        "xml" => Some("XML"),
        "parquet" => Some("Parquet"),
        "avro" => Some("Avro"),
        "xlsx" | "xls" => Some("Excel"),
        "yaml" | "yml" => Some("YAML"),
        _ => None,
    }
}

/// The name of a format that is not read here; `None` where the body gives no hint.
pub(super) fn foreign_format(content_type: Option<&str>, body: &[u8]) -> Option<&'static str> {
    // Spaces and a byte order mark before the first sign tell nothing.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    by_signature(body).or_else(|| by_media_type(content_type?))
}

fn by_signature(body: &[u8]) -> Option<&'static str> {
    let head: Vec<u8> = body.iter().take(512).map(u8::to_ascii_lowercase).collect();
    let starts = |sign: &[u8]| head.starts_with(sign);
    let name = if starts(b"<!doctype html") || starts(b"<html") || starts(b"<head") || starts(b"<body") {
        "HTML"
    } else if starts(b"<?xml") || starts(b"<rss") || starts(b"<feed") || starts(b"<soap") {
        "XML"
    } else if starts(b"%pdf") {
        "PDF"
    } else if starts(b"par1") {
        "Parquet"
    } else if starts(b"pk\x03\x04") {
        "a ZIP archive"
    } else if starts(b"\x1f\x8b") {
        "gzip data"
    } else if starts(b"obj\x01") {
        "Avro"
    } else if starts(b"\xff\xfe") || starts(b"\xfe\xff") {
        "UTF-16 text"
    } else if starts(b"<") {
        "HTML or XML"
    } else {
        return None;
    };
    Some(name)
}

fn by_media_type(content_type: &str) -> Option<&'static str> {
    let media = media_type(content_type);
    let name = match media.as_str() {
        "text/html" | "application/xhtml+xml" => "HTML",
        "text/csv" | "application/csv" | "text/tab-separated-values" => "CSV",
        "application/x-protobuf" | "application/protobuf" | "application/vnd.google.protobuf" => {
            "Protocol Buffers"
        }
        "application/grpc" | "application/grpc+proto" | "application/grpc-web" => "gRPC",
        "application/msgpack" | "application/x-msgpack" | "application/vnd.msgpack" => "MessagePack",
        "application/cbor" => "CBOR",
        "application/avro" | "avro/binary" => "Avro",
        "application/vnd.apache.parquet" => "Parquet",
        "application/yaml" | "application/x-yaml" | "text/yaml" => "YAML",
        "application/pdf" => "PDF",
        "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" => "JSON Lines",
        "text/event-stream" => "an event stream",
        "application/vnd.ms-excel" | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => {
            "Excel"
        }
        "application/zip" => "a ZIP archive",
        "application/gzip" | "application/x-gzip" => "gzip data",
        other if other == "text/xml" || other == "application/xml" || other.ends_with("+xml") => "XML",
        other if ["image/", "audio/", "video/", "font/"].iter().any(|kind| other.starts_with(kind)) => {
            "media"
        }
        _ => return None,
    };
    Some(name)
}

/// The media type without its parameters, in lower case.
pub(super) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (media, body, name) in [
            (None, &b"\n <!DOCTYPE html><p>"[..], Some("HTML")),
            (Some("application/json"), b"<?xml version='1.0'?>", Some("XML")),
            (Some("application/soap+xml; charset=utf-8"), b"", Some("XML")),
            (Some("text/csv"), b"id,name\n1,a", Some("CSV")),
            (Some("application/x-protobuf"), b"\x08\x01", Some("Protocol Buffers")),
            (Some("application/json"), b"oops", None),
        ] {
            assert_eq!(foreign_format(media, body), name);
        }
    }
}
