//! The walk over records: read to a tape, count from it, sample.

use std::collections::BTreeMap;

use super::{
    Entities, FieldProfile, KeySpec, Malformed, Order, PROFILE_VERSION, Profile, SampleMode, SampledRecord,
    entities::Sampling,
    hashing::ValueHash,
    maps,
    sample::{self, Sampler},
    tally::{Look, Tally},
    tape::Tape,
    trie::{NodeId, ROOT, Trie},
    variants::VariantTally,
};
use crate::model::{FieldPath, HashKey, Step};

/// How to profile.
#[derive(Debug, Clone)]
pub struct ProfileOptions {
    /// The key of all value hashes.
    pub hash_key: HashKey,
    /// The primary key of the records, where it is known.
    pub key: Option<KeySpec>,
    /// What is kept of sampled values.
    pub samples: SampleMode,
    /// Nesting beyond this is not read.
    pub max_depth: u16,
    /// Paths beyond this number are not profiled.
    pub max_fields: usize,
    /// Which records' values are looked at.
    pub sketches: Sketches,
}

impl ProfileOptions {
    /// The usual options: every value looked at, strings kept by hash, 128 levels, 4,096 fields.
    #[must_use]
    pub fn new(hash_key: HashKey) -> Self {
        Self {
            hash_key,
            key: None,
            samples: SampleMode::default(),
            max_depth: 128,
            max_fields: 4096,
            sketches: Sketches::default(),
        }
    }
}

/// Which records' values are looked at; presence, types and array lengths are counted in every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sketches {
    /// All of them: the profile is the same whatever the partition of the records.
    #[default]
    All,
    /// All of the first `warm_up`, then one in `one_in`: for taps, where the connector must not wait. The counts of
    /// [`super::NumberProfile`] and [`super::StringProfile`] are those of the values looked at.
    Sampled {
        /// How many records are looked at in full, first.
        warm_up: u64,
        /// One record in how many, after that.
        one_in: u64,
    },
    /// None.
    None,
}

impl Sketches {
    /// Whether the values of the record of this number (counted from 0) are looked at.
    const fn has(self, record: u64) -> bool {
        match self {
            Self::All => true,
            Self::Sampled { warm_up, one_in } => {
                record < warm_up || one_in == 0 || record.is_multiple_of(one_in)
            }
            Self::None => false,
        }
    }
}

/// Takes records one by one and gives their [`Profile`].
#[derive(Debug)]
pub struct Profiler {
    options: ProfileOptions,
    trie: Trie,
    tape: Tape,
    /// By node.
    tallies: Vec<Tally>,
    variants: VariantTally,
    /// The nodes of the key's parts, as far as they were seen.
    key_nodes: Option<Vec<NodeId>>,
    entities: Entities,
    hash: ValueHash,
    /// The sampled records by the hash of their key: their place, and their text, which is worked on at the end, where
    /// most were evicted.
    sampled: BTreeMap<u64, (u64, Box<str>)>,
    /// The largest hash of a key that may be in the sample.
    largest_sampled: u64,
    records: u64,
    malformed: Malformed,
    /// Room for one string.
    scratch: String,
}

/// A longer record, in bytes, is not sampled.
const LONGEST_SAMPLE: usize = 64 * 1024;

impl Profiler {
    /// A profiler that has seen nothing.
    #[must_use]
    pub fn new(options: ProfileOptions) -> Self {
        let trie = Trie::new(options.max_fields);
        let entities = Entities { key: options.key.clone(), mode: options.samples, ..Entities::default() };
        let hash = ValueHash::new(&options.hash_key);
        Self {
            options,
            trie,
            tape: Tape::default(),
            tallies: Vec::new(),
            variants: VariantTally::default(),
            key_nodes: None,
            entities,
            hash,
            sampled: BTreeMap::new(),
            largest_sampled: u64::MAX,
            records: 0,
            malformed: Malformed::default(),
            scratch: String::new(),
        }
    }

    /// Takes one record: JSON text. What cannot be read is counted, never an error.
    pub fn record(&mut self, record: &[u8]) {
        let is_own_key = self.options.key.is_none() && self.options.samples != SampleMode::Off;
        let hash = is_own_key.then_some(&self.hash);
        match self.tape.read(record, &mut self.trie, self.options.max_depth, hash) {
            Ok(text) => self.count(text),
            Err(broken) => {
                *broken.count(&mut self.malformed) += 1;
                self.trie.roll_back();
            }
        }
    }

