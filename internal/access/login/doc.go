// Package login gives a token to `terraform login` and `tofu login`: OAuth's
// authorization code with PKCE, for a program on the person's own machine.
//
// A person shows a token that opens something already, and agrees to one for the
// program: narrower or the same, with a name and an end of its own. Promises:
//   - A code is sent to a loopback address alone, counts once and for a minute,
//     and opens to whoever began the login, whom PKCE tells from others. One that
//     comes a second time ends the token that came of it.
//   - What comes of a login does no more than the token that was shown for it,
//     and ends with it.
//   - Neither code nor token is kept: their hashes are.
//
// It shows no page: internal/web does.
package login
