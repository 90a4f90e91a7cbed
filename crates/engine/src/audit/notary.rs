//! The notary: extends the log's tree over new records and signs its head.
//!
//! One transaction reads what has come since the last checkpoint, adds it to the tiles and stores the next checkpoint.
//! It runs at least once a second while anything is unsigned, and at once for operations that are answered only when
//! they are covered; those that wait at the same time share one. It never signs a head that does not follow from the
//! one before it: a log that was cut or changed is not signed any further.

use super::{
    tree::{KEY_RECORD, KeyRecord, tile},
    turns::Turns,
};
use crate::{Engine, Error};
use custody::{
    Context, Entropy, Purpose, RootKey,
    merkle::{Edge, Hash, leaf_hash, tiles, tiles::Tile},
    note::{Checkpoint, NoteSigner, NoteVerifier},
};
use domain::{Guid, Operation, UnixTime};
use std::{ops::ControlFlow, sync::atomic::AtomicU64};
use store::{Read, Store, StoredCheckpoint, Tx};

/// Records under one signature. More are left to the next: the store's writers wait for this one.
const MOST_AT_ONCE: u64 = 16_384;

const CUT: Error = Error::Broken("the audit log is shorter than its last checkpoint says");
const CHANGED: Error = Error::Broken("the audit log is not the one that its last checkpoint was signed for");

/// Signs heads of the log.
pub(crate) struct Notary {
    signer: NoteSigner,
    signings: Turns<Desk>,
    /// Checkpoints up to this size have been thinned out.
    pub(super) thinned: AtomicU64,
}

#[derive(Default)]
struct Desk {
    /// Records that this process has signed: a log that has fewer now was cut.
    signed: u64,
}

/// What one signing came to.
struct Signed {
    size: u64,
    is_all: bool,
}

impl Notary {
    /// The notary of a store, with a key that is made at its first use. The log is named after the installation.
    pub(crate) fn open(store: &dyn Store, root: &RootKey, entropy: &dyn Entropy) -> Result<Self, Error> {
        let found = store.query(|read| read.system_record(KEY_RECORD))?;
        let record = match found {
            Some(found) => found,
            None => make_key(store, root, entropy)?,
        };
        let record = KeyRecord::read(&record)?;
        let verifier = record.verifier()?;
        let seed = root.as_wrapping().open(&context(), &record.seed)?;
        let signer = NoteSigner::from_seed(verifier.name(), &seed)?;
        if *signer.verifier() != verifier {
            return Err(Error::Broken(KEY_RECORD));
        }
        Ok(Self { signer, signings: Turns::default(), thinned: AtomicU64::new(0) })
    }
}

fn make_key(store: &dyn Store, root: &RootKey, entropy: &dyn Entropy) -> Result<Vec<u8>, Error> {
    let mut installation = [0; 16];
    entropy.fill(&mut installation);
    let name = format!("strongroom/{}", Guid::from_random(installation));
    let (signer, seed) = NoteSigner::generate(&name, entropy)?;
    let seed = root.as_wrapping().seal(&context(), seed.expose(), entropy)?;
    let fresh = KeyRecord { verifier: signer.verifier().to_string(), seed };
    let fresh = serde_json::to_vec(&fresh).map_err(|_| Error::Broken(KEY_RECORD))?;
    store.transact("AuditKey", |tx| match tx.system_record(KEY_RECORD)? {
        Some(found) => Ok(found),
        None => {
            tx.put_system_record(KEY_RECORD, &fresh)?;
            Ok(fresh.clone())
        }
    })
}

fn context() -> Context<'static> {
    Context { container: None, kind: "system", name: KEY_RECORD, version: None, purpose: Purpose::SystemKey }
}

impl Engine {
    /// The key that checkpoints of this installation's log are verified with.
    #[must_use]
    pub fn audit_verifier(&self) -> &NoteVerifier {
        self.notary.signer.verifier()
    }

