//! The values of one field in the order in which the records came: whether they stand still, come from a few only, or
//! come round and round.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Lane;
use super::serial::{Told, equal_neighbours, told};
use crate::profile::{SampleValue, SampledRecord};

/// Fewer sampled values in order show none of it.
const MIN_VALUES: usize = 20;
/// By chance so many equal neighbours come once in a thousand fields.
const IN_RUNS: f64 = 0.001;
/// The longest round of a replay that is looked for.
const LONGEST_ROUND: u64 = 12;

/// The values of a window's sampled records with their places.
pub(super) struct Sequence(Vec<(u64, Told)>);

impl Sequence {
    /// The values of a field, where the order is known and enough of them are sampled.
    pub(super) fn of(lane: &Lane<'_>) -> Option<Self> {
        let placed = |(place, record): &(u64, &SampledRecord)| {
            let value = record.0.get(lane.path)?;
            (!matches!(value, SampleValue::Null | SampleValue::Container(..)))
                .then(|| (*place, told(Some(value))))
        };
        let values: Vec<(u64, Told)> = lane.ctx.rows.iter().filter_map(placed).collect();
        (values.len() >= MIN_VALUES).then_some(Self(values))
    }

    /// The longest stretch at one end of the window in which nineteen of twenty values are the most frequent one, as a
    /// share of the window.
    pub(super) fn stand_still(&self) -> f64 {
        let mut counts: BTreeMap<Told, usize> = BTreeMap::new();
        self.0.iter().for_each(|(_, value)| *counts.entry(*value).or_default() += 1);
        let Some(most) = counts.iter().max_by_key(|(_, count)| **count).map(|(value, _)| *value) else {
            return 0.0;
        };
        let from_here = |values: &mut dyn Iterator<Item = &(u64, Told)>| {
            let (mut hits, mut longest) = (0, 0);
            for (i, (_, value)) in values.enumerate() {
                hits += usize::from(*value == most);
                if hits * 20 >= (i + 1) * 19 {
                    longest = i + 1;
                }
            }
            longest
        };
        from_here(&mut self.0.iter().rev()).max(from_here(&mut self.0.iter())) as f64 / self.0.len() as f64
    }

    /// The longest stretch at one end of the window with no more than `few` distinct values: which they are, as hashes
    /// of texts, and how many records it has of how many.
    pub(super) fn stretch_of(&self, few: usize) -> (BTreeSet<u64>, usize, usize) {
        let from_here = |values: &mut dyn Iterator<Item = &(u64, Told)>| {
            let (mut seen, mut length) = (BTreeSet::new(), 0);
            for (_, value) in values {
                if seen.len() == few && !seen.contains(&value.1) {
                    break;
                }
                seen.insert(value.1);
                length += 1;
            }
            (seen, length, self.0.len())
        };
        let (last, first) = (from_here(&mut self.0.iter().rev()), from_here(&mut self.0.iter()));
        if last.1 >= first.1 { last } else { first }
    }

    /// How many runs these values come in.
    pub(super) fn runs_of(&self, values: &BTreeSet<u64>) -> usize {
        self.0.chunk_by(|a, b| a.1 == b.1).filter(|run| values.contains(&run[0].1.1)).count()
    }

    /// Whether these texts come in their turn: each of them in one stretch, of which it makes up nine of ten values
    /// (those that come less than three times tell nothing), or all together in one, or in runs among the others.
    pub(super) fn in_turn(&self, texts: &BTreeSet<u64>) -> bool {
        let mut of_each: BTreeMap<u64, (usize, usize, usize)> = BTreeMap::new();
        for (at, (_, (_, hash))) in
            self.0.iter().enumerate().filter(|(_, (_, value))| texts.contains(&value.1))
        {
            let (_, last, count) = of_each.entry(*hash).or_insert((at, at, 0));
            (*last, *count) = (at, *count + 1);
        }
        let mut stretches = of_each.values().filter(|(_, _, count)| *count >= 3).peekable();
        if stretches.peek().is_some()
            && stretches.all(|(first, last, count)| count * 10 >= (last + 1 - first) * 9)
        {
            return true;
        }
        let is_new = |(_, value): &(u64, Told)| texts.contains(&value.1);
        let flags: Vec<bool> = self.0.iter().map(is_new).skip_while(|new| !new).collect();
        let new = flags.iter().filter(|new| **new).count();
        // One in a hundred by chance, as for a path that is gone.
        new * 10 >= flags.len().max(1) * 9 || flags.len() >= 4 && equal_neighbours(&flags).0 < 0.01
    }

