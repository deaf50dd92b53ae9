//! Two states of a page on one level: what one of them does not say is taken as the other has it, so that a page that is
//! laid out anew is not mistaken for an API that lost its fields.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    EACH, Field, OBJECT, Operation, Page, Part,
    sample::Sample,
    table::{Path, tops},
};

/// Two states of a page, made comparable.
#[derive(Debug, Default)]
pub(in crate::spec) struct Aligned {
    pub(in crate::spec) before: Page,
    pub(in crate::spec) after: Page,
    /// Operations of the two that are the same one, by their places.
    pub(in crate::spec) pairs: Vec<(usize, usize)>,
    /// What of the later state could not be read, and so is not compared.
    pub(in crate::spec) unread: Vec<String>,
}

/// Puts two states on one level.
pub(in crate::spec) fn align(before: &Page, after: &Page) -> Aligned {
    let mut aligned = Aligned { before: before.clone(), after: after.clone(), ..Aligned::default() };
    aligned.operations();
    aligned.objects();
    let Aligned { before, after, pairs, unread } = &mut aligned;
    let all = after.clone();
    for (was, is) in pairs.iter() {
        let (Some(was), Some(is)) = (before.operations.get_mut(*was), after.operations.get_mut(*is)) else {
            continue;
        };
        level(was, is, &all, unread);
    }
    for (was, is) in pairs.iter() {
        let (Some(was), Some(is)) = (before.operations.get_mut(*was), after.operations.get_mut(*is)) else {
            continue;
        };
        quiet(&mut was.answer, &mut is.answer);
        quiet(&mut was.parameters.fields, &mut is.parameters.fields);
        quiet(&mut was.body.fields, &mut is.body.fields);
    }
    for operation in before.operations.iter_mut().chain(&mut after.operations) {
        if operation.answer.is_empty() {
            operation.answer =
                operation.whole().into_iter().map(|(path, (field, _))| (path, field)).collect();
        }
    }
    aligned
}

/// What is said for people of fields that both states have is compared as prose.
fn quiet(was: &mut BTreeMap<Path, Field>, is: &mut BTreeMap<Path, Field>) {
    for (path, is) in is {
        if let Some(was) = was.get_mut(path) {
            was.about.clear();
            is.about.clear();
        }
    }
}

/// The path of an operation without the names of what varies.
fn shape(operation: &Operation) -> (String, String) {
    let segments =
        operation.path.split('/').map(|segment| if segment.contains('{') { "{}" } else { segment });
    (operation.method.clone(), segments.collect::<Vec<_>>().join("/"))
}

/// A title in lower case, one and many alike.
fn folded(title: &str) -> String {
    let title: String = title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    title.strip_suffix('s').map(str::to_owned).unwrap_or(title)
}

impl Aligned {
    /// Pairs operations; where most are gone at once, the page is no longer read and nothing is said of them.
    fn operations(&mut self) {
        let is_operation = |(_, operation): &(usize, &Operation)| operation.method != OBJECT;
        let was: Vec<(usize, &Operation)> =
            self.before.operations.iter().enumerate().filter(is_operation).collect();
        let is: Vec<(usize, &Operation)> =
            self.after.operations.iter().enumerate().filter(is_operation).collect();
        let shapes: BTreeMap<_, usize> =
            is.iter().rev().map(|(at, operation)| (shape(operation), *at)).collect();
        let mut gone = Vec::new();
        for (at, operation) in &was {
            match shapes.get(&shape(operation)) {
                Some(found) => self.pairs.push((*at, *found)),
                None => gone.push((*operation).clone()),
            }
        }
        if gone.len() > 1 && is.len() * 2 < was.len() {
            let why = format!(
                "of the {} operations that the page described, {} cannot be found in it; they are not compared",
                was.len(),
                gone.len()
            );
            self.unread.push(why);
            self.after.operations.extend(gone);
        }
    }

