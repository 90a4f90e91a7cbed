//! A store whose disk fails when a test says so.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{Fault, Read, Store, Tx, Verdict, sqlite::SqliteStore};

pub struct Disk {
    inner: SqliteStore,
    last: Mutex<Option<&'static str>>,
    is_gone: AtomicBool,
}

impl Disk {
    pub fn new(inner: SqliteStore) -> Self {
        Self { inner, last: Mutex::new(None), is_gone: AtomicBool::new(false) }
    }

    /// Nothing can be read any more once a transaction of this name is durable.
    pub fn fail_after(&self, name: &'static str) {
        *self.last.lock().unwrap() = Some(name);
    }

    /// Everything can be read again.
    pub fn mend(&self) {
        *self.last.lock().unwrap() = None;
        self.is_gone.store(false, Ordering::SeqCst);
    }
}

impl Store for Disk {
    fn write(&self, name: &'static str, work: &mut dyn FnMut(&mut dyn Tx) -> Verdict) -> Result<(), Fault> {
        self.inner.write(name, work)?;
        if *self.last.lock().unwrap() == Some(name) {
            self.is_gone.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn Read)) -> Result<(), Fault> {
        if self.is_gone.load(Ordering::SeqCst) {
            return Err(Fault::CorruptRecord { what: "the disk is gone" });
        }
        self.inner.read(work)
    }

    fn copy_to(&self, path: &Path) -> Result<(), Fault> {
        self.inner.copy_to(path)
    }
}
