//! The schema as seen so far: a trie of nodes, one per field path, found by prediction while a record is read.
//!
//! Records of one stream hold the same keys in the same order, nearly always. So each key remembers which two keys came
//! after it lately, and the next one is found by a comparison or two; only surprises are looked up.
//!
//! What a record adds is provisional until [`Trie::commit`]: a record that turns out to be broken leaves no trace.

use std::collections::BTreeMap;

use super::maps::{self, KeyCounts};

/// The index of a node.
pub(super) type NodeId = u32;

/// The record itself.
pub(super) const ROOT: NodeId = 0;
/// No node: values that are beyond the limit of fields.
pub(super) const NOWHERE: NodeId = NodeId::MAX;
/// No link yet.
pub(super) const BEFORE_FIRST: u32 = u32::MAX;
/// With more keys than this, a look-up goes through an index.
const SCANNED_KEYS: usize = 8;

/// How a node hangs below its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hung {
    /// It is the record.
    Root,
    /// By the key of that link.
    Key(u32),
    /// As what stands for all elements or all values.
    Each,
}

/// The links that came next lately, the last one first.
#[derive(Debug, Clone, Copy)]
struct Successors([u32; 2]);

impl Successors {
    /// Notes which link came next.
    const fn note(&mut self, link: u32) {
        if self.0[0] != link {
            self.0 = [link, self.0[0]];
        }
    }
}

/// A member of an object.
#[derive(Debug)]
struct Link {
    /// The key as JSON writes it without escapes, with its closing quote: one comparison finds key and end.
    quoted: Box<str>,
    /// Its first 16 bytes, and which of them there are: most keys are compared as one integer.
    front: u128,
    front_mask: u128,
    /// The last 16 bytes of a longer one.
    back: u128,
    node: NodeId,
    next: Successors,
    /// In which object it was seen last, and as which event: for keys that come twice.
    seen_in: u64,
    seen_as: u32,
}

/// How many bytes of a key are compared at once.
const FRONT: usize = size_of::<u128>();

impl Link {
    fn new(key: &str, node: NodeId, next: Successors) -> Self {
        let quoted = format!("{key}\"").into_boxed_str();
        let len = quoted.len().min(FRONT);
        let mut front = [0; FRONT];
        let mut mask = [0; FRONT];
        front[..len].copy_from_slice(&quoted.as_bytes()[..len]);
        mask[..len].fill(0xff);
        let (front, front_mask) = (u128::from_le_bytes(front), u128::from_le_bytes(mask));
        let back = quoted.as_bytes().last_chunk().map_or(0, |back| u128::from_le_bytes(*back));
        Self { quoted, front, front_mask, back, node, next, seen_in: 0, seen_as: 0 }
    }

    /// The key.
    fn key(&self) -> &str {
        &self.quoted[..self.quoted.len() - 1]
    }

    /// Whether a text starts with the key and its closing quote.
    #[inline]
    fn is_at_front_of(&self, text: &[u8]) -> bool {
        let quoted = self.quoted.as_bytes();
        match text.first_chunk() {
            Some(front) if (u128::from_le_bytes(*front) ^ self.front) & self.front_mask != 0 => false,
            Some(_) if quoted.len() <= FRONT => true,
            Some(_) if quoted.len() <= 2 * FRONT => {
                let back = text.get(quoted.len() - FRONT..).and_then(<[u8]>::first_chunk);
                back.is_some_and(|back| u128::from_le_bytes(*back) == self.back)
            }
            Some(_) | None => text.starts_with(quoted),
        }
    }

    /// Notes that it was seen in the object of that serial number, as that event.
    #[inline]
    fn see(&mut self, place: Place) -> Option<u32> {
        let before = (self.seen_in == place.object).then_some(self.seen_as);
        (self.seen_in, self.seen_as) = (place.object, place.event);
        before
    }
}

/// Where a key stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The node of the object.
    pub(super) parent: NodeId,
    /// The link of the member before, or [`BEFORE_FIRST`].
    pub(super) previous: u32,
    /// The serial number of the object, from 1.
    pub(super) object: u64,
    /// The event that the value will be.
    pub(super) event: u32,
}

/// The structure below one path.
#[derive(Debug)]
struct Node {
    parent: NodeId,
    hung: Hung,
    links: Vec<Link>,
    first: Successors,
    /// Links by key, kept once there are many.
    index: BTreeMap<Box<str>, u32>,
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
            links: Vec::new(),
            first: Successors([0, 0]),
            index: BTreeMap::new(),
            each: NOWHERE,
            keys: KeyCounts::default(),
            is_map: false,
        }
    }

    fn find(&self, key: &str) -> Option<u32> {
        if self.links.len() <= SCANNED_KEYS {
            return self.links.iter().position(|link| link.key() == key).map(|at| at as u32);
        }
        self.index.get(key).copied()
    }
}

/// A member that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// Its node, or [`NOWHERE`].
    pub(super) node: NodeId,
    /// Its link, for the prediction of the next.
    pub(super) link: u32,
    /// The event of the last time that its key was in the same object.
    pub(super) before: Option<u32>,
}

