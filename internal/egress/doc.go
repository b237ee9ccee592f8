// Package egress lets the server ask hosts that somebody else named: those of
// providers that a pull request requires, those of policies that an admin
// repository names.
//
// It promises that no such request reaches an address that is not a public one:
// each name is looked up here, every address of it must be public, and the very
// address that was looked at is dialled. So a name that answers differently the
// second time leads nowhere, and neither does a redirect. The operator's own
// hosts may have any address. What a proxy reaches is up to the proxy; the name
// is looked at here as far as it can be.
//
// It bounds no answer's size and knows nothing of tokens: that is for callers.
package egress
