// Package bot is what happens on GitHub: it hears (webhook.go), decides
// (decide.go, decidecommand.go, gate.go), acts (deliver.go, plan.go, apply.go)
// and answers (answer.go, post.go). What people may say to it stands in package
// command, what it says to them in package comment; both are below it and pure.
//
// Hearing stores a delivery and its job in one transaction and answers 202:
// what was acknowledged is never lost. Deciding is pure: an event and facts
// give intents, and the tables in decide_test.go are the specification.
// Acting moves the state machine in package run. Answering tells what the
// database holds, never what a worker remembers, so that it can be repeated.
//
// The bot trusts nothing that a pull request or a webhook claims: the pull is
// read again from GitHub, the commenter's permission is asked for, the
// repository's settings come from the base commit.
//
// It runs no Terraform: that is package runner's.
package bot
