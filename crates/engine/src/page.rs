//! Lists in pages. A page continues after a key, never at an offset.

/// Where a page begins and how long it may be.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The marker of the page before; `None` begins at the beginning.
    pub after: Option<String>,
    pub limit: usize,
}

#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// What [`PageRequest::after`] has to be for the next page; `None` on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of at most `limit` from a list that was read one longer.
    pub(crate) fn cut(mut items: Vec<T>, limit: usize, marker: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(marker);
        Self { items, next }
    }

    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(each).collect(), next: self.next }
    }
}
