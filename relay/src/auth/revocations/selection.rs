//! The sessions that a revocation selects, and their match with a token. A revocation holds digests instead of names, so
//! that relays can pass it on without them.

use super::{Revoked, Subject};
use crate::{auth::access::Namespace, id_digest::IdDigest};
use sealwire_protocol::{Scope, UnixSeconds};
use std::cell::OnceCell;

/// Selects sessions of an installation. A session matches if every part of the selector does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Selects the sessions of this account; `None` selects those of every account.
    pub account: Option<String>,
    /// Selects the sessions whose context has these properties.
    pub context: Scope,
}

/// The digests of a selector's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) account: Option<IdDigest>,
    /// The properties with their values, sorted.
    pub(crate) context: Vec<IdDigest>,
}

/// A revocation as the relays of a cluster pass it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SharedRevocation {
    pub(crate) app: String,
    pub(crate) installation: IdDigest,
    pub(crate) selection: Selection,
    /// The revocation covers tokens issued before this time.
    pub(crate) before: UnixSeconds,
}

impl Selector {
    pub(super) fn digests(&self, namespace: Namespace<'_>) -> Selection {
        let Namespace { app, installation } = namespace;
        let account = self.account.as_ref().map(|account| IdDigest::account(app, installation, account));
        let property = |(property, value)| IdDigest::property(app, installation, property, value);
        let mut context: Vec<_> = self.context.iter().map(property).collect();
        context.sort_unstable();
        Selection { account, context }
    }
}

impl Selection {
    pub(crate) fn is_everything(&self) -> bool {
        self.account.is_none() && self.context.is_empty()
    }
}

impl SharedRevocation {
    pub(crate) fn new(app: &str, installation: &str, selector: &Selector, before: UnixSeconds) -> Self {
        let namespace = Namespace { app, installation };
        let (app, selection) = (app.to_owned(), selector.digests(namespace));
        Self { app, installation: IdDigest::installation(namespace.app, installation), selection, before }
    }
}

/// The digests of a token's claims, each computed when a revocation first needs it.
pub(super) struct SubjectDigests<'a> {
    subject: &'a Subject<'a>,
    account: OnceCell<IdDigest>,
    context: OnceCell<Vec<IdDigest>>,
}

impl<'a> SubjectDigests<'a> {
    pub(super) fn new(subject: &'a Subject<'a>) -> Self {
        Self { subject, account: OnceCell::new(), context: OnceCell::new() }
    }

    /// Returns the finding that a revocation covers the token, if it does.
    pub(super) fn revoked(&self, selection: &Selection, before: UnixSeconds) -> Option<Revoked> {
        let is_covered = self.subject.issued_at < before
            && selection.account.is_none_or(|account| account == *self.account())
            && selection.context.iter().all(|property| self.context().contains(property));
        is_covered.then_some(Revoked { before })
    }

    fn account(&self) -> &IdDigest {
        let Namespace { app, installation } = self.subject.namespace;
        self.account.get_or_init(|| IdDigest::account(app, installation, self.subject.account))
    }

    fn context(&self) -> &[IdDigest] {
        let Namespace { app, installation } = self.subject.namespace;
        self.context.get_or_init(|| {
            let mut digests = Vec::new();
            (self.subject.context)(&mut |property, value| {
                digests.push(IdDigest::property(app, installation, property, value));
            });
            digests
        })
    }
}
