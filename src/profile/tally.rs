//! What is counted at one node of the trie while records come in.

use super::{
    ArrayProfile, FieldProfile,
    hashing::ValueHash,
    numbers::{Number, NumberTally},
    scan,
    strings::StringTally,
    tape::{Event, EventKind},
    tokens::{Cached, Token, TokenCache},
};
use crate::model::{JsonType, TypeCounts};

/// What a look at values takes.
pub(super) struct Look<'r> {
    /// The record.
    pub(super) text: &'r str,
    pub(super) key: &'r ValueHash,
    /// Room for a string without its escapes.
    pub(super) scratch: &'r mut String,
}

/// Counts at one path.
#[derive(Debug, Default)]
pub(super) struct Tally {
    types: TypeCounts,
    trues: u64,
    position_sum: u64,
    arrays: Option<Box<ArrayProfile>>,
    numbers: Option<Box<Numbers>>,
    strings: Option<Box<Cell<StringTally>>>,
}

/// Values of one kind: equal ones wait in the cache to be worked on together.
#[derive(Debug, Default)]
struct Cell<P> {
    waiting: TokenCache,
    profile: P,
}

/// Numbers: those of one or two digits, which counters and amounts mostly are, wait as plain counts.
#[derive(Debug)]
struct Numbers {
    small: [u64; 100],
    others: Cell<NumberTally>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { small: [0; 100], others: Cell::default() }
    }
}

impl Numbers {
    #[inline]
    fn add(&mut self, token: Token<'_>, key: &ValueHash) {
        let small = match *token.bytes() {
            [ones @ b'0'..=b'9'] => usize::from(ones - b'0'),
            [tens @ b'1'..=b'9', ones @ b'0'..=b'9'] => usize::from((tens - b'0') * 10 + (ones - b'0')),
            _ => return self.others.add(token, key),
        };
        self.small[small] += 1;
    }

    fn finish(self, key: &ValueHash) -> NumberTally {
        let mut all = self.others.finish(key);
        for (value, count) in self.small.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            all.add(&Number::of(Token::whole(&value.to_string())), count, key);
        }
        all
    }
}

/// Something that counts tokens.
trait Counts {
    /// Counts `weight` times a token, as it stands in JSON.
    fn count(&mut self, token: Token<'_>, weight: u64, key: &ValueHash);
}

impl Counts for NumberTally {
    fn count(&mut self, token: Token<'_>, weight: u64, key: &ValueHash) {
        self.add(&Number::of(token), weight, key);
    }
}

impl Counts for StringTally {
    fn count(&mut self, token: Token<'_>, weight: u64, key: &ValueHash) {
        self.add(token, weight, key);
    }
}

impl<P: Counts> Cell<P> {
    #[inline]
    fn add(&mut self, token: Token<'_>, key: &ValueHash) {
        if self.waiting.pauses() {
            return self.profile.count(token, 1, key);
        }
        loop {
            match self.waiting.add(token) {
                Cached::Yes => return,
                Cached::No => return self.profile.count(token, 1, key),
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

/// Room for the first value of a kind; kept out of the way of all others.
#[cold]
#[inline(never)]
fn room<T: Default>() -> Box<T> {
    Box::default()
}

impl Tally {
    /// Counts one value: its presence and type, and if it is to be looked at, what a scalar holds.
    #[inline]
    pub(super) fn add(&mut self, event: &Event, look: Option<&mut Look<'_>>) {
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
                if let Some(look) = look {
                    let token = Token::new(look.text, event.start, event.end);
                    self.numbers.get_or_insert_with(room).add(token, look.key);
                }
            }
            EventKind::String => {
                self.types.add(JsonType::String);
                if let Some(look) = look {
                    let token = Token::new(look.text, event.start, event.end);
                    self.strings.get_or_insert_with(room).add(token, look.key);
                }
            }
            EventKind::EscapedString => {
                self.types.add(JsonType::String);
                if let Some(Look { text, key, scratch }) = look {
                    scratch.clear();
                    scan::unescape_onto(scratch, &text[event.start as usize..event.end as usize]);
                    self.strings.get_or_insert_with(room).add(Token::whole(scratch), key);
                }
            }
            EventKind::Array => {
                self.types.add(JsonType::Array);
                self.arrays.get_or_insert_with(room).add(u64::from(event.start));
            }
            EventKind::Object => self.types.add(JsonType::Object),
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
            numbers: self.numbers.map(|numbers| Box::new(numbers.finish(key).finish())),
            strings: self.strings.map(|cell| Box::new(cell.finish(key).finish(key))),
            arrays: self.arrays.map(|arrays| *arrays),
            is_map: false,
        }
    }
}
