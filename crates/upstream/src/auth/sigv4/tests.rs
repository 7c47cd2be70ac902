//! Signatures that AWS's own library (botocore 1.44) makes of the same requests.

use tollgate_domain::Secret;

use super::*;

fn signature(url: &'static str, content_type: &'static str, token: Option<&str>) -> String {
    let iam = url.contains("iam.");
    let body = if iam { b"".as_slice() } else { b"{}" };
    let mut request = Request::new(Full::new(Bytes::from_static(body)));
    *request.method_mut() = if iam { http::Method::GET } else { http::Method::POST };
    *request.uri_mut() = http::Uri::from_static(url);
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    let keys = AwsKeys {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: token.map(Secret::new),
    };
    let scope = Scope { region: "us-east-1", service: if iam { "iam" } else { "bedrock" } };
    let now = Timestamp::parse("2015-08-30T12:36:00.9Z").expect("an instant");
    sign(&mut request, body, &keys, scope, now).expect("a signature");
    let value = request.headers()[AUTHORIZATION].to_str().expect("ASCII");
    value.rsplit_once("Signature=").expect("a signature").1.to_owned()
}

#[test]
fn a_signature_is_the_one_that_aws_expects_also_where_the_path_is_encoded() {
    const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
    const JSON: &str = "application/json";
    const LIST: &str = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08";
    const LIST_PORT: &str = "https://iam.amazonaws.com:443/?Version=2010-05-08&Action=ListUsers";
    const MODEL: &str =
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2%3A1/converse";
    const ARN: &str = "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ax%2Fy/converse";
    let token = Some("tok/en==");
    for (url, kind, token, expected) in [
        (LIST, FORM, None, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
        (LIST_PORT, FORM, None, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
        (MODEL, JSON, None, "bbed9c3e84fb8b72cc9e7f290769bff49e34377e22a35007cb0001e211d71c7b"),
        (ARN, JSON, None, "c55eebf4e41ace9e21f7856d8d403d070012241301c5064c2c01aa36c93b3a4d"),
        (LIST, FORM, token, "906f87f0639102a5559794eb33d6aedfdb957d40dbf34aec5c0ea5bc3313b6f1"),
        (ARN, JSON, token, "a3b331fb3182d96a9a2749ed4966afcee50e0d383d82b01dc8ac7f5b9b0ff50d"),
    ] {
        assert_eq!(signature(url, kind, token), expected, "{url}");
    }
}
