//! Paths that were typed and name nothing: the nearest ones that there are.

use crate::model::FieldPath;

/// Paths that are named at most.
const MOST: usize = 3;

/// The nearest of the paths that there are, as the end of a sentence: `; the nearest are `$.id`, `$.uid``. Nothing where
/// there are none.
pub(super) fn near<'a>(path: &FieldPath, there: impl IntoIterator<Item = &'a FieldPath>) -> String {
    let wanted = path.to_string();
    let mut all: Vec<(f64, String)> = there
        .into_iter()
        .filter(|other| !other.is_root())
        .map(|other| {
            let other = other.to_string();
            (strsim::jaro_winkler(&wanted, &other), other)
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    all.dedup();
    let names: Vec<String> = all.into_iter().take(MOST).map(|(_, name)| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("; there is {one}"),
        several => format!("; the nearest are {}", several.join(", ")),
    }
}
