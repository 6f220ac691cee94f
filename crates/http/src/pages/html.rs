//! Pages for people: escaped text in one plain frame, styled by one file of our own.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
code{font-family:ui-monospace,monospace;background:color-mix(in srgb,currentColor 10%,transparent);padding:0 .2em;border-radius:.2em}\
h2{margin-top:2.5rem}h3{margin:2rem 0 .3rem}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}\
";

/// The style of all pages.
pub(super) async fn style() -> Response {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], STYLE).into_response()
}

/// A page; `body` is HTML that is escaped already.
pub(super) fn page(title: &str, body: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{} · Bailee</title>\
         <link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body><main>{body}</main></body></html>",
        escape(title)
    );
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
            ),
        ),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        ),
    ];
    (headers, text).into_response()
}

/// Text that stands for itself in HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Markdown as our pages use it: headings, lists of one level, paragraphs, `code`. Everything else is text.
pub(super) fn markdown(text: &str) -> String {
    let mut html = String::new();
    let mut block = Block::None;
    for line in text.lines().map(str::trim_end) {
        let next = Block::of(line, block);
        if next != block || line.is_empty() {
            html.push_str(block.end());
            html.push_str(next.begin());
        }
        match (next, line.strip_prefix("- ")) {
            (Block::List, Some(item)) => html.extend(["<li>", inline(item).as_str()]),
            (Block::List, None) => html.extend([" ", inline(line.trim_start()).as_str()]),
            (Block::Paragraph, _) => html.extend([inline(line).as_str(), " "]),
            (Block::None, _) => html.push_str(&heading(line)),
        }
        block = next;
    }
    html.push_str(block.end());
    html
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    None,
    Paragraph,
    List,
}

impl Block {
    fn of(line: &str, now: Self) -> Self {
        if line.is_empty() || line.starts_with('#') {
            Self::None
        } else if line.starts_with("- ") || (now == Self::List && line.starts_with(' ')) {
            Self::List
        } else {
            Self::Paragraph
        }
    }

    const fn begin(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Paragraph => "<p>",
            Self::List => "<ul>",
        }
    }

    const fn end(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Paragraph => "</p>\n",
            Self::List => "</ul>\n",
        }
    }
}

fn heading(line: &str) -> String {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    if level == 0 {
        return String::new();
    }
    let level = level.min(4);
    format!("<h{level}>{}</h{level}>\n", inline(text.trim()))
}

/// Text with `code` between backticks and **weight** between pairs of stars. Without its end a mark is text.
fn inline(text: &str) -> String {
    marked(
        text,
        "`",
        |code| format!("<code>{}</code>", escape(code)),
        |text| {
            marked(
                text,
                "**",
                |bold| format!("<strong>{}</strong>", escape(bold)),
                escape,
            )
        },
    )
}

/// What is between two marks written by `inner`, the rest by `outer`.
fn marked(
    text: &str,
    mark: &str,
    inner: impl Fn(&str) -> String,
    outer: impl Fn(&str) -> String,
) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(mark) {
        let Some((within, after)) = after.split_once(mark) else {
            break;
        };
        html.push_str(&outer(before));
        html.push_str(&inner(within));
        rest = after;
    }
    html.push_str(&outer(rest));
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_escaped() {
        let html = markdown("# `a<b`\nStatus: <script>\n\n- one\n  more\n- two & `x`\n\nend");
        assert_eq!(
            html,
            "<h1><code>a&lt;b</code></h1>\n<p>Status: &lt;script&gt; </p>\n<ul><li>one more<li>two &amp; <code>x</code></ul>\n<p>end </p>\n"
        );
    }

    #[test]
    fn a_lone_backtick_is_text() {
        assert_eq!(inline("a `b"), "a `b");
        assert_eq!(inline("**a** `b`"), "<strong>a</strong> <code>b</code>");
    }
}