    /// Pairs objects that are described by themselves: by their titles, else by what they hold. One that cannot be found
    /// is not compared: a page may describe it elsewhere.
    fn objects(&mut self) {
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        let objects: Vec<usize> = places(&self.before, OBJECT);
        let mut left = Vec::new();
        for at in objects {
            let title = folded(&self.before.operations[at].path);
            let found = places(&self.after, OBJECT)
                .into_iter()
                .find(|index| !taken.contains(index) && folded(&self.after.operations[*index].path) == title);
            match found {
                Some(index) => {
                    taken.insert(index);
                    self.after.operations[index].path.clone_from(&self.before.operations[at].path);
                    self.pairs.push((at, index));
                }
                None => left.push(at),
            }
        }
        for at in left {
            let object = &self.before.operations[at];
            let elsewhere = nearest(&object.response, &self.after, &taken);
            let index = match elsewhere {
                Some((index, _)) if self.after.operations[index].method == OBJECT => {
                    taken.insert(index);
                    self.after.operations[index].path.clone_from(&object.path);
                    index
                }
                Some((_, part)) => {
                    self.after.operations.push(Operation { response: part, ..object.clone() });
                    self.after.operations.len() - 1
                }
                None => {
                    let fields = object.response.fields.len();
                    self.unread.push(format!(
                        "`{}`, of which the page described {fields} fields, cannot be found in it",
                        object.path
                    ));
                    self.after
                        .operations
                        .push(Operation { response: object.response.without_rows(), ..object.clone() });
                    self.before.operations[at].response.rows.clear();
                    self.after.operations.len() - 1
                }
            };
            self.pairs.push((at, index));
        }
    }
}

fn places(page: &Page, method: &str) -> Vec<usize> {
    page.operations
        .iter()
        .enumerate()
        .filter(|(_, operation)| operation.method == method)
        .map(|(at, _)| at)
        .collect()
}

/// The description that holds most of what a part does, more than half of it.
fn nearest(part: &Part, page: &Page, taken: &BTreeSet<usize>) -> Option<(usize, Part)> {
    let names = tops(part.fields.keys());
    if names.len() < 2 {
        return None;
    }
    let common = |other: &Part| tops(other.fields.keys()).intersection(&names).count();
    let others = page.operations.iter().enumerate().filter(|(at, _)| !taken.contains(at));
    let best = others.max_by_key(|(at, operation)| (common(&operation.response), std::cmp::Reverse(*at)));
    best.filter(|(_, operation)| common(&operation.response) * 2 > names.len())
        .map(|(at, operation)| (at, operation.response.clone()))
}

/// Puts two states of one operation on one level.
fn level(was: &mut Operation, is: &mut Operation, after: &Page, unread: &mut Vec<String>) {
    if was.server.is_none() || is.server.is_none() {
        let server = was.server.clone().or_else(|| is.server.clone());
        (was.server, is.server) = (server.clone(), server);
    }
    let name = if was.method == OBJECT {
        was.path.clone()
    } else {
        format!("{} {}", was.method.to_uppercase(), was.path)
    };
    if is.response.fields.is_empty() && was.method != OBJECT {
        let moved = nearest(&was.response, after, &BTreeSet::new());
        is.response = moved.map(|(_, part)| part).unwrap_or_default();
    }
    let parts = [
        ("parameters", &mut was.parameters, &mut is.parameters),
        ("body", &mut was.body, &mut is.body),
        ("fields", &mut was.response, &mut is.response),
    ];
    for (what, was, is) in parts {
        unread.extend(parts_level(was, is).map(|why| format!("the {what} of {name} {why}")));
    }
    samples(was, is, &name, unread);
    let (mut before, mut after) = (was.whole(), is.whole());
    for (path, (is, is_weak)) in &mut after {
        let Some((was, was_weak)) = before.get_mut(path) else { continue };
        // A sample shows one value; what a table says of the type counts more.
        match (*was_weak, *is_weak) {
            (true, false) => *was = is.clone(),
            (false, true) => *is = was.clone(),
            (true, true) | (false, false) => of_both(was, is),
        }
    }
    was.answer = before.into_iter().map(|(path, (field, _))| (path, field)).collect();
    is.answer = after.into_iter().map(|(path, (field, _))| (path, field)).collect();
}

