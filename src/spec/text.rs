//! Markdown and plain text, by heading.

use super::sections::{Builder, Sections};

/// The sections of a text.
pub(super) fn read(content: &str) -> Result<Sections, String> {
    let mut builder = Builder::default();
    let mut fence: Option<&str> = None;
    let mut lines = without_front_matter(content).lines().peekable();
    let mut seen = 0;
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        seen += start.len();
        if let Some(mark) = fence {
            if start.starts_with(mark) {
                fence = None;
            } else {
                builder.code(line);
            }
            continue;
        }
        if let Some(mark) = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark)) {
            fence = Some(mark);
            continue;
        }
        let level = start.bytes().take_while(|b| *b == b'#').count();
        if (1..=6).contains(&level) && start[level..].starts_with([' ', '\t']) {
            builder.heading(level as u8, &start[level..]);
            continue;
        }
        // A line underlined by `===` or `---` is a heading.
        let underline = lines.peek().map(|next| next.trim()).filter(|next| next.len() >= 3);
        let underlined = |mark: char| underline.is_some_and(|next| next.chars().all(|c| c == mark));
        if !start.is_empty() && (underlined('=') || underlined('-')) && !start.starts_with(['|', '-', '>']) {
            builder.heading(if underlined('=') { 1 } else { 2 }, start);
            lines.next();
            continue;
        }
        builder.line(line);
    }
    if seen < 40 {
        return Err("next to nothing is in it".to_owned());
    }
    Ok(builder.finish())
}

fn without_front_matter(content: &str) -> &str {
    let Some(rest) = content.strip_prefix("---\n") else { return content };
    rest.split_once("\n---\n").map_or(content, |(_, body)| body)
}
