use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Accuracy on every task after every task: entry (i, j) is the accuracy on task j after task i was
/// learned. Task 0 is pre-training. Accuracies lie between 0 and 1.
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
        let matrix = self.to_array()?;
        let tasks = matrix.ncols();
        if tasks < 2 || matrix.nrows() != tasks {
            return None;
        }
        let last = tasks - 1;
        let acc = matrix.row(last).sum() / tasks as f64;
        let (mut learned, mut best) = (0.0, 0.0);
        for task in 0..last {
            let end = matrix[[last, task]];
            learned += matrix[[task, task]] - end;
            let before = (task..last).map(|after| matrix[[after, task]]);
            best += before.fold(f64::NEG_INFINITY, f64::max) - end;
        }
        Some(Metrics {
            acc,
            bwt: -learned / last as f64,
            forgetting_from_best: best / last as f64,
            forgetting_from_learned: learned / last as f64,
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
    }
}