/// Puts two states of one part on one level; why it is not compared, where it is not.
fn parts_level(was: &mut Part, is: &mut Part) -> Option<String> {
    let (before, after) = (was.fields.len(), is.fields.len());
    if was.fields.is_empty() || is.fields.is_empty() {
        let why = (before > 0)
            .then(|| "cannot be read as a table or a list any more; they are not compared".to_owned());
        if was.fields.is_empty() {
            was.fields.clone_from(&is.fields);
        } else {
            is.fields.clone_from(&was.fields);
        }
        was.rows.clear();
        is.rows.clear();
        return why;
    }
    let mut told = flags(was, is);
    told.extend(numbers(was, is));
    told.extend(formats(was, is));
    for (path, is) in &mut is.fields {
        was.fields.get_mut(path).into_iter().for_each(|was| of_both(was, is));
    }
    // More than half gone at once is a page that is read less fully, not an API that lost it.
    if before > 2 && after * 2 < before {
        let gone: Vec<(Path, Field)> = was
            .fields
            .iter()
            .filter(|(path, _)| !is.fields.contains_key(*path))
            .map(|(p, f)| (p.clone(), f.clone()))
            .collect();
        let why = format!("are {after} now and were {before}; those that are gone are not compared");
        is.fields.extend(gone);
        told.push(why);
    }
    (!told.is_empty()).then(|| told.join("; "))
}

/// What one state does not say of a field is as the other has it.
fn of_both(was: &mut Field, is: &mut Field) {
    if was.types.is_empty() || is.types.is_empty() {
        was.types.extend(is.types.iter());
        is.types.extend(was.types.iter());
        let format = was.format.or(is.format);
        (was.format, is.format) = (format, format);
    }
    if was.items.is_empty() || is.items.is_empty() {
        was.items.extend(is.items.iter());
        is.items.extend(was.items.iter());
    }
    if was.values.is_none() || is.values.is_none() {
        let values = was.values.take().or_else(|| is.values.take());
        (was.values, is.values) = (values.clone(), values);
    }
    if was.default.is_none() || is.default.is_none() {
        let default = was.default.take().or_else(|| is.default.take());
        (was.default, is.default) = (default.clone(), default);
    }
}

/// What a page says of fields with yes and no: where only one state says it of any, it says it newly, or no longer, and
/// nothing of the fields need have changed: why that is not compared. Yes and no together are a column that came; a
/// single word at a single field is news, and so is whatever is deprecated.
fn flags(was: &mut Part, is: &mut Part) -> Vec<String> {
    type Flag = fn(&mut Field) -> &mut Option<bool>;
    let all: [(&str, Flag); 3] = [
        ("required", |field| &mut field.required),
        ("nullable", |field| &mut field.nullable),
        ("deprecated", |field| &mut field.deprecated),
    ];
    let mut told = Vec::new();
    for (word, flag) in all {
        let said = |part: &mut Part| -> BTreeMap<Path, bool> {
            part.fields.iter_mut().filter_map(|(path, field)| Some((path.clone(), (*flag(field))?))).collect()
        };
        let (before, after) = (said(was), said(is));
        let take = |part: &mut Part, said: &BTreeMap<Path, bool>| {
            for (path, value) in said {
                part.fields.get_mut(path).into_iter().for_each(|field| *flag(field) = Some(*value));
            }
        };
        if before.is_empty() && !after.is_empty() {
            let common = after.iter().filter(|(path, _)| was.fields.contains_key(*path));
            let (count, is_told) = (common.clone().count(), common.clone().any(|(_, value)| !value));
            let is_most = count > 1 && count * 2 > was.fields.len() && word != "deprecated";
            if is_told || is_most {
                take(was, &after);
            }
            if is_most && !is_told {
                told.push(format!(
                    "are called {word} {count} times, and none was before; that is not compared"
                ));
            }
        } else if after.is_empty() {
            take(is, &before);
        }
    }
    told
}

/// Where one state says of no number that it is whole, and the other of several, it does not tell them apart.
fn numbers(was: &mut Part, is: &mut Part) -> Option<String> {
    let whole = |part: &Part| part.fields.values().filter(|field| field.types.contains("integer")).count();
    let (before, after) = (whole(was), whole(is));
    (before.min(after) == 0 && before.max(after) > 1).then(|| {
        for field in was.fields.values_mut().chain(is.fields.values_mut()) {
            if field.types.remove("integer") {
                field.types.insert("number");
            }
        }
        "tell whole numbers from others in one state alone; which they are is not compared".to_owned()
    })
}

