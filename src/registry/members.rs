use std::any::TypeId;
use std::fmt::Debug;

use serde::Serialize;
use serde_json::Value;

use super::fields::fields_of;
use super::{Chosen, Member, Part, Registry};
use crate::storage::{in_plain_words, nearly};

/// A kind of part, of which a registry has several.
pub trait Axis: Debug + Send + Sync + 'static {
    /// What a member is called in messages.
    const WHAT: &'static str;
    /// What is meant where no `kind` is said.
    const DEFAULT: Option<&'static str> = None;
    /// Whether a member is written as a text, `or:10`, wherever that says it all.
    const AS_TEXT: bool = false;
    /// What is known of the type of each member besides its name.
    type Extra: Debug + Clone + Copy + Send + Sync + 'static;

    /// The members that a registry has.
    fn members(registry: &Registry) -> &Members<Self>;
    /// The same, to add some.
    fn members_mut(registry: &mut Registry) -> &mut Members<Self>;
}

/// The members of an axis, in the order in which they were added.
#[derive(Debug)]
pub struct Members<D: Axis + ?Sized>(Vec<Entry<D>>);

impl<D: Axis + ?Sized> Clone for Members<D> {
    fn clone(&self) -> Self {
        Members(self.0.clone())
    }
}

/// One member.
#[derive(Debug)]
pub(super) struct Entry<D: Axis + ?Sized> {
    kind: &'static str,
    about: &'static str,
    pub short: Option<&'static str>,
    known_by: Option<&'static str>,
    settings: fn() -> Vec<&'static str>,
    pub of: TypeId,
    pub extra: Option<D::Extra>,
    pub read: fn(Value) -> Result<Chosen<D>, String>,
    pub in_longer_steps: fn(Value, f64) -> Result<Chosen<D>, String>,
}

impl<D: Axis + ?Sized> Clone for Entry<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Axis + ?Sized> Copy for Entry<D> {}

impl<D: Axis + ?Sized> Members<D> {
    /// None yet.
    pub(super) fn none() -> Self {
        Members(Vec::new())
    }

    /// Names with what they are.
    pub fn list(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.iter().map(|entry| (entry.kind, entry.about))
    }

    /// Adds a member; `false` if there is one of that name, of another type.
    pub(super) fn add<M: Part<D>>(&mut self) -> bool {
        if let Some(entry) = self.find(M::KIND) {
            return entry.of == TypeId::of::<M>();
        }
        self.0.push(Entry {
            kind: M::KIND,
            about: M::ABOUT,
            short: M::SHORT,
            known_by: M::KNOWN_BY,
            settings: fields_of::<M>,
            of: TypeId::of::<M>(),
            extra: M::extra(),
            read: |settings| Ok(Chosen::of(read::<M>(settings)?)),
            in_longer_steps: |settings, factor| {
                Ok(Chosen::of(read::<M>(settings)?.in_longer_steps(factor)))
            },
        });
        true
    }

    /// Adds those whose names are free.
    pub(super) fn add_all(&mut self, others: Self) {
        for entry in others.0 {
            if self.find(entry.kind).is_none() {
                self.0.push(entry);
            }
        }
    }

    pub(super) fn put_into(&self, known: &mut Vec<KnownMember>) {
        known.extend(self.0.iter().map(|entry| KnownMember {
            part: D::WHAT,
            kind: entry.kind,
            settings: (entry.settings)(),
            about: entry.about,
        }));
    }

    /// Names in their order.
    pub(crate) fn place(&self, kind: &str) -> usize {
        let place = self.0.iter().position(|entry| entry.kind == kind);
        place.unwrap_or(self.0.len())
    }

    pub(super) fn find(&self, kind: &str) -> Option<Entry<D>> {
        self.0.iter().find(|entry| entry.kind == kind).copied()
    }

    /// The one that a table without a `kind` must be of, if its settings say so.
    pub(super) fn known_by(&self, has: impl Fn(&str) -> bool) -> Option<&'static str> {
        let mut entries = self.0.iter();
        let found = entries.find(|entry| entry.known_by.is_some_and(&has));
        found.map(|entry| entry.kind)
    }

    pub(super) fn entry(&self, kind: &str) -> Result<Entry<D>, String> {
        self.find(kind).ok_or_else(|| {
            let known: Vec<_> = self.list().map(|(kind, _)| kind).collect();
            let (what, known) = (D::WHAT, known.join(", "));
            let meant = nearly(kind, self.list().map(|(kind, _)| kind));
            format!("there is no {what} of the kind `{kind}`: use one of {known}{meant}")
        })
    }
}

/// A member as people are told of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct KnownMember {
    /// What it is one of: `neuron`, `surrogate`, …
    pub part: &'static str,
    /// Its name.
    pub kind: &'static str,
    /// Keys of its settings.
    pub settings: Vec<&'static str>,
    /// What it is, in a line.
    pub about: &'static str,
}

fn read<M: Member>(settings: Value) -> Result<M, String> {
    serde_json::from_value(settings).map_err(|error| in_plain_words(error.to_string()))
}
