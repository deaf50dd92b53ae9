//! The schema as seen so far: a trie of nodes, one per field path, found by prediction while a record is read.
//!
//! Records of one stream hold the same keys in the same order, nearly always. So each member remembers which two came
//! after it lately, and the next one is found by a comparison or two; only surprises are looked up.
//!
//! What a record adds is provisional until [`Trie::commit`]: a record that turns out to be broken leaves no trace.

use std::collections::BTreeMap;

use super::{
    maps::{self, KeyCounts},
    prefix::Prefix,
};

/// The index of a node.
pub(super) type NodeId = u32;

/// The record itself.
pub(super) const ROOT: NodeId = 0;
/// No node: values that are beyond the limit of fields.
pub(super) const NOWHERE: NodeId = NodeId::MAX;
/// With more keys than this, a look-up goes through an index.
const SCANNED_KEYS: usize = 8;

/// How a node hangs below its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hung {
    /// It is the record.
    Root,
    /// By its key.
    Key,
    /// As what stands for all elements or all values.
    Each,
}

/// The members that came next lately, the last one first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Successors([NodeId; 2]);

impl Successors {
    const NONE: Self = Self([NOWHERE; 2]);

    /// Notes which member came next.
    const fn note(&mut self, member: NodeId) {
        if self.0[0] != member {
            self.0 = [member, self.0[0]];
        }
    }

    /// Forgets nodes that are no more.
    fn forget_from(&mut self, first: NodeId) {
        let kept = |id: NodeId| if id < first { id } else { NOWHERE };
        self.0 = self.0.map(kept);
    }
}

/// Where a key stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The node of the object.
    pub(super) parent: NodeId,
    /// The member before, or [`NOWHERE`].
    previous: NodeId,
    /// What is expected here.
    expected: Successors,
    /// The serial number of the event that is the object; those inside of it have larger ones.
    object: u64,
}

impl Place {
    /// Moves on to the next member of the object.
    #[inline]
    pub(super) const fn move_behind(&mut self, member: &Member) {
        (self.previous, self.expected) = (member.place, member.next);
    }
}

/// What is looked at of a node for each value that is expected there: little, so that it stays at hand.
#[derive(Debug)]
struct Link {
    /// Its key as JSON writes it without escapes, with quotes and colon: one comparison finds all of it. Of a key that
    /// cannot be written so it begins with a sign that no key begins with, and is at the front of nothing.
    quoted: Prefix,
    next: Successors,
    /// As which event it was seen last, by serial number: for keys that come twice.
    seen: u64,
}

impl Link {
    fn new(key: &str) -> Self {
        let is_plain = !key.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        let first = if is_plain { '"' } else { '!' };
        Self { quoted: Prefix::new(&format!("{first}{key}\":")), next: Successors::NONE, seen: 0 }
    }

    /// The key; empty where it hangs by none.
    fn key(&self) -> &str {
        let quoted = self.quoted.as_str();
        &quoted[1..quoted.len() - 2]
    }

    /// Notes that it was seen as an event of an object; gives the event before, if the object had it already.
    #[inline]
    const fn see(&mut self, object: u64, event: u64) -> Option<u64> {
        let before = if self.seen > object { Some(self.seen) } else { None };
        self.seen = event;
        before
    }
}

/// The structure below one path.
#[derive(Debug)]
struct Node {
    parent: NodeId,
    hung: Hung,
    members: Vec<NodeId>,
    first: Successors,
    /// Members by key, kept once there are many.
    index: BTreeMap<Box<str>, NodeId>,
    each: NodeId,
    keys: KeyCounts,
    /// Keys are data: every value is `each`.
    is_map: bool,
}

impl Node {
    fn new(parent: NodeId, hung: Hung) -> Self {
        Self {
            parent,
            hung,
            members: Vec::new(),
            first: Successors::NONE,
            index: BTreeMap::new(),
            each: NOWHERE,
            keys: KeyCounts::default(),
            is_map: false,
        }
    }
}

