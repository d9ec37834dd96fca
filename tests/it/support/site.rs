//! The whole product around a small world: router, browsers, accounts that can sign in.

use std::sync::Arc;

use axum::Router;
use countersign::domain::accounts::Account;
use countersign::http::pages::Pages;
use countersign::http::{AppState, router};
use countersign::storage::connect::Dialect;
use countersign::storage::{self, StorageError};

use super::browser::Browser;
use crate::governance::world::World;

/// The password of everybody in tests.
pub const PASSWORD: &str = "correct horse battery staple";
/// Its argon2id hash with small parameters: tests sign in for real, but need not wait for it.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=64,t=1,p=1$Y291bnRlcnNpZ250ZXN0cw$hVk7IJ0k4mrVJTFVPqSOGVrjEFDvQGHzgZWA7uPzdTI";

/// A running product.
pub struct Site {
    pub world: World,
    pub router: Router,
}

impl Site {
    pub async fn new(dialect: Dialect) -> Self {
        Self::of(World::new(dialect).await)
    }

    /// Around a world that is there already.
    pub fn of(world: World) -> Self {
        let state = AppState { app: world.app.clone(), pages: Arc::new(Pages::load().expect("the pages load")) };
        Self { world, router: router(state) }
    }

    /// A browser nobody has signed in with.
    pub fn browser(&self) -> Browser {
        Browser::new(self.router.clone(), &self.world.app.config.server.base_url)
    }

    /// Lets an account sign in with [`PASSWORD`].
    pub async fn give_password(&self, account: &Account) {
        let account = Account { password_hash: Some(PASSWORD_HASH.into()), ..account.clone() };
        self.world
            .app
            .store
            .write(move |conn| Box::pin(async move { storage::accounts::update(conn, &account).await }))
            .await
            .map_err(|error: StorageError| error)
            .expect("the account can be changed");
    }

    /// A browser with which this account has signed in, through the sign-in page.
    pub async fn signed_in(&self, account: &Account) -> Browser {
        self.give_password(account).await;
        let mut browser = self.browser();
        let form =
            browser.open("/sign-in").await.form("/sign-in").with("email", &account.email).with("password", PASSWORD);
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    /// Takes it all away.
    pub async fn remove(self) {
        self.world.database.remove().await;
    }
}
