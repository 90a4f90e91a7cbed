//! Lists, page by page, in the order of ids: a page begins after the thing that the last one ended with.

use super::{
    Ask,
    error::Refused,
    face::Face,
    filter::{Filter, Filtered},
    route::Collection,
};
use domain::{Directory, Guid};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// As Graph has them.
const USUAL: usize = 100;
const MOST: usize = 999;

/// What there are lists of.
pub(super) trait Listed: Filtered {
    /// The place in the order.
    fn key(&self) -> Guid;
}

/// What a client asked of a list.
struct Wanted {
    filter: Option<Filter>,
    top: usize,
    after: Option<Guid>,
}

impl Wanted {
    fn of<T: Listed>(ask: &Ask<'_>) -> Result<Self, Refused> {
        let read = |text| Filter::read(text).filter(Filter::fits::<T>).ok_or_else(Refused::unsupported_query);
        let filter = ask.request.query("$filter").map(read).transpose()?;
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
    of_things(ask, faces, collection.name(), |face| face.shown(ask.front.addresses.tenant))
}

/// A page of principals of whatever type, as `path` lists them.
pub(super) fn of_principals(ask: &Ask<'_>, directory: &Directory, mut ids: Vec<Guid>) -> Result<Value, Refused> {
    ids.sort_unstable();
    let faces = ids.iter().filter_map(|id| directory.principal(*id)).map(Face::Principal);
    of_things(ask, faces, Collection::DirectoryObjects.name(), |face| face.typed(ask.front.addresses.tenant))
}

/// A page of whatever there is, in the order of its keys.
pub(super) fn of_things<T: Listed>(
    ask: &Ask<'_>,
    things: impl Iterator<Item = T>,
    name: &str,
    show: impl Fn(&T) -> Value,
) -> Result<Value, Refused> {
    let wanted = Wanted::of::<T>(ask)?;
    let mut found = things
        .filter(|thing| wanted.after.is_none_or(|after| thing.key() > after))
        .filter(|thing| wanted.filter.as_ref().is_none_or(|filter| filter.holds(thing)));
    let page: Vec<T> = found.by_ref().take(wanted.top).collect();
    let mut list = ask.list(name, page.iter().map(&show).collect());
    if let (Some(last), Some(_), Some(list)) = (page.last(), found.next(), list.as_object_mut()) {
        list.insert("@odata.nextLink".to_owned(), next_link(ask, last.key()).into());
    }
    Ok(list)
}

fn next_link(ask: &Ask<'_>, after: Guid) -> String {
    let kept = ["$filter", "$top"].into_iter().filter_map(|name| {
        let value = utf8_percent_encode(ask.request.query(name)?, NON_ALPHANUMERIC);
        Some(format!("{name}={value}&"))
    });
    format!("{}{}?{}$skiptoken={after}", ask.base(), ask.request.path(), kept.collect::<String>())
}

impl Ask<'_> {
    /// A list with nothing behind it.
    pub(super) fn list(&self, name: &str, value: Vec<Value>) -> Value {
        json!({ "@odata.context": format!("{}/v1.0/$metadata#{name}", self.base()), "value": value })
    }
}