    /// The newest checkpoint of the log.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn last_audit_checkpoint(&self) -> Result<Option<StoredCheckpoint>, Error> {
        Ok(self.store.query(|read| read.last_audit_checkpoint())?)
    }

    /// How the log goes together with a checkpoint that was kept outside of it.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Broken`].
    pub fn audit_standing(&self, note: &str) -> Result<super::Standing, Error> {
        self.store.query(|read| super::standing(read, self.audit_verifier(), note))
    }

    /// Signs what is unsigned. Call it at least once a second, and before the process ends.
    ///
    /// # Errors
    /// [`Error::Broken`] if the log does not follow from what was signed of it; [`Error::Store`].
    pub fn sign_audit(&self) -> Result<(), Error> {
        let signings = &self.notary.signings;
        signings.redeem(signings.ticket(), |desk| {
            // Asked of a reader first: most times there is nothing to do, and no writer need be troubled.
            let is_signed = self.store.query(|read| {
                let size = read.last_audit_checkpoint()?.map_or(0, |last| last.size);
                let last = read.audit_bounds()?.map_or(0, |(_, last)| last);
                Ok::<_, Error>(size == last && size >= desk.signed)
            })?;
            if is_signed { Ok(()) } else { self.sign_all(desk) }
        })
    }

    /// Returns when a checkpoint covers all that was durable at the call, if the operation asks for it. If that fails
    /// the operation must not be answered as done, although its change stands.
    pub(crate) fn cover(&self, operation: Operation) -> Result<(), Error> {
        if !operation.needs_checkpoint() {
            return Ok(());
        }
        let signings = &self.notary.signings;
        signings.redeem(signings.ticket(), |desk| self.sign_all(desk)).inspect_err(|error| {
            tracing::error!(operation = operation.name(), %error, "a change stands, but no checkpoint covers its record")
        })
    }

    fn sign_all(&self, desk: &mut Desk) -> Result<(), Error> {
        loop {
            let before = desk.signed;
            let signed = self.store.transact("SignAudit", |tx| extend(tx, &self.notary.signer, before, self.now()))?;
            desk.signed = signed.size;
            if signed.is_all {
                return Ok(());
            }
        }
    }
}

/// Adds records to the tree and signs it. `before` is the size that is known to have been signed.
fn extend(tx: &mut dyn Tx, signer: &NoteSigner, before: u64, now: UnixTime) -> Result<Signed, Error> {
    let last = tx.last_audit_checkpoint()?;
    let size = last.as_ref().map_or(0, |last| last.size);
    let end = tx.audit_bounds()?.map_or(0, |(_, last)| last);
    if end < size || size < before {
        return Err(CUT);
    }
    let mut edge = Edge::load(size, &mut |wanted| tile(tx, wanted).map_err(Error::from))?;
    if let Some(last) = &last {
        check_end(tx, signer.verifier(), last, &edge)?;
    }
    if end == size {
        return Ok(Signed { size, is_all: true });
    }
    let until = end.min(size + MOST_AT_ONCE);
    let filled = add(tx, &mut edge, until)?;
    let partial: Vec<_> = edge.partial().map(|(tile, hashes)| (tile, hashes.to_vec())).collect();
    for (Tile { level, number }, hashes) in filled.iter().chain(&partial) {
        tx.put_audit_tile(*level, *number, hashes.as_flattened())?;
    }
    let origin = signer.verifier().name().to_owned();
    let checkpoint = Checkpoint { origin, size: until, root: edge.root() };
    let note = signer.sign(&checkpoint.to_string());
    tx.insert_audit_checkpoint(&StoredCheckpoint { size: until, time: now, note })?;
    Ok(Signed { size: until, is_all: until == end })
}

/// Makes sure that the tree is the one that was signed last, and that its last record is still there.
fn check_end(
    read: &mut (impl Read + ?Sized),
    verifier: &NoteVerifier,
    last: &StoredCheckpoint,
    edge: &Edge,
) -> Result<(), Error> {
    let signed = verifier.open_checkpoint(&last.note).map_err(|_| CHANGED)?;
    if (signed.size, signed.root) != (edge.size(), edge.root()) {
        return Err(CHANGED);
    }
    let Some(index) = edge.size().checked_sub(1) else { return Ok(()) };
    let hash = tiles::leaf(index, &mut |wanted| tile(read, wanted).map_err(Error::from))?;
    match read.audit(index, 1)?.first() {
        // Records that took the places of those cut away are told by the first of them.
        Some((position, leaf)) if *position == edge.size() && leaf_hash(leaf.as_bytes()) != hash => Err(CHANGED),
        _ => Ok(()),
    }
}

/// Adds the records up to position `until` to the tree, and returns the tiles that they filled.
fn add(read: &mut (impl Read + ?Sized), edge: &mut Edge, until: u64) -> Result<Vec<(Tile, Vec<Hash>)>, Error> {
    let (mut filled, mut has_gap) = (Vec::new(), false);
    read.visit_audit(edge.size(), &mut |position, leaf| {
        if edge.size() == until {
            return ControlFlow::Break(());
        }
        has_gap = position != edge.size() + 1;
        if has_gap {
            return ControlFlow::Break(());
        }
        edge.push(leaf_hash(leaf.as_bytes()), &mut |tile, hashes| filled.push((tile, hashes.to_vec())));
        ControlFlow::Continue(())
    })?;
    match edge.size() {
        _ if has_gap => Err(Error::Broken("the audit log has a gap")),
        size if size < until => Err(CUT),
        _ => Ok(filled),
    }
}
