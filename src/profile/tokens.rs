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

/// A scalar as it stands in a text. What follows it is at hand, so that its bytes are read a block at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    /// The text that it stands in.
    whole: &'t str,
    /// From its first byte to the end of that text.
    around: &'t [u8],
    len: usize,
}

/// As many ones as a block has bytes, then as many zeros.
static MASKS: [u8; 2 * BLOCK] = {
    let mut masks = [0; 2 * BLOCK];
    let mut at = 0;
    while at < BLOCK {
        masks[at] = 0xff;
        at += 1;
    }
    masks
};

/// The bytes of a block.
pub(super) const BLOCK: usize = 32;

impl<'t> Token<'t> {
    /// The token at these places of a text.
    #[inline]
    pub(super) fn new(whole: &'t str, start: u32, end: u32) -> Self {
        Self { whole, around: &whole.as_bytes()[start as usize..], len: (end - start) as usize }
    }

    /// A text that is all of the token.
    pub(super) const fn whole(text: &'t str) -> Self {
        Self { whole: text, around: text.as_bytes(), len: text.len() }
    }

    /// How many bytes it has.
    #[inline]
    pub(super) const fn len(self) -> usize {
        self.len
    }

    /// The token alone.
    #[inline]
    pub(super) fn bytes(self) -> &'t [u8] {
        &self.around[..self.len]
    }

    /// The token alone, as text: looks where characters begin, so where bytes will do they are to be taken.
    #[inline]
    pub(super) fn text(self) -> &'t str {
        let start = self.whole.len() - self.around.len();
        &self.whole[start..start + self.len]
    }

    /// Its last bytes; before its start, whatever stands there.
    #[inline]
    pub(super) fn back(self) -> [u8; 16] {
        let end = self.whole.len() - self.around.len() + self.len;
        match self.whole.as_bytes()[..end].last_chunk() {
            Some(back) => *back,
            None => {
                let mut back = [0; 16];
                back[16 - end..].copy_from_slice(&self.whole.as_bytes()[..end]);
                back
            }
        }
    }

    /// Its first bytes, zeros behind its end.
    #[inline]
    pub(super) fn front<const N: usize>(self) -> [u8; N] {
        const { assert!(N <= BLOCK, "there are masks of one block") };
        let mut front = [0; N];
        let len = self.len.min(N);
        match self.around.first_chunk::<N>() {
            Some(around) => {
                let masks = &MASKS[BLOCK - len..][..N];
                for ((byte, around), mask) in front.iter_mut().zip(around).zip(masks) {
                    *byte = around & mask;
                }
            }
            None => front[..len].copy_from_slice(&self.around[..len]),
        }
        front
    }
}

/// A token's first 16 bytes as one integer, with its length; short tokens are told apart by this alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Front {
    bytes: u128,
    len: usize,
}

impl Front {
    #[inline]
    fn of(token: Token<'_>) -> Self {
        Self { bytes: u128::from_le_bytes(token.front()), len: token.len }
    }

    /// A hash for look-up alone; a collision costs one comparison more.
    #[inline]
    const fn mix(self, rest: u64) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let hash = (self.bytes as u64 ^ rest).wrapping_mul(ODD) ^ ((self.bytes >> 64) as u64).rotate_left(23);
        let hash = (hash ^ self.len as u64).wrapping_mul(ODD);
        hash >> 32
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    front: Front,
    start: usize,
    count: u64,
}

/// Tokens and how often each came.
#[derive(Debug)]
pub(super) struct TokenCache {
    entries: Vec<Entry>,
    /// Index into `entries` plus one; 0 is free.
    slots: Box<[u8; SLOTS]>,
    text: String,
    hits: usize,
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
    /// Whether this value is to pass by, since the last ones did not pay.
    #[inline]
    pub(super) const fn pauses(&mut self) -> bool {
        let pauses = self.pause > 0;
        self.pause -= pauses as u32;
        pauses
    }

    /// Counts a token, if it is one for the cache.
    #[inline]
    pub(super) fn add(&mut self, token: Token<'_>) -> Cached {
        if token.len > LONGEST {
            return Cached::No;
        }
        let front = Front::of(token);
        // The end tells long tokens with a common start apart: addresses, paths.
        let last = if token.len > 16 { token.bytes().last_chunk() } else { None };
        let mut slot = front.mix(last.map_or(0, |last| u64::from_le_bytes(*last))) as usize % SLOTS;
        loop {
            let Some(at) = usize::from(self.slots[slot]).checked_sub(1) else {
                return self.insert(token.text(), front, slot);
            };
            if self.is_entry(at, front, token) {
                self.entries[at].count += 1;
                self.hits += 1;
                return Cached::Yes;
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// Whether a token is that of an entry.
    #[inline]
    fn is_entry(&self, at: usize, front: Front, token: Token<'_>) -> bool {
        self.entries.get(at).is_some_and(|entry| {
            entry.front == front
                && (front.len <= size_of::<u128>()
                    || self.text.as_bytes()[entry.start..entry.start + front.len] == *token.bytes())
        })
    }

    #[cold]
    fn insert(&mut self, token: &str, front: Front, slot: usize) -> Cached {
        if self.entries.len() == CAPACITY {
            return Cached::Full;
        }
        self.entries.push(Entry { front, start: self.text.len(), count: 1 });
        self.text.push_str(token);
        self.slots[slot] = self.entries.len() as u8;
        Cached::Yes
    }

    /// Hands every token with its count to `take`, and forgets them.
    pub(super) fn drain(&mut self, mut take: impl FnMut(Token<'_>, u64)) {
        for entry in &self.entries {
            let end = entry.start + entry.front.len;
            take(Token::new(&self.text, entry.start as u32, end as u32), entry.count);
        }
        // A filling pays when each token came three times or more.
        let paid = self.hits >= 2 * self.entries.len();
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
            if cache.pauses() {
                direct += 1;
                continue;
            }
            loop {
                match cache.add(Token::whole(&token)) {
                    Cached::Yes => break,
                    Cached::Full => cache.drain(|_, count| drained += count),
                    Cached::No => panic!("short enough"),
                }
            }
        }
        cache.drain(|_, count| drained += count);
        assert_eq!(direct + drained, 100_000);
        assert!(direct > 50_000, "a thousand values in turn do not pay");
    }
}
