use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Accuracy on every task after every task: entry (i, j) is the accuracy on task j after task i was
/// learned. Task 0 is pre-training. Where many tasks are tested with the same samples, columns are parts of these, and rows
/// those tasks after which it was tested. Accuracies lie between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct AccuracyMatrix {
    rows: Vec<Vec<f64>>,
}

/// What is read off an [`AccuracyMatrix`] of T tasks; R\[i\]\[j\] is its entry (i, j).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// ACC, the mean accuracy over all tasks at the end: 1/T Σ_j R\[T\]\[j\] (Lopez-Paz & Ranzato
    /// 2017).
    pub acc: f64,
    /// BWT, backward transfer: 1/(T−1) Σ_{j<T} (R\[T\]\[j\] − R\[j\]\[j\]) (Lopez-Paz & Ranzato
    /// 2017). Negative is forgetting.
    pub bwt: f64,
    /// Forgetting from the best: 1/(T−1) Σ_{j<T} (max_{j≤i<T} R\[i\]\[j\] − R\[T\]\[j\])
    /// (Chaudhry et al. 2018, Eq. 3).
    pub forgetting_from_best: f64,
    /// Forgetting from when it was learned: 1/(T−1) Σ_{j<T} (R\[j\]\[j\] − R\[T\]\[j\]), −BWT (as
    /// Avalanche has it).
    pub forgetting_from_learned: f64,
    /// FWT, forward transfer: 1/(T−1) Σ_{j≥1} (R\[j−1\]\[j\] − b\[j\]), b being the accuracy of a network of random
    /// weights (Lopez-Paz & Ranzato 2017); `None` where that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fwt: Option<f64>,
}

impl AccuracyMatrix {
    /// Adds the accuracies on all tasks after the next task.
    pub fn push(&mut self, row: Vec<f64>) {
        self.rows.push(row);
    }

    /// The rows, one for each task learned so far.
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    /// As an array: tasks learned × tasks; `None` if rows differ in length.
    pub fn to_array(&self) -> Option<Array2<f64>> {
        let columns = self.rows.first()?.len();
        let all = self.rows.concat();
        Array2::from_shape_vec((self.rows.len(), columns), all).ok()
    }

    /// The usual figures; `None` before every task was learned or with fewer than two.
    ///
    /// ```
    /// let mut matrix = respike::continual::AccuracyMatrix::default();
    /// matrix.push(vec![0.9, 0.0]);
    /// matrix.push(vec![0.6, 0.8]);
    /// let metrics = matrix.metrics().expect("two tasks, both learned");
    /// assert!((metrics.acc - 0.7).abs() < 1e-12);
    /// assert!((metrics.bwt + 0.3).abs() < 1e-12);
    /// assert!((metrics.forgetting_from_best - 0.3).abs() < 1e-12);
    /// ```
    pub fn metrics(&self) -> Option<Metrics> {
        let tasks: Vec<usize> = (0..self.rows.len()).collect();
        let columns = self.rows.first()?.len();
        (columns == tasks.len()).then(|| self.metrics_of(&tasks, &tasks, None))?
    }

    /// The same where not every task is tested after every task: rows were measured after tasks `measured_after`, and
    /// what column j tests is taught from task `first_tasks[j]` on. What counts as R\[j\]\[j\] is then the first row
    /// after that task, and as R\[j−1\]\[j\] the row before it. `at_random` are accuracies of a network of random
    /// weights.
    ///
    /// `None` with fewer than two columns, or if nothing was measured after something was learned.
    pub fn metrics_of(
        &self,
        measured_after: &[usize],
        first_tasks: &[usize],
        at_random: Option<&[f64]>,
    ) -> Option<Metrics> {
        let matrix = self.to_array()?;
        let columns = matrix.ncols();
        let last = matrix.nrows() - 1;
        if columns < 2 || columns != first_tasks.len() || measured_after.len() != matrix.nrows() {
            return None;
        }
        let mean = |values: &[f64]| {
            let sum: f64 = values.iter().sum();
            (!values.is_empty()).then(|| sum / values.len() as f64)
        };
        let (mut learned, mut best, mut forward) = (Vec::new(), Vec::new(), Vec::new());
        for (column, &first) in first_tasks.iter().enumerate() {
            // All was learned by the end.
            let row = measured_after.iter().position(|&after| after >= first)?;
            let end = matrix[[last, column]];
            if row < last {
                learned.push(matrix[[row, column]] - end);
                let before = (row..last).map(|after| matrix[[after, column]]);
                best.push(before.fold(f64::NEG_INFINITY, f64::max) - end);
            }
            if let Some(at_random) = at_random.filter(|_| row > 0) {
                forward.push(matrix[[row - 1, column]] - at_random.get(column)?);
            }
        }
        let learned = mean(&learned)?;
        Some(Metrics {
            acc: matrix.row(last).sum() / columns as f64,
            bwt: -learned,
            forgetting_from_best: mean(&best)?,
            forgetting_from_learned: learned,
            fwt: mean(&forward),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_forgettings_differ_where_a_task_gets_better_first() {
        let mut matrix = AccuracyMatrix::default();
        matrix.push(vec![0.5, 0.0, 0.0]);
        matrix.push(vec![0.8, 0.7, 0.0]);
        assert_eq!(matrix.metrics(), None);
        matrix.push(vec![0.6, 0.7, 0.9]);
        let metrics = matrix.metrics().expect("three tasks");
        assert!((metrics.bwt - 0.05).abs() < 1e-12);
        assert!((metrics.forgetting_from_learned + 0.05).abs() < 1e-12);
        assert!((metrics.forgetting_from_best - 0.1).abs() < 1e-12);
        assert!((metrics.acc - 2.2 / 3.0).abs() < 1e-12);
        assert_eq!(metrics.fwt, None);
        // Before they were learned, the second was at 0 and the third at 0; at random they are at 0.1 and 0.3.
        let random = Some(&[0.2, 0.1, 0.3][..]);
        let metrics = matrix.metrics_of(&[0, 1, 2], &[0, 1, 2], random);
        let fwt = metrics
            .and_then(|metrics| metrics.fwt)
            .expect("it was measured");
        assert!((fwt + 0.2).abs() < 1e-12);
    }

    #[test]
    fn what_is_tested_now_and_then_counts_from_the_first_test_after_it_was_learned() {
        let mut matrix = AccuracyMatrix::default();
        // Tested after tasks 0, 4 and 8; the second part is taught from task 2 on, the third from task 8 on.
        for row in [[0.9, 0.2, 0.1], [0.7, 0.8, 0.3], [0.6, 0.6, 0.5]] {
            matrix.push(row.to_vec());
        }
        let random = Some(&[0.1, 0.1, 0.1][..]);
        let metrics = matrix.metrics_of(&[0, 4, 8], &[0, 2, 8], random);
        let metrics = metrics.expect("all were learned");
        // (0.6 − 0.9 + 0.6 − 0.8) / 2, and (0.2 − 0.1 + 0.3 − 0.1) / 2.
        assert!((metrics.bwt + 0.25).abs() < 1e-12);
        assert!((metrics.forgetting_from_best - 0.25).abs() < 1e-12);
        assert!((metrics.fwt.expect("measured") - 0.15).abs() < 1e-12);
        assert_eq!(matrix.metrics_of(&[0, 4, 7], &[0, 2, 8], random), None);
    }
}