    /// Counts the record on the tape.
    fn count(&mut self, text: &str) {
        if self.trie.is_changed() || self.tallies.is_empty() {
            self.trie.commit();
            self.tallies.resize_with(self.trie.len(), Tally::default);
            self.variants.grow(&self.trie);
        }
        let with_sketches = self.options.sketches.has(self.records);
        self.records += 1;
        self.malformed.duplicate_keys += u64::from(self.tape.has_duplicate_keys);
        self.malformed.too_many_fields += u64::from(self.trie.is_overfull());
        let mut look = with_sketches.then_some(Look { text, key: &self.hash, scratch: &mut self.scratch });
        for event in &self.tape.events {
            if let Some(tally) = self.tallies.get_mut(event.node as usize) {
                tally.add(event, look.as_mut());
            }
        }
        self.variants.count(&self.tape.events, text, &mut self.scratch);
        if self.options.samples != SampleMode::Off && text.len() <= LONGEST_SAMPLE {
            self.sample(text);
        }
    }

    /// Takes the record on the tape into the sample, if its key is among the smallest by hash.
    fn sample(&mut self, text: &str) {
        let Some(key) = self.entity_key(text) else { return };
        if key > self.largest_sampled {
            return;
        }
        let content = self.hash.of(text.as_bytes());
        if self.entities.note(key, Some(content)) == Sampling::Keep {
            self.sampled.insert(key, (self.records - 1, text.into()));
        }
        self.largest_sampled = self.entities.limit();
        let seen = &self.entities.seen;
        if self.sampled.len() > Entities::CAP * 2 {
            self.sampled.retain(|key, _| seen.get(key).is_some_and(Option::is_some));
        }
    }

    /// The hash that tells this record's entity; `None` where a part of the key is missing or no scalar.
    fn entity_key(&mut self, text: &str) -> Option<u64> {
        let Some(key) = &self.options.key else {
            let lanes = self.tape.lanes.as_ref()?;
            return Some(self.hash.of_rest(text.as_bytes(), lanes));
        };
        if self.key_nodes.is_none() {
            let nodes = key.paths.iter().map(|path| self.node_of(path)).collect::<Option<Vec<_>>>()?;
            self.key_nodes = Some(nodes);
        }
        sample::key_hash(self.key_nodes.as_deref()?, &self.tape.events, text, &self.hash)
    }

    fn node_of(&self, path: &FieldPath) -> Option<NodeId> {
        path.steps().iter().try_fold(ROOT, |node, step| match step {
            Step::Key(key) => self.trie.known_member(node, key),
            Step::Each | Step::Index(_) => None,
        })
    }

    /// The profile of all records taken.
    #[must_use]
    pub fn finish(self) -> Profile {
        self.finish_in_order().0
    }

    /// The profile of all records taken, and in which order they came.
    #[must_use]
    pub fn finish_in_order(mut self) -> (Profile, Order) {
        let paths = self.paths();
        let order;
        (self.entities.records, order) = self.sampled_records(&paths);
        let variants = self.variants.finish(&self.trie, &paths);
        let mut fields: BTreeMap<FieldPath, FieldProfile> = BTreeMap::new();
        for (id, (tally, path)) in self.tallies.into_iter().zip(paths).enumerate() {
            if tally.present() > 0 {
                let mut field = tally.finish(&self.hash);
                field.is_map = self.trie.is_map(id as NodeId);
                fields.insert(path, field);
            }
        }
        let mut profile = Profile {
            version: PROFILE_VERSION,
            key_id: self.options.hash_key.id(),
            records: self.records,
            malformed: self.malformed,
            fields,
            variants,
            entities: self.entities,
        };
        maps::normalise(&mut profile);
        (profile, order)
    }

    /// The path of every node. Parents come before their children.
    fn paths(&self) -> Vec<FieldPath> {
        let mut paths: Vec<FieldPath> = Vec::with_capacity(self.trie.len());
        for id in 0..self.trie.len() {
            let path = match self.trie.place(id as NodeId) {
                None => FieldPath::root(),
                Some((parent, Some(key))) => paths[parent as usize].child(key),
                Some((parent, None)) => paths[parent as usize].each(),
            };
            paths.push(path);
        }
        paths
    }

    fn sampled_records(&mut self, paths: &[FieldPath]) -> (BTreeMap<u64, SampledRecord>, Order) {
        let (mut records, mut order) = (BTreeMap::new(), Order::default());
        let mut sampler = Sampler::new(paths, self.options.samples, self.hash);
        for (key, (place, text)) in std::mem::take(&mut self.sampled) {
            let is_kept = self.entities.seen.get(&key).is_some_and(Option::is_some);
            // It was read before, so it can be read again.
            if is_kept
                && self.tape.read(text.as_bytes(), &mut self.trie, self.options.max_depth, None).is_ok()
            {
                records.insert(key, sampler.record(&self.tape.events, &text));
                order.0.insert(key, place);
            }
        }
        (records, order)
    }
}
