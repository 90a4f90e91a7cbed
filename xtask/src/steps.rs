//! A verb as a row of steps: each is timed, and the first that fails ends the row.

use crate::Outcome;
use std::time::{Duration, Instant};

pub struct Steps {
    passed: usize,
}

impl Steps {
    /// Runs the steps of a verb and ends with one line that says how it went.
    pub fn of(verb: &str, row: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        let mut steps = Self { passed: 0 };
        let (outcome, taken) = timed(|| row(&mut steps));
        let (passed, taken) = (steps.passed, seconds(taken));
        outcome
            .map_err(|message| format!("{message}\nxtask {verb}: FAILED after {passed} passed steps, in {taken}"))?;
        println!("xtask {verb}: all {passed} steps passed in {taken}");
        Ok(())
    }

    pub fn run(&mut self, name: &str, step: impl FnOnce() -> Outcome) -> Outcome {
        println!("==> {name}");
        let (outcome, taken) = timed(step);
        outcome.map_err(|message| format!("step \"{name}\" failed after {}: {message}", seconds(taken)))?;
        println!("    {name}: passed in {}", seconds(taken));
        self.passed += 1;
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a step took is for the reader; nothing is decided by it")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

fn seconds(taken: Duration) -> String {
    format!("{:.1} s", taken.as_secs_f64())
}