/// The nodes.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    max_nodes: usize,
    /// Nodes below this index are part of records that were read in full.
    committed: usize,
}

impl Trie {
    /// A trie that knows the record alone.
    pub(super) fn new(max_nodes: usize) -> Self {
        Self { nodes: vec![Node::new(NOWHERE, Hung::Root)], max_nodes: max_nodes.max(1), committed: 1 }
    }

    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The member whose key starts at the front of `text` (behind its quote), if it is one of the two expected there;
    /// with the length of the key and its closing quote.
    #[inline]
    pub(super) fn predicted(&mut self, place: Place, text: &[u8]) -> Option<(Member, usize)> {
        let parent = self.nodes.get_mut(place.parent as usize)?;
        if parent.is_map {
            return None;
        }
        let expected = parent.links.get(place.previous as usize).map_or(parent.first, |link| link.next);
        for at in expected.0 {
            if let Some(link) = parent.links.get_mut(at as usize)
                && link.is_at_front_of(text)
            {
                let before = link.see(place);
                return Some((Member { node: link.node, link: at, before }, link.quoted.len()));
            }
        }
        None
    }

    /// The member of that key, hung in if it is new.
    pub(super) fn member(&mut self, place: Place, key: &str) -> Member {
        let Place { parent, previous, .. } = place;
        let Some(node) = self.nodes.get(parent as usize) else {
            return Member { node: NOWHERE, link: BEFORE_FIRST, before: None };
        };
        let link = match node.find(key) {
            _ if node.is_map => None,
            Some(link) => Some(link),
            // A record with more keys than any object has is taken as a map at once; `commit` makes it one.
            None if node.links.len() > maps::MAX_KEYS => None,
            None => match self.hang(parent, Hung::Key(node.links.len() as u32), Some(key)) {
                Some(link) => Some(link),
                None => return Member { node: NOWHERE, link: previous, before: None },
            },
        };
        let Some(link) = link else {
            return Member { node: self.each(parent), link: BEFORE_FIRST, before: None };
        };
        let node = &mut self.nodes[parent as usize];
        match node.links.get_mut(previous as usize) {
            Some(previous) => previous.next.note(link),
            None => node.first.note(link),
        }
        let found = &mut node.links[link as usize];
        Member { node: found.node, link, before: found.see(place) }
    }

    /// What stands for all elements of an array, or all values of a map.
    pub(super) fn each(&mut self, parent: NodeId) -> NodeId {
        match self.nodes.get(parent as usize) {
            None => return NOWHERE,
            Some(node) if node.each != NOWHERE => return node.each,
            Some(_) => {}
        }
        self.hang(parent, Hung::Each, None);
        self.nodes[parent as usize].each
    }

    /// Hangs a new node below `parent`, unless there are too many; gives its link.
    fn hang(&mut self, parent: NodeId, hung: Hung, key: Option<&str>) -> Option<u32> {
        if self.nodes.len() >= self.max_nodes {
            return None;
        }
        let id = self.nodes.len() as NodeId;
        self.nodes.push(Node::new(parent, hung));
        let node = &mut self.nodes[parent as usize];
        let Some(key) = key else {
            node.each = id;
            return Some(BEFORE_FIRST);
        };
        let link = node.links.len() as u32;
        node.links.push(Link::new(key, id, Successors([link + 1, link + 2])));
        node.keys.add(key);
        if node.links.len() > SCANNED_KEYS {
            if node.index.is_empty() {
                node.index = node.links.iter().zip(0..).map(|(link, at)| (link.key().into(), at)).collect();
            }
            node.index.insert(key.into(), link);
        }
        Some(link)
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
    }

    /// Takes out what the record has hung in.
    pub(super) fn roll_back(&mut self) {
        while self.nodes.len() > self.committed {
            let Some(Node { parent, hung, .. }) = self.nodes.pop() else { return };
            let node = &mut self.nodes[parent as usize];
            match hung {
                Hung::Root => {}
                Hung::Each => node.each = NOWHERE,
                Hung::Key(_) => {
                    if let Some(link) = node.links.pop() {
                        node.index.remove(link.key());
                        node.keys.remove(link.key());
                    }
                }
            }
        }
    }

    /// The node below `parent` by that key, if it is known.
    pub(super) fn known_member(&self, parent: NodeId, key: &str) -> Option<NodeId> {
        let node = self.nodes.get(parent as usize).filter(|node| !node.is_map)?;
        Some(node.links[node.find(key)? as usize].node)
    }

    /// Where a node hangs: its parent, and the key if there is one.
    pub(super) fn place(&self, id: NodeId) -> Option<(NodeId, Option<&str>)> {
        let node = self.nodes.get(id as usize)?;
        match node.hung {
            Hung::Root => None,
            Hung::Each => Some((node.parent, None)),
            Hung::Key(link) => {
                Some((node.parent, Some(self.nodes[node.parent as usize].links[link as usize].key())))
            }
        }
    }

    /// Whether the keys of an object are data.
    pub(super) fn is_map(&self, id: NodeId) -> bool {
        self.nodes.get(id as usize).is_some_and(|node| node.is_map)
    }
}