    /// Whether a text comes strewn over the window although all others come in runs: it stands in no order, and mostly
    /// in the midst of runs, of three values at least.
    pub(super) fn breaks_in(&self, text: u64) -> bool {
        let is_it = |(_, value): &(u64, Told)| value.1 == text;
        let flags: Vec<bool> = self.0.iter().map(is_it).collect();
        let others: Vec<Told> =
            self.0.iter().filter(|value| !is_it(value)).map(|(_, value)| *value).collect();
        let first = flags.iter().position(|is| *is).unwrap_or(0);
        // Where it begins in the midst of the window, it is strewn from there on; one in a hundred by chance is not.
        // For less than half of the window the order itself may hold a mixture of two things.
        if first * 2 > flags.len()
            || equal_neighbours(&flags[first..]).0 < 0.01
            || equal_neighbours(&others).0 >= IN_RUNS
        {
            return false;
        }
        let (mut inside, mut all, mut broken) = (0, 0, BTreeSet::new());
        let mut before = None;
        for stretch in self.0.chunk_by(|a, b| is_it(a) == is_it(b)) {
            if is_it(&stretch[0]) {
                all += 1;
            } else {
                if before == Some(stretch[0].1) {
                    inside += 1;
                    broken.insert(stretch[0].1);
                }
                before = stretch.last().map(|(_, value)| *value);
            }
        }
        inside * 2 >= all && broken.len() >= 3
    }

    /// The number of distinct values that come round and round for half of the window at least, up to its end: each
    /// place of the round always has the same one. Two that take turns are no round.
    pub(super) fn round(&self) -> Option<usize> {
        let tail = &self.0[self.0.len() / 2..];
        // The chance that two values are equal, in no order.
        let mut counts: BTreeMap<Told, f64> = BTreeMap::new();
        tail.iter().for_each(|(_, value)| *counts.entry(*value).or_default() += 1.0);
        let equal: f64 = counts.values().map(|count| (count / tail.len() as f64).powi(2)).sum();
        (2..=LONGEST_ROUND).filter(|length| tail.len() as u64 >= 3 * length).find_map(|length| {
            let mut round: BTreeMap<u64, Told> = BTreeMap::new();
            let agrees =
                tail.iter().all(|(place, value)| round.entry(place % length).or_insert(*value) == value);
            let distinct: BTreeSet<&Told> = round.values().collect();
            // A dozen lengths are tried, in every field of a stream.
            let by_chance = equal.powf(tail.len() as f64 - round.len() as f64);
            (agrees && distinct.len() >= 3 && by_chance < 1e-4).then_some(distinct.len())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(of: impl Fn(u64) -> u64) -> Sequence {
        Sequence((0..60).map(|place| (place, (2, of(place)))).collect())
    }

    fn noise(place: u64) -> u64 {
        place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
    }

    #[test]
    fn what_stands_still_does_so_to_an_end() {
        assert_eq!(sequence(|_| 7).stand_still(), 1.0);
        assert!((sequence(|i| if i < 20 { noise(i) } else { 7 }).stand_still() - 0.7).abs() < 0.05);
        // The same share of one value, strewn about.
        assert!(sequence(|i| if noise(i) % 10 < 3 { i } else { 7 }).stand_still() < 0.4);
    }

    #[test]
    fn rounds_are_told_from_few_values() {
        assert_eq!(sequence(|i| i % 5).round(), Some(5));
        assert_eq!(sequence(|i| if i < 18 { noise(i) } else { i % 5 }).round(), Some(5));
        assert_eq!(sequence(|i| noise(i) % 5).round(), None);
        assert_eq!(sequence(|_| 7).round(), None);
    }

    #[test]
    fn turns_are_told_from_words_among_others() {
        let new = BTreeSet::from([7]);
        assert!(sequence(|i| if i < 40 { 1 } else { 7 }).in_turn(&new));
        assert!(!sequence(|i| if noise(i).is_multiple_of(3) { 7 } else { 1 }).in_turn(&new));
        assert!(!sequence(|_| 1).in_turn(&new));
    }

    #[test]
    fn what_breaks_into_runs_is_none_of_them() {
        let in_runs = |i: u64| i / 10;
        assert!(sequence(|i| if noise(i).is_multiple_of(8) { 99 } else { in_runs(i) }).breaks_in(99));
        assert!(!sequence(|i| if (22..28).contains(&i) { 99 } else { in_runs(i) }).breaks_in(99));
        // Where all values are strewn, one more is no stranger.
        assert!(!sequence(|i| if noise(i).is_multiple_of(8) { 99 } else { noise(i) % 6 }).breaks_in(99));
    }

    #[test]
    fn a_stretch_of_few_ends_where_another_comes() {
        let (values, length, all) = sequence(|i| if i < 20 { 100 + i } else { noise(i) % 2 }).stretch_of(2);
        assert_eq!((values, length, all), (BTreeSet::from([0, 1]), 40, 60));
    }
}