/// A member that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// Its node, or [`NOWHERE`].
    pub(super) node: NodeId,
    /// The event, by serial number, of the last time that its key was in the same object.
    pub(super) before: Option<u64>,
    /// What the prediction of the next one starts from, and is.
    place: NodeId,
    next: Successors,
}

/// The nodes.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// By node.
    links: Vec<Link>,
    max_nodes: usize,
    /// Whether the record at hand holds what found no place.
    is_overfull: bool,
    /// Nodes below this index are part of records that were read in full.
    committed: usize,
    /// Where the record at hand made one of its own new nodes expected: the object, and the member before.
    surprises: Vec<(NodeId, NodeId)>,
}

impl Trie {
    /// A trie that knows the record alone.
    pub(super) fn new(max_nodes: usize) -> Self {
        Self {
            nodes: vec![Node::new(NOWHERE, Hung::Root)],
            links: vec![Link::new("")],
            max_nodes: max_nodes.max(1),
            is_overfull: false,
            committed: 1,
            surprises: Vec::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the record at hand holds what found no place, since there are too many nodes.
    pub(super) const fn is_overfull(&self) -> bool {
        self.is_overfull
    }

    /// Before the first record, or the next one.
    pub(super) const fn begin(&mut self) {
        self.is_overfull = false;
    }

    /// Before the first member of an object that is the event of that serial number.
    #[inline]
    pub(super) fn front(&self, parent: NodeId, object: u64) -> Place {
        let expected = match self.nodes.get(parent as usize) {
            Some(node) if !node.is_map => node.first,
            _ => Successors::NONE,
        };
        Place { parent, previous: NOWHERE, expected, object }
    }

    /// The member at the front of `text`, if it is one of the two expected there and new to its object; with the length
    /// of its key, quotes and colon. `event` is what its value will be.
    #[inline]
    pub(super) fn predicted(&mut self, place: &Place, event: u64, text: &[u8]) -> Option<(Member, usize)> {
        let Successors([last, other]) = place.expected;
        let (id, link) = match self.links.get_mut(last as usize) {
            Some(link) if link.quoted.is_at_front_of(text) => (last, link),
            _ => match self.links.get_mut(other as usize) {
                Some(link) if link.quoted.is_at_front_of(text) => (other, link),
                _ => return None,
            },
        };
        // A key that came before in this object is looked up.
        if link.seen > place.object {
            return None;
        }
        link.seen = event;
        Some((Member { node: id, before: None, place: id, next: link.next }, link.quoted.len()))
    }

    /// The member of that key, hung in if it is new. It is expected there from now on, unless it was `escaped`: what
    /// has to be written with escapes cannot be expected without them.
    pub(super) fn member(&mut self, place: &Place, event: u64, key: &str, escaped: bool) -> Member {
        let Place { parent, previous, expected, object } = *place;
        let nowhere = Member { node: NOWHERE, before: None, place: previous, next: expected };
        let Some(node) = self.nodes.get(parent as usize) else { return nowhere };
        let found = match self.find(node, key) {
            _ if node.is_map => None,
            Some(member) => Some(member),
            // A record with more keys than any object has is taken as a map at once; `commit` makes it one.
            None if node.members.len() > maps::MAX_KEYS => None,
            None => match self.hang(parent, Hung::Key, key) {
                Some(member) => Some(member),
                None => return nowhere,
            },
        };
        let Some(member) = found else {
            return Member { node: self.each(parent), before: None, place: NOWHERE, next: Successors::NONE };
        };
        if !escaped {
            self.expected_at(parent, previous).note(member);
            if member as usize >= self.committed {
                self.surprises.push((parent, previous));
            }
        }
        let link = &mut self.links[member as usize];
        Member { node: member, before: link.see(object, event), place: member, next: link.next }
    }

    /// What is expected behind a member of an object, or first of all.
    fn expected_at(&mut self, parent: NodeId, previous: NodeId) -> &mut Successors {
        match self.links.get_mut(previous as usize) {
            Some(previous) => &mut previous.next,
            None => &mut self.nodes[parent as usize].first,
        }
    }

    fn find(&self, node: &Node, key: &str) -> Option<NodeId> {
        if node.members.len() <= SCANNED_KEYS {
            return node.members.iter().copied().find(|member| self.links[*member as usize].key() == key);
        }
        node.index.get(key).copied()
    }

    /// What stands for all elements of an array, or all values of a map.
    pub(super) fn each(&mut self, parent: NodeId) -> NodeId {
        match self.nodes.get(parent as usize) {
            None => return NOWHERE,
            Some(node) if node.each != NOWHERE => return node.each,
            Some(_) => {}
        }
        self.hang(parent, Hung::Each, "").unwrap_or(NOWHERE)
    }

    /// Hangs a new node below `parent`, unless there are too many.
    fn hang(&mut self, parent: NodeId, hung: Hung, key: &str) -> Option<NodeId> {
        if self.nodes.len() >= self.max_nodes {
            self.is_overfull = true;
            return None;
        }
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node::new(parent, hung));
        self.links.push(Link::new(key));
        let node = &mut self.nodes[parent as usize];
        if hung == Hung::Each {
            node.each = id;
            return Some(id);
        }
        node.members.push(id);
        node.keys.add(key);
        if node.members.len() > SCANNED_KEYS {
            let mut index = std::mem::take(&mut node.index);
            if index.is_empty() {
                let members = self.nodes[parent as usize].members.iter();
                index = members.map(|member| (self.links[*member as usize].key().into(), *member)).collect();
            }
            index.insert(key.into(), id);
            self.nodes[parent as usize].index = index;
        }
        Some(id)
    }

    /// Whether a record has hung in something new.
    pub(super) const fn is_changed(&self) -> bool {
        self.nodes.len() > self.committed
    }

    /// Keeps what the record has hung in, and recognises maps.
    pub(super) fn commit(&mut self) {
        for id in self.committed..self.nodes.len() {
            let parent = self.nodes[id].parent as usize;
            let node = &mut self.nodes[parent];
            if node.keys.are_data() {
                node.is_map = true;
                node.index.clear();
            }
        }
        self.committed = self.nodes.len();
        self.surprises.clear();
    }

    /// Takes out what the record has hung in.
    pub(super) fn roll_back(&mut self) {
        if !self.is_changed() {
            return;
        }
        while self.nodes.len() > self.committed
            && let (Some(last), Some(link)) = (self.nodes.pop(), self.links.pop())
        {
            let node = &mut self.nodes[last.parent as usize];
            match last.hung {
                Hung::Root => {}
                Hung::Each => node.each = NOWHERE,
                Hung::Key => {
                    node.members.pop();
                    node.index.remove(link.key());
                    node.keys.remove(link.key());
                    if node.members.len() <= SCANNED_KEYS {
                        // It is made of all members once there are many again.
                        node.index.clear();
                    }
                }
            }
        }
        // The numbers of these nodes are given to others from now on.
        let first = self.committed as NodeId;
        for (parent, previous) in std::mem::take(&mut self.surprises) {
            if parent < first && (previous < first || previous == NOWHERE) {
                self.expected_at(parent, previous).forget_from(first);
            }
        }
    }

    /// The node below `parent` by that key, if it is known.
    pub(super) fn known_member(&self, parent: NodeId, key: &str) -> Option<NodeId> {
        self.find(self.nodes.get(parent as usize).filter(|node| !node.is_map)?, key)
    }

    /// Where a node hangs: its parent, and the key if there is one.
    pub(super) fn place(&self, id: NodeId) -> Option<(NodeId, Option<&str>)> {
        let node = self.nodes.get(id as usize)?;
        match node.hung {
            Hung::Root => None,
            Hung::Each => Some((node.parent, None)),
            Hung::Key => Some((node.parent, Some(self.links[id as usize].key()))),
        }
    }

    /// Whether the keys of an object are data.
    pub(super) fn is_map(&self, id: NodeId) -> bool {
        self.nodes.get(id as usize).is_some_and(|node| node.is_map)
    }
}