/// The same of formats: a page that names none any more, or names its first ones, says so of several fields.
fn formats(was: &mut Part, is: &mut Part) -> Option<String> {
    let named = |part: &Part| part.fields.values().filter(|field| field.format.is_some()).count();
    let (before, after) = (named(was), named(is));
    (before.min(after) == 0 && before.max(after) > 1).then(|| {
        was.fields.values_mut().chain(is.fields.values_mut()).for_each(|field| field.format = None);
        "name formats in one state alone; those are not compared".to_owned()
    })
}

/// Samples on one level: where one state has none, what is around its records is as the other shows it.
fn samples(was: &mut Operation, is: &mut Operation, name: &str, unread: &mut Vec<String>) {
    match (&mut was.sample, &mut is.sample) {
        (Some(sample), none @ None) => {
            if is.response.fields.is_empty() {
                unread.push(format!(
                    "the sample of what {name} answers cannot be read any more; it is not compared"
                ));
            }
            *none = Some(sample.around(&was.response));
        }
        (none @ None, Some(sample)) => *none = Some(sample.around(&is.response)),
        (Some(before), Some(after)) => {
            let (count, left) = (before.fields.len(), after.fields.len());
            if count > 4 && left * 2 < count {
                unread.push(format!("the sample of what {name} answers is much shorter now; what it no longer shows is not compared"));
                let gone = before.fields.iter().filter(|(path, _)| !is.response.names(path));
                let gone: Vec<(Path, Field)> =
                    gone.map(|(path, field)| (path.clone(), field.clone())).collect();
                for (path, field) in gone {
                    after.fields.entry(path).or_insert(field);
                }
            }
            // A sample that still shows what the table dropped was forgotten.
            let place = after.mount(is.response.fields.keys());
            after.fields.retain(|path, _| {
                let Some(below) = path.strip_prefix(place.as_slice()).filter(|below| !below.is_empty())
                else {
                    return true;
                };
                is.response.names(below) || !was.response.names(below)
            });
        }
        (None, None) => {}
    }
}

impl Sample {
    /// The same for a state that has none, without what a table says of the records.
    fn around(&self, table: &Part) -> Self {
        let mut sample = self.clone();
        sample.blocks.clear();
        if !table.fields.is_empty() {
            let place = self.mount(table.fields.keys());
            sample.fields.retain(|path, _| !(path.len() > place.len() && path.starts_with(&place)));
            sample.place = Some(place);
        }
        sample
    }
}

impl Part {
    fn without_rows(&self) -> Self {
        Self { fields: self.fields.clone(), rows: BTreeMap::new() }
    }

    /// Whether the table has that field, or one around it.
    fn names(&self, path: &[String]) -> bool {
        path.first().is_some_and(|first| self.fields.keys().any(|known| known.first() == Some(first)))
    }
}

impl Operation {
    /// What table and samples say of the answer, each field with whether only a sample shows it.
    fn whole(&self) -> BTreeMap<Path, (Field, bool)> {
        let mut whole = BTreeMap::new();
        let table = &self.response.fields;
        let mut place = Path::new();
        if let Some(sample) = &self.sample {
            if !table.is_empty() {
                place = sample.mount(table.keys());
            }
            whole.extend(sample.fields.iter().map(|(path, field)| (path.clone(), (field.clone(), true))));
        }
        for (path, field) in table {
            let mut path: Path = place.iter().chain(path).cloned().collect();
            // A list that only the sample shows as one.
            let lists: Vec<usize> = (1..path.len())
                .filter(|at| {
                    path[*at] != EACH && whole.contains_key(&[&path[..*at], &[EACH.to_owned()]].concat())
                })
                .collect();
            for at in lists.into_iter().rev() {
                path.insert(at, EACH.to_owned());
            }
            whole.insert(path, (field.clone(), false));
        }
        whole
    }
}
