// Package desk is the bot's answer at somebody's own desk: it plans what a work
// tree proposes, before it is pushed, and has the same View that the bot would
// write its comment from.
//
// It promises:
//   - What is planned, and how it is read, judged, priced and told, is what the
//     bot does: packages proposal and comment do it for both.
//   - The work tree is read as the commit that it would become. Terraform runs
//     on a copy of that, in a runner process with its sandbox: nothing is
//     written into the work tree, and no state is.
//   - What the person has at hand reaches Terraform: home, credentials, tokens.
//     This is what a server must never do, and what a desk is for.
//   - Whatever it made is removed when it ends, stopped by a signal too.
//
// It applies nothing, and knows no GitHub and no database.
package desk
