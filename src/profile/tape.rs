//! Reads one record into a tape of events, checking everything, counting nothing.
//!
//! Only a record that was read in full is counted, from its tape; so what is broken leaves no half-counted trace.
//! Nesting is kept in a list, not on the stack.

use super::{
    hashing::{Lanes, ValueHash},
    scan::{self, Broken},
    stops::Stops,
    trie::{Member, NOWHERE, NodeId, Place, ROOT, Trie},
};
use crate::model::JsonType;

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKind {
    Null,
    False,
    True,
    /// A number without fraction and exponent.
    Integer,
    /// Any other number.
    Number,
    /// A string without escapes.
    String,
    /// A string with escapes.
    EscapedString,
    Array,
    Object,
}

impl EventKind {
    /// The JSON type.
    pub(super) const fn json_type(self) -> JsonType {
        match self {
            Self::Null => JsonType::Null,
            Self::False | Self::True => JsonType::Boolean,
            Self::Integer => JsonType::Integer,
            Self::Number => JsonType::Number,
            Self::String | Self::EscapedString => JsonType::String,
            Self::Array => JsonType::Array,
            Self::Object => JsonType::Object,
        }
    }
}

/// One value of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    /// The path of the value; [`NOWHERE`] if it does not count, because its key came again.
    pub(super) node: NodeId,
    /// A scalar's first byte (strings: behind the quote), or how many elements or members a container has.
    pub(super) start: u32,
    /// The place behind a scalar (strings: the closing quote), or the event behind the container.
    pub(super) end: u32,
    /// Its place among the members of its object, bounded.
    pub(super) position: u16,
    pub(super) kind: EventKind,
}

/// An array or object that is open.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// Where its next member stands.
    place: Place,
    event: u32,
    /// `]` or `}`.
    closed_by: u8,
    /// Elements or members so far.
    count: u32,
}

/// The events of one record, in the order of its text.
#[derive(Debug, Default)]
pub(super) struct Tape {
    pub(super) events: Vec<Event>,
    /// Whether a key came twice in an object.
    pub(super) has_duplicate_keys: bool,
    /// Those around the innermost one.
    frames: Vec<Frame>,
    /// The serial number of the record's first event; no other event has the same.
    first_event: u64,
    stops: Stops,
    /// The hash of all blocks of the record, if it was asked for.
    pub(super) lanes: Option<Lanes>,
}

/// The longest record, in bytes: places in it are kept in 32 bits.
const LONGEST_RECORD: usize = u32::MAX as usize;

