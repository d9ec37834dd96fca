//! A family of refresh tokens against a small model of it: whatever is refreshed, lost, retried, used, revoked or waited for, in whatever order, the server answers as
//! the model says, and the family never has two live leaves.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::actors::{Stage, Tokens};
use crate::support::on_both;

const DAY: i64 = 86_400;

#[derive(Clone, Debug)]
enum Step {
    /// Present the newest refresh token.
    Refresh,
    /// Present the one before it: its answer got lost.
    Retry,
    /// Present any refresh token ever seen.
    Present(prop::sample::Index),
    /// Use any access token ever seen.
    Use(prop::sample::Index),
    /// Use the newest access token.
    UseNewest,
    /// Give an access token back.
    RevokeAccess(prop::sample::Index),
    /// Give any refresh token back.
    RevokeRefresh(prop::sample::Index),
    /// The organization disables the client and enables it again.
    SwitchOffAndOn,
    /// Time goes by.
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Refresh),
        5 => Just(Step::Retry),
        4 => any::<prop::sample::Index>().prop_map(Step::Present),
        2 => any::<prop::sample::Index>().prop_map(Step::Use),
        2 => Just(Step::UseNewest),
        1 => any::<prop::sample::Index>().prop_map(Step::RevokeAccess),
        1 => any::<prop::sample::Index>().prop_map(Step::RevokeRefresh),
        1 => Just(Step::SwitchOffAndOn),
        5 => prop_oneof![Just(1), Just(30), Just(60), Just(61), Just(3600), Just(99 * DAY), Just(101 * DAY)].prop_map(Step::Wait),
    ]
}

/// One link of the chain: a refresh token, the access token that came with it, and what they replaced.
struct Link {
    refresh: String,
    replaced: Vec<String>,
    access: String,
    made_at: i64,
    ends_at: i64,
    access_ends_at: i64,
    spent_at: Option<i64>,
    access_used: bool,
    access_revoked: bool,
}

/// The family, as the specification has it.
struct Model {
    alive: bool,
    chain: Vec<Link>,
    /// Every token ever seen.
    refresh_tokens: Vec<String>,
    access_tokens: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// A new link.
    Next,
    /// A new pair in place of the last link's.
    Again,
    Refused,
}

impl Model {
    fn new(tokens: &Tokens, now: i64) -> Self {
        let mut model = Self { alive: true, chain: Vec::new(), refresh_tokens: Vec::new(), access_tokens: Vec::new() };
        model.grow(tokens, now);
        model
    }

    fn link(&self, tokens: &Tokens, now: i64, replaced: Vec<String>) -> Link {
        let last = self.chain.last();
        Link {
            refresh: tokens.refresh(),
            replaced,
            access: tokens.access(),
            made_at: last.filter(|link| link.spent_at.is_none()).map_or(now, |link| link.made_at),
            ends_at: now + 100 * DAY,
            access_ends_at: now + 3600,
            spent_at: None,
            access_used: false,
            access_revoked: false,
        }
    }

    fn grow(&mut self, tokens: &Tokens, now: i64) {
        self.see(tokens);
        if let Some(leaf) = self.chain.last_mut() {
            leaf.spent_at = Some(now);
        }
        let link = self.link(tokens, now, Vec::new());
        self.chain.push(link);
    }

    fn replace(&mut self, tokens: &Tokens, now: i64) {
        self.see(tokens);
        let leaf = self.chain.last().unwrap();
        let replaced = [leaf.replaced.clone(), vec![leaf.refresh.clone()]].concat();
        let link = self.link(tokens, now, replaced);
        *self.chain.last_mut().unwrap() = link;
    }

    fn see(&mut self, tokens: &Tokens) {
        self.refresh_tokens.push(tokens.refresh());
        self.access_tokens.push(tokens.access());
    }

    /// Presents a refresh token to the model; it may end the family.
    fn present(&mut self, token: &str, now: i64) -> Expected {
        let unused = |link: &Link| link.spent_at.is_none() && !link.access_used && !link.access_revoked;
        let place = self
            .chain
            .iter()
            .position(|link| link.refresh == token || link.replaced.iter().any(|one| one == token))
            .unwrap();
        let link = &self.chain[place];
        let (expected, is_reuse) = if link.refresh != token {
            (Expected::Refused, !(unused(link) && now <= link.made_at + 60))
        } else if let Some(spent_at) = link.spent_at {
            let next = &self.chain[place + 1];
            if unused(next) && now <= spent_at + 60 { (Expected::Again, false) } else { (Expected::Refused, true) }
        } else if now < link.ends_at {
            (Expected::Next, false)
        } else {
            (Expected::Refused, false)
        };
        if !self.alive {
            return Expected::Refused;
        }
        self.alive = !is_reuse;
        expected
    }

