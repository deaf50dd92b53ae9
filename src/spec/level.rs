//! Two states of a description made comparable: what one of them does not say readably is taken as the other has it, and
//! what both say in other notations is said in one.
//!
//! Both judgements compare what comes out of here, so that neither alerts on a broken part or on a matter of spelling.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    ApiModel,
    api::Ending,
    notation,
    steps::{at, at_mut, of_pointer, put, take_out},
    swagger2,
    wellformed::{self, Fault, pointer, shown},
};

/// How often parts are taken over in a row: each may refer to further ones that are not there.
const MAX_ROUNDS: usize = 8;

/// Two states of one description, and what of them could not be compared.
pub(super) struct Levelled<'a> {
    pub(super) before: Cow<'a, ApiModel>,
    pub(super) after: Cow<'a, ApiModel>,
    /// Places that only the comparison shows to be half read: of the state before, or of the one now.
    pub(super) unread: Vec<(Side, String)>,
}

/// One of two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// A state on its way there: it is copied only where something of it must be said otherwise.
struct State<'a> {
    model: &'a ApiModel,
    root: Cow<'a, Value>,
    faults: Cow<'a, [Fault]>,
}

impl<'a> State<'a> {
    fn of(model: &'a ApiModel) -> Self {
        Self { model, root: Cow::Borrowed(model.root()), faults: Cow::Borrowed(model.faults()) }
    }

    /// Looks again for what cannot be read, after something was taken over.
    fn look_again(&mut self) {
        self.faults = Cow::Owned(wellformed::faults(&self.root));
    }

    fn lift(&mut self) {
        if self.model.is_swagger2() {
            self.root = Cow::Owned(swagger2::lift(&self.root, &self.model.servers()));
        }
    }

    fn finish(self) -> Cow<'a, ApiModel> {
        match self.root {
            Cow::Borrowed(_) => Cow::Borrowed(self.model),
            Cow::Owned(root) => Cow::Owned(self.model.with_root(root)),
        }
    }
}

/// Makes two states comparable.
pub(super) fn level<'a>(before: &'a ApiModel, after: &'a ApiModel) -> Levelled<'a> {
    let (mut was, mut is) = (State::of(before), State::of(after));
    let mut unread = Vec::new();
    // Whoever cuts a text leaves references to what came after.
    let leans = is.faults.iter().any(|fault| target_of(fault).is_some_and(|to| at(&was.root, &to).is_some()));
    let needed = if leans { 2 } else { 3 };
    // Further parts at the end are what descriptions get: that the earlier one was cut needs more than being shorter.
    if let Some(place) = complete(&mut is, &was, needed) {
        unread.push((Side::After, ended(&place)));
    } else if let Some(place) = complete(&mut was, &is, usize::MAX) {
        unread.push((Side::Before, ended(&place)));
    }
    if before.is_swagger2() == after.is_swagger2() {
        fill(&mut was, &mut is, &mut unread);
        was.lift();
        is.lift();
    } else {
        for state in [&mut was, &mut is] {
            state.lift();
            state.look_again();
        }
        fill(&mut was, &mut is, &mut unread);
    }
    notation::align(&mut was.root, &mut is.root);
    Levelled { before: was.finish(), after: is.finish(), unread }
}

fn ended(place: &[String]) -> String {
    format!("the document ends within `{}`; what came after that is not compared", pointer(place))
}

/// Takes over what each side has where the other cannot be read.
fn fill(was: &mut State<'_>, is: &mut State<'_>, unread: &mut Vec<(Side, String)>) {
    let mut empty = |faults: &[Fault], other: &Value, side: Side| {
        let there = |place: &[String]| at(other, place).filter(|node| !node.is_null());
        for fault in faults.iter().filter(|fault| fault.empty) {
            if let Some(node) = there(&fault.place) {
                unread.push((side, format!("`{}` is empty; the other has {}", fault.pointer(), shown(node))));
            }
        }
    };
    empty(&is.faults, &was.root, Side::After);
    empty(&was.faults, &is.root, Side::Before);
    for _ in 0..MAX_ROUNDS {
        let taken = graft(is, &was.root) + graft(was, &is.root);
        if taken == 0 {
            break;
        }
        // What was taken over may lean on what is not there.
        was.look_again();
        is.look_again();
    }
}

/// The steps to where a `$ref` within the document leads.
fn target_of(fault: &Fault) -> Option<Vec<String>> {
    let target = fault.target.as_deref()?.strip_prefix("#/")?;
    Some(of_pointer(target))
}

/// Puts into one state what the other has at the places that cannot be read; how many that were.
fn graft(into: &mut State<'_>, from: &Value) -> usize {
    let mut taken = 0;
    let mut filled = BTreeSet::new();
    let State { root: into, faults, .. } = into;
    // From the end, so that what is taken out of a list moves nothing that is still to come.
    for fault in faults.iter().rev() {
        if let Some(steps) = target_of(fault) {
            if at(into, &steps).is_some() {
                continue;
            }
            if let Some(node) = at(from, &steps) {
                taken += usize::from(put(into.to_mut(), &steps, node.clone()));
                continue;
            }
        }
        let Some((last, above)) = fault.place.split_last() else { continue };
        if at(into, above).is_some_and(Value::is_array) {
            taken += usize::from(in_list(into, from, above, last, &mut filled));
        } else if let Some(node) = at(from, &fault.place) {
            if at(into, &fault.place) != Some(node) {
                taken += usize::from(put(into.to_mut(), &fault.place, node.clone()));
            }
        } else if !fault.empty && fault.target.is_none() && at(from, above).is_some() {
            // The other state has nothing there: neither has this one, as far as anybody can tell.
            taken += usize::from(take_out(into.to_mut(), above, last));
        }
    }
    taken
}

