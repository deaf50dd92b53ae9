//! Just enough of a Rust lexer: names and punctuation with their lines, without comments, literals and test code.

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// A name, or one character of punctuation; `::` is one token.
    pub(crate) text: String,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl Token {
    /// Whether it is a name or a keyword.
    pub(crate) fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c == '_' || c.is_alphabetic())
    }
}

/// The tokens of a source, code under `#[cfg(test)]` taken out.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    without_tests(&lex(source))
}

fn lex(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let is_name_part = |c: char| c == '_' || c.is_alphanumeric();
    let (mut tokens, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let start = i;
        let c = at(i);
        let mut text = None;
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            i = end_of_block_comment(&chars, i);
        } else if let Some(end) = end_of_string(&chars, i) {
            i = end;
        } else if c == '\'' {
            i = end_of_char_or_lifetime(&chars, i);
        } else if c.is_ascii_digit() {
            // A dot belongs to a number only before a digit: `1..2` and `1.max(2)` are more than a number.
            while is_name_part(at(i)) || (at(i) == '.' && at(i + 1).is_ascii_digit()) {
                i += 1;
            }
        } else if is_name_part(c) {
            // `r#type` is the name `type`.
            if c == 'r' && at(i + 1) == '#' {
                i += 2;
            }
            let from = i;
            while is_name_part(at(i)) {
                i += 1;
            }
            text = Some(chars[from..i].iter().collect());
        } else if c == ':' && at(i + 1) == ':' {
            i += 2;
            text = Some("::".to_owned());
        } else {
            i += 1;
            if !c.is_whitespace() {
                text = Some(c.to_string());
            }
        }
        if let Some(text) = text {
            tokens.push(Token { text, line });
        }
        line += chars[start..i].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

fn end_of_block_comment(chars: &[char], start: usize) -> usize {
    let (mut i, mut depth) = (start, 0);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (i, depth) = (i + 2, depth + 1),
            ('*', Some('/')) => (i, depth) = (i + 2, depth - 1),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

/// The end of a string of any kind that begins here: `""`, `b""`, `c""`, `r""`, `br#""#` …
fn end_of_string(chars: &[char], start: usize) -> Option<usize> {
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut i = start;
    if matches!(at(i), 'b' | 'c') && matches!(at(i + 1), '"' | 'r') {
        i += 1;
    }
    let is_raw = at(i) == 'r' && matches!(at(i + 1), '"' | '#');
    let mut hashes = 0;
    if is_raw {
        i += 1;
        while at(i) == '#' {
            (i, hashes) = (i + 1, hashes + 1);
        }
    }
    if at(i) != '"' {
        return None;
    }
    i += 1;
    while i < chars.len() {
        match at(i) {
            '\\' if !is_raw => i += 1,
            '"' if (1..=hashes).all(|n| at(i + n) == '#') => return Some(i + 1 + hashes),
            _ => {}
        }
        i += 1;
    }
    Some(i)
}

fn end_of_char_or_lifetime(chars: &[char], start: usize) -> usize {
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    if at(start + 1) == '\\' {
        // `'\''`, `'\u{202e}'`.
        let mut i = start + 3;
        while i < chars.len() && at(i) != '\'' {
            i += 1;
        }
        return i + 1;
    }
    if at(start + 2) == '\'' {
        return start + 3;
    }
    // A lifetime: its name is no name of ours.
    let mut i = start + 1;
    while at(i) == '_' || at(i).is_alphanumeric() {
        i += 1;
    }
    i
}

/// Takes out every item under `#[cfg(test)]` or `#[test]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let is_test = ["#[cfg(test)]", "#[test]"].iter().any(|attribute| {
            let end = (i + 8).min(tokens.len());
            let text: String = tokens[i..end].iter().map(|token| token.text.as_str()).collect();
            text.starts_with(attribute)
        });
        if is_test {
            i = end_of_item(tokens, i);
        } else {
            kept.push(tokens[i].clone());
            i += 1;
        }
    }
    kept
}

/// The end of the item that begins here with its attributes: its `;`, or the `}` of its block.
fn end_of_item(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "}" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return i + 1;
                }
            }
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
    }
    tokens.len()
}
