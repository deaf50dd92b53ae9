//! Field paths: RFC 9535 JSONPath, reduced to names, indices and wildcards.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A member of an object, by name.
    Key(Box<str>),
    /// Every element of an array, or every value of an object whose keys are data: `[*]`.
    Each,
    /// One element of an array, counted from 0.
    Index(u32),
}

/// Where a value sits in a record, such as `$.items[*].user.id`.
///
/// Written as RFC 9535 JSONPath: a name that is no identifier is quoted (`$['the.key']`), wildcards stand for
/// array elements and for the values of objects that are really maps.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldPath(Arc<[Step]>);

/// Why a text is no field path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a field path: {why} at byte {at}")]
pub struct PathError {
    text: String,
    why: &'static str,
    at: usize,
}

impl FieldPath {
    /// The record itself, `$`.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// A path of these steps.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        Self(steps.into())
    }

    /// A path of plain names, one below the other.
    pub fn of_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.into())).collect())
    }

    /// The steps from the record down.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// This path with the member `key` below it.
    #[must_use]
    pub fn child(&self, key: &str) -> Self {
        self.with(Step::Key(key.into()))
    }

    /// This path with `[*]` below it.
    #[must_use]
    pub fn each(&self) -> Self {
        self.with(Step::Each)
    }

    /// This path with one more step.
    #[must_use]
    pub fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps.into())
    }

    /// The path one step up; `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.into()))
    }

    /// The last member name on the path, wildcards and indices passed over; `None` where there is none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(&**key),
            Step::Each | Step::Index(_) => None,
        })
    }

    /// Whether this is the record itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `above` is this path or one of its ancestors.
    #[must_use]
    pub fn starts_with(&self, above: &Self) -> bool {
        self.0.starts_with(&above.0)
    }

    /// Whether the path goes through `[*]`: one record may hold many values there.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Each))
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_ascii_alphabetic() || !c.is_ascii())
        && chars.all(|c| c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii())
        && !name.chars().any(|c| c.is_control() || c.is_whitespace())
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for step in &*self.0 {
            match step {
                Step::Key(key) if is_identifier(key) => write!(f, ".{key}")?,
                Step::Key(key) => {
                    f.write_str("['")?;
                    for c in key.chars() {
                        match c {
                            '\'' => f.write_str("\\'")?,
                            '\\' => f.write_str("\\\\")?,
                            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                            c => write!(f, "{c}")?,
                        }
                    }
                    f.write_str("']")?;
                }
                Step::Each => f.write_str("[*]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl FromStr for FieldPath {
    type Err = PathError;

    /// Reads `$.a.b[*]['odd key'][0]`; the leading `$` may be left out before a name (`a.b`).
    fn from_str(text: &str) -> Result<Self, PathError> {
        let fail = |why, at| PathError { text: text.to_owned(), why, at };
        let mut steps = Vec::new();
        let mut at = 0;
        let bytes = text.as_bytes();
        if bytes.first() == Some(&b'$') {
            at = 1;
        } else if !text.is_empty() && !text.starts_with(['.', '[']) {
            at = read_name(text, 0, &mut steps);
            if at == 0 {
                return Err(fail("a name or `$` is expected", 0));
            }
        } else if text.is_empty() {
            return Err(fail("it is empty", 0));
        }
        while at < bytes.len() {
            match bytes[at] {
                b'.' if bytes.get(at + 1) == Some(&b'*') => {
                    steps.push(Step::Each);
                    at += 2;
                }
                b'.' => {
                    let end = read_name(text, at + 1, &mut steps);
                    if end == at + 1 {
                        return Err(fail("a name is expected", at + 1));
                    }
                    at = end;
                }
                b'[' => at = read_bracket(text, at, &mut steps).map_err(|(why, at)| fail(why, at))?,
                _ => return Err(fail("`.` or `[` is expected", at)),
            }
        }
        Ok(Self(steps.into()))
    }
}

fn read_name(text: &str, from: usize, steps: &mut Vec<Step>) -> usize {
    let rest = &text[from..];
    let len = rest.find(['.', '[', ']', '\'', '"', ' ']).unwrap_or(rest.len());
    if len > 0 {
        steps.push(Step::Key(rest[..len].into()));
    }
    from + len
}

fn read_bracket(text: &str, from: usize, steps: &mut Vec<Step>) -> Result<usize, (&'static str, usize)> {
    let inner = from + 1;
    let rest = &text[inner..];
    if rest.starts_with("*]") || rest.starts_with(']') {
        steps.push(Step::Each);
        return Ok(inner + if rest.starts_with('*') { 2 } else { 1 });
    }
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let mut name = String::new();
        let mut chars = rest.char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            if c == quote {
                if rest[i + 1..].starts_with(']') {
                    steps.push(Step::Key(name.into()));
                    return Ok(inner + i + 2);
                }
                return Err(("`]` is expected", inner + i + 1));
            }
            if c != '\\' {
                name.push(c);
                continue;
            }
            match chars.next() {
                Some((u, 'u')) => {
                    let hex = rest.get(u + 1..u + 5).ok_or(("a broken escape", inner + u))?;
                    let code = u32::from_str_radix(hex, 16).map_err(|_| ("a broken escape", inner + u))?;
                    name.push(char::from_u32(code).ok_or(("a broken escape", inner + u))?);
                    for _ in 0..4 {
                        chars.next();
                    }
                }
                Some((_, c)) => name.push(c),
                None => break,
            }
        }
        return Err(("the quote is never closed", inner));
    }
    let len = rest.find(']').ok_or(("`]` is expected", text.len()))?;
    let index =
        rest[..len].parse().map_err(|_| ("only names, indices and `*` are understood, here", inner))?;
    steps.push(Step::Index(index));
    Ok(inner + len + 1)
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_reads() {
        for text in
            ["$", "$.a", "$.items[*].user.id", "$['the.key'][0]", "$['it\\'s']", "$[*]", "$['a\\u000ab']"]
        {
            assert_eq!(text.parse::<FieldPath>().unwrap().to_string(), text);
        }
        assert_eq!("a.b[].c".parse::<FieldPath>().unwrap().to_string(), "$.a.b[*].c");
    }

    #[test]
    fn refuses_what_is_no_path() {
        for text in ["", "$.", "$..a", "$[?(@.x)]", "$['a", "$.a b"] {
            assert!(text.parse::<FieldPath>().is_err(), "{text}");
        }
    }
}
