//! Lists, page by page, in the order of object ids: a page begins after the record that the last one ended with.

use super::{Ask, error::Refused, face::Face, filter::Filter, route::Collection};
use domain::{Directory, Guid};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// As Graph has them.
const USUAL: usize = 100;
const MOST: usize = 999;

/// What a client asked of a list.
struct Wanted {
    filter: Option<Filter>,
    top: usize,
    after: Option<Guid>,
}

impl Wanted {
    fn of(ask: &Ask<'_>) -> Result<Self, Refused> {
        let filter = match ask.request.query("$filter") {
            None => None,
            Some(text) => Some(Filter::read(text).ok_or_else(Refused::unsupported_query)?),
        };
        let top = match ask.request.query("$top") {
            None => USUAL,
            Some(text) => text.parse().ok().filter(|top| (1..=MOST).contains(top)).ok_or_else(|| {
                Refused::bad(format!("Invalid page size specified: it must be between 1 and {MOST} inclusive."))
            })?,
        };
        let wrong = || Refused::bad("The skip token is not one of this list.");
        let after = ask.request.query("$skiptoken").map(|text| Guid::parse(text).ok_or_else(wrong)).transpose()?;
        Ok(Self { filter, top, after })
    }
}

/// A page of one collection.
pub(super) fn of_collection(ask: &Ask<'_>, directory: &Directory, collection: Collection) -> Result<Value, Refused> {
    let faces = Face::all(directory, collection);
    page(ask, faces, collection.name(), |face| face.shown(ask.front.addresses.tenant))
}

/// A page of principals of whatever type, as `path` lists them.
pub(super) fn of_principals(ask: &Ask<'_>, directory: &Directory, mut ids: Vec<Guid>) -> Result<Value, Refused> {
    ids.sort_unstable();
    let faces = ids.iter().filter_map(|id| directory.principal(*id)).map(Face::Principal);
    page(ask, faces, Collection::DirectoryObjects.name(), |face| face.typed(ask.front.addresses.tenant))
}

fn page<'directory>(
    ask: &Ask<'_>,
    faces: impl Iterator<Item = Face<'directory>>,
    name: &str,
    show: impl Fn(Face<'directory>) -> Value,
) -> Result<Value, Refused> {
    let wanted = Wanted::of(ask)?;
    let mut found = faces
        .filter(|face| wanted.after.is_none_or(|after| face.record().object_id > after))
        .filter(|face| wanted.filter.as_ref().is_none_or(|filter| filter.holds(*face)));
    let page: Vec<Face<'_>> = found.by_ref().take(wanted.top).collect();
    let mut list = ask.list(name, page.iter().map(|face| show(*face)).collect());
    if let (Some(last), Some(_), Some(list)) = (page.last(), found.next(), list.as_object_mut()) {
        list.insert("@odata.nextLink".to_owned(), next_link(ask, last.record().object_id).into());
    }
    Ok(list)
}

fn next_link(ask: &Ask<'_>, after: Guid) -> String {
    let kept = ["$filter", "$top"].into_iter().filter_map(|name| {
        let value = utf8_percent_encode(ask.request.query(name)?, NON_ALPHANUMERIC);
        Some(format!("{name}={value}&"))
    });
    format!("{}{}?{}$skiptoken={after}", ask.base(), ask.request.path_text(), kept.collect::<String>())
}

impl Ask<'_> {
    /// A list with nothing behind it.
    pub(super) fn list(&self, name: &str, value: Vec<Value>) -> Value {
        json!({ "@odata.context": format!("{}/v1.0/$metadata#{name}", self.base()), "value": value })
    }
}
