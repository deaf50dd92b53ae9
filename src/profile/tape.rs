//! Reads one record into a tape of events, checking everything, counting nothing.
//!
//! Only a record that was read in full is counted, from its tape; so what is broken leaves no half-counted trace.
//! Nesting is kept in a list, not on the stack.

use super::{
    scan::{self, Broken},
    trie::{BEFORE_FIRST, NOWHERE, NodeId, Place, ROOT, Trie},
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
    node: NodeId,
    event: u32,
    /// `]` or `}`.
    closed_by: u8,
    /// Elements or members so far.
    count: u32,
    /// The link of the last member.
    previous: u32,
    /// The serial number of the object.
    serial: u64,
}

/// The events of one record, in the order of its text.
#[derive(Debug, Default)]
pub(super) struct Tape {
    pub(super) events: Vec<Event>,
    /// Whether a key came twice in an object.
    pub(super) has_duplicate_keys: bool,
    /// Whether there were fields beyond the limit.
    pub(super) has_too_many_fields: bool,
    frames: Vec<Frame>,
    objects: u64,
    /// Whether the record has control characters.
    has_controls: bool,
}

/// The longest record, in bytes: places in it, and in a batch that it ends, are kept in 32 bits.
const LONGEST_RECORD: usize = u32::MAX as usize / 2;

impl Tape {
    /// Reads a record.
    pub(super) fn read(&mut self, text: &str, trie: &mut Trie, max_depth: u16) -> Result<(), Broken> {
        self.events.clear();
        self.frames.clear();
        (self.has_duplicate_keys, self.has_too_many_fields) = (false, false);
        if text.len() > LONGEST_RECORD {
            return Err(Broken::TooDeep);
        }
        let bytes = text.as_bytes();
        self.has_controls = scan::has_controls(bytes);
        let start = scan::skip_space(bytes, 0);
        let mut at = self.value(bytes, start, ROOT, 0, max_depth)?;
        while let Some(frame) = self.frames.last_mut() {
            at = scan::skip_space(bytes, at);
            match bytes.get(at) {
                Some(b',') if frame.count > 0 => at = scan::skip_space(bytes, at + 1),
                Some(byte) if *byte == frame.closed_by => {
                    at += 1;
                    self.close();
                    continue;
                }
                Some(_) if frame.count == 0 => {}
                Some(_) | None => return Err(Broken::Syntax),
            }
            let (position, mut node) = (frame.count, frame.node);
            frame.count += 1;
            if frame.closed_by == b']' {
                node = trie.each(node);
            } else {
                (node, at) = self.key(text, at, trie)?;
            }
            at = self.value(bytes, at, node, position, max_depth)?;
        }
        if scan::skip_space(bytes, at) == bytes.len() { Ok(()) } else { Err(Broken::Syntax) }
    }

    /// Reads a scalar, or opens a container.
    #[inline]
    fn value(
        &mut self,
        bytes: &[u8],
        at: usize,
        node: NodeId,
        position: u32,
        max_depth: u16,
    ) -> Result<usize, Broken> {
        let (kind, start, end, after) = match bytes.get(at) {
            Some(b'"') => {
                let token = scan::string(bytes, at + 1, self.has_controls)?;
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
            Some(open @ (b'{' | b'[')) => {
                if self.frames.len() >= usize::from(max_depth) {
                    return Err(Broken::TooDeep);
                }
                self.objects += 1;
                let event = self.events.len() as u32;
                self.frames.push(Frame {
                    node,
                    event,
                    closed_by: *open + 2,
                    count: 0,
                    previous: BEFORE_FIRST,
                    serial: self.objects,
                });
                (if *open == b'[' { EventKind::Array } else { EventKind::Object }, 0, 0, at + 1)
            }
            _ => return Err(Broken::Syntax),
        };
        if node == NOWHERE {
            self.has_too_many_fields = true;
        }
        let position = position.min(u32::from(u16::MAX)) as u16;
        self.events.push(Event { node, start: start as u32, end: end as u32, position, kind });
        Ok(after)
    }

    /// Closes the innermost container.
    fn close(&mut self) {
        if let Some(frame) = self.frames.pop() {
            let behind = self.events.len() as u32;
            let event = &mut self.events[frame.event as usize];
            (event.start, event.end) = (frame.count, behind);
        }
    }

    /// Reads a key and the colon behind it; gives the member's node and where its value starts.
    #[inline]
    fn key(&mut self, text: &str, at: usize, trie: &mut Trie) -> Result<(NodeId, usize), Broken> {
        let bytes = text.as_bytes();
        let Some(frame) = self.frames.last_mut() else { return Err(Broken::Syntax) };
        if bytes.get(at) != Some(&b'"') {
            return Err(Broken::Syntax);
        }
        let start = at + 1;
        let event = self.events.len() as u32;
        let place = Place { parent: frame.node, previous: frame.previous, object: frame.serial, event };
        let (member, mut at) = match trie.predicted(place, &bytes[start..]) {
            Some((member, len)) => (member, start + len),
            None => {
                let token = scan::string(bytes, start, self.has_controls)?;
                let raw = &text[start..token.end];
                let member = if token.escaped {
                    trie.member(place, &scan::unescape(raw))
                } else {
                    trie.member(place, raw)
                };
                (member, token.end + 1)
            }
        };
        frame.previous = member.link;
        if let Some(before) = member.before {
            self.strike_out(before);
        }
        if bytes.get(at) != Some(&b':') {
            at = scan::skip_space(bytes, at);
            if bytes.get(at) != Some(&b':') {
                return Err(Broken::Syntax);
            }
        }
        Ok((member.node, scan::skip_space(bytes, at + 1)))
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