/// Takes a member of a list out, and the members in that only the other list has: it may be one of those.
///
/// `filled` are the lists whose missing members are in already: a list is searched through once, however many of its
/// members cannot be read.
fn in_list(
    into: &mut Cow<'_, Value>,
    from: &Value,
    list: &[String],
    index: &str,
    filled: &mut BTreeSet<Vec<String>>,
) -> bool {
    let others = at(from, list).and_then(Value::as_array);
    let Some(Value::Array(members)) = at(into, list) else { return false };
    let Some(index) = index.parse::<usize>().ok().filter(|index| *index < members.len()) else {
        return false;
    };
    if others.is_some_and(|others| others.contains(&members[index])) {
        return false;
    }
    let is_first = filled.insert(list.to_vec());
    let missing: Vec<Value> = match others.filter(|_| is_first) {
        None => Vec::new(),
        Some(others) => {
            let known: BTreeSet<String> =
                members.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, m)| identity(m)).collect();
            others.iter().filter(|other| !known.contains(&identity(other))).cloned().collect()
        }
    };
    let Some(Value::Array(members)) = at_mut(into.to_mut(), list) else { return false };
    members.remove(index);
    members.extend(missing);
    true
}

/// What a member of a list is known by: what it refers to, or its name and place, or its address; else all of it.
fn identity(member: &Value) -> String {
    let names = ["$ref", "name", "url"].map(|key| member.get(key).and_then(Value::as_str));
    match names {
        [None, None, None] => member.to_string(),
        known => format!("{known:?} {:?}", member.get("in")),
    }
}

/// Takes over what stood at the end of the longer state, where the other one is its beginning; the place where that
/// ends. `None` where it ends like the other one.
///
/// Only YAML can be cut and stay readable. A text that is cut loses what came after on several levels at once (the rest of
/// a schema, the schemas after it), where whoever takes something out loses it on one: `levels` are enough by themselves.
/// Two do where the text ends in the middle of a line and that of the other does not, and one where the last value
/// itself is cut.
fn complete(into: &mut State<'_>, from: &State<'_>, needed: usize) -> Option<Vec<String>> {
    let (ending, other, from) = (into.model.ending(), from.model.ending(), &*from.root);
    if ending == Ending::Closed {
        return None;
    }
    let mut levels = Vec::new();
    let mut place = Vec::new();
    let whole = lost_at_the_end(&into.root, from, &mut place, &mut levels)?;
    let in_a_line = ending == Ending::Open && other != Ending::Open;
    let is_cut = match whole {
        0 => levels.len() >= if in_a_line { 2 } else { needed },
        _ => in_a_line || !levels.is_empty(),
    };
    if !is_cut {
        return None;
    }
    let root = into.root.to_mut();
    for level in &levels {
        let (Some(node), Some(other)) = (at_mut(root, &place[..*level]), at(from, &place[..*level])) else {
            continue;
        };
        match (node, other) {
            (Value::Object(node), Value::Object(other)) => {
                for (key, value) in other {
                    if !node.contains_key(key) {
                        node.insert(key.clone(), value.clone());
                    }
                }
            }
            (Value::Array(node), Value::Array(other)) => {
                let known = node.len();
                node.extend(other.iter().skip(known).cloned());
            }
            (node, other) => *node = other.clone(),
        }
    }
    if whole > 0
        && let Some(other) = at(from, &place)
    {
        put(root, &place, other.clone());
    }
    into.look_again();
    Some(place)
}

/// Follows the last members of two documents down to the end. `levels` are the depths at which the shorter one has a
/// beginning of the other's members; what is given back is 1 where the last value itself is cut.
fn lost_at_the_end(
    into: &Value,
    from: &Value,
    place: &mut Vec<String>,
    levels: &mut Vec<usize>,
) -> Option<usize> {
    match (into, from) {
        (Value::Object(short), Value::Object(long)) => {
            if short.len() > long.len() || !short.keys().zip(long.keys()).all(|(a, b)| a == b) {
                // Not the beginning of the other: changed on purpose. What is above may still end early.
                return Some(0);
            }
            if short.len() < long.len() {
                levels.push(place.len());
            }
            let Some((key, value)) = short.iter().next_back() else { return Some(0) };
            place.push(key.clone());
            lost_at_the_end(value, long.get(key)?, place, levels)
        }
        (Value::Array(short), Value::Array(long)) => {
            if short.len() > long.len() {
                return Some(0);
            }
            if short.len() < long.len() {
                levels.push(place.len());
            }
            let Some(last) = short.len().checked_sub(1) else { return Some(0) };
            place.push(last.to_string());
            lost_at_the_end(&short[last], &long[last], place, levels)
        }
        (Value::Null, Value::Object(_) | Value::Array(_) | Value::String(_)) => Some(1),
        (Value::String(short), Value::String(long)) => {
            Some(usize::from(short != long && long.starts_with(short.as_str())))
        }
        _ => Some(0),
    }
}
