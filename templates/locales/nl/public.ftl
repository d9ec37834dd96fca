# Pages for whoever signs in.
sign-in-title = Sign in
sign-in-continue = to continue to <strong><bdi>{ $app }</bdi></strong>
forgot-password = Forgot your password?
signed-out-title = You are signed out
signed-out-text = On a shared computer, close this window as well.
signed-out-back = Back to <bdi>{ $app }</bdi>
sign-in-again = Sign in again
