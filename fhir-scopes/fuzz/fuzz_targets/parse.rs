//! `cargo +nightly fuzz run parse`: any text, read both ways; what was read keeps the laws.

#![no_main]

use fhir_scopes::describe::{Lang, describe};
use fhir_scopes::{MAX_TOKENS, Release, Scope, ScopeSet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for release in Release::ALL {
        // 1 errors point into the text
        if let Err(error) = ScopeSet::parse(text, release) {
            assert!(text.get(error.range.clone()).is_some(), "{error:?}");
        }
        // 2 what is kept prints and reads the same; what is left out has a place
        let (set, rejected) = ScopeSet::parse_lenient(text, release);
        assert!(set.len() <= MAX_TOKENS);
        assert!(rejected.iter().all(|rejected| text.get(rejected.error.range.clone()).is_some()));
        assert_eq!(ScopeSet::parse(&set.to_string(), release).as_ref(), Ok(&set));
        // 3 canonical texts are stable and mean the same
        for scope in &set {
            let canonical = scope.canonical();
            let again = Scope::parse(&canonical, release).expect("a canonical text is well-formed");
            assert_eq!(again.canonical(), canonical);
            assert_eq!(again.resource().map(|r| (r.permissions, &r.limit)), scope.resource().map(|r| (r.permissions, &r.limit)));
            if let Some(uri) = scope.to_uri() {
                assert_eq!(Scope::parse(&uri, release).expect("a URI spelling is well-formed").canonical(), canonical);
            }
        }
        // 4 the algebra holds
        let normal = set.normalized();
        assert_eq!(normal.normalized(), normal);
        assert!(set.covers(&set));
        if set.len() < 12 {
            assert!(set.covers(&normal) && normal.covers(&set));
            let both = set.intersect(&normal);
            assert!(both.covers(&set) && set.covers(&both));
            assert!(set.difference(&normal).is_empty());
            assert_eq!(set.granted_within(&set), set);
        }
        // 5 there are words for all of it
        for lang in [Lang::En, Lang::Nl] {
            let told = describe(&set, lang);
            assert!(!told.summary.is_empty());
            let told: usize = told.groups.iter().flat_map(|group| &group.lines).map(|line| line.scopes.len()).sum();
            assert_eq!(told, set.len());
        }
    }
});
