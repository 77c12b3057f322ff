//! How many retries one origin may cost.

/// The share of retries, per origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetOptions {
    /// Retries for each call.
    pub ratio: f64,
    /// Retries for each second, however few the calls.
    pub per_second: f64,
}

impl Default for BudgetOptions {
    fn default() -> Self {
        Self { ratio: 0.2, per_second: 10.0 }
    }
}
