//! Text from outside made safe to read: control and direction characters are shown, not obeyed.

/// `text` with control, bidirectional and invisible characters written out (`\n`, `\u{202e}`) and at most
/// `max_chars` long. What comes back is one line, wherever it came from.
pub(crate) fn visible(text: &str, max_chars: usize) -> String {
    visible_with(text, max_chars, false)
}

/// As [`visible`], with tabs kept: for lines of a diff.
pub(crate) fn visible_line(text: &str, max_chars: usize) -> String {
    visible_with(text, max_chars, true)
}

fn visible_with(text: &str, max_chars: usize, keep_tabs: bool) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len().min(max_chars));
    for (count, c) in text.chars().enumerate() {
        if count == max_chars {
            out.push('…');
            break;
        }
        match c {
            '\t' if keep_tabs => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_hidden(c) => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Characters that change the order of others, or that nobody sees.
const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` for an HTML text node or a quoted attribute.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A sentence for HTML, what stands in backticks as code.
pub(crate) fn prose(text: &str) -> String {
    let escaped = html(text);
    let parts: Vec<&str> = escaped.split('`').collect();
    // Backticks that do not pair are part of a name.
    if parts.len().is_multiple_of(2) {
        return escaped;
    }
    let mut out = String::with_capacity(escaped.len() + 13 * parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        if index.is_multiple_of(2) {
            out.push_str(part);
        } else {
            out.push_str("<code>");
            out.push_str(part);
            out.push_str("</code>");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_obeyed() {
        assert_eq!(
            visible("a\r\nBcc: x\u{1b}[31m\u{202e}\u{0}", 100),
            "a\\r\\nBcc: x\\u{1b}[31m\\u{202e}\\u{0}"
        );
        assert_eq!(visible("Trentino-Südtirol 名前", 100), "Trentino-Südtirol 名前");
        assert_eq!(visible(&"x".repeat(10_000), 5), "xxxxx…");
        assert_eq!(visible_line("+\tkey\u{85}", 100), "+\tkey\\u{85}");
        assert_eq!(prose("`a<` is `b`"), "<code>a&lt;</code> is <code>b</code>");
        assert_eq!(prose("it`s"), "it`s");
        assert_eq!(html("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
    }
}
