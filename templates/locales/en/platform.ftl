# Answers of sign-in and of the account page.
sign-in-wrong = This e-mail address and password do not belong together.
sign-in-too-many = Too many attempts for this address. Wait a quarter of an hour, then try again.
sign-in-busy = Many people are signing in at this moment. Try again in a few seconds.
account-saved = Saved.
password-changed = Your password is changed. You are signed out everywhere else, and API tokens that you made before no longer work.
token-revoked = The token is revoked. Nothing can use it any more.
sessions-ended = Done. They have to sign in again there.
session-unknown-device = Unknown browser
token-days-count = { $days ->
    [one] one day
   *[other] { $days } days
 }
