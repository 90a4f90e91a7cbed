//! How much of the program text is tests.

use super::{Finding, functions::inline_test_lines, source::Source};
use std::fmt;

const RULE: &str = "test-share";

/// The share of test lines must not fall below this. Raise it when the share has grown; never lower it.
const MINIMUM_PERCENT: usize = 25;
const AIM_PERCENT: usize = 45;

pub struct Share {
    tests: usize,
    all: usize,
}

impl Share {
    pub fn of(sources: &[Source]) -> Self {
        let mut share = Self { tests: 0, all: 0 };
        for source in sources.iter().filter(|source| source.is_program()) {
            let all = source.text.lines().count();
            share.all += all;
            share.tests += if source.is_test() { all } else { inline_test_lines(&source.views.code) };
        }
        share
    }

    fn percent(&self) -> usize {
        (self.tests * 100).checked_div(self.all).unwrap_or(100)
    }

    pub fn check(&self) -> Option<Finding> {
        (self.percent() < MINIMUM_PERCENT).then(|| {
            let message =
                format!("tests are {} % of all lines, less than {MINIMUM_PERCENT} %: write tests", self.percent());
            Finding::new("xtask/src/tidy/share.rs", 1, RULE, message)
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tests, all } = self;
        let percent = self.percent();
        write!(f, "tests: {tests} of {all} lines, {percent} % (minimum {MINIMUM_PERCENT} %, aim {AIM_PERCENT} %)")
    }
}
