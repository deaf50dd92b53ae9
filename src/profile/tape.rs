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
    /// Whether there were fields beyond the limit.
    pub(super) has_too_many_fields: bool,
    /// Those around the innermost one.
    frames: Vec<Frame>,
    objects: u64,
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
        self.events.clear();
        self.frames.clear();
        (self.has_duplicate_keys, self.has_too_many_fields) = (false, false);
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
            match bytes.get(at) {
                Some(b',') if frame.count > 0 => at += 1,
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
            let node = if frame.closed_by == b']' {
                at = scan::skip_space(bytes, at);
                trie.each(frame.place.parent)
            } else {
                at = scan::skip_space(bytes, at);
                let event = self.events.len() as u32;
                let member = match trie.predicted(&frame.place, event, &bytes[at..]) {
                    Some((member, len)) => {
                        at += len;
                        member
                    }
                    None => {
                        let (member, behind) = key(text, at, &self.stops, trie, &frame.place, event)?;
                        at = behind;
                        member
                    }
                };
                at = scan::skip_space(bytes, at);
                frame.place.move_behind(&member);
                if let Some(before) = member.before {
                    self.strike_out(before);
                }
                member.node
            };
            let position = frame.count.min(u32::from(u16::MAX)) as u16;
            frame.count += 1;
            match bytes.get(at) {
                Some(open @ (b'{' | b'[')) => {
                    self.frames.push(frame);
                    if self.frames.len() >= usize::from(max_depth) {
                        return Err(Broken::TooDeep);
                    }
                    at += 1;
                    frame = self.open(*open, node, position, trie);
                }
                _ => at = self.scalar(bytes, at, node, position)?,
            }
        }
        if scan::skip_space(bytes, at) == bytes.len() { Ok(text) } else { Err(Broken::Syntax) }
    }

    /// Reads a record that is no container.
    #[cold]
    fn lone_scalar<'r>(&mut self, text: &'r str, at: usize) -> Result<&'r str, Broken> {
        let at = self.scalar(text.as_bytes(), at, ROOT, 0)?;
        if scan::skip_space(text.as_bytes(), at) == text.len() { Ok(text) } else { Err(Broken::Syntax) }
    }

    /// Reads a scalar. A call for each would cost a third of what it does.
    #[inline(always)]
    fn scalar(&mut self, bytes: &[u8], at: usize, node: NodeId, position: u16) -> Result<usize, Broken> {
        let (kind, start, end, after) = match bytes.get(at) {
            Some(b'"') => {
                let token = scan::string(bytes, at + 1, &self.stops)?;
                let kind = if token.escaped { EventKind::EscapedString } else { EventKind::String };
                (kind, at + 1, token.end, token.end + 1)
            }
            Some(b'-' | b'0'..=b'9') => {
                let token = scan::number(bytes, at)?;
                let kind = if token.integer { EventKind::Integer } else { EventKind::Number };
                (kind, at, token.end, token.end)
            }
            Some(b'n') => (EventKind::Null, at, at, scan::literal(bytes, at, b"null")?),
            Some(b't') => (EventKind::True, at, at, scan::literal(bytes, at, b"true")?),
            Some(b'f') => (EventKind::False, at, at, scan::literal(bytes, at, b"false")?),
            _ => return Err(Broken::Syntax),
        };
        self.push(Event { node, start: start as u32, end: end as u32, position, kind });
        Ok(after)
    }

    #[inline]
    fn push(&mut self, event: Event) {
        self.has_too_many_fields |= event.node == NOWHERE;
        self.events.push(event);
    }

    /// Opens a container.
    fn open(&mut self, bracket: u8, node: NodeId, position: u16, trie: &Trie) -> Frame {
        self.objects += 1;
        let event = self.events.len() as u32;
        let kind = if bracket == b'[' { EventKind::Array } else { EventKind::Object };
        self.push(Event { node, start: 0, end: 0, position, kind });
        Frame { place: trie.front(node, self.objects), event, closed_by: bracket + 2, count: 0 }
    }

    /// Closes the innermost container.
    fn close(&mut self, frame: &Frame) {
        let behind = self.events.len() as u32;
        let event = &mut self.events[frame.event as usize];
        (event.start, event.end) = (frame.count, behind);
    }

    /// Takes back a member whose key has come again: of equal keys the last counts.
    #[cold]
    fn strike_out(&mut self, event: u32) {
        self.has_duplicate_keys = true;
        let first = event as usize;
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
    event: u32,
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
