//! What is counted at one node of the trie while records come in.
//!
//! Presence and types are counted at once. Values are queued and worked on some records later, all of a field together:
//! values of one field are alike, so that what they need is at hand and branches go the way that they went before.

use super::{
    ArrayProfile, FieldProfile,
    hashing::ValueHash,
    numbers::{Number, NumberTally},
    scan,
    strings::StringTally,
    tape::{Event, EventKind},
    tokens::{Cached, TokenCache},
};
use crate::model::{JsonType, TypeCounts};

/// A scalar of a batch of records that has not been worked on.
#[derive(Debug, Clone, Copy)]
struct Queued {
    /// As in [`Event`], in the text of the batch.
    start: u32,
    end: u32,
    kind: EventKind,
}

/// Counts at one path.
#[derive(Debug, Default)]
pub(super) struct Tally {
    queued: Vec<Queued>,
    types: TypeCounts,
    trues: u64,
    position_sum: u64,
    arrays: Option<Box<ArrayProfile>>,
    numbers: Option<Box<Cell<NumberTally>>>,
    strings: Option<Box<Cell<StringTally>>>,
}

/// Values of one kind: equal ones wait in the cache to be worked on together.
#[derive(Debug, Default)]
struct Cell<P> {
    waiting: TokenCache,
    profile: P,
}

/// Something that counts tokens.
trait Counts {
    /// Counts `weight` times a token, as it stands in JSON.
    fn count(&mut self, token: &str, weight: u64, key: &ValueHash);
}

impl Counts for NumberTally {
    fn count(&mut self, token: &str, weight: u64, key: &ValueHash) {
        self.add(&Number::of_token(token), weight, key);
    }
}

impl Counts for StringTally {
    fn count(&mut self, token: &str, weight: u64, key: &ValueHash) {
        self.add(token, weight, key);
    }
}

impl<P: Counts> Cell<P> {
    #[inline]
    fn add(&mut self, text: &str, start: usize, end: usize, key: &ValueHash) {
        if self.waiting.pauses() {
            return self.profile.count(&text[start..end], 1, key);
        }
        loop {
            match self.waiting.add(text, start, end) {
                Cached::Yes => return,
                Cached::No => return self.profile.count(&text[start..end], 1, key),
                Cached::Full => self.flush(key),
            }
        }
    }

    fn flush(&mut self, key: &ValueHash) {
        let profile = &mut self.profile;
        self.waiting.drain(|token, weight| profile.count(token, weight, key));
    }

    fn finish(mut self, key: &ValueHash) -> P {
        self.flush(key);
        self.profile
    }
}

impl Tally {
    /// Counts the presence and type of one value; with `with_sketches`, a scalar is queued. `base` is where the text of
    /// its record will stand in the batch.
    #[inline]
    pub(super) fn add(&mut self, event: &Event, base: u32, with_sketches: bool) {
        self.position_sum += u64::from(event.position);
        match event.kind {
            EventKind::Null => self.types.add(JsonType::Null),
            EventKind::False => self.types.add(JsonType::Boolean),
            EventKind::True => {
                self.types.add(JsonType::Boolean);
                self.trues += 1;
            }
            EventKind::Integer | EventKind::Number => {
                let is_integer = event.kind == EventKind::Integer;
                self.types.add(if is_integer { JsonType::Integer } else { JsonType::Number });
                self.queue(event, base, with_sketches);
            }
            EventKind::String | EventKind::EscapedString => {
                self.types.add(JsonType::String);
                self.queue(event, base, with_sketches);
            }
            EventKind::Array => {
                self.types.add(JsonType::Array);
                self.arrays.get_or_insert_default().add(u64::from(event.start));
            }
            EventKind::Object => self.types.add(JsonType::Object),
        }
    }

    #[inline]
    fn queue(&mut self, event: &Event, base: u32, with_sketches: bool) {
        if with_sketches {
            let (start, end) = (base + event.start, base + event.end);
            self.queued.push(Queued { start, end, kind: event.kind });
        }
    }

    /// Works on what is queued. `scratch` is room for a string without its escapes.
    pub(super) fn work(&mut self, batch: &str, key: &ValueHash, scratch: &mut String) {
        for value in self.queued.drain(..) {
            let (start, end) = (value.start as usize, value.end as usize);
            match value.kind {
                EventKind::Integer | EventKind::Number => {
                    self.numbers.get_or_insert_default().add(batch, start, end, key);
                }
                EventKind::String => self.strings.get_or_insert_default().add(batch, start, end, key),
                EventKind::EscapedString => {
                    scratch.clear();
                    scan::unescape_onto(scratch, &batch[start..end]);
                    self.strings.get_or_insert_default().add(scratch, 0, scratch.len(), key);
                }
                EventKind::Null
                | EventKind::False
                | EventKind::True
                | EventKind::Array
                | EventKind::Object => {}
            }
        }
    }

    /// How many values were counted.
    pub(super) fn present(&self) -> u64 {
        self.types.non_null() + self.types.get(JsonType::Null)
    }

    /// The profile of what was counted and worked on; its parents are worked out later.
    pub(super) fn finish(self, key: &ValueHash) -> FieldProfile {
        FieldProfile {
            parents: 0,
            present: self.present(),
            types: self.types,
            trues: self.trues,
            position_sum: self.position_sum,
            numbers: self.numbers.map(|cell| Box::new(cell.finish(key).finish())),
            strings: self.strings.map(|cell| Box::new(cell.finish(key).finish(key))),
            arrays: self.arrays.map(|arrays| *arrays),
            is_map: false,
        }
    }
}
