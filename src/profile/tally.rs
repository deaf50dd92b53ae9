//! What is counted at one node of the trie while records come in.

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

/// Counts at one path.
#[derive(Debug, Default)]
pub(super) struct Tally {
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
    /// Counts one value; with `with_sketches` off, its presence and type alone.
    #[inline]
    pub(super) fn add(&mut self, event: &Event, text: &str, with_sketches: bool, key: &ValueHash) {
        self.position_sum += u64::from(event.position);
        let (start, end) = (event.start as usize, event.end as usize);
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
                if with_sketches {
                    self.numbers.get_or_insert_default().add(text, start, end, key);
                }
            }
            EventKind::String | EventKind::EscapedString => {
                self.types.add(JsonType::String);
                if with_sketches {
                    let strings = self.strings.get_or_insert_default();
                    if event.kind == EventKind::String {
                        strings.add(text, start, end, key);
                    } else {
                        let plain = scan::unescape(&text[start..end]);
                        strings.add(&plain, 0, plain.len(), key);
                    }
                }
            }
            EventKind::Array => {
                self.types.add(JsonType::Array);
                self.arrays.get_or_insert_default().add(u64::from(event.start));
            }
            EventKind::Object => self.types.add(JsonType::Object),
        }
    }

    /// How many values were counted.
    pub(super) fn present(&self) -> u64 {
        self.types.non_null() + self.types.get(JsonType::Null)
    }

    /// The profile of what was counted; its parents are worked out later.
    pub(super) fn finish(self, key: &ValueHash) -> FieldProfile {
        FieldProfile {
            parents: 0,
            present: self.present(),
            types: self.types,
            trues: self.trues,
            position_sum: self.position_sum,
            numbers: self.numbers.map(|cell| Box::new(cell.finish(key).finish())),
            strings: self.strings.map(|cell| Box::new(cell.finish(key).finish())),
            arrays: self.arrays.map(|arrays| *arrays),
            is_map: false,
        }
    }
}
