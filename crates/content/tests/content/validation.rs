//! Rules for content.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use bailee_content::limit::FAULTS_MAX;
use bailee_content::validate::{
    Column, ColumnKind, CsvRule, Fault, JsonRule, NameRule, Report, SizeRule, TypeRule, check_csv,
    check_json, check_xml, sniff,
};
use proptest::prelude::{any, prop};
use proptest::test_runner::{Config, TestRunner};

use crate::kit::feed;

fn column(name: &str, kind: ColumnKind, pattern: Option<&str>) -> Column {
    Column {
        name: name.into(),
        kind,
        pattern: pattern.map(Into::into),
        is_required: name != "note",
    }
}

fn rule() -> CsvRule {
    let columns = vec![
        column("id", ColumnKind::Integer, Some("[0-9]{1,4}")),
        column("amount", ColumnKind::Decimal, None),
        column("day", ColumnKind::Date, None),
        column("note", ColumnKind::Text, None),
    ];
    CsvRule::new(';', columns).unwrap()
}

async fn csv(text: impl Into<Vec<u8>>) -> Report {
    check_csv(feed(text.into()), rule()).await.unwrap()
}

fn told(report: &Report) -> Vec<String> {
    let show = |fault: &Fault| {
        let line = fault.line.map_or_else(String::new, |line| line.to_string());
        let place = fault.place.clone().unwrap_or_default();
        format!("{line}|{place}|{}", fault.message)
    };
    report.faults.iter().map(show).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn good_tables_are_taken() {
    for text in [
        "id;amount;day;note\n1;2.50;2026-11-22;\n",
        "\u{FEFF}id;amount;day;note\r\n1;-2;2026-11-22;\"a; \"\"b\"\"\r\nc\"\r\n",
        "id;amount;day;note\n1;2.50;2026-11-22;no break at the end",
        "\"id\";amount;day;note\n",
        "\u{FEFF}\"id\";amount;day;note\n",
    ] {
        assert!(csv(text).await.is_valid(), "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_told_with_their_lines() {
    let text = "id;sum;day;note\n\
        x;2.50;2026-11-22;\"two\nlines\"\n\
        12345;;2026-02-30;\n\
        1;2\n\
        1;2;2026-01-01;a\"b\n";
    assert_eq!(
        told(&csv(text).await),
        [
            "1|amount|the header says \"sum\"",
            "2|id|\"x\" is no integer",
            "4|id|\"12345\" does not match the pattern",
            "4|amount|a value is required",
            "4|day|\"2026-02-30\" is no date",
            "5||2 columns, expected are 4",
            "6||a quote stands within a field that has none",
        ]
    );
    assert_eq!(told(&csv("").await), ["||the header is missing"]);
    let open = csv("id;amount;day;note\n1;2;2026-01-01;\"never\n\n").await;
    assert_eq!(told(&open), ["2||a quote is never closed"]);
    let few = check_csv(feed(vec![]), rule().without_header().with_rows_min(1));
    let expected = ["||0 rows of data, at least 1 are expected"];
    assert_eq!(told(&few.await.unwrap()), expected);
    let many = csv(format!("id;amount;day;note\n{}", "x\n".repeat(500))).await;
    assert!(many.has_more && many.faults.len() == FAULTS_MAX);
    let latin = csv(b"id;amount;day;note\n1;2;2026-01-01;\xFC\n".to_vec()).await;
    assert_eq!(told(&latin), ["2|note|the value is not UTF-8"]);
}

/// Any text that is quoted as RFC 4180 says comes back as one valid field; any bytes at all give a report.
#[test]
fn any_table_gives_a_report() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let mut runner = TestRunner::new(Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    });
    let bytes = prop::collection::vec(prop::sample::select(b"1;,\"\r\n x\xFF".to_vec()), 0..200);
    let case = (any::<String>(), bytes);
    let checked = runner.run(&case, |(text, bytes)| {
        let quoted = text.replace('"', "\"\"");
        let table = format!("id;amount;day;note\n1;2;2026-01-01;\"{quoted}\"\n");
        assert!(runtime.block_on(csv(table)).is_valid());
        let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
        let report = runtime.block_on(csv(bytes));
        assert!(!report.is_valid());
        assert!(
            report
                .faults
                .iter()
                .all(|fault| fault.line.is_none_or(|line| line <= lines))
        );
        Ok(())
    });
    checked.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_checked() {
    let well = |text: &str| check_json(feed(text.as_bytes().to_vec()), JsonRule::well_formed());
    assert!(
        well("{\"a\": [1, 2.5e3, null]}\n")
            .await
            .unwrap()
            .is_valid()
    );
    for text in ["", "{", "{\"a\":1,}", "{} {}", "\"\\x\"", "[1\n,]"] {
        assert!(!well(text).await.unwrap().is_valid(), "{text}");
    }
    assert_eq!(
        well("{\n\"a\":\n}")
            .await
            .unwrap()
            .faults
            .first()
            .unwrap()
            .line,
        Some(3)
    );
    assert!(!well(&"[".repeat(100_000)).await.unwrap().is_valid());

    let schema = br#"{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"code":{"type":"string","pattern":"^[A-Z]+$"}}}"#;
    let rule = JsonRule::by_schema(schema).unwrap();
    let by = |text: &str| check_json(feed(text.as_bytes().to_vec()), rule.clone());
    assert!(by(r#"{"id":1,"code":"AB"}"#).await.unwrap().is_valid());
    let report = by(r#"{"id":"secret","code":"x"}"#).await.unwrap();
    let places: Vec<_> = report
        .faults
        .iter()
        .map(|fault| fault.place.clone().unwrap())
        .collect();
    assert_eq!(places, ["/id", "/code"]);
    assert!(!format!("{report:?}").contains("secret"));
    for schema in [
        &br#"{"$ref":"https://example.org/schema.json"}"#[..],
        br#"{"$ref":"file:///etc/passwd"}"#,
        br#"{"type":"nothing"}"#,
        b"{",
    ] {
        assert_eq!(
            JsonRule::by_schema(schema).unwrap_err().code(),
            "rule_schema"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn xml_is_checked() {
    let check = |text: String| check_xml(feed(text.into_bytes()));
    for text in [
        "<?xml version=\"1.0\"?>\n<!DOCTYPE a>\n<a b='1'>x &amp; &#233;<c/></a>\n",
        "<a><![CDATA[<b>]]><!-- c --></a>",
    ] {
        let report = check(text.into()).await.unwrap();
        assert!(report.is_valid(), "{text} {report:?}");
    }
    for (text, line) in [
        ("", 1),
        ("text", 1),
        ("<a>\n<b>\n</a>", 3),
        ("<a>\n", 2),
        ("<a/>\n<b/>", 2),
        ("<a b='1' b='2'/>", 1),
        ("<a>\n&own;</a>", 2),
        ("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", 1),
        ("<a/>\nafter", 1),
    ] {
        let report = check(text.into()).await.unwrap();
        assert_eq!(
            report.faults.first().map(|fault| fault.line),
            Some(Some(line)),
            "{text}"
        );
    }
    assert!(!check("<a>".repeat(1000)).await.unwrap().is_valid());
    let long = format!("<a>{}</a>", "x".repeat(3 << 20));
    assert!(!check(long).await.unwrap().is_valid());
}

#[test]
fn name_size_and_type_are_checked() {
    let name = NameRule::new("pay_[0-9]{8}\\.csv").unwrap();
    assert!(name.check("pay_20261122.csv").is_valid());
    assert!(!name.check("x_pay_20261122.csv").is_valid());
    assert!(!name.check("pay_20261122.csv.exe").is_valid());
    assert!(!NameRule::new("a|b").unwrap().check("ab").is_valid());
    assert_eq!(NameRule::new("(").unwrap_err().code(), "rule_pattern");
    assert!(NameRule::new("(a{1000}){1000}").is_err());
    let size = SizeRule {
        bytes_min: 1,
        bytes_max: 9,
    };
    assert!(size.check(1).is_valid() && size.check(9).is_valid());
    assert!(!size.check(0).is_valid() && !size.check(10).is_valid());
    let types = TypeRule {
        types: vec!["application/pdf".into(), "image/*".into()],
    };
    assert!(types.check(b"%PDF-1.7\n").is_valid());
    assert!(types.check(b"\x89PNG\r\n\x1a\n").is_valid());
    assert!(!types.check(b"MZ\x90\x00").is_valid());
    assert_eq!(sniff("grün".as_bytes()), "text/plain");
    assert_eq!(sniff(b"\x00\x01"), "application/octet-stream");
}