impl Tape {
    /// Reads a record; gives its text. With `hash`, its blocks go into [`Self::lanes`].
    pub(super) fn read<'r>(
        &mut self,
        record: &'r [u8],
        trie: &mut Trie,
        max_depth: u16,
        hash: Option<&ValueHash>,
    ) -> Result<&'r str, Broken> {
        // Those of the last record, and one: no event has the number 0.
        self.first_event += self.events.len() as u64 + 1;
        self.events.clear();
        self.frames.clear();
        self.has_duplicate_keys = false;
        trie.begin();
        if record.len() > LONGEST_RECORD {
            return Err(Broken::TooDeep);
        }
        self.lanes = hash.map(|hash| {
            let mut lanes = hash.lanes();
            self.stops.find(record, |block| hash.take(&mut lanes, block));
            lanes
        });
        if hash.is_none() {
            self.stops.find(record, |_| {});
        }
        let text = simdutf8::basic::from_utf8(record).map_err(|_| Broken::Encoding)?;
        let bytes = text.as_bytes();
        let mut at = scan::skip_space(bytes, 0);
        let mut frame = match bytes.get(at) {
            Some(open @ (b'{' | b'[')) if max_depth > 0 => {
                at += 1;
                self.open(*open, ROOT, 0, trie)
            }
            Some(b'{' | b'[') => return Err(Broken::TooDeep),
            _ => return self.lone_scalar(text, at),
        };
        loop {
            if bytes.get(at) == Some(&b',') && frame.count > 0 {
                at += 1;
            } else {
                match bytes.get(at) {
                    Some(b' ' | b'\n' | b'\r' | b'\t') => {
                        at = scan::skip_space(bytes, at + 1);
                        continue;
                    }
                    Some(byte) if *byte == frame.closed_by => {
                        at += 1;
                        self.close(&frame);
                        match self.frames.pop() {
                            Some(outer) => frame = outer,
                            None => break,
                        }
                        continue;
                    }
                    Some(_) if frame.count == 0 => {}
                    Some(_) | None => return Err(Broken::Syntax),
                }
            }
            at = scan::skip_space(bytes, at);
            let node = if frame.closed_by == b']' {
                trie.each(frame.place.parent)
            } else {
                let event = self.first_event + self.events.len() as u64;
                let member = match trie.predicted(&frame.place, event, &bytes[at..]) {
                    Some((member, len)) => {
                        at += len;
                        member
                    }
                    None => {
                        let (member, behind) = key(text, at, &self.stops, trie, &frame.place, event)?;
                        at = behind;
                        if let Some(before) = member.before {
                            self.strike_out((before - self.first_event) as usize);
                        }
                        member
                    }
                };
                at = scan::skip_space(bytes, at);
                frame.place.move_behind(&member);
                member.node
            };
            let position = frame.count.min(u32::from(u16::MAX)) as u16;
            frame.count += 1;
            match bytes.get(at) {
                Some(b'"') => at = self.string(bytes, at, node, position)?,
                Some(open @ (b'{' | b'[')) => {
                    self.frames.push(frame);
                    if self.frames.len() >= usize::from(max_depth) {
                        return Err(Broken::TooDeep);
                    }
                    at += 1;
                    frame = self.open(*open, node, position, trie);
                }
                _ => at = self.number_or_word(bytes, at, node, position)?,
            }
        }
        if scan::skip_space(bytes, at) == bytes.len() { Ok(text) } else { Err(Broken::Syntax) }
    }

    /// Reads a record that is no container.
    #[cold]
    fn lone_scalar<'r>(&mut self, text: &'r str, at: usize) -> Result<&'r str, Broken> {
        let bytes = text.as_bytes();
        let behind = match bytes.get(at) {
            Some(b'"') => self.string(bytes, at, ROOT, 0)?,
            _ => self.number_or_word(bytes, at, ROOT, 0)?,
        };
        if scan::skip_space(bytes, behind) == text.len() { Ok(text) } else { Err(Broken::Syntax) }
    }

    /// Reads a string. A call for each scalar would cost a third of what it does.
    #[inline(always)]
    fn string(&mut self, bytes: &[u8], at: usize, node: NodeId, position: u16) -> Result<usize, Broken> {
        let token = scan::string(bytes, at + 1, &self.stops)?;
        let kind = if token.escaped { EventKind::EscapedString } else { EventKind::String };
        self.events.push(Event { node, start: at as u32 + 1, end: token.end as u32, position, kind });
        Ok(token.end + 1)
    }

    /// Reads a scalar that is no string.
    #[inline(always)]
    fn number_or_word(
        &mut self,
        bytes: &[u8],
        at: usize,
        node: NodeId,
        position: u16,
    ) -> Result<usize, Broken> {
        let (kind, end) = match bytes.get(at) {
            Some(b'-' | b'0'..=b'9') => {
                let token = scan::number(bytes, at)?;
                (if token.integer { EventKind::Integer } else { EventKind::Number }, token.end)
            }
            Some(b'n') => (EventKind::Null, scan::literal(bytes, at, b"null")?),
            Some(b't') => (EventKind::True, scan::literal(bytes, at, b"true")?),
            Some(b'f') => (EventKind::False, scan::literal(bytes, at, b"false")?),
            _ => return Err(Broken::Syntax),
        };
        self.events.push(Event { node, start: at as u32, end: end as u32, position, kind });
        Ok(end)
    }

    /// Opens a container.
    fn open(&mut self, bracket: u8, node: NodeId, position: u16, trie: &Trie) -> Frame {
        let event = self.events.len() as u32;
        let kind = if bracket == b'[' { EventKind::Array } else { EventKind::Object };
        self.events.push(Event { node, start: 0, end: 0, position, kind });
        let place = trie.front(node, self.first_event + u64::from(event));
        Frame { place, event, closed_by: bracket + 2, count: 0 }
    }

    /// Closes the innermost container.
    fn close(&mut self, frame: &Frame) {
        let behind = self.events.len() as u32;
        let event = &mut self.events[frame.event as usize];
        (event.start, event.end) = (frame.count, behind);
    }

    /// Takes back a member whose key has come again: of equal keys the last counts.
    #[cold]
    fn strike_out(&mut self, first: usize) {
        self.has_duplicate_keys = true;
        let end = match self.events[first].kind {
            EventKind::Array | EventKind::Object => self.events[first].end as usize,
            _ => first + 1,
        };
        for event in &mut self.events[first..end] {
            event.node = NOWHERE;
        }
    }
}

/// Reads a key that was not expected, and the colon behind it; gives the place behind.
#[cold]
fn key(
    text: &str,
    at: usize,
    stops: &Stops,
    trie: &mut Trie,
    place: &Place,
    event: u64,
) -> Result<(Member, usize), Broken> {
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b'"') {
        return Err(Broken::Syntax);
    }
    let token = scan::string(bytes, at + 1, stops)?;
    let raw = &text[at + 1..token.end];
    let member = if token.escaped {
        trie.member(place, event, &scan::unescape(raw), true)
    } else {
        trie.member(place, event, raw, false)
    };
    let colon = scan::skip_space(bytes, token.end + 1);
    if bytes.get(colon) == Some(&b':') { Ok((member, colon + 1)) } else { Err(Broken::Syntax) }
}