    /// Uses an access token in the model.
    fn is_active(&mut self, token: &str, now: i64) -> bool {
        let alive = self.alive;
        let Some(link) = self.chain.iter_mut().find(|link| link.access == token) else { return false };
        let active = alive && !link.access_revoked && now < link.access_ends_at;
        link.access_used |= active;
        active
    }

    fn revoke_access(&mut self, token: &str) {
        if let Some(link) = self.chain.iter_mut().find(|link| link.access == token) {
            link.access_revoked = true;
        }
    }
}

/// Runs the steps on a new family; what went otherwise than in the model.
async fn run(stage: &Stage, steps: &[Step]) -> Result<(), String> {
    let mut model = Model::new(&stage.tokens().await, seconds(stage));
    let mut story = String::new();
    for step in steps {
        let _ = writeln!(story, "{step:?}");
        take(stage, &mut model, step).await.map_err(|what| format!("{story}{what}"))?;
    }
    // in the end every token ever seen is worth what the model says, the access tokens first
    for token in model.access_tokens.clone() {
        check_access(stage, &mut model, &token).await.map_err(|what| format!("{story}in the end: {what}"))?;
    }
    let mut good = 0;
    for token in model.refresh_tokens.clone() {
        good +=
            usize::from(present(stage, &mut model, &token).await.map_err(|what| format!("{story}in the end: {what}"))?);
    }
    if good > 1 { Err(format!("{story}{good} live leaves")) } else { Ok(()) }
}

fn seconds(stage: &Stage) -> i64 {
    stage.world().app.now().seconds()
}

async fn take(stage: &Stage, model: &mut Model, step: &Step) -> Result<(), String> {
    match step {
        Step::Refresh => {
            let token = model.chain.last().unwrap().refresh.clone();
            present(stage, model, &token).await?;
        }
        Step::Retry => {
            let token = model.chain.iter().rev().nth(1).unwrap_or_else(|| &model.chain[0]).refresh.clone();
            present(stage, model, &token).await?;
        }
        Step::Present(any) => {
            let token = any.get(&model.refresh_tokens).clone();
            present(stage, model, &token).await?;
        }
        Step::Use(any) => {
            let token = any.get(&model.access_tokens).clone();
            check_access(stage, model, &token).await?;
        }
        Step::UseNewest => {
            let token = model.chain.last().unwrap().access.clone();
            check_access(stage, model, &token).await?;
        }
        Step::RevokeAccess(any) => {
            let token = any.get(&model.access_tokens).clone();
            revoke(stage, &token).await?;
            model.revoke_access(&token);
        }
        Step::RevokeRefresh(any) => {
            let token = any.get(&model.refresh_tokens).clone();
            revoke(stage, &token).await?;
            model.alive = false;
        }
        Step::SwitchOffAndOn => {
            stage.disable(&stage.app).await;
            stage.enable(&stage.app).await;
            model.alive = false;
        }
        Step::Wait(seconds) => stage.world().clock.advance_seconds(*seconds),
    }
    Ok(())
}

async fn present(stage: &Stage, model: &mut Model, token: &str) -> Result<bool, String> {
    let now = seconds(stage);
    let expected = model.present(token, now);
    let answer = stage.refresh(token).await;
    match (expected, answer.status.as_u16()) {
        (Expected::Next, 200) => model.grow(&Tokens(answer.json()), now),
        (Expected::Again, 200) => model.replace(&Tokens(answer.json()), now),
        (Expected::Refused, 400) if answer.json()["error"] == "invalid_grant" => return Ok(false),
        (expected, status) => return Err(format!("expected {expected:?}, got {status}: {}", answer.body)),
    }
    Ok(true)
}

async fn check_access(stage: &Stage, model: &mut Model, token: &str) -> Result<(), String> {
    let expected = model.is_active(token, seconds(stage));
    let active = stage.is_active(token).await;
    if active == expected { Ok(()) } else { Err(format!("the access token is active: {active}")) }
}

async fn revoke(stage: &Stage, token: &str) -> Result<(), String> {
    let answer = stage.post("revoke", &[], &[("token", token), ("client_id", stage.app.as_str())]).await;
    if answer.status == 200 { Ok(()) } else { Err(answer.body) }
}

#[test]
fn a_refresh_family_has_at_most_one_live_leaf_whatever_happens_to_it() {
    on_both(|dialect| async move {
        let stage = Stage::new(dialect).await;
        let mut runner = TestRunner::deterministic();
        let stories = prop::collection::vec(step(), 1..16);
        for _ in 0..48 {
            let mut story = stories.new_tree(&mut runner).unwrap();
            let Err(mut wrong) = run(&stage, &story.current()).await else { continue };
            // the shortest story that goes wrong
            while story.simplify() {
                loop {
                    match run(&stage, &story.current()).await {
                        Err(shorter) => {
                            wrong = shorter;
                            break;
                        }
                        Ok(()) if !story.complicate() => panic!("{wrong}"),
                        Ok(()) => {}
                    }
                }
            }
            panic!("{wrong}");
        }
        stage.end().await;
    });
}
