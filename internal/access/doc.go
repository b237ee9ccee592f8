// Package access knows who acts, and keeps the audit trail of what they did.
// Tokens stand here too, and users, sessions and roles will, so that a change
// of rights and its audit event share a transaction.
//
// The trail is a chain: each event carries a hash over its own content and the
// hash of the event before it. Promises:
//   - An event is recorded in the transaction of the act that it tells of: no
//     event, no act.
//   - Verify finds an event that was edited, removed, inserted or moved, also
//     at the chain's end. Whoever can write to the database could forge the
//     whole chain anew; a Head that was kept elsewhere finds that as well.
//   - Nothing here changes or removes an event.
//   - A token is kept as its hash, opens one client's projects, and is compared
//     in constant time. What it may do is a list of words, of which none
//     includes another.
//
// It decides no permission yet: GitHub does.
package access
