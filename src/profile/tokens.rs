//! A write-back cache of tokens: equal values of a field are counted here and worked on once.
//!
//! It changes no result: everything in a profile is commutative and takes a weight. Fields of few values (statuses,
//! countries, flags as text, small integers) cost a look-up per value; fields of many switch it off for a while.

/// The longest token that is kept, in bytes.
const LONGEST: usize = 64;
/// How many tokens are kept before they are handed on.
const CAPACITY: usize = 128;
/// Open addressing wants room.
const SLOTS: usize = CAPACITY * 4;
/// How many values pass by after a filling that did not pay.
const FIRST_PAUSE: u32 = 1_024;
/// The pause doubles up to this, so that a field that changes its ways is noticed.
const LONGEST_PAUSE: u32 = 65_536;

/// What the cache did with a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cached {
    /// It was counted.
    Yes,
    /// The cache is full: hand its content on, then ask again.
    Full,
    /// It is not for the cache: work on it now.
    No,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    start: u32,
    end: u32,
    count: u64,
}

/// Tokens and how often each came.
#[derive(Debug)]
pub(super) struct TokenCache {
    entries: Vec<Entry>,
    /// Index into `entries` plus one; 0 is free.
    slots: Box<[u8; SLOTS]>,
    text: String,
    hits: u32,
    pause: u32,
    next_pause: u32,
}

impl Default for TokenCache {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            slots: Box::new([0; SLOTS]),
            text: String::new(),
            hits: 0,
            pause: 0,
            next_pause: FIRST_PAUSE,
        }
    }
}

impl TokenCache {
    /// Counts a token, if it is one for the cache.
    #[inline]
    pub(super) fn add(&mut self, token: &str) -> Cached {
        if self.pause > 0 {
            self.pause -= 1;
            return Cached::No;
        }
        if token.len() > LONGEST {
            return Cached::No;
        }
        let hash = mix(token.as_bytes());
        let mut slot = hash as usize % SLOTS;
        loop {
            let Some(at) = usize::from(self.slots[slot]).checked_sub(1) else {
                return self.insert(token, hash, slot);
            };
            let entry = &mut self.entries[at];
            if entry.hash == hash && self.text[entry.start as usize..entry.end as usize] == *token {
                entry.count += 1;
                self.hits += 1;
                return Cached::Yes;
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    fn insert(&mut self, token: &str, hash: u64, slot: usize) -> Cached {
        if self.entries.len() == CAPACITY {
            return Cached::Full;
        }
        let start = self.text.len() as u32;
        self.text.push_str(token);
        self.entries.push(Entry { hash, start, end: self.text.len() as u32, count: 1 });
        self.slots[slot] = self.entries.len() as u8;
        Cached::Yes
    }

    /// Hands every token with its count to `take`, and forgets them.
    pub(super) fn drain(&mut self, mut take: impl FnMut(&str, u64)) {
        for entry in &self.entries {
            take(&self.text[entry.start as usize..entry.end as usize], entry.count);
        }
        // A filling pays when each token came three times or more.
        let paid = self.hits as usize >= 2 * self.entries.len();
        if self.entries.len() == CAPACITY && !paid {
            self.pause = self.next_pause;
            self.next_pause = (self.next_pause * 2).min(LONGEST_PAUSE);
        } else {
            self.next_pause = FIRST_PAUSE;
        }
        self.hits = 0;
        self.entries.clear();
        self.text.clear();
        self.slots.fill(0);
    }
}

/// A hash for look-up alone; a collision costs one comparison more.
#[inline]
fn mix(token: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let word = |at: usize| {
        token.get(at..at + 8).and_then(|w| <[u8; 8]>::try_from(w).ok()).map_or(0, u64::from_le_bytes)
    };
    let len = token.len();
    let hash = if len >= 8 {
        word(0) ^ word(len - 8).rotate_left(23) ^ word((len - 8) / 2).wrapping_mul(ODD)
    } else {
        token.iter().fold(0, |hash: u64, byte| hash << 8 | u64::from(*byte))
    };
    let hash = (hash ^ len as u64).wrapping_mul(ODD);
    hash ^ hash >> 29
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost() {
        let mut cache = TokenCache::default();
        let mut direct = 0;
        let mut drained = 0;
        for i in 0..100_000_u64 {
            let token = format!("{}", i * i % 1000);
            loop {
                match cache.add(&token) {
                    Cached::Yes => break,
                    Cached::Full => cache.drain(|_, count| drained += count),
                    Cached::No => {
                        direct += 1;
                        break;
                    }
                }
            }
        }
        cache.drain(|_, count| drained += count);
        assert_eq!(direct + drained, 100_000);
    }
}
