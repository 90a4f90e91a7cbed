//! `$filter`, as far as clients use it: comparisons joined by `and` and `or`, without brackets.
//!
//! Source: OData 4.01 URL conventions §5.1.1; contract: az-client §2, "Graph v1.0".

/// A property that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    Id,
    AppId,
    DisplayName,
    UserPrincipalName,
    MailNickname,
    Mail,
    TemplateId,
    PrincipalId,
    RoleDefinitionId,
    // With many values: `/any(…)` is for them.
    ServicePrincipalNames,
    IdentifierUris,
}

/// What a filter can choose among.
pub(crate) trait Filtered {
    /// What can be asked of such a thing.
    const PROPERTIES: &'static [Property];

    fn value(&self, property: Property) -> Option<String>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equals,
    StartsWith,
}

#[derive(Debug, PartialEq, Eq)]
struct Condition {
    property: Property,
    comparison: Comparison,
    /// In lower case: Graph compares without case.
    value: String,
}

/// Alternatives, each of conditions that must all hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filter(Vec<Vec<Condition>>);

impl Filter {
    /// `None` if it is not of the kind described above.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut reader = Reader(text.trim());
        let mut alternatives = vec![vec![reader.condition()?]];
        while !reader.0.is_empty() {
            let word = reader.word()?;
            let condition = reader.condition()?;
            match word {
                "or" => alternatives.push(vec![condition]),
                "and" => alternatives.last_mut()?.push(condition),
                _ => return None,
            }
        }
        Some(Self(alternatives))
    }

    /// Whether it asks only for what such things have.
    pub(crate) fn fits<T: Filtered>(&self) -> bool {
        self.0.iter().flatten().all(|condition| T::PROPERTIES.contains(&condition.property))
    }

    pub(crate) fn holds(&self, thing: &impl Filtered) -> bool {
        self.0.iter().any(|all| all.iter().all(|condition| condition.holds(thing)))
    }
}

impl Condition {
    fn holds(&self, thing: &impl Filtered) -> bool {
        let matches = |found: String| {
            let found = found.to_lowercase();
            match self.comparison {
                Comparison::Equals => found == self.value,
                Comparison::StartsWith => found.starts_with(&self.value),
            }
        };
        thing.value(self.property).is_some_and(matches)
    }
}

/// What is left to read.
struct Reader<'text>(&'text str);

impl<'text> Reader<'text> {
    fn condition(&mut self) -> Option<Condition> {
        let word = self.word()?;
        if word.eq_ignore_ascii_case("startswith") {
            self.sign('(')?;
            let property = single(self.word()?)?;
            self.sign(',')?;
            let value = self.value()?;
            self.sign(')')?;
            return Some(Condition { property, comparison: Comparison::StartsWith, value });
        }
        if let Some(property) = word.strip_suffix("/any") {
            self.sign('(')?;
            let variable = self.word()?;
            self.sign(':')?;
            if self.word()? != variable {
                return None;
            }
            let property = many(property)?;
            let value = self.equals()?;
            self.sign(')')?;
            return Some(Condition { property, comparison: Comparison::Equals, value });
        }
        let property = single(word)?;
        Some(Condition { property, comparison: Comparison::Equals, value: self.equals()? })
    }

    fn equals(&mut self) -> Option<String> {
        (self.word()? == "eq").then(|| self.value())?
    }

    fn word(&mut self) -> Option<&'text str> {
        let end = self.0.find(|char: char| !char.is_ascii_alphanumeric() && char != '/').unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.trim_start();
        (!word.is_empty()).then_some(word)
    }

    fn sign(&mut self, sign: char) -> Option<()> {
        self.0 = self.0.strip_prefix(sign)?.trim_start();
        Some(())
    }

    /// A string in single quotes; a quote inside is doubled.
    fn value(&mut self) -> Option<String> {
        let mut rest = self.0.strip_prefix('\'')?;
        let mut value = String::new();
        loop {
            let (part, after) = rest.split_once('\'')?;
            value.push_str(part);
            match after.strip_prefix('\'') {
                Some(more) => {
                    value.push('\'');
                    rest = more;
                }
                None => {
                    self.0 = after.trim_start();
                    return Some(value.to_lowercase());
                }
            }
        }
    }
}

fn single(name: &str) -> Option<Property> {
    let known = [
        ("id", Property::Id),
        ("appId", Property::AppId),
        ("displayName", Property::DisplayName),
        ("userPrincipalName", Property::UserPrincipalName),
        ("mailNickname", Property::MailNickname),
        ("mail", Property::Mail),
        ("templateId", Property::TemplateId),
        ("principalId", Property::PrincipalId),
        ("roleDefinitionId", Property::RoleDefinitionId),
    ];
    known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, property)| property)
}

fn many(name: &str) -> Option<Property> {
    let known =
        [("servicePrincipalNames", Property::ServicePrincipalNames), ("identifierUris", Property::IdentifierUris)];
    known.into_iter().find(|(known, _)| *known == name).map(|(_, property)| property)
}
