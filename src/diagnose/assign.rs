//! The best assignment of old paths to new ones: the Hungarian method, with the choice to assign nothing.

/// For each row the column that gives the largest total, `None` where leaving the row alone is better (its gain is
/// not above 0). `gains` holds one row of the same length each; H. W. Kuhn 1955, in the O(n^3) form with potentials.
pub(super) fn assign(gains: &[Vec<f64>]) -> Vec<Option<usize>> {
    let rows = gains.len();
    let columns = gains.first().map_or(0, Vec::len);
    if rows == 0 || columns == 0 {
        return vec![None; rows];
    }
    // One more column for each row, of gain 0: the choice to assign nothing.
    let width = columns + rows;
    let cost = |row: usize, column: usize| {
        if column < columns { -gains[row][column].max(-1e6) } else { 0.0 }
    };
    // Potentials and the row matched to each column, 1-based, with 0 as the sentinel.
    let mut by_row = vec![0.0; rows + 1];
    let mut by_column = vec![0.0; width + 1];
    let mut matched = vec![0_usize; width + 1];
    let mut way = vec![0_usize; width + 1];
    for row in 1..=rows {
        matched[0] = row;
        let mut at = 0;
        let mut least = vec![f64::INFINITY; width + 1];
        let mut used = vec![false; width + 1];
        loop {
            used[at] = true;
            let (from, mut delta, mut next) = (matched[at], f64::INFINITY, 0);
            for column in 1..=width {
                if used[column] {
                    continue;
                }
                let reduced = cost(from - 1, column - 1) - by_row[from] - by_column[column];
                if reduced < least[column] {
                    least[column] = reduced;
                    way[column] = at;
                }
                if least[column] < delta {
                    delta = least[column];
                    next = column;
                }
            }
            for column in 0..=width {
                if used[column] {
                    by_row[matched[column]] += delta;
                    by_column[column] -= delta;
                } else {
                    least[column] -= delta;
                }
            }
            at = next;
            if matched[at] == 0 {
                break;
            }
        }
        while at != 0 {
            let before = way[at];
            matched[at] = matched[before];
            at = before;
        }
    }
    let mut result = vec![None; rows];
    for column in 1..=columns {
        let row = matched[column];
        if row > 0 && gains[row - 1][column - 1] > 0.0 {
            result[row - 1] = Some(column - 1);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_counts_and_nothing_is_forced() {
        // Greedy would take 9 first and be left with 1.
        assert_eq!(assign(&[vec![9.0, 8.0], vec![8.0, 1.0]]), [Some(1), Some(0)]);
        assert_eq!(assign(&[vec![-1.0, -2.0]]), [None]);
        assert_eq!(assign(&[vec![1.0], vec![2.0]]), [None, Some(0)]);
        assert_eq!(assign(&[vec![]]), [None]);
    }
}
