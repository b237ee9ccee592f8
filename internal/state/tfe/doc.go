// Package tfe lets the `cloud` block and the `remote` backend of Terraform and
// OpenTofu keep their states here: the part of the TFE API (JSON:API, version 2)
// that they need where plans and applies run on the caller's own machine.
//
// An organization is a client, a workspace one of its states. Promises:
//   - A workspace's name is the state's with colons for its slashes, and nothing
//     else: the state that the HTTP backend has at /state/acme/net/prod is the
//     workspace net:prod of the organization acme.
//   - A token does here what it does there, to the same projects. Nobody learns
//     from an answer whether another client has something.
//   - States come and go at addresses that need no token, since clients show none
//     there. Each is good for one thing, for one version of one workspace, for
//     some minutes, and no longer than the token that it was given to.
//   - What is refused is in the log, with the reason, and where it is of interest
//     later in the audit trail.
//
// It runs nothing: there are no runs, variables, policies or teams here.
package tfe
