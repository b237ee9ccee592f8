// Package githubtest is a stand-in for GitHub, for tests and for the demo: the
// part of GitHub's REST API, webhooks and git hosting that a GitHub App for
// pull requests meets, over real bare git repositories.
//
// # Promises
//
// Git is real: clone, fetch and push go over smart HTTP to the git binary, a
// merge makes real commits, and refs/pull/N/head and refs/pull/N/merge follow
// the branches. Tokens are real too: the App signs in by JWT, installation
// tokens expire, reach only their repositories and only what their permissions
// allow, and look like GitHub's (long, with dots). Webhooks are signed, carry
// GUIDs, go out in the background, and stand in a delivery log from which they
// can be delivered again. The bot's own acts cause webhooks as a person's do.
//
// New, which tests use, holds every request of the bot's, every response and
// every webhook against GitHub's own machine-readable contract (folder
// contract) and fails the test on whatever does not fit. Shapes are all that a
// contract can prove; behaviour that matters has tests of its own.
//
// Server.Faults makes GitHub misbehave: lost, doubled, reordered and badly
// signed webhooks, refusals, rate limits, latency.
//
// # What it does not do
//
// It is no GitHub: of GraphQL there is what contract/schema.graphql holds, and
// there are no issues apart from pull requests, no teams, rulesets, actions or
// reviews of lines. It keeps everything but git objects in memory. Only the
// routes named in api.go exist; any other is answered 404 and, under New, fails
// the test.
package githubtest
